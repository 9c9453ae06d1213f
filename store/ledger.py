"""The ledger of tier writes: one row per change, written before the call and completed after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from store.records import Instant
from store.refs import chunks
from store.tables import freshness, tier_ledger

OPEN = ("planned", "sending")


def add(conn: Connection, run_id: int, rows: Iterable[Mapping[str, Any]], as_of: Instant) -> int:
    """New planned changes; gives how many."""
    fixed = {"run_id": run_id, "state": "planned", "error": None, "planned_at": as_of, "written_at": None}
    values = [{**row, **fixed} for row in rows]
    if values:
        conn.execute(insert(tier_ledger), values)
    return len(values)


def open_rows(conn: Connection, states: Collection[str] = OPEN, source: str | None = None) -> list[Row[Any]]:
    """Changes that are not finished, in the order they were planned."""
    query = select(tier_ledger).where(tier_ledger.c.state.in_(states))
    if source is not None:
        query = query.where(tier_ledger.c.source == source)
    return list(conn.execute(query.order_by(tier_ledger.c.id)))


def parked(conn: Connection) -> set[tuple[str, str, str | None]]:
    """(source, CRM id, value) of the rows whose latest change was refused for good."""
    c = tier_ledger.c
    latest = select(func.max(c.id)).group_by(c.source, c.crm_id)
    query = select(c.source, c.crm_id, c.new_value).where(c.state == "parked", c.id.in_(latest))
    return {(row.source, row.crm_id, row.new_value) for row in conn.execute(query)}


def mark(
    conn: Connection, ids: Collection[int], state: str, *, error: str | None = None, written_at: Instant | None = None
) -> None:
    """Move changes to a state."""
    values: dict[str, Any] = {"state": state, "error": error}
    if written_at is not None:
        values["written_at"] = written_at
    for some in chunks(sorted(ids)):
        conn.execute(update(tier_ledger).where(tier_ledger.c.id.in_(some)).values(**values))


def verify(conn: Connection, source: str) -> int:
    """Writes that a whole increment has since passed over without bringing another value; gives how many."""
    read_to = select(freshness.c.fresh_at).where(freshness.c.source == source, freshness.c.stream == "accounts")
    c = tier_ledger.c
    held = update(tier_ledger).where(c.source == source, c.state == "written", c.written_at < read_to.scalar_subquery())
    return conn.execute(held.values(state="verified")).rowcount
