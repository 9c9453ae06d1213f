"""The same rule with other numbers in one of its phrases: what a threshold sweep compares."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any as Anything

from rules.language.calendar import BusinessDays, Span
from rules.language.catalogue import Fact, Kind
from rules.language.model import Rule, version_of
from rules.language.tree import All, Any, DateIn, Happened, Leaf, Moved, Named, Node, Not, Range, Silence, parts_of
from rules.language.values import quantity
from rules.language.wording import money, span
from store.records import DAY, HOUR

_FACTORS = (0.5, 0.75, 1.0, 1.25, 1.5)
_MOST = 9
_WHOLE = (Kind.COUNT, Kind.MONEY, Kind.DAYS, Kind.HOURS)
_SCALE = {Kind.RATIO: 100.0, Kind.POINTS: 100.0, Kind.MONEY: 0.01}
"""From the fact's own unit to what is written."""


class NothingToSweep(ValueError):
    """The rule has no number to move, or the values cannot be read; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Variant:
    """The rule with another number in `phrase`; `shown` is the number as it is written."""

    phrase: str
    value: float
    shown: str
    rule: Rule
    own: bool
    """The rule as it is."""


@dataclass(frozen=True, slots=True)
class _Bound:
    """One number of a phrase: its value in the written unit, and the phrase with another one."""

    leaf: Leaf
    value: float
    put: Callable[[float], Leaf]
    show: Callable[[float], str]
    whole: bool


def variants(rule: Rule, wanted: str | None = None) -> tuple[Variant, ...]:
    """The rule with other numbers: `N..M` or `N..M by K` in the unit of the phrase; None: around what it has.

    The first phrase of the rule that has a number is moved; phrases of the vocabulary come after its own. Raises
    NothingToSweep.
    """
    bound = next(_bounds(rule.when), None)
    if bound is None:
        raise NothingToSweep(f"`{rule.name}` has no phrase with a number that could be moved; leave --sweep out")
    values = _around(bound) if wanted is None else _between(wanted, bound)
    found = []
    for value in sorted({*values, bound.value}):
        own = value == bound.value
        other = rule if own else _with(rule, bound.leaf, bound.put(value))
        found.append(Variant(bound.leaf.text, value, bound.show(value), other, own))
    return tuple(found)


def _bounds(node: Node) -> Iterator[_Bound]:
    """What can be moved: phrases of the rule itself first, then those of the vocabulary."""
    for named in (False, True):
        for leaf, inside in _placed(node, inside=False):
            bound = _bound(leaf) if inside is named else None
            if bound is not None:
                yield bound


def _placed(node: Node, *, inside: bool) -> Iterator[tuple[Leaf, bool]]:
    if isinstance(node, Leaf):
        yield node, inside
    for part in parts_of(node):
        yield from _placed(part, inside=inside or isinstance(node, Named))


def _bound(leaf: Leaf) -> _Bound | None:
    match leaf:
        case Silence(window=window) | Happened(window=window) if window is not None:
            count, length = _lengths(window)
            return _Bound(leaf, count, lambda v: replace(leaf, window=length(v)), lambda v: span(length(v)), whole=True)
        case DateIn(first=first, last=last, absolute=False, calendar=calendar) if last or first:
            days, end = last or first or 0, "last" if last else "first"
            _, length = _lengths(DAY if calendar is None else BusinessDays(1, calendar))
            return _Bound(leaf, days, lambda v: _put(leaf, end, round(v)), lambda v: span(length(v)), whole=True)
        case Range(low=low, high=high, fact=fact) if low != high:
            end, value = ("high", high) if math.isinf(low) else ("low", low)
            return _number_of(leaf, end, fact, value)
        case Moved(share=share) if share is not None:
            percent = float(share * 100)
            put = lambda v: replace(leaf, share=Fraction(str(round(v, 4))) / 100)  # noqa: E731
            return _Bound(leaf, percent, put, "{:g}%".format, whole=False)
        case Moved(by=by, fact=fact) if by:
            return _number_of(leaf, "by", fact, by)
    return None


def _lengths(window: Span) -> tuple[float, Callable[[float], Span]]:
    """A length as a number of days, business days or hours, and such a length of another number."""
    if isinstance(window, BusinessDays):
        return window.days, lambda value: replace(window, days=round(value))
    unit = HOUR if window % DAY else DAY
    return window / unit, lambda value: round(value * unit)


def _number_of(leaf: Leaf, field: str, fact: Fact, value: float) -> _Bound:
    """A number of the phrase that is in the fact's own unit."""
    written = round(value * _SCALE.get(fact.kind, 1.0), 9)
    put = lambda v: _put(leaf, field, _stored(fact, v))  # noqa: E731
    return _Bound(leaf, written, put, partial(_written, fact), fact.kind in _WHOLE)


def _put(leaf: Leaf, field: str, value: float) -> Leaf:
    changed: dict[str, Anything] = {field: value}
    return replace(leaf, **changed)


def _stored(fact: Fact, value: float) -> float:
    return round(value / _SCALE.get(fact.kind, 1.0), 9)


def _written(fact: Fact, value: float) -> str:
    match fact.kind:
        case Kind.RATIO:
            return f"{value:g}%"
        case Kind.POINTS:
            return f"{value:g} points"
        case Kind.MONEY:
            return money(round(value * 100))
        case Kind.DAYS:
            return span(round(value * DAY))
        case Kind.HOURS:
            return span(round(value * HOUR))
    return f"{value:g}"


def _around(bound: _Bound) -> list[float]:
    values = [bound.value * factor for factor in _FACTORS] if bound.value else [0.0, 1.0, 2.0]
    if bound.whole and abs(bound.value) < 4:
        values = [bound.value + step for step in (-1, 0, 1, 2) if bound.value + step >= 0 or bound.value < 0]
    return [float(round(value)) if bound.whole else round(value, 4) for value in values]


def _between(wanted: str, bound: _Bound) -> Sequence[float]:
    match = re.fullmatch(r"\s*(.+?)\s*\.\.\s*(.+?)(?:\s+by\s+(.+?))?\s*", wanted)
    ends = [_number(text) for text in (match.groups() if match else ()) if text]
    if len(ends) < 2 or None in ends:
        raise NothingToSweep(f"--sweep: {wanted!r} is no range; write for example 10..30, 10..30 by 5 or 60%..90%")
    low, high, *more = (float(end) for end in ends if end is not None)
    step = abs(more[0]) if more and more[0] else (high - low) / 4
    if high <= low or step <= 0:
        raise NothingToSweep(f"--sweep: {wanted!r} does not rise; write the smaller number first")
    count = math.floor((high - low) / step + 1e-9) + 1
    if count > _MOST:
        raise NothingToSweep(
            f"--sweep: {wanted!r} makes {count} values; at most {_MOST} are compared, choose a larger step"
        )
    values = [low + step * number for number in range(count)]
    return [float(round(value)) if bound.whole else round(value, 4) for value in values]


def _number(text: str) -> float | None:
    found = quantity(text)
    return None if found is None else float(found.number)


def _with(rule: Rule, leaf: Leaf, instead: Leaf) -> Rule:
    other = replace(rule, when=_replaced(rule.when, leaf, instead))
    return replace(other, version=version_of(other))


def _replaced(node: Node, leaf: Leaf, instead: Leaf) -> Node:
    if node is leaf:
        return instead
    match node:
        case All(parts):
            return All(tuple(_replaced(part, leaf, instead) for part in parts))
        case Any(parts):
            return Any(tuple(_replaced(part, leaf, instead) for part in parts))
        case Not(part=part):
            return replace(node, part=_replaced(part, leaf, instead))
        case Named(part=part):
            return replace(node, part=_replaced(part, leaf, instead))
    return node
