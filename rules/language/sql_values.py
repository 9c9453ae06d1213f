"""Phrases about current values as SQL."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any as Anything

from sqlalchemy import ColumnElement, and_, case, false, null, or_, true

from rules.language.decide import PARTIAL_STATES
from rules.language.sql import Condition, Whens, Words, absent, double, more_of, plain, state_of, steps, text, value_of
from rules.language.tree import Against, DateIn, Flag, Known, Leaf, OneOf, Range
from store.records import Day

_COMPARE: Mapping[str, Callable[[Anything, Anything], Condition]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
}


def value(leaf: Leaf, today: Day) -> Condition:
    """The truth of such a phrase; NULL = unknown."""
    found, state = value_of(leaf.fact), state_of(leaf.fact)
    match leaf:
        case Known():
            known = (state.is_(None), found.is_not(None))
            return case((state == "stale", null()), (state == "never", true()), known, else_=false())
        case Range():
            return _range(leaf)
        case Against(op=op, other=other, share=share):
            mine, others = double(found, share.denominator), double(value_of(other), share.numerator)
            both = and_(state.is_(None), state_of(other).is_(None))
            return case((both, _COMPARE[op](steps(mine), steps(others))), else_=null())
        case DateIn():
            first, last = leaf.ends(today)
            ends = [] if first is None else [found >= first]
            ends += [] if last is None else [found <= last]
            return case((state.is_(None), and_(*ends)), else_=null())
        case OneOf(values=values):
            return case((state.is_(None), found.in_(values)), else_=null())
        case Flag():
            return case((state.is_(None), found == 1), else_=null())
    raise TypeError(f"no SQL for {type(leaf).__name__}")


def why(leaf: Leaf) -> Words:
    """Why such a phrase is unknown."""
    fact, state = leaf.fact, state_of(leaf.fact)
    match leaf:
        case Range() if fact.interval:
            return case(
                (state.is_not(None), plain(state)),
                (value_of(fact).is_(None), text("not on file")),
                else_=text("levels not known"),
            )
        case Against(other=other):
            return case(*absent(fact), *absent(other), else_=null())
    return case(*absent(fact), else_=null())


def _range(leaf: Range) -> Condition:
    fact, low = leaf.fact, value_of(leaf.fact)
    high = low + more_of(fact) if fact.interval else low
    fresh = case(
        (and_(*_within(leaf, low, high)), true()),
        (or_(_over(leaf, low), _under(leaf, high)), false()),
        else_=null(),
    )
    whens: Whens = [(state_of(fact).is_(None), fresh)]
    if fact.partial:  # the true value is this or more
        above = and_(*_within(leaf, low, low)) if math.isinf(leaf.high) else false()
        partial = case((above, true()), (_over(leaf, low), false()), else_=null())
        whens.append((state_of(fact).in_(PARTIAL_STATES), partial))
    return case(*whens, else_=null())


def _within(leaf: Range, low: ColumnElement[Anything], high: ColumnElement[Anything]) -> list[Condition]:
    ends: list[Condition] = []
    if not math.isinf(leaf.low):
        ends.append(low > leaf.low if leaf.low_open else low >= leaf.low)
    if not math.isinf(leaf.high):
        ends.append(high < leaf.high if leaf.high_open else high <= leaf.high)
    return ends


def _over(leaf: Range, found: ColumnElement[Anything]) -> Condition:
    if math.isinf(leaf.high):
        return false()
    return found >= leaf.high if leaf.high_open else found > leaf.high


def _under(leaf: Range, found: ColumnElement[Anything]) -> Condition:
    if math.isinf(leaf.low):
        return false()
    return found <= leaf.low if leaf.low_open else found < leaf.low
