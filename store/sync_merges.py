"""Keep merges: whatever still names a row that a merge retired means the row it became."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table, insert, select, update

from store import dirty
from store.records import AccountRecord, ContactRecord, Instant, Merged
from store.refs import chunks, upsert
from store.saved import NOTHING, Saved
from store.tables import crm_accounts, crm_aliases, crm_contacts, crm_opportunities, crm_tickets

_MERGING: dict[str, Table] = {
    "accounts": crm_accounts,
    "contacts": crm_contacts,
    "opportunities": crm_opportunities,
    "tickets": crm_tickets,
}
_STUB: dict[str, dict[str, Any]] = {"accounts": {}, "contacts": {"bounced": 0}}


def save_merged(conn: Connection, source: str, records: Sequence[Merged], _now: Instant) -> Saved:
    """Aliases of merged rows; the retired row becomes a tombstone that names its successor.

    Of an account or a contact that nobody has read such a tombstone is made: other rows may still name it.
    """
    saved = NOTHING
    latest = {(r.object, r.id): r for r in records if r.id != r.into}
    for (name, ref), record in sorted(latest.items()):
        a = crm_aliases.c
        this = (a.source == source) & (a.object == name) & (a.id == ref)
        if conn.execute(select(a.into_id).where(this)).scalar() == record.into:
            continue
        row = {"source": source, "object": name, "id": ref, "into_id": record.into, "merged_at": record.at}
        upsert(conn, crm_aliases, [row])
        if name in _STUB:
            _stub(conn, source, record)
        saved += Saved(0, 1, _retire(conn, source, record))
        _mark(conn, source, record)
    return saved


def keep_merged(
    conn: Connection, source: str, kind: str, records: Iterable[AccountRecord] | Iterable[ContactRecord]
) -> None:
    """After rows were written: a row that says itself into what it was merged is an alias, and one that is known to be
    retired stays so, although a list that lags behind, or an archive, has brought it once more. `kind`: accounts | contacts.
    """
    a, table = crm_aliases.c, _MERGING[kind]
    by_id = {record.id: record for record in records}
    said = [
        {
            "source": source,
            "object": kind,
            "id": r.id,
            "into_id": r.merged_into,
            "merged_at": r.deleted_at or r.modified_at,
        }
        for r in by_id.values()
        if r.merged_into
    ]
    upsert(conn, crm_aliases, said)
    for some in chunks(sorted(by_id)):
        retired = select(crm_aliases).where(a.source == source, a.object == kind, a.id.in_(some))
        for alias in conn.execute(retired).all():
            if not by_id[alias.id].merged_into:
                this = (table.c.source == source) & (table.c.id == alias.id)
                conn.execute(update(table).where(this).values(merged_into=alias.into_id))
                conn.execute(update(table).where(this, table.c.deleted_at.is_(None)).values(deleted_at=alias.merged_at))


def _stub(conn: Connection, source: str, record: Merged) -> None:
    table = _MERGING[record.object]
    known = select(table.c.id).where(table.c.source == source, table.c.id == record.id)
    if conn.execute(known).scalar() is None:
        stamps = {"created_at": record.at, "modified_at": record.at, "deleted_at": record.at}
        base = {"source": source, "id": record.id, "name": "", "fields": "{}", "payload": ""}
        conn.execute(insert(table).values(base | stamps | _STUB[record.object]))


def _retire(conn: Connection, source: str, record: Merged) -> int:
    table = _MERGING[record.object]
    this = (table.c.source == source) & (table.c.id == record.id)
    if "merged_into" in table.c:
        conn.execute(update(table).where(this).values(merged_into=record.into))
    gone = update(table).where(this, table.c.deleted_at.is_(None)).values(deleted_at=record.at)
    return conn.execute(gone).rowcount


def _mark(conn: Connection, source: str, record: Merged) -> None:
    if record.object in ("accounts", "contacts"):
        dirty.mark(conn, record.object, [(source, record.id), (source, record.into)])
        return
    c = _MERGING[record.object].c
    on = conn.execute(select(c.crm_account_id).where(c.source == source, c.id.in_((record.id, record.into)))).scalars()
    dirty.mark(conn, "fields", ((source, account) for account in on if account))


def aliases(conn: Connection, source: str, kind: str, refs: Iterable[str]) -> dict[str, set[str]]:
    """Row -> the ids that merges retired into it, over any number of merges; rows without any are left out."""
    a = crm_aliases.c
    found: defaultdict[str, set[str]] = defaultdict(set)
    fresh = {ref: ref for ref in refs}  # a retired id -> the row asked for that it became
    while fresh:
        into: dict[str, str] = {}
        for some in chunks(sorted(fresh)):
            query = select(a.id, a.into_id).where(a.source == source, a.object == kind, a.into_id.in_(some))
            into |= {row.id: fresh[row.into_id] for row in conn.execute(query)}
        fresh = {ref: top for ref, top in into.items() if ref != top and ref not in found[top]}
        for ref, top in fresh.items():
            found[top].add(ref)
    return {ref: ids for ref, ids in found.items() if ids}
