"""What a sync touched and derivation has not looked at yet: a durable work list, one row per thing to do."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Table, delete, insert, literal, select

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


def kinds(conn: Connection, prefix: str) -> list[str]:
    """What is on the list of which the name begins like this."""
    names = conn.execute(select(dirty.c.object).distinct()).scalars()
    return sorted(name for name in names if name.startswith(prefix))


def mark_all(conn: Connection, what: str, table: Table) -> None:
    """Put every row of a table of (source, id) on the list."""
    on_list = select(dirty.c.id).where(
        dirty.c.source == table.c.source, dirty.c.object == what, dirty.c.id == table.c.id
    )
    missing = select(table.c.source, literal(what), table.c.id).where(~on_list.exists())
    conn.execute(insert(dirty).from_select(["source", "object", "id"], missing))
