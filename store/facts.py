"""Keep the current facts: write only the rows that differ, drop who left scope, and the portfolio's statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, CursorResult, Executable, Select, delete, literal, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from store.records import Instant
from store.statements import TimedRows
from store.tables import facts, portfolio_stats

Rows = Select[Any] | TimedRows


def write(conn: Connection, rows: Rows) -> int:
    """Insert or update the facts that `rows` computes (columns of the table, in order); gives how many rows differed.

    A row that is equal but for `as_of` is left alone.
    """
    kind = sqlite if conn.dialect.name == "sqlite" else postgresql
    return _count(conn, _run(conn, "write", rows, lambda found: _upsert(kind, found)))


def _upsert(kind: Any, rows: Select[Any]) -> Executable:
    values = [c.name for c in facts.columns if c.name != "account_id"]
    statement = kind.insert(facts).from_select([c.name for c in facts.columns], rows)
    new = statement.excluded
    differs = or_(*(facts.c[name].is_distinct_from(new[name]) for name in values if name != "as_of"))
    upsert: Executable = statement.on_conflict_do_update(
        index_elements=["account_id"], set_={name: new[name] for name in values}, where=differs
    )
    return upsert


def drop(conn: Connection, in_scope: Rows, accounts: Select[Any] | None) -> int:
    """Remove the facts of accounts that are not (any more) in scope, among `accounts` or all; gives how many."""

    def gone(scope: Select[Any]) -> Executable:
        left: ColumnElement[bool] = facts.c.account_id.not_in(scope)
        if accounts is not None:
            left = left & facts.c.account_id.in_(accounts)
        return delete(facts).where(left)

    return _count(conn, _run(conn, "drop", in_scope, gone))


def _run(conn: Connection, purpose: str, rows: Rows, change: Callable[[Select[Any]], Executable]) -> CursorResult[Any]:
    if isinstance(rows, TimedRows):
        return rows.run(conn, purpose, lambda found, _: change(found))
    return conn.execute(change(rows), execution_options={"preserve_rowcount": True})


def _count(conn: Connection, result: CursorResult[Any]) -> int:
    """How many rows a change changed."""
    if conn.dialect.name == "sqlite":
        # The driver counts only what begins with INSERT, UPDATE or DELETE, and these begin with WITH.
        return int(conn.exec_driver_sql("SELECT changes()").scalar_one())
    return int(result.rowcount)


def write_statistics(conn: Connection, statistics: Mapping[str, float | None], as_of: Instant) -> None:
    """Replace the statistics of the last full evaluation; those that are the same are left alone."""
    had = {row.name: row.value for row in conn.execute(select(portfolio_stats.c.name, portfolio_stats.c.value))}
    for name, value in sorted(statistics.items()):
        if name in had and had[name] == value:
            continue
        insert = (sqlite if conn.dialect.name == "sqlite" else postgresql).insert(portfolio_stats)
        row = {"name": name, "value": value, "as_of": as_of}
        conn.execute(insert.values(row).on_conflict_do_update(index_elements=["name"], set_=row))


def one(conn: Connection, rows: Select[Any], account_id: int) -> Mapping[str, Any] | None:
    """The row of one account among those that `rows` computes, by column name; None = not in scope."""
    computed = rows.subquery("portfolio")
    found = conn.execute(select(computed).where(computed.c.account_id == literal(account_id))).mappings().one_or_none()
    return None if found is None else dict(found)
