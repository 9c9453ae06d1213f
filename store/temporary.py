"""Temporary tables with the columns of tables that stay: without foreign keys, as these may not refer to one that stays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, delete, func, select

_SWEPT_BYTES = 4 * 1024 * 1024
ONLY_READS = "only_reads"
"""Set in `Connection.info` where the transaction may not truncate."""


def like(table: Table, name: str, columns: Iterable[str] | None = None) -> Table:
    """A temporary table of that name, with all columns of `table` or some, and its primary key."""
    some: list[Column[Any]] = list(table.columns) if columns is None else [table.c[column] for column in columns]
    copies = [Column(c.name, c.type, primary_key=c.primary_key, autoincrement=False) for c in some]
    return Table(name, MetaData(), *copies, prefixes=["TEMPORARY"])


def empty(conn: Connection, table: Table) -> None:
    """Take all rows out.

    PostgreSQL never sweeps a temporary table: deleted rows stay, and are read again by everything that follows on the
    connection. So a table that has grown is truncated; a small one is not, because each time writes to the catalogue.
    """
    name = f"pg_temp.{table.name}"  # never one that stays
    grown = (
        conn.dialect.name != "sqlite"
        and ONLY_READS not in conn.info
        and conn.execute(select(func.pg_relation_size(name))).scalar_one() > _SWEPT_BYTES
    )
    if grown:
        conn.exec_driver_sql(f"TRUNCATE {name}")
    else:
        conn.execute(delete(table))
