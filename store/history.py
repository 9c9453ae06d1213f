"""What is known of the past of fields: read by derivation, and noted when a sync sees a value change."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, Table, select

from store.records import Instant
from store.refs import Ref, by_source, chunks, upsert
from store.tables import crm_accounts, crm_contacts, crm_field_history, crm_objects, crm_opportunities

SEEN = "seen"
_TRACKED: dict[str, tuple[str, ...]] = {
    crm_accounts.name: ("name", "owner_id", "customer"),
    crm_contacts.name: ("title", "buying_role", "bounced"),
    crm_opportunities.name: ("stage", "amount", "close_on", "closed", "won", "type"),
}
"""Columns whose past derivation reads besides the raw fields; kept under their name behind an @."""
_KINDS = {crm_accounts.name: "accounts", crm_contacts.name: "contacts", crm_opportunities.name: "opportunities"}


def lines(conn: Connection, kind: str, refs: Iterable[Ref]) -> list[Row[Any]]:
    """Everything known of the past of these rows, oldest first. `kind`: accounts | contacts | objects:<Name> | ..."""
    h = crm_field_history.c
    found: list[Row[Any]] = []
    for some in chunks(sorted(set(refs))):
        query = select(crm_field_history).where(h.object == kind, by_source(h.source, h.id, some))
        found += conn.execute(query.order_by(h.source, h.id, h.field, h.changed_at)).all()
    return found


def note(
    conn: Connection, table: Table, source: str, changes: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> None:
    """Remember what the fields of these rows held before a sync brought other values; `changes`: (old row, new row).

    The new value counts from the stamp of the row that brought it. A field of which nothing was known held the old
    value since the row was created.
    """
    if table is not crm_objects and table.name not in _KINDS:
        return
    rows: list[dict[str, Any]] = []
    for old, new in changes:
        before, after = _values(table, old), _values(table, new)
        kind = _KINDS.get(table.name) or f"objects:{new['object']}"
        for name in sorted(before.keys() & after.keys()):
            if before[name] != after[name]:
                key = {"source": source, "object": kind, "id": new["id"], "field": name}
                rows.append(_line(key, 0, before[name]))
                rows.append(_line(key, max(int(new["modified_at"]), 1), after[name]))
    _add(conn, rows)


def note_written(conn: Connection, row: RowMapping, field: str, value: str | None, at: Instant) -> None:
    """Remember the value that tierd itself has written into a field of an account row (as it was before)."""
    key = {"source": row["source"], "object": "accounts", "id": row["id"], "field": field}
    before = json.loads(row["fields"]).get(field)
    if before != value:
        _add(conn, [_line(key, 0, before), _line(key, at, value)])


def _add(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add lines. The first line of a field is only for fields of which nothing is known; the CRM's own lines stay."""
    h = crm_field_history.c
    known: dict[tuple[str, ...], set[int]] = {}
    crm: set[tuple[tuple[str, ...], int]] = set()
    for some in chunks(sorted({(row["source"], row["id"]) for row in rows})):
        query = select(h.source, h.object, h.id, h.field, h.changed_at, h.origin)
        for line in conn.execute(query.where(by_source(h.source, h.id, some))):
            field = (line.source, line.object, line.id, line.field)
            known.setdefault(field, set()).add(line.changed_at)
            if line.origin != SEEN:
                crm.add((field, line.changed_at))
    fresh = []
    for row in rows:
        key = (row["source"], row["object"], row["id"], row["field"])
        if (row["changed_at"] == 0 and key in known) or (key, row["changed_at"]) in crm:
            continue
        fresh.append(row)
    upsert(conn, crm_field_history, fresh)


def _line(key: Mapping[str, Any], at: int, value: object) -> dict[str, Any]:
    return {**key, "changed_at": at, "value": json.dumps(value, ensure_ascii=False), "author": None, "origin": SEEN}


def _values(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    try:
        fields = json.loads(row["fields"])
    except ValueError:
        fields = {}  # a damaged row has no past worth keeping
    columns = {f"@{name}": row[name] for name in _TRACKED.get(table.name, ())}
    return (fields if isinstance(fields, dict) else {}) | columns


def refs_of(conn: Connection, kind: str, refs: Iterable[Ref]) -> set[Ref]:
    """The CRM accounts that rows of this kind hang on. `kind`: accounts | opportunities | objects:<Name>."""
    if kind == "accounts":
        return set(refs)
    custom = kind.partition(":")[2]
    table = crm_objects if custom else crm_opportunities
    found: set[Ref] = set()
    for some in chunks(sorted(set(refs))):
        query = select(table.c.source, table.c.crm_account_id).where(by_source(table.c.source, table.c.id, some))
        if custom:
            query = query.where(table.c.object == custom)
        found |= {(row.source, row.crm_account_id) for row in conn.execute(query) if row.crm_account_id}
    return found
