"""Write links between rows as complete sets, and tombstones for rows that their source no longer has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Table, delete, insert, select, update

from store import dirty
from store.records import Gone, Instant, Links
from store.refs import chunks
from store.saved import Saved
from store.sync_sides import link_participants, put_back
from store.tables import (
    crm_accounts,
    crm_activities,
    crm_activity_accounts,
    crm_contact_accounts,
    crm_contact_roles,
    crm_contacts,
    crm_objects,
    crm_opportunities,
    crm_participants,
    crm_tickets,
)


def set_links(conn: Connection, table: Table, key: str, source: str, wanted: Mapping[str, Sequence[str]]) -> set[str]:
    """Bring the accounts that each row is linked to; gives the ids of the rows whose links changed."""
    column = table.c[key]
    have: defaultdict[str, set[str]] = defaultdict(set)
    for some in chunks(sorted(wanted)):
        rows = conn.execute(select(table).where(table.c.source == source, column.in_(some))).mappings()
        for row in rows:
            have[row[key]].add(row["crm_account_id"])
    added, changed = [], set()
    for ref, accounts in wanted.items():
        surplus, missing = have[ref] - set(accounts), set(accounts) - have[ref]
        if surplus:
            conn.execute(
                delete(table).where(table.c.source == source, column == ref, table.c.crm_account_id.in_(surplus))
            )
        added += [{"source": source, key: ref, "crm_account_id": account} for account in sorted(missing)]
        if surplus or missing:
            changed.add(ref)
    if added:
        conn.execute(insert(table), added)
    return changed


def save_links(conn: Connection, source: str, records: Sequence[Links], now: Instant) -> Saved:
    """Complete sets of links: what is not in one is unlinked."""
    by_kind: defaultdict[tuple[str, str], dict[str, Sequence[str]]] = defaultdict(dict)
    for record in records:
        by_kind[record.object, record.object_to][record.id] = record.ids
    changed = 0
    for (name, to), wanted in by_kind.items():
        if (name, to) == ("contacts", "accounts"):
            moved = set_links(conn, crm_contact_accounts, "contact_id", source, wanted)
            dirty.mark(conn, "contacts", ((source, ref) for ref in moved))
        elif (name, to) == ("activities", "accounts"):
            moved = set_links(conn, crm_activity_accounts, "activity_id", source, wanted)
            dirty.mark(conn, "activities", ((source, ref) for ref in moved))
        elif (name, to) == ("activities", "contacts"):
            moved = link_participants(conn, source, wanted, now)
        else:
            moved = _link_account(conn, name, source, wanted)
        changed += len(moved)
    return Saved(0, changed, 0)


def _link_account(conn: Connection, name: str, source: str, wanted: Mapping[str, Sequence[str]]) -> set[str]:
    """Rows that are on one account: the first of their set, which is the primary one where the CRM has such."""
    kind, _, custom = name.partition(":")
    table = crm_objects if custom else {"opportunities": crm_opportunities, "tickets": crm_tickets}[kind]
    also = (crm_objects.c.object == custom,) if custom else ()
    changed: set[str] = set()
    for some in chunks(sorted(wanted)):
        mine = (table.c.source == source, table.c.id.in_(some), *also)
        have = {
            row.id: row.crm_account_id for row in conn.execute(select(table.c.id, table.c.crm_account_id).where(*mine))
        }
        for ref, old in have.items():
            new = next(iter(wanted[ref]), None)
            if old == new:
                continue
            this = update(table).where(table.c.source == source, table.c.id == ref, *also)
            conn.execute(this.values(crm_account_id=new))
            dirty.mark(conn, "fields", ((source, a) for a in (old, new) if a))
            changed.add(ref)
    return changed


_GONE: dict[str, Table] = {
    "accounts": crm_accounts,
    "contacts": crm_contacts,
    "activities": crm_activities,
    "opportunities": crm_opportunities,
    "tickets": crm_tickets,
    "contact_roles": crm_contact_roles,
}


def save_gone(conn: Connection, source: str, records: Sequence[Gone], _now: Instant) -> Saved:
    """Tombstones; a row that is unknown or gone already changes nothing."""
    by_kind: defaultdict[str, dict[str, Instant]] = defaultdict(dict)
    for record in records:
        by_kind[record.object][record.id] = record.at
    gone = 0
    for kind, when in by_kind.items():
        for some in chunks(sorted(when)):
            gone += _tombstones(conn, source, kind, {ref: when[ref] for ref in some})
    return Saved(0, gone, gone)


def _tombstones(conn: Connection, source: str, kind: str, when: Mapping[str, Instant]) -> int:
    """Mark rows of one kind as gone; gives how many were there."""
    name, _, custom = kind.partition(":")
    table = crm_objects if custom else crm_participants if name == "participants" else _GONE[name]
    of_kind = (table.c.object == custom,) if custom else ()
    live = (table.c.source == source, table.c.deleted_at.is_(None), *of_kind)
    rows = conn.execute(select(table).where(*live, table.c.id.in_(when))).all()
    for row in rows:
        conn.execute(update(table).where(*live, table.c.id == row.id).values(deleted_at=when[row.id]))
    if table is crm_participants:
        dirty.mark(conn, "activities", ((source, row.activity_id) for row in rows))
    elif table is crm_contact_roles:
        dirty.mark(conn, "contacts", ((source, row.contact_id) for row in rows))
    elif "crm_account_id" in table.c:
        dirty.mark(conn, "fields", ((source, row.crm_account_id) for row in rows if row.crm_account_id))
    else:
        dirty.mark(conn, name, ((source, row.id) for row in rows))
    if table is crm_contacts:
        put_back(conn, source, {row.id: when[row.id] for row in rows})
    return len(rows)
