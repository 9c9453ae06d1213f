"""The typed tree of a condition: what a phrase means, with the place where it was written."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from rules.language.catalogue import Fact


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
    """The date lies `first`..`last` days from today (both ends inside, None = open); or on calendar days when `absolute`."""

    first: int | None = None
    last: int | None = None
    absolute: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf(Leaf):
    """The choice, text or whole number is one of these."""

    values: tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag(Leaf):
    """The flag is set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence(Leaf):
    """Nothing of the kind within the last `window` microseconds: the seven steps of silence."""

    window: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened(Leaf):
    """It happened within the last `window` microseconds; None = ever."""

    window: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked(Leaf):
    """Such a meeting is booked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(Leaf):
    """There is a value (or a known `never`)."""


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
    """The facts a phrase compares."""
    return (leaf.fact, leaf.other) if isinstance(leaf, Against) else (leaf.fact,)
