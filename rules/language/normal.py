"""A condition as alternatives: each a list of phrases, true or false, that hold together (disjunctive normal form)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from rules.language.domains import Limits, apart, conflict, limits, merged
from rules.language.tree import All, Any, Leaf, Named, Node, Not, Silence

MOST = 256
"""Alternatives; a condition with more is not reasoned about."""


class TooMany(Exception):
    """The condition has more alternatives than are looked at."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A phrase that is true, or false."""

    leaf: Leaf
    holds: bool
    written: bool
    """Whether the phrase as its author wrote it holds: `not renewed` does where its leaf does not."""
    side: str = ""
    """Of a silence that is broken: by what (age | booked)."""


Alternative = tuple[Literal, ...]


def alternatives(node: Node, holds: bool = True) -> list[Alternative]:
    """The ways in which a condition can be true (false); raises TooMany."""
    match node:
        case Leaf():
            return _single(node, holds, holds)
        case Not(part=Leaf() as leaf, text=text) if text:
            return _single(leaf, not holds, holds)
        case Not(part=part):
            return alternatives(part, not holds)
        case Named(part=part):
            return alternatives(part, holds)
        case All(parts) | Any(parts):
            each = [alternatives(part, holds) for part in parts]
            if isinstance(node, Any) is holds:
                return _few([one for found in each for one in found])
            total = 1
            for found in each:
                total *= max(1, len(found))
            if total > MOST:
                raise TooMany
            return [tuple(literal for one in picked for literal in one) for picked in product(*each)]


def _single(leaf: Leaf, holds: bool, written: bool) -> list[Alternative]:
    if isinstance(leaf, Silence) and not holds:  # broken by what happened, or by what is booked
        sides = ("age", "booked") if leaf.fact.role else ("age",)
        return [(Literal(leaf, holds, written, side),) for side in sides]
    return [(Literal(leaf, holds, written),)]


def _few(found: list[Alternative]) -> list[Alternative]:
    if len(found) > MOST:
        raise TooMany
    return found


def clash(alternative: Alternative) -> tuple[Literal, ...] | None:
    """The phrases of an alternative that cannot hold together; None when they can."""
    told: list[tuple[Literal, Limits]] = list(_told(alternative))
    numbers = conflict([found for _, found in told])
    return None if numbers is None else tuple(told[number][0] for number in dict.fromkeys(numbers))


def _told(alternative: Alternative) -> Iterator[tuple[Literal, Limits]]:
    for literal in alternative:
        found = limits(literal.leaf, literal.holds, literal.side)
        if found is not None:
            yield literal, found


def impossible(found: list[Alternative]) -> bool:
    """True when no alternative can hold."""
    return all(clash(one) is not None for one in found)


@dataclass(frozen=True, slots=True)
class Sides:
    """What is left possible where a condition is true, and where it is false: one entry per way."""

    true: tuple[Limits, ...]
    false: tuple[Limits, ...]


def sides(node: Node) -> Sides:
    """Both sides of a condition; raises TooMany."""
    return Sides(tuple(_possible(node, holds=True)), tuple(_possible(node, holds=False)))


def _possible(node: Node, *, holds: bool) -> Iterator[Limits]:
    for alternative in alternatives(node, holds):
        if clash(alternative) is None:
            yield merged([found for _, found in _told(alternative)])


def within(one: Sides, other: Sides) -> bool:
    """True when wherever the first condition is true the second is not false."""
    return all(apart(mine, theirs) for mine in one.true for theirs in other.false)


def implies(one: Node, other: Node) -> bool:
    """The same of two conditions; raises TooMany."""
    return within(sides(one), sides(other))
