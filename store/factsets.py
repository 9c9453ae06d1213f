"""Keep the facts that are sets, and the events narrowed to some persons: write only what differs, remove what is gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Select, Table, and_, delete, insert, literal, or_, select, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from store.statements import Rows, run_on
from store.tables import fact_sets, narrowed_facts

_ROOM = "wanted_sets"


def keep_rows(conn: Connection, table: Table, rows: Rows, accounts: Select[Any] | None = None) -> int:
    """Bring `fact_sets` or `narrowed_facts` to what is computed, for `accounts` or for all; gives how many rows differed.

    The columns of `rows` are those of the table, in order. A row that is equal is left alone.
    """
    keys = [column.name for column in table.primary_key]
    values = [column.name for column in table.columns if column.name not in keys]
    with _scratch(conn, table) as wanted:
        names = [column.name for column in table.columns]
        run_on(conn, f"collect {table.name}", rows, lambda found: insert(wanted).from_select(names, found))
        same = and_(*(wanted.c[name] == table.c[name] for name in keys))
        gone = ~select(literal(1)).where(same).exists()
        if accounts is not None:
            gone = and_(table.c.account_id.in_(accounts), gone)
        left = conn.execute(delete(table).where(gone)).rowcount
        upsert = (sqlite if conn.dialect.name == "sqlite" else postgresql).insert(table)
        # SQLite takes the ON of ON CONFLICT for a join's unless the SELECT has a WHERE.
        upsert = upsert.from_select([column.name for column in table.columns], select(wanted).where(true()))
        written = upsert.on_conflict_do_update(
            index_elements=keys,
            set_={name: upsert.excluded[name] for name in values},
            where=or_(*(table.c[name].is_distinct_from(upsert.excluded[name]) for name in values)),
        )
        return int(left) + int(conn.execute(written, execution_options={"preserve_rowcount": True}).rowcount)


@contextmanager
def room(conn: Connection) -> Iterator[None]:
    """Make the temporary tables that `keep_rows` needs beforehand: a transaction that only reads may make none."""
    for table in (fact_sets, narrowed_facts):
        conn.execute(CreateTable(_wanted(table), if_not_exists=True))
    conn.info[_ROOM] = True
    try:
        yield
    finally:
        del conn.info[_ROOM]  # the tables go with their transaction


@contextmanager
def _scratch(conn: Connection, table: Table) -> Iterator[Table]:
    """A temporary table like `table`, so that what is computed is computed once, for writing and for removing.

    It stays with the connection, empty: SQLite prepares every statement anew after a table has come or gone.
    """
    wanted = _wanted(table)
    if _ROOM not in conn.info:
        conn.execute(CreateTable(wanted, if_not_exists=True))
    yield wanted
    conn.execute(delete(wanted))  # where the block raises, the transaction takes it back


def _wanted(table: Table) -> Table:
    columns = [Column(c.name, c.type, primary_key=c.primary_key, autoincrement=False) for c in table.columns]
    return Table(f"wanted_{table.name}", MetaData(), *columns, prefixes=["TEMPORARY"])
