"""The instant that is evaluated, as the cut-offs that the statements bind, and what was known of an interval by then."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Double,
    Integer,
    Select,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.sql.expression import FromClause

from store.records import DAY, Day, Instant
from store.tables import portfolio_stats

Expr = ColumnElement[Any]

_WORD = re.compile(r"[A-Za-z0-9_ ]*")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()


@dataclass(frozen=True, slots=True)
class Moment:
    """`as_of` and the calendar day it falls on in the configured zone."""

    as_of: Instant
    today: Day
    given: bool = False
    """Portfolio statistics are parameters, see `given_name`; else they are those that the last full evaluation stored."""
    before: int = 0
    """How many days before that evaluation this is; it has stored the statistics of its past instants, too."""

    def ago(self, days: int) -> Expr:
        """The instant `days` whole days before; windows are (ago, as_of]."""
        return literal(self.as_of - days * DAY, BigInteger)

    @property
    def now(self) -> Expr:
        """`as_of`, bound."""
        return literal(self.as_of, BigInteger)

    def statistic(self, name: str) -> Select[Any]:
        """A portfolio statistic as a column `value`: the given one, else the stored one."""
        if self.given:
            return select(real(bindparam(given_name(name), None, Double)).label("value"))
        return select(portfolio_stats.c.value).where(portfolio_stats.c.name == name_then(name, self.before))

    def age(self, instant: Expr) -> Expr:
        """Whole elapsed days since an instant that is not later than `as_of`."""
        return (self.now - instant) // literal(DAY, BigInteger)


def name_then(name: str, days: int) -> str:
    """The name under which the statistic of `days` before an evaluation is stored."""
    return f"{name}@{days}" if days else name


def given_name(name: str) -> str:
    """The name of the parameter that a statistic is given in."""
    return f"given_{name}"


def moment(as_of: Instant, timezone: str, *, given: bool = False, before: int = 0) -> Moment:
    """The moment of `as_of` (UTC microseconds), with its date in `timezone` (an IANA name)."""
    there = (_EPOCH + timedelta(microseconds=as_of)).astimezone(ZoneInfo(timezone))
    return Moment(as_of, there.toordinal() - _EPOCH_ORDINAL, given, before)


def known(interval: FromClause, m: Moment) -> Expr:
    """True for the row of an interval table that is in force at the moment and was on record by then."""
    c = interval.c
    return (c.valid_from <= m.as_of) & (c.recorded_at <= m.as_of) & or_(c.valid_to.is_(None), c.valid_to > m.as_of)


def alive(row: FromClause, m: Moment) -> Expr:
    """True for a CRM row that was there at the moment: created by then, not deleted by then."""
    return (row.c.created_at <= m.as_of) & or_(row.c.deleted_at.is_(None), row.c.deleted_at > m.as_of)


def once(query: Select[Any], name: str) -> CTE:
    """A CTE that is computed once: PostgreSQL puts one that is used once into its place, and there once per outer row."""
    return query.cte(name).prefix_with("MATERIALIZED", dialect="postgresql")


def count_if(condition: Expr) -> Expr:
    """How many rows of the group meet the condition (0 for none)."""
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def real(value: Expr | float) -> Expr:
    """A double: so that divisions are real on every database."""
    return cast(value, Double)


def smaller(a: Expr, b: Expr | float) -> Expr:
    """The smaller of two values that are there (SQLite and PostgreSQL name that function differently)."""
    return case((a <= b, a), else_=b)


def larger(a: Expr, b: Expr | float) -> Expr:
    """The larger of two values that are there."""
    return case((a >= b, a), else_=b)


def whole(value: Expr) -> Expr:
    """A sum or count as the integer it is: PostgreSQL's sums of BIGINT are NUMERIC."""
    return cast(value, BigInteger)


def half_up(value: Expr, steps: int) -> Expr:
    """`value` in units of 1/steps, rounded half up, as an integer."""
    return cast(func.floor(value * real(steps) + real(0.5)), BigInteger)


def flag(condition: Expr) -> Expr:
    """1 or 0; unknown counts as 0."""
    return case((condition, 1), else_=0)


@cache
def word(text: str) -> Expr:
    """A state or choice of this program's own. It stands in the statement as it is: a facts' statement has hundreds."""
    if not _WORD.fullmatch(text):
        raise ValueError(f"{text!r} is no word of ours")
    return literal_column(f"'{text}'", Text)


def number(value: int) -> Expr:
    """A bound small integer."""
    return literal(value, Integer)
