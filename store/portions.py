"""Whose rules are asked at a time, and as much of their facts as the rules read, copied into a temporary table of short rows.

Twenty rules then walk through short rows that stay in memory, not each through long ones on disk.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Select,
    Table,
    bindparam,
    delete,
    event,
    insert,
    select,
)
from sqlalchemy.schema import CreateTable, DropTable
from sqlalchemy.sql.visitors import replacement_traverse

from store import touched
from store.tables import facts
from store.temporary import like

SIZES = {"sqlite": 10_000, "postgresql": 100_000}
"""Accounts, by database. Short rows of the fewer stay in SQLite's cache. On PostgreSQL 200,000 accounts in portions of
10,000 took 21 s, SQL by hand of all at once 11 s: 12 ms more for each statement of a portion.
"""
_HERE = "short_facts"
_LAST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Touched:
    """Accounts by their ids, which are in the temporary table of touched ones."""

    accounts: frozenset[int]
    name = "touched"

    @property
    def bound(self) -> Mapping[str, int]:
        """Parameters of its condition."""
        return {}

    def covers(self, account_id: ColumnElement[int]) -> ColumnElement[bool]:
        """Is the account one of them."""
        return account_id.in_(touched.ACCOUNTS)


@dataclass(frozen=True, slots=True)
class Range:
    """All accounts from one id to another, those without facts included."""

    low: int
    high: int
    name = "range"

    @property
    def bound(self) -> Mapping[str, int]:
        """Parameters of its condition."""
        return {"low": self.low, "high": self.high}

    def covers(self, account_id: ColumnElement[int]) -> ColumnElement[bool]:
        """Is the account one of them."""
        return account_id.between(bindparam("low", None, BigInteger), bindparam("high", None, BigInteger))


Portion = Touched | Range


def ranges(ids: Sequence[int], size: int) -> Iterator[Range]:
    """Ranges that together cover every id there may be, with about `size` of these ascending ids in each."""
    low = 0
    for last in range(size - 1, len(ids) - 1, size):
        yield Range(low, ids[last])
        low = ids[last] + 1
    yield Range(low, _LAST)


short_facts = like(facts, _HERE)
"""As it is named in statements; what there is of its columns in the database is what `put` put there."""


@lru_cache(maxsize=8)
def _of(columns: tuple[str, ...]) -> Table:
    return like(facts, _HERE, columns)


def put(conn: Connection, portion: Portion, names: Collection[str]) -> None:
    """Copy these columns of the facts of the portion into `short_facts`, in the place of those that are there."""
    if isinstance(portion, Touched):
        touched.put(conn, portion.accounts)
    columns = tuple(sorted({"account_id", *names}))
    table = _of(columns)
    if conn.info.get(_HERE) != columns:  # other rules than before
        conn.execute(DropTable(table, if_exists=True))
        conn.execute(CreateTable(table))
        conn.info[_HERE] = columns
    conn.execute(delete(table))
    rows = select(*(facts.c[name] for name in columns)).where(portion.covers(facts.c.account_id))
    conn.execute(insert(table).from_select(columns, rows), portion.bound)


def short(rows: Select[Any]) -> Select[Any]:
    """A Select over the facts as one over `short_facts`."""

    def other(element: Any, **_: Any) -> Any:
        if element is facts:
            return short_facts
        return short_facts.c[element.name] if isinstance(element, Column) and element.table is facts else None

    return cast("Select[Any]", replacement_traverse(rows, {}, other))


def watch(engine: Engine) -> None:
    """Forget that the table is there where a transaction that may have made it is rolled back."""
    event.listen(engine, "rollback", lambda conn: conn.info.pop(_HERE, None))
