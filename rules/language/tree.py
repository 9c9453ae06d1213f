"""The typed tree of a condition: what a phrase means, with the place where it was written."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from rules.language.calendar import Calendar, Span
from rules.language.catalogue import Fact
from store.records import Day


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a rule file; line and column count from 1."""

    file: str
    line: int
    column: int
    length: int = 1


NOWHERE = Place("", 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One phrase. `text` is the phrase as its author wrote it."""

    text: str = field(compare=False)
    fact: Fact
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range(Leaf):
    """The number lies between `low` and `high`; an open end excludes its bound."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def above(self, value: float) -> bool:
        """True when the value is not below the range."""
        return value > self.low or (value == self.low and not self.low_open)

    def below(self, value: float) -> bool:
        """True when the value is not above the range."""
        return value < self.high or (value == self.high and not self.high_open)


@dataclass(frozen=True, slots=True, kw_only=True)
class Against(Leaf):
    """The number compared (`<`, `<=`, `>`, `>=`, `=`) with `share` times another fact.

    80 % of 35 is 28.000000000000004 in doubles: the share is a fraction, and what is compared is the number times its
    denominator with the other times its numerator, which is exact for counts and money.
    """

    op: str
    share: Fraction
    other: Fact

    @property
    def factor(self) -> float:
        """The share as a number, to be shown."""
        return float(self.share)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateIn(Leaf):
    """The date lies `first`..`last` days from today (both ends inside, None = open); or on calendar days when `absolute`.

    With a `calendar` the days are business days, and an `_open` end is not inside.
    """

    first: int | None = None
    last: int | None = None
    absolute: bool = False
    calendar: Calendar | None = None
    first_open: bool = False
    last_open: bool = False

    def ends(self, today: Day) -> tuple[Day | None, Day | None]:
        """First and last day, both inside."""
        first, last = self._day(self.first, today), self._day(self.last, today)
        return (
            first + 1 if first is not None and self.first_open else first,
            last - 1 if last is not None and self.last_open else last,
        )

    def _day(self, away: int | None, today: Day) -> Day | None:
        if away is None or self.absolute:
            return away
        return today + away if self.calendar is None else self.calendar.shift(today, away)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf(Leaf):
    """The choice, text or whole number is one of these."""

    values: tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag(Leaf):
    """The flag is set."""


@dataclass(frozen=True, slots=True)
class Narrow:
    """Only persons of one level or function: what store.tables.narrowed_facts is keyed by."""

    by: str
    """level | function"""
    value: str

    @property
    def shown(self) -> str:
        """`c level`, `it`."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence(Leaf):
    """Nothing of the kind within the last `window`: the seven steps of silence."""

    window: Span
    narrow: Narrow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened(Leaf):
    """It happened within the last `window`; None = ever."""

    window: Span | None
    narrow: Narrow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked(Leaf):
    """Such a meeting is booked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(Leaf):
    """There is a value (or a known `never`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(Leaf):
    """The fact against what it was whole `days` before: it `fell` or `rose` by at least `by`, or `changed`.

    `by` is in the fact's own unit, or for money and counts a `share` of the earlier value.
    """

    way: str
    days: int
    by: float = 0.0
    share: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """A border of a rank: the best or the last `share` of the customers that have the fact, or of their segment."""

    column: str
    side: str
    """top | bottom"""
    share: Fraction
    by_segment: bool = False

    def key(self, segment: str | None) -> str:
        """Its name in store.tables.portfolio_stats, and in a row of the evaluator."""
        return f"cut:{self.column}:{self.side}:{self.share.numerator}/{self.share.denominator}:{segment or '*'}"

    @classmethod
    def of(cls, key: str) -> Cut:
        """The cut of which this is a name in store.tables.portfolio_stats."""
        _, column, side, share, segment = key.split(":")
        return cls(column, side, Fraction(share), segment != "*")

    @property
    def own(self) -> str:
        """Its name in the evidence, whatever the account's segment is."""
        return self.key("its segment" if self.by_segment else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked(Leaf):
    """The number is on that side of the cut, which belongs to it."""

    cut: Cut


@dataclass(frozen=True, slots=True, kw_only=True)
class InSet(Leaf):
    """The set holds the value; where `states` are given, in one of these states."""

    value: str
    states: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """At least one part holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold; `text` is what its author wrote, empty for `none:`."""

    part: Node
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Named:
    """A vocabulary entry, with what it stands for."""

    name: str
    part: Node
    place: Place = field(default=NOWHERE, compare=False)


Node = Leaf | All | Any | Not | Named


def parts_of(node: Node) -> tuple[Node, ...]:
    """The nodes directly below one."""
    match node:
        case All(parts) | Any(parts):
            return parts
        case Not(part=part) | Named(part=part):
            return (part,)
    return ()


def leaves(node: Node) -> Iterator[Leaf]:
    """Every phrase below a node, in the order of the text; vocabulary is followed."""
    if isinstance(node, Leaf):
        yield node
    for part in parts_of(node):
        yield from leaves(part)


def facts_of(leaf: Leaf) -> tuple[Fact, ...]:
    """The facts a phrase compares; none where it reads no column of its own, but a set or a narrowed event."""
    if isinstance(leaf, InSet) or getattr(leaf, "narrow", None) is not None:
        return ()
    return (leaf.fact, leaf.other) if isinstance(leaf, Against) else (leaf.fact,)
