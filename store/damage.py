"""Which rows are not what their hash says: somebody wrote into the database, or a disk did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import product
from typing import Any

from sqlalchemy import Connection, Table, select

from store.payload import kept
from store.refs import chunks
from store.sync_sides import off_file
from store.tables import (
    crm_activities,
    crm_activity_accounts,
    crm_contact_accounts,
    crm_contacts,
    crm_participants,
)

_Parts = Mapping[str, list[Any]]


def damaged(conn: Connection, table: Table, source: str, rows: Sequence[Mapping[Any, Any]]) -> Collection[str]:
    """Ids of the rows (whole ones of a mirrored table) that are damaged.

    Links and participants are part of a row's hash where they came with it. Where they came apart, or changed since, the
    row itself may still be whole: only one that fits neither way is called damaged.
    """
    links: _Parts = {}
    sides: _Parts = {}
    if table is crm_contacts:
        links = _links(conn, crm_contact_accounts, "contact_id", source, rows)
    elif table is crm_activities:
        links = _links(conn, crm_activity_accounts, "activity_id", source, rows)
        sides = _sides(conn, source, rows)
    return {
        row["id"] for row in rows if not _whole(table, source, row, links.get(row["id"], []), sides.get(row["id"], []))
    }


def _whole(table: Table, source: str, row: Mapping[Any, Any], links: list[Any], sides: list[Any]) -> bool:
    if table is crm_activities:
        ways = [list(way) for way in product(_ways(links), _ways_of_sides(sides))]
    else:
        ways = [[way] for way in _ways(links)] if table is crm_contacts else [[]]
    return any(kept(table, row, *way).row(source)["payload"] == row["payload"] for way in ways)


def _ways(part: list[Any]) -> list[list[Any]]:
    return [part, []] if part else [[]]


def _ways_of_sides(sides: list[tuple[bool, Any]]) -> list[list[Any]]:
    """With the contacts that are deleted, as before, and without them, as the CRM says the row since then."""
    every, on_file = [side for _, side in sides], [side for off, side in sides if not off]
    return [*_ways(every), *([on_file] if on_file and on_file != every else [])]


def _links(conn: Connection, table: Table, key: str, source: str, rows: Sequence[Mapping[Any, Any]]) -> _Parts:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for some in chunks([row["id"] for row in rows]):
        query = select(table.c[key], table.c.crm_account_id).where(table.c.source == source, table.c[key].in_(some))
        for ref, account in conn.execute(query):
            found[ref].append(account)
    return {ref: sorted(accounts) for ref, accounts in found.items()}


def _sides(conn: Connection, source: str, rows: Sequence[Mapping[Any, Any]]) -> _Parts:
    c = crm_participants.c
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for some in chunks([row["id"] for row in rows]):
        columns = (c.id, c.role, c.contact_id, c.team_member_id, c.address, c.deleted_at)
        query = select(c.activity_id, off_file().label("off"), *columns).order_by(c.id)
        here = (c.source == source, c.activity_id.in_(some), c.deleted_at.is_(None))
        for activity, off, *side in conn.execute(query.where(*here)):
            found[activity].append((bool(off), tuple(side)))
    return {ref: sorted(sides, key=lambda side: str(side[1][0])) for ref, sides in found.items()}
