"""Keep what a CRM says of the history of its fields."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from store import dirty
from store.records import FieldChange, Instant
from store.refs import chunks, upsert
from store.saved import Saved
from store.tables import crm_field_history

_Key = tuple[str, str, str]
"""(object, id, field)"""


def save_changes(conn: Connection, source: str, records: Sequence[FieldChange], _now: Instant) -> Saved:
    """Lines of the CRM's field history; known ones are not written again.

    What a field held since the row was created (`at` 0) is what the oldest line says, in whatever order they come.
    """
    by_object: defaultdict[str, set[str]] = defaultdict(set)
    for r in records:
        by_object[r.object].add(r.id)
    known = _known(conn, source, by_object)
    oldest: dict[_Key, Instant] = {}
    for *key, at, _ in [*known, *((r.object, r.id, r.field, r.at, "") for r in records)]:
        if at > 0:
            field = (key[0], key[1], key[2])
            oldest[field] = min(at, oldest.get(field, at))
    wanted: dict[tuple[str, str, str, int], dict[str, Any]] = {}
    for r in records:
        if r.until > oldest.get((r.object, r.id, r.field), r.until):
            continue
        wanted[r.object, r.id, r.field, r.at] = {
            "source": source,
            "object": r.object,
            "id": r.id,
            "field": r.field,
            "changed_at": r.at,
            "value": json.dumps(r.value, ensure_ascii=False),
            "author": r.author,
            "origin": "crm",
        }
    fresh = [row for key, row in wanted.items() if (*key, row["value"]) not in known]
    upsert(conn, crm_field_history, fresh)
    for name in by_object:
        changed = {str(row["id"]) for row in fresh if row["object"] == name}
        dirty.mark(conn, f"history:{name}", ((source, ref) for ref in changed))
    return Saved(0, len(fresh), 0)


def _known(
    conn: Connection, source: str, by_object: Mapping[str, Collection[str]]
) -> set[tuple[str, str, str, int, str]]:
    h = crm_field_history.c
    known: set[tuple[str, str, str, int, str]] = set()
    for name, refs in by_object.items():
        for some in chunks(sorted(refs)):
            query = select(h.object, h.id, h.field, h.changed_at, h.value)
            mine = (h.source == source, h.object == name, h.id.in_(some), h.origin == "crm")
            rows = conn.execute(query.where(*mine))
            known |= {(r.object, r.id, r.field, r.changed_at, r.value) for r in rows}
    return known
