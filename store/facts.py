"""Keep facts, current and past: write only the rows that differ, drop who left scope, and the portfolio's statistics."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, CursorResult, Executable, Select, Table, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from store.records import Instant
from store.statements import Rows, run_on
from store.tables import facts, health_parts, past_facts, portfolio_stats

_KEPT_PER_DISTANCE = (past_facts, health_parts)


def write(conn: Connection, rows: Rows, table: Table = facts) -> int:
    """Insert or update the rows that `rows` computes (columns of the table, in order); gives how many differed.

    A row that is equal but for `as_of` is left alone.
    """
    kind = sqlite if conn.dialect.name == "sqlite" else postgresql
    return _count(conn, run_on(conn, f"write {table.name}", rows, lambda found: _upsert(kind, found, table)))


def _upsert(kind: Any, rows: Select[Any], table: Table) -> Executable:
    key = [c.name for c in table.primary_key]
    values = [c.name for c in table.columns if c.name not in key]
    statement = kind.insert(table).from_select([c.name for c in table.columns], rows)
    new = statement.excluded
    differs = or_(*(table.c[name].is_distinct_from(new[name]) for name in values if name != "as_of"))
    upsert: Executable = statement.on_conflict_do_update(
        index_elements=key, set_={name: new[name] for name in values}, where=differs
    )
    return upsert


def drop(
    conn: Connection, in_scope: Rows, accounts: Select[Any] | None, table: Table = facts, days: int | None = None
) -> int:
    """Remove the rows of accounts that are not (any more) in scope, among `accounts` or all; gives how many.

    `days` narrows it to one distance of a table that has some.
    """

    def gone(scope: Select[Any]) -> Executable:
        left: ColumnElement[bool] = table.c.account_id.not_in(scope)
        if accounts is not None:
            left = left & table.c.account_id.in_(accounts)
        if days is not None:
            left = left & (table.c.days == days)
        return delete(table).where(left)

    return _count(conn, run_on(conn, f"drop {table.name} {days}", in_scope, gone))


def stamp(
    conn: Connection, accounts: Select[Any], as_of: Instant, table: Table = facts, days: int | None = None
) -> None:
    """Keep that the rows of these accounts hold at `as_of`, also those that are equal to what they were before.

    What is kept beside them (sets, narrowed events) may have changed where they have not, and says no instant itself.
    """
    older = table.c.account_id.in_(accounts) & (table.c.as_of != as_of)
    if days is not None:
        older = older & (table.c.days == days)
    conn.execute(update(table).where(older).values(as_of=as_of))


def forget_distances(conn: Connection, kept: Collection[int]) -> None:
    """Remove past facts of distances that nothing asks for any more; `kept` are those that stay, in days."""
    for table in _KEPT_PER_DISTANCE:
        conn.execute(delete(table).where(table.c.days.not_in(sorted(kept))))


def _count(conn: Connection, result: CursorResult[Any]) -> int:
    """How many rows a change changed."""
    if conn.dialect.name == "sqlite":
        # The driver counts only what begins with INSERT, UPDATE or DELETE, and these begin with WITH.
        return int(conn.exec_driver_sql("SELECT changes()").scalar_one())
    return int(result.rowcount)


def statistics(conn: Connection) -> dict[str, float | None]:
    """Everything that the last full evaluation has stored, by name."""
    return {row.name: row.value for row in conn.execute(select(portfolio_stats.c.name, portfolio_stats.c.value))}


def write_statistics(conn: Connection, found: Mapping[str, float | None], as_of: Instant) -> None:
    """Replace statistics by those of a full evaluation; the same ones are left alone."""
    had = statistics(conn)
    for name, value in sorted(found.items()):
        if name in had and had[name] == value:
            continue
        insert = (sqlite if conn.dialect.name == "sqlite" else postgresql).insert(portfolio_stats)
        row = {"name": name, "value": value, "as_of": as_of}
        conn.execute(insert.values(row).on_conflict_do_update(index_elements=["name"], set_=row))


def forget_statistics(conn: Connection, names: Collection[str]) -> None:
    """Remove these statistics."""
    conn.execute(delete(portfolio_stats).where(portfolio_stats.c.name.in_(sorted(names))))
