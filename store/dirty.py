"""What a sync touched and derivation has not looked at yet: a durable work list, one row per thing to do."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, select

from store.refs import Ref, by_source, upsert
from store.tables import dirty


def mark(conn: Connection, what: str, refs: Iterable[Ref]) -> None:
    """Put rows on the list; one that is on it already stays."""
    upsert(conn, dirty, [{"source": s, "object": what, "id": i} for s, i in sorted(set(refs))])


def take(conn: Connection, what: str, limit: int) -> list[Ref]:
    """The first `limit` things to do, oldest key first; they stay on the list until `done`."""
    rows = select(dirty.c.source, dirty.c.id).where(dirty.c.object == what).order_by(dirty.c.source, dirty.c.id)
    return [(row.source, row.id) for row in conn.execute(rows.limit(limit))]


def done(conn: Connection, what: str, refs: Iterable[Ref]) -> None:
    """Take rows off the list, in the transaction of the work."""
    conn.execute(delete(dirty).where(dirty.c.object == what, by_source(dirty.c.source, dirty.c.id, refs)))
