"""Keep the current facts: write only the rows that differ, drop who left scope, and the portfolio's statistics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, CursorResult, Executable, Select, delete, literal, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from store.records import Instant
from store.tables import facts, portfolio_stats


def write(conn: Connection, rows: Select[Any]) -> int:
    """Insert or update the facts that `rows` computes (columns of the table, in order); gives how many rows differed.

    A row that is equal but for `as_of` is left alone.
    """
    values = [c.name for c in facts.columns if c.name != "account_id"]
    statement = (sqlite if conn.dialect.name == "sqlite" else postgresql).insert(facts)
    statement = statement.from_select([c.name for c in facts.columns], rows)
    differs = or_(*(facts.c[name].is_distinct_from(statement.excluded[name]) for name in values if name != "as_of"))
    upsert = statement.on_conflict_do_update(
        index_elements=["account_id"], set_={name: statement.excluded[name] for name in values}, where=differs
    )
    return _count(conn, upsert)


def drop(conn: Connection, in_scope: Select[Any], accounts: Select[Any] | None) -> int:
    """Remove the facts of accounts that are not (any more) in scope, among `accounts` or all; gives how many."""
    gone: ColumnElement[bool] = facts.c.account_id.not_in(in_scope)
    if accounts is not None:
        gone = gone & facts.c.account_id.in_(accounts)
    return _count(conn, delete(facts).where(gone))


def _count(conn: Connection, change: Executable) -> int:
    """Carry out the change; gives how many rows it changed."""
    result = conn.execute(change, execution_options={"preserve_rowcount": True})
    if conn.dialect.name == "sqlite":
        # The driver counts only what begins with INSERT, UPDATE or DELETE, and these begin with WITH.
        return int(conn.exec_driver_sql("SELECT changes()").scalar_one())
    assert isinstance(result, CursorResult)
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
