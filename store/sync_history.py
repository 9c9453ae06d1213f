"""Keep what a CRM says about its own past: merges, and the history of fields."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, select, update

from store import dirty
from store.records import FieldChange, Instant, Merged
from store.refs import chunks, upsert
from store.saved import NOTHING, Saved
from store.tables import (
    crm_accounts,
    crm_aliases,
    crm_contacts,
    crm_field_history,
    crm_opportunities,
    crm_tickets,
)

_MERGING: dict[str, Table] = {
    "accounts": crm_accounts,
    "contacts": crm_contacts,
    "opportunities": crm_opportunities,
    "tickets": crm_tickets,
}


def save_merged(conn: Connection, source: str, records: Sequence[Merged], _now: Instant) -> Saved:
    """Aliases of merged rows; the retired row, where it is known, becomes a tombstone that names its successor."""
    saved = NOTHING
    latest = {(r.object, r.id): r for r in records}
    for (name, ref), record in sorted(latest.items()):
        a = crm_aliases.c
        this = (a.source == source) & (a.object == name) & (a.id == ref)
        if conn.execute(select(a.into_id).where(this)).scalar() == record.into:
            continue
        row = {"source": source, "object": name, "id": ref, "into_id": record.into, "merged_at": record.at}
        upsert(conn, crm_aliases, [row])
        saved += Saved(0, 1, _retire(conn, source, record))
        dirty.mark(conn, name if name in ("accounts", "contacts") else "fields", [(source, ref), (source, record.into)])
    return saved


def _retire(conn: Connection, source: str, record: Merged) -> int:
    table = _MERGING[record.object]
    this = (table.c.source == source) & (table.c.id == record.id)
    values: dict[str, Any] = {"merged_into": record.into} if "merged_into" in table.c else {}
    if values:
        conn.execute(update(table).where(this).values(**values))
    gone = update(table).where(this, table.c.deleted_at.is_(None)).values(deleted_at=record.at)
    return conn.execute(gone).rowcount


def save_changes(conn: Connection, source: str, records: Sequence[FieldChange], _now: Instant) -> Saved:
    """Lines of the CRM's field history; known ones are not written again.

    What a field held since the row was created (`at` 0) is what the oldest line says: the first one to come stays.
    """
    h = crm_field_history.c
    wanted: dict[tuple[str, str, str, int], dict[str, Any]] = {}
    for r in records:
        key = (r.object, r.id, r.field, r.at)
        if r.at == 0 and key in wanted:
            continue
        wanted[key] = {
            "source": source,
            "object": r.object,
            "id": r.id,
            "field": r.field,
            "changed_at": r.at,
            "value": json.dumps(r.value, ensure_ascii=False),
            "author": r.author,
        }
    by_object: defaultdict[str, set[str]] = defaultdict(set)
    for name, ref, _, _ in wanted:
        by_object[name].add(ref)
    known: set[tuple[str, str, str, int, str]] = set()
    for name, refs in by_object.items():
        for some in chunks(sorted(refs)):
            query = select(h.object, h.id, h.field, h.changed_at, h.value)
            rows = conn.execute(query.where(h.source == source, h.object == name, h.id.in_(some)))
            known |= {(r.object, r.id, r.field, r.changed_at, r.value) for r in rows}
    first = {key[:4] for key in known if key[3] == 0}
    fresh = [row for key, row in wanted.items() if (*key, row["value"]) not in known and key not in first]
    upsert(conn, crm_field_history, fresh)
    for name in by_object:
        changed = {str(row["id"]) for row in fresh if row["object"] == name}
        dirty.mark(conn, f"history:{name}", ((source, ref) for ref in changed))
    return Saved(0, len(fresh), 0)
