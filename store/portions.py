"""Whose rules are asked at a time, and as much of their facts as the rules read, copied into a temporary table of short rows.

Twenty rules then walk through short rows that stay in memory, not each through long ones on disk. Of touched accounts it is
copied, too, which rules have findings of them: each rule would look for one of every account.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
    event,
    insert,
    select,
)
from sqlalchemy.schema import CreateTable, DropTable
from sqlalchemy.sql.visitors import replacement_traverse

from store import touched
from store.tables import facts, findings
from store.temporary import empty, like

SIZES = {"sqlite": 10_000, "postgresql": 25_000}
"""Accounts, by database, whose short rows stay in memory. On PostgreSQL 100,000 accounts took 5.5 s at once, 4.5 s in portions
of 25,000, 5.7 s in portions of 10,000.
"""
_HERE = "short_facts"
LAST = 2**63 - 1
"""No account has a higher id."""


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


def after(conn: Connection, low: int, size: int) -> Range:
    """The range from an id on that has about `size` customers; the last one has no end."""
    ids = select(facts.c.account_id).where(facts.c.account_id >= low).order_by(facts.c.account_id)
    last = conn.scalar(ids.offset(size - 1).limit(1))
    return Range(low, LAST if last is None else last)


short_facts = like(facts, _HERE)
"""As it is named in statements; what there is of its columns in the database is what `put` put there."""
had_findings = like(findings, "had_findings", ("rule", "account_id"))
"""Which rules had findings of the touched accounts before they were asked."""


@lru_cache(maxsize=8)
def _of(columns: tuple[str, ...]) -> Table:
    return like(facts, _HERE, columns)


def put(conn: Connection, portion: Portion, names: Collection[str]) -> int:
    """Copy these columns of the facts of the portion into `short_facts`, in the place of those that are there.

    Gives how many customers there are.
    """
    if isinstance(portion, Touched):
        touched.put(conn, portion.accounts)
        _put_findings(conn, portion)
    columns = tuple(sorted({"account_id", *names}))
    table = _of(columns)
    if conn.info.get(_HERE) != columns:  # other rules than before
        conn.execute(DropTable(table, if_exists=True))
        conn.execute(CreateTable(table))
        conn.info[_HERE] = columns
    empty(conn, table)
    rows = select(*(facts.c[name] for name in columns)).where(portion.covers(facts.c.account_id))
    copied = insert(table).from_select(columns, rows)
    return conn.execute(copied, portion.bound, execution_options={"preserve_rowcount": True}).rowcount


def _put_findings(conn: Connection, portion: Touched) -> None:
    conn.execute(CreateTable(had_findings, if_not_exists=True))
    empty(conn, had_findings)
    keys = select(findings.c.rule, findings.c.account_id).where(portion.covers(findings.c.account_id))
    conn.execute(insert(had_findings).from_select(["rule", "account_id"], keys))


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
