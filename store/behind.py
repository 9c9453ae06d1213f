"""The rows behind the facts of several accounts, for their messages: who was met last, who is next, how strong, how used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from store.naming import person_name
from store.records import Behind, Instant, NamedPerson, NamedTouch, UsageMeans
from store.tables import facts, person_levels, persons, touches

_MOST = 3
"""Persons of one group: a meeting with twenty of them is told by the first."""


def behind(
    connection: Connection,
    accounts: Sequence[int],
    as_of: Instant,
    people: Select[Any],
    means: tuple[str, Select[Any]],
) -> dict[int, Behind]:
    """What stood behind the facts of these accounts at `as_of`, by account; one statement for each kind of row.

    `people` gives account_id, on_file and the columns of NamedPerson; `means` the metric and account_id, later, earlier.
    """
    named: dict[int, list[NamedPerson]] = defaultdict(list)
    on_file: dict[int, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(people):
        named[row.account_id].append(NamedPerson(row.name, row.title, row.standing, row.strength))
        on_file[row.account_id][row.standing] = row.on_file
    metric, query = means
    used = {row.account_id: UsageMeans(metric, row.later, row.earlier) for row in connection.execute(query)}
    met = _touches(connection, _latest(accounts, as_of))
    booked = _touches(connection, _next(accounts, as_of))
    kept = _facts(connection, accounts)
    return {
        account: Behind(
            people=tuple(named[account]),
            on_file=on_file[account],
            touches=tuple(met[account]),
            bookings=tuple(booked[account]),
            means=used.get(account),
            **kept.get(account, {}),
        )
        for account in accounts
    }


def _facts(connection: Connection, accounts: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    columns = (facts.c.active_users, facts.c.seats, facts.c.tier, facts.c.cadence)
    query = select(facts.c.account_id, *columns).where(facts.c.account_id.in_(accounts))
    found = connection.execute(query).mappings()
    return {row["account_id"]: {column.name: row[column.name] for column in columns} for row in found}


def _touches(connection: Connection, query: Select[Any]) -> dict[int, list[NamedTouch]]:
    found: dict[int, list[NamedTouch]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.account_id].append(NamedTouch(row.name, row.title, row.standing, row.kind, row.at))
    return found


def _latest(accounts: Sequence[int], as_of: Instant) -> Select[Any]:
    """The latest touch of each standing, kind and direction: one of them is the one that a fact stands on."""
    t = touches.c
    groups = (t.kind, t.inbound)
    return _first(accounts, as_of, t.occurred_at <= as_of, t.occurred_at, groups, descending=True)


def _next(accounts: Sequence[int], as_of: Instant) -> Select[Any]:
    """The next meeting that is booked with persons of each standing."""
    t = touches.c
    ahead = and_(t.kind == "meeting", t.starts_at > as_of)
    return _first(accounts, as_of, ahead, t.starts_at, (), descending=False)


def _first(
    accounts: Sequence[int],
    as_of: Instant,
    which: ColumnElement[bool],
    at: ColumnElement[int],
    groups: Sequence[ColumnElement[Any]],
    *,
    descending: bool,
) -> Select[Any]:
    """The first `_MOST` parts of each account, standing and group in the order of `at`, as known at `as_of`."""
    t, level = touches.c, person_levels.c
    in_force = and_(
        level.person_id == persons.c.id,
        level.valid_from <= as_of,
        level.recorded_at <= as_of,
        or_(level.valid_to.is_(None), level.valid_to > as_of),
    )
    standing = func.coalesce(level.standing, "unclassified")
    order = (at.desc() if descending else at, persons.c.name, persons.c.key)
    place = func.row_number().over(partition_by=(t.account_id, standing, *groups), order_by=order)
    columns = (
        t.account_id,
        person_name().label("name"),
        persons.c.title,
        standing.label("standing"),
        t.kind,
        at.label("at"),
    )
    ranked = (
        select(*columns, place.label("place"))
        .select_from(touches.join(persons, persons.c.id == t.person_id).outerjoin(person_levels, in_force))
        .where(
            t.account_id.in_(accounts),
            which,
            persons.c.created_at <= as_of,
            t.recorded_at <= as_of,
            or_(t.withdrawn_at.is_(None), t.withdrawn_at > as_of),
        )
        .subquery("ranked")
    )
    r = ranked.c
    shown = [r[name] for name in ("account_id", "name", "title", "standing", "kind", "at")]
    return select(*shown).where(r.place <= _MOST).order_by(r.account_id, r.at, r.standing, r.kind, r.place)
