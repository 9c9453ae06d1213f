"""Temporary tables with the columns of tables that stay: without foreign keys, as these may not refer to one that stays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, MetaData, Table


def like(table: Table, name: str, columns: Iterable[str] | None = None) -> Table:
    """A temporary table of that name, with all columns of `table` or some, and its primary key."""
    some: list[Column[Any]] = list(table.columns) if columns is None else [table.c[column] for column in columns]
    copies = [Column(c.name, c.type, primary_key=c.primary_key, autoincrement=False) for c in some]
    return Table(name, MetaData(), *copies, prefixes=["TEMPORARY"])
