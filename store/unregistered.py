"""Persons in no CRM: external addresses at an account's domain, seen on a touch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from store.overrides import Override, overrides
from store.people import UNREGISTERED, Level, save_levels
from store.records import Instant
from store.refs import Ref, by_source, chunks
from store.tables import crm_accounts, crm_activity_accounts, person_contacts, person_levels, persons, touches


@dataclass(frozen=True, slots=True)
class Home:
    """An account with a domain: the one that the row is, and the one that is evaluated for it."""

    evaluated_id: int
    account_id: int


def homes(conn: Connection, hosts: Iterable[str]) -> dict[str, set[Home]]:
    """Domain -> the accounts that have it; person accounts have no people of their own."""
    c = crm_accounts.c
    found: defaultdict[str, set[Home]] = defaultdict(set)
    for some in chunks(sorted(set(hosts))):
        query = select(c.host, c.evaluated_id, c.account_id).where(
            c.host.in_(some), c.deleted_at.is_(None), c.evaluated_id.is_not(None), c.person == 0
        )
        for row in conn.execute(query):
            found[row.host].add(Home(row.evaluated_id, row.account_id))
    return dict(found)


def named(conn: Connection, refs: Iterable[Ref]) -> dict[Ref, set[int]]:
    """Activity -> the accounts that are evaluated for those that the CRM names on it."""
    link, row = crm_activity_accounts.c, crm_accounts.c
    found: defaultdict[Ref, set[int]] = defaultdict(set)
    for some in chunks(sorted(set(refs)), 1_000):
        query = (
            select(link.source, link.activity_id, row.evaluated_id)
            .join(crm_accounts, (row.source == link.source) & (row.id == link.crm_account_id))
            .where(by_source(link.source, link.activity_id, some), row.evaluated_id.is_not(None))
        )
        for one in conn.execute(query):
            found[one.source, one.activity_id].add(one.evaluated_id)
    return dict(found)


def seen(conn: Connection, wanted: Mapping[tuple[Home, str], Instant]) -> dict[tuple[int, str], int]:
    """Persons of these (home, address), seen for the first time at that instant: (evaluated account, address) -> id.

    One who is on file has it already; one whose contacts are all gone is seen again without them.
    """
    ids: dict[tuple[int, str], int] = {}
    origin: dict[int, bool] = {}
    has_contact = select(person_contacts.c.person_id).where(person_contacts.c.person_id == persons.c.id).exists()
    for some in chunks(sorted({address for _, address in wanted})):
        query = select(persons.c.id, persons.c.account_id, persons.c.key, has_contact.label("known"))
        for row in conn.execute(query.where(persons.c.key.in_(some))):
            ids[row.account_id, row.key] = row.id
            origin[row.id] = bool(row.known)
    fresh: dict[tuple[int, str], dict[str, object]] = {}
    for (home, address), at in sorted(wanted.items(), key=lambda one: (one[0][1], one[0][0].account_id)):
        key = (home.evaluated_id, address)
        below = None if home.account_id == home.evaluated_id else home.account_id
        values: dict[str, object] = {
            "name": address,
            "email": address,
            "title": None,
            "created_at": at,
            "deleted_at": None,
            "home_id": below,
        }
        if key not in ids:
            fresh.setdefault(key, {"account_id": key[0], "key": address, "origin": UNREGISTERED, **values})
        elif not origin[ids[key]]:
            now = update(persons).where(persons.c.id == ids[key], persons.c.origin != UNREGISTERED)
            conn.execute(now.values(origin=UNREGISTERED, **values))
            home_now = update(persons).where(persons.c.id == ids[key], persons.c.home_id.is_distinct_from(below))
            conn.execute(home_now.values(home_id=below))
    if fresh:
        made = insert(persons).returning(persons.c.id, persons.c.account_id, persons.c.key)
        ids |= {(row.account_id, row.key): row.id for row in conn.execute(made, list(fresh.values()))}
    return ids


def settle(conn: Connection, person_ids: Collection[int]) -> None:
    """Those of the persons who are in no CRM are known since their first touch; one whom nothing touches any more goes."""
    p, t = persons.c, touches.c
    for some in chunks(sorted(person_ids)):
        first = (
            select(p.id, p.key, p.created_at, func.min(t.recorded_at).label("first"))
            .outerjoin_from(persons, touches, t.person_id == p.id)
            .where(p.id.in_(some), p.origin == UNREGISTERED)
            .group_by(p.id, p.key, p.created_at)
        )
        levels: dict[int, tuple[Level, ...]] = {}
        there = conn.execute(first).all()
        said = overrides(conn, {row.key for row in there})
        for row in there:
            if row.first is None:
                conn.execute(delete(person_levels).where(person_levels.c.person_id == row.id))
                conn.execute(delete(persons).where(p.id == row.id))
                continue
            levels[row.id] = _levels(row.first, said.get(row.key))
            if row.created_at != row.first:
                conn.execute(update(persons).where(p.id == row.id).values(created_at=row.first))
        save_levels(conn, levels)


def settle_keys(conn: Connection, keys: Collection[str]) -> set[int]:
    """Settle the persons in no CRM that have these keys; gives their accounts."""
    p = persons.c
    found = conn.execute(select(p.id, p.account_id).where(p.key.in_(sorted(keys)), p.origin == UNREGISTERED)).all()
    settle(conn, [row.id for row in found])
    return {row.account_id for row in found}


def _levels(first: Instant, said: Override | None) -> tuple[Level, ...]:
    """Nobody knows who it is, until one of our people says so."""
    if said is None:
        return (Level(first, None, None, "unknown", "unclassified"),)
    decided = Level(max(first, said.at), None, said.level, "unknown", said.standing)
    before = Level(first, said.at, None, "unknown", "unclassified")
    return (before, decided) if said.at > first else (decided,)
