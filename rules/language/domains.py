"""What a phrase that holds leaves possible of its fact: the sets that static findings reason with."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any as Anything

from rules.language.calendar import BusinessDays, Span
from rules.language.catalogue import Kind
from rules.language.decide_events import booking_for
from rules.language.sets import STATES
from rules.language.tree import (
    Against,
    Booked,
    DateIn,
    Flag,
    Happened,
    InSet,
    Known,
    Leaf,
    OneOf,
    Range,
    Ranked,
    Silence,
)
from store.records import DAY

Interval = tuple[float, bool, float, bool]
"""Low end, whether it is outside, high end, whether it is outside."""
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "!="}
_SIGNS = {"<": {-1}, "<=": {-1, 0}, ">": {1}, ">=": {0, 1}, "=": {0}, "!=": {-1, 1}}


@dataclass(frozen=True, slots=True)
class Numbers:
    """A union of intervals; `whole` where only whole numbers are possible."""

    parts: tuple[Interval, ...]
    whole: bool = False

    def meet(self, other: Numbers) -> Numbers:
        """What is in both."""
        both = (_meet(one, two) for one in self.parts for two in other.parts)
        whole = self.whole or other.whole
        return Numbers(tuple(part for part in both if _some(part, whole)), whole)

    @property
    def empty(self) -> bool:
        """Nothing is left."""
        return not any(_some(part, self.whole) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Choices:
    """Some of the values, or all but some."""

    values: frozenset[Anything]
    all_but: bool = False

    def meet(self, other: Choices) -> Choices:
        """What is in both."""
        if self.all_but and other.all_but:
            return Choices(self.values | other.values, True)
        if self.all_but or other.all_but:
            some, not_these = (other, self) if self.all_but else (self, other)
            return Choices(some.values - not_these.values)
        return Choices(self.values & other.values)

    @property
    def empty(self) -> bool:
        """Nothing is left."""
        return not self.all_but and not self.values


Domain = Numbers | Choices
Key = Hashable
Limits = Mapping[Key, Domain]


def limits(leaf: Leaf, holds: bool, side: str = "") -> Limits | None:
    """What is possible where the phrase is true (false): by what it is about. None = nothing can be said.

    `side`: of a silence that is false, whether something happened (age) or is booked.
    """
    if isinstance(leaf, Silence):
        return _silence(leaf, holds, side)
    if isinstance(leaf, Known):
        return {(leaf.fact, "known"): Choices(frozenset({holds}))}
    found = _limits(leaf, holds)
    if found is None or isinstance(leaf, Happened | InSet):
        return found
    # A comparison that is true or false has compared something.
    known: dict[Key, Domain] = {(leaf.fact, "known"): Choices(frozenset({True}))}
    return known | dict(found)


def _limits(leaf: Leaf, holds: bool) -> Limits | None:
    fact = leaf.fact
    match leaf:
        case Range() | OneOf():
            return _values(leaf, holds)
        case Flag():
            return {(fact, "is"): Choices(frozenset({holds}))}
        case Booked():
            soon: dict[Key, Domain] = {} if holds else {(fact, "soon"): Choices(frozenset({False}))}
            return {(fact, "is"): Choices(frozenset({holds}))} | soon
        case DateIn():
            return _date(leaf, holds)
        case Against(op=op, other=other, share=share):
            signs = _SIGNS[op if holds else _OPPOSITE[op]]
            return {(fact, other, share): Choices(frozenset(signs))}
        case Happened(window=window, narrow=narrow):
            recent = Numbers(((-math.inf, False, _length(window), True),))
            return {(fact, "age", narrow): recent if holds else _older(window)}
        case Ranked(cut=cut):
            top = cut.side == "top"
            part = (1 - float(cut.share), False, 1.0, False) if top else (0.0, False, float(cut.share), False)
            whole: Interval = (0.0, False, 1.0, False)
            outside = Numbers((whole,)).meet(Numbers(_outside(part)))
            return {(fact, "rank", cut.by_segment): Numbers((part,)) if holds else outside}
        case InSet(states=states) if states:
            possible = Choices(frozenset(STATES) - {"unknown"})
            return {(fact, leaf.value): possible.meet(Choices(frozenset(states), all_but=not holds))}
        case InSet():
            return {(fact, leaf.value): Choices(frozenset({holds}))}
    return None


def _values(leaf: Range | OneOf, holds: bool) -> Limits:
    """The numbers, or the choices, that are left."""
    fact = leaf.fact
    within = Numbers(((fact.low, False, fact.high, False),), whole=fact.kind is Kind.COUNT)
    if isinstance(leaf, Range):
        part = (leaf.low, leaf.low_open, leaf.high, leaf.high_open)
        return {fact: within.meet(Numbers((part,) if holds else _outside(part)))}
    if not fact.is_number:
        chosen = Choices(frozenset(leaf.values), all_but=not holds)
        return {fact: Choices(frozenset(fact.choices)).meet(chosen) if fact.choices else chosen}
    points = [(float(value), False, float(value), False) for value in leaf.values if isinstance(value, int)]
    if holds:
        return {fact: within.meet(Numbers(tuple(points)))}
    for point in points:
        within = within.meet(Numbers(_outside(point)))
    return {fact: within}


def _silence(leaf: Silence, holds: bool, side: str) -> Limits:
    """It holds where the last one is old, or never was, and none is booked soon."""
    booking = booking_for(leaf)
    ahead: Key = (booking, "soon") if leaf.narrow is None else (leaf.fact, "soon", leaf.narrow)
    age: Key = (leaf.fact, "age", leaf.narrow)
    if not holds:
        if side == "booked":
            return {ahead: Choices(frozenset({True}))}
        return {age: Numbers(((-math.inf, False, _length(leaf.window), True),))}
    soon: dict[Key, Domain] = {ahead: Choices(frozenset({False}))} if booking or leaf.narrow else {}
    return {age: _older(leaf.window)} | soon


def _date(leaf: DateIn, holds: bool) -> Limits | None:
    """Days from today; dates that are fixed, and business days, are a scale of their own each."""
    low = -math.inf if leaf.first is None else leaf.first
    high = math.inf if leaf.last is None else leaf.last
    part: Interval = (float(low), leaf.first_open, float(high), leaf.last_open)
    scale = "day" if leaf.absolute else "away" if leaf.calendar is None else "business"
    found = Numbers((part,) if holds else _outside(part), whole=scale != "business")
    return {(leaf.fact, scale): found}


def _older(window: Span | None) -> Numbers:
    """Ages of what is not in the window; an age without end is never. Without a window only never is left."""
    return Numbers(((_length(window), False, math.inf, False),))


def _length(window: Span | None) -> float:
    if window is None:
        return math.inf
    return float(window.days * DAY) if isinstance(window, BusinessDays) else float(window)


def _outside(part: Interval) -> tuple[Interval, ...]:
    low, low_open, high, high_open = part
    below = () if low == -math.inf else ((-math.inf, False, low, not low_open),)
    above = () if high == math.inf else ((high, not high_open, math.inf, False),)
    return (*below, *above)


def _meet(one: Interval, two: Interval) -> Interval:
    low, low_open = max((one[0], one[1]), (two[0], two[1]))
    high, closed = min((one[2], not one[3]), (two[2], not two[3]))
    return low, low_open, high, not closed


def _some(part: Interval, whole: bool) -> bool:
    low, low_open, high, high_open = part
    if whole and low > -math.inf and high < math.inf:
        first = math.floor(low) + 1 if low_open else math.ceil(low)
        last = math.ceil(high) - 1 if high_open else math.floor(high)
        return first <= last
    return low < high or (low == high and not low_open and not high_open)


def conflict(all_limits: Sequence[Limits]) -> tuple[int, ...] | None:
    """The numbers of the phrases that cannot hold together; None when they can, as far as one can tell."""
    seen: dict[Key, tuple[Domain, tuple[int, ...]]] = {}
    for number, one in enumerate(all_limits):
        for key, domain in one.items():
            before = seen.get(key)
            met = domain if before is None else before[0].meet(domain)  # type: ignore[arg-type]
            numbers = (number,) if before is None else (*before[1], number)
            if met.empty:
                return numbers
            seen[key] = (met, numbers)
    return None


def merged(all_limits: Sequence[Limits]) -> Limits:
    """What is possible where all of them hold."""
    found: dict[Key, Domain] = {}
    for one in all_limits:
        for key, domain in one.items():
            before = found.get(key)
            found[key] = domain if before is None else before.meet(domain)  # type: ignore[arg-type]
    return found


def apart(one: Limits, other: Limits) -> bool:
    """True when both cannot hold together."""
    return any(key in other and domain.meet(other[key]).empty for key, domain in one.items())  # type: ignore[arg-type]
