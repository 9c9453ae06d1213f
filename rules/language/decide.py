"""Whether a phrase about the current value of a fact is true, false or unknown, and then why."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping

from rules.language.beside import Row
from rules.language.catalogue import Fact
from rules.language.tree import Against, DateIn, Flag, Known, Leaf, OneOf, Range
from store.records import Day

Truth = bool | None
Decided = tuple[Truth, str | None]
"""A truth, and why it is unknown."""
STEPS = 1e9
PARTIAL_STATES = ("stale", "not_captured")
"""States beside which a partial fact keeps its value: it can only be higher."""
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}


def value(leaf: Leaf, row: Row, today: Day) -> Decided:
    """Decide a phrase that compares current values."""
    fact = leaf.fact
    match leaf:
        case Known():
            return _is_known(fact, row)
        case Range():
            return _range(leaf, row)
        case Against():
            return _against(leaf, row)
        case DateIn():
            first, last = leaf.ends(today)
            return _known(fact, row, lambda day: _between(day, first, last))
        case OneOf(values=values):
            why = missing(fact, row)
            return (None, why) if why else (row.get(fact.column) in values, None)
        case Flag():
            return _known(fact, row, lambda flag: flag == 1)
    raise TypeError(f"no semantics for {type(leaf).__name__}")


def steps(number: float) -> float:
    """A number in steps of 1e-9, rounded half up: what two computed numbers are compared by."""
    return math.floor(number * STEPS + 0.5)


def _is_known(fact: Fact, row: Row) -> Decided:
    state = row.get(f"{fact.column}_state")
    if state == "stale":
        return None, "stale"
    return state == "never" or (state is None and row.get(fact.column) is not None), None


def _against(leaf: Against, row: Row) -> Decided:
    why = missing(leaf.fact, row) or missing(leaf.other, row)
    if why:
        return None, why
    mine = num(row, leaf.fact.column) * leaf.share.denominator
    others = num(row, leaf.other.column) * leaf.share.numerator
    return _COMPARE[leaf.op](steps(mine), steps(others)), None


def _range(leaf: Range, row: Row) -> Decided:
    """A count by level is an interval, and so is a partial fact whose source is stale: decided when all of it agrees."""
    fact, state = leaf.fact, row.get(f"{leaf.fact.column}_state")
    partial = fact.partial and state in PARTIAL_STATES and row.get(fact.column) is not None
    why = None if partial else missing(fact, row)
    if why:
        return None, why
    low = num(row, fact.column)
    high = float("inf") if partial else low + (integer(row, f"{fact.column}_u") or 0 if fact.interval else 0)
    if leaf.above(low) and leaf.below(high):
        return True, None
    if not leaf.below(low) or not leaf.above(high):
        return False, None
    return None, plain(state) if partial else "levels not known"


def _known(fact: Fact, row: Row, test: Callable[[int], bool]) -> Decided:
    why = missing(fact, row)
    found = integer(row, fact.column)
    return (None, why) if why or found is None else (test(found), None)


def missing(fact: Fact, row: Row, suffix: str = "") -> str | None:
    """Why there is no fresh value; None = there is one. `suffix`: `@30` for the value 30 days ago."""
    state = row.get(f"{fact.column}_state{suffix}")
    if state is not None:
        return plain(state)
    return "not on file" if row.get(f"{fact.column}{suffix}") is None else None


def plain(state: object) -> str:
    """A state as people read it."""
    return str(state).replace("_", " ")


def _between(day: int, first: int | None, last: int | None) -> bool:
    return (first is None or day >= first) and (last is None or day <= last)


def integer(row: Row, column: str) -> int | None:
    """A whole number of the row."""
    found = row.get(column)
    return int(found) if isinstance(found, int | float) else None


def num(row: Row, column: str) -> float:
    """A number of the row that is known to be there."""
    found = row[column]
    assert isinstance(found, int | float), column
    return float(found)
