"""Merely to read what the facts of some accounts stand on, and what is stored of them: no fact is calculated, none written.

It is the least that a refresh of these accounts can take on the database.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, Table, and_, column, func, select, table

from store.tables import (
    account_fields,
    captures,
    crm_accounts,
    crm_opportunities,
    crm_tickets,
    fact_sets,
    facts,
    health_parts,
    members,
    narrowed_facts,
    past_facts,
    person_levels,
    persons,
    survey_answers,
    tier_history,
    touch_members,
    touches,
    usage_samples,
)

FEW = table("few", column("account_id"))
"""Whose rows are read."""

_OWN = (
    *(account_fields, persons, touches, usage_samples, tier_history, survey_answers),
    *(facts, narrowed_facts, fact_sets, health_parts),
)
_UNREAD = ("payload", "fields")


def read_all(conn: Connection) -> None:
    """Read every row of the accounts in `few`, each column once."""
    for query in _reads():
        conn.execute(query).one()


def _reads() -> list[Select[Any]]:
    few = select(FEW.c.account_id)
    csms = select(account_fields.c.text).where(account_fields.c.field == "csm", account_fields.c.account_id.in_(few))
    same = and_(touch_members.c.source == touches.c.source, touch_members.c.activity_id == touches.c.activity_id)
    past = past_facts.c
    return [
        select(func.max(past.health), func.max(past.health_state)).where(past.account_id.in_(few)),
        *(_columns(own).where(own.c.account_id.in_(few)) for own in _OWN),
        _columns(person_levels).join(persons, persons.c.id == person_levels.c.person_id).where(persons.c.account_id.in_(few)),
        _columns(touch_members).join(touches, same).where(touches.c.account_id.in_(few)),
        _columns(captures).join(members, members.c.id == captures.c.member_id).where(members.c.key.in_(csms)),
        *(_of_crm(rows).where(crm_accounts.c.account_id.in_(few)) for rows in (crm_opportunities, crm_tickets)),
    ]  # fmt: skip


def _columns(rows: Table) -> Select[Any]:
    return select(*(func.max(one) for one in rows.columns if one.name not in _UNREAD)).select_from(rows)


def _of_crm(rows: Table) -> Select[Any]:
    there = and_(crm_accounts.c.source == rows.c.source, crm_accounts.c.id == rows.c.crm_account_id)
    return _columns(rows).join(crm_accounts, there)
