"""Accounts and team members: the rows of each CRM, and the one account or member that they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select, update

from store.refs import Ref, by_source, chunks
from store.tables import (
    account_fields,
    crm_accounts,
    crm_activities,
    crm_activity_accounts,
    crm_contact_accounts,
    crm_contact_roles,
    crm_members,
    crm_participants,
    members,
)

_ROUNDS = 8
"""Merge chains and links longer than this are followed in the next run."""


def contacts_of(conn: Connection, refs: Iterable[Ref]) -> set[Ref]:
    """Contacts on these CRM accounts, of their own or by a relation."""
    refs = list(refs)
    found: set[Ref] = set()
    for c in (crm_contact_accounts.c, crm_contact_roles.c):
        query = select(c.source, c.contact_id).where(by_source(c.source, c.crm_account_id, refs))
        found |= {(row.source, row.contact_id) for row in conn.execute(query)}
    return found


def activities_of(conn: Connection, refs: Iterable[Ref]) -> set[Ref]:
    """Activities that name these CRM accounts."""
    c = crm_activity_accounts.c
    found = conn.execute(select(c.source, c.activity_id).where(by_source(c.source, c.crm_account_id, refs)))
    return {(row.source, row.activity_id) for row in found}


def account_ids(conn: Connection, refs: Iterable[Ref]) -> set[int]:
    """The accounts that these CRM rows belong to."""
    c = crm_accounts.c
    found: set[int] = set()
    for some in chunks(sorted(set(refs))):
        found |= set(conn.execute(select(c.account_id).where(by_source(c.source, c.id, some))).scalars()) - {None}
    return found


def save_members(conn: Connection, refs: Iterable[Ref]) -> set[Ref]:
    """Fold the users and owners that `refs` name into members, one per e-mail address; gives the rows that are new ones."""
    c = crm_members.c
    touched = conn.execute(select(crm_members).where(by_source(c.source, c.id, refs))).all()
    fresh: set[Ref] = set()
    for key in sorted({member_key(row) for row in touched}):
        same = conn.execute(select(crm_members).where(_has_key(key)).order_by(c.source, c.id)).all()
        live = [row for row in same if row.deleted_at is None] or list(same)
        first = next((row for row in live if row.active), live[0])
        values = {
            "key": key,
            "name": first.name,
            "email": first.email.casefold() if first.email else None,
            "active": int(any(row.active and row.deleted_at is None for row in live)),
            "manager_key": _manager_key(conn, live),
        }
        known = conn.execute(select(members).where(members.c.key == key)).one_or_none()
        if known is None:
            conn.execute(members.insert().values(**values))
            fresh |= {(row.source, row.id) for row in same}
        elif any(getattr(known, name) != value for name, value in values.items()):
            conn.execute(update(members).where(members.c.key == key).values(**values))
    return fresh


def waiting_for(conn: Connection, refs: Collection[Ref]) -> tuple[set[Ref], set[Ref]]:
    """(activities, CRM accounts) that named these users before the users themselves had come."""
    a, p, f, row = crm_activities.c, crm_participants.c, account_fields.c, crm_accounts.c
    owned = select(a.source, a.id).where(by_source(a.source, a.owner_id, refs))
    joined = select(p.source, p.activity_id).where(by_source(p.source, p.team_member_id, refs))
    emails = select(func.lower(crm_members.c.email)).where(by_source(crm_members.c.source, crm_members.c.id, refs))
    mailed = select(p.source, p.activity_id).where(p.address.in_(emails))
    activities = {(r[0], r[1]) for query in (owned, joined, mailed) for r in conn.execute(query)}
    stand_ins = {f"{source}:{ref}" for source, ref in refs} | {ref.casefold() for _, ref in refs}
    named = select(f.account_id).where(f.field == "csm", f.text.in_(stand_ins), f.valid_to.is_(None))
    accounts_found = conn.execute(select(row.source, row.id).where(row.account_id.in_(named)))
    return activities, {(r.source, r.id) for r in accounts_found}


def member_key(row: Row[Any]) -> str:
    """How a user or owner is known over all CRMs: the e-mail address, else source:id."""
    return row.email.casefold() if row.email else f"{row.source}:{row.id}"


def _has_key(key: str) -> ColumnElement[bool]:
    source, _, ref = key.partition(":")
    by_id = (crm_members.c.source == source) & (crm_members.c.id == ref) & crm_members.c.email.is_(None)
    return or_(func.lower(crm_members.c.email) == key, by_id)


def _manager_key(conn: Connection, same: Sequence[Row[Any]]) -> str | None:
    refs = [(row.source, row.manager_id) for row in same if row.manager_id]
    found = conn.execute(select(crm_members).where(by_source(crm_members.c.source, crm_members.c.id, refs))).all()
    return next((member_key(row) for row in found), None)


def members_by_ref(conn: Connection) -> tuple[dict[Ref, int], dict[str, int], dict[Ref, str]]:
    """(CRM row -> member id, e-mail -> member id, CRM row -> member key): our own people are few, so all at once."""
    ids = {row.key: row.id for row in conn.execute(select(members.c.key, members.c.id))}
    refs: dict[Ref, int] = {}
    keys: dict[Ref, str] = {}
    for row in conn.execute(select(crm_members)):
        key = member_key(row)
        if key in ids:
            refs[row.source, row.id] = ids[key]
            keys[row.source, row.id] = key
    return refs, {key: ref for key, ref in ids.items() if "@" in key}, keys
