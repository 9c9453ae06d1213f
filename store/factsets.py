"""Keep tables of facts, current and past: write only the rows that differ, and remove those that are gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Executable,
    Select,
    Table,
    and_,
    delete,
    insert,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from store.statements import Rows, run_on
from store.tables import fact_sets, facts, health_parts, narrowed_facts, past_facts
from store.temporary import empty, like

_ROOM = "wanted_rows"
_KEPT = (facts, past_facts, fact_sets, narrowed_facts, health_parts)


def keep_rows(
    conn: Connection, table: Table, rows: Rows, accounts: Select[Any] | None = None, days: int | None = None
) -> int:
    """Bring a table of facts to what `rows` computes, at once; see `collect` and `settle`."""
    collect(conn, table, rows)
    return settle(conn, table, accounts, days)


def collect(conn: Connection, table: Table, rows: Rows) -> Table:
    """Compute rows into a temporary table, which it gives; their columns are those of `table`, in order.

    It stays with the connection, empty when settled: SQLite prepares every statement anew after a table has come or gone.
    """
    wanted = _wanted(table)
    if _ROOM not in conn.info:
        _make(conn, table)
    empty(conn, wanted)
    names = [column.name for column in table.columns]
    run_on(conn, f"collect {table.name}", rows, lambda found: insert(wanted).from_select(names, found))
    return wanted


def settle(conn: Connection, table: Table, accounts: Select[Any] | None = None, days: int | None = None) -> int:
    """Bring a table to what was collected, for `accounts` or for all; gives how many rows differed or were gone.

    `days` narrows it to one distance of a table that has some. A row that is equal, or equal but for `as_of`, is left
    alone.
    """
    changed = 0
    for statement in (_gone(table, accounts, days), _differing(conn.dialect.name, table)):
        changed += conn.execute(statement, execution_options={"preserve_rowcount": True}).rowcount
    empty(conn, _wanted(table))
    return changed


# Built once: to put together a statement of 166 columns takes as long as it does to look at a hundred accounts.
@lru_cache(maxsize=64)
def _gone(table: Table, accounts: Select[Any] | None, days: int | None) -> Delete:
    wanted = _wanted(table)
    same = and_(*(wanted.c[key.name] == key for key in table.primary_key))
    gone: ColumnElement[bool] = ~select(literal(1)).where(same).exists()
    if accounts is not None:
        gone = and_(table.c.account_id.in_(accounts), gone)
    if days is not None:
        gone = and_(table.c.days == days, gone)
    return delete(table).where(gone)


@lru_cache(maxsize=64)
def _differing(dialect: str, table: Table) -> Executable:
    wanted = _wanted(table)
    keys = [column.name for column in table.primary_key]
    values = [column.name for column in table.columns if column.name not in keys]
    upsert = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    # SQLite takes the ON of ON CONFLICT for a join's unless the SELECT has a WHERE.
    upsert = upsert.from_select([column.name for column in table.columns], select(wanted).where(true()))
    new = upsert.excluded
    written: Executable = upsert.on_conflict_do_update(
        index_elements=keys,
        set_={name: new[name] for name in values},
        where=or_(*(table.c[name].is_distinct_from(new[name]) for name in values if name != "as_of")),
    )
    return written


@contextmanager
def room(conn: Connection) -> Iterator[None]:
    """Make the temporary tables that `collect` needs beforehand: a transaction that only reads may make none."""
    for table in _KEPT:
        _make(conn, table)
    conn.info[_ROOM] = True
    try:
        yield
    finally:
        del conn.info[_ROOM]  # the tables go with their transaction


def rooms() -> list[Table]:
    """The temporary tables of `room`."""
    return [_wanted(table) for table in _KEPT]


_MAKING: dict[tuple[str, str], str] = {}
"""By dialect and table: how its temporary table is made."""


def _make(conn: Connection, table: Table) -> None:
    key = (conn.dialect.name, table.name)
    if key not in _MAKING:
        _MAKING[key] = str(CreateTable(_wanted(table), if_not_exists=True).compile(dialect=conn.dialect))
    conn.exec_driver_sql(_MAKING[key])


@cache
def _wanted(table: Table) -> Table:
    return like(table, f"wanted_{table.name}")
