"""Write the rows of one table that differ from those kept; what a draft leaves out stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, bindparam, select, update

from store import dirty, history
from store.payload import Draft
from store.refs import chunks, upsert
from store.saved import Saved
from store.sync_about import follow


def write_changed(
    conn: Connection, table: Table, source: str, drafts: Sequence[Draft], *also: ColumnElement[bool]
) -> tuple[list[str], int]:
    """Write the rows that differ from those kept; gives their ids and how many of them are newly deleted.

    `also` narrows tables whose key is more than source and id.
    """
    latest = {one.id: one for one in drafts}
    fresh: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    changes: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = []
    gone = 0
    for some in chunks(sorted(latest)):
        known = _hashes(conn, table, source, some, *also)
        rows = {ref: latest[ref].row(source) for ref in some}
        differing = [ref for ref in some if latest[ref].unread or _differs(rows[ref], known.get(ref))]
        moved += [
            {"ref": ref, "at": latest[ref].values["modified_at"]}
            for ref in set(some) & set(known) - set(differing)
            if known[ref].modified_at != latest[ref].values["modified_at"]
        ]
        old = _rows(conn, table, source, [ref for ref in differing if ref in known], *also)
        for ref in differing:
            row = latest[ref].over(old[ref]).row(source) if ref in old else rows[ref]
            if not _differs(row, known.get(ref)):
                continue
            fresh.append(row)
            if ref in old:
                changes.append((old[ref], row))
            gone += row["deleted_at"] is not None and (ref not in known or known[ref].deleted_at is None)
    history.note(conn, table, source, changes)
    upsert(conn, table, fresh)
    if moved:
        # No change that anybody must look at; but sweeps compare stamps, and would read the row again and again.
        this = update(table).where(table.c.source == source, table.c.id == bindparam("ref"), *also)
        conn.execute(this.values(modified_at=bindparam("at")), moved)
    return [row["id"] for row in fresh], gone


def _differs(row: Mapping[str, Any], known: Any) -> bool:
    # A tombstone keeps the hash of the row that it was: a row that comes back is a change all the same.
    back = known is not None and known.deleted_at is not None and row["deleted_at"] is None
    return known is None or known.payload != row["payload"] or back


def _hashes(
    conn: Connection, table: Table, source: str, ids: Sequence[str], *also: ColumnElement[bool]
) -> dict[str, Any]:
    query = select(table.c.id, table.c.payload, table.c.deleted_at, table.c.modified_at)
    rows = conn.execute(query.where(table.c.source == source, table.c.id.in_(ids), *also))
    return {row.id: row for row in rows}


def _rows(
    conn: Connection, table: Table, source: str, ids: Sequence[str], *also: ColumnElement[bool]
) -> dict[str, dict[str, Any]]:
    if not ids:
        return {}
    rows = conn.execute(select(table).where(table.c.source == source, table.c.id.in_(ids), *also)).mappings()
    return {row["id"]: dict(row) for row in rows}


def on_account(
    conn: Connection, table: Table, source: str, drafts: Sequence[Draft], *also: ColumnElement[bool]
) -> Saved:
    """Rows that hang on an account: the fields of the account they were on and of the one they are on change."""
    before = _accounts_of(conn, table, source, drafts, *also)
    changed, gone = write_changed(conn, table, source, drafts, *also)
    now = _accounts_of(conn, table, source, drafts, *also)
    accounts = {at for ref in changed for at in (before.get(ref), now.get(ref)) if at}
    dirty.mark(conn, "fields", ((source, ref) for ref in accounts))
    follow(conn, source, [ref for ref in changed if before.get(ref) != now.get(ref)])
    return Saved(0, len(changed), gone)


def _accounts_of(
    conn: Connection, table: Table, source: str, drafts: Sequence[Draft], *also: ColumnElement[bool]
) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for some in chunks(sorted({one.id for one in drafts})):
        query = select(table.c.id, table.c.crm_account_id).where(table.c.source == source, table.c.id.in_(some), *also)
        found |= {row.id: row.crm_account_id for row in conn.execute(query)}
    return found
