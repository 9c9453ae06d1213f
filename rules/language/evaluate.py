"""The reference semantics: three-valued (Kleene) evaluation of one rule over one wide fact row, keeping reasons and values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rules.language.beside import Row, values_of
from rules.language.beside import columns_of as columns_beside
from rules.language.decide import Decided, Truth, value
from rules.language.decide_beside import beside
from rules.language.decide_events import booking_for, event
from rules.language.model import Rule
from rules.language.tree import (
    All,
    Any,
    Booked,
    Happened,
    InSet,
    Leaf,
    Moved,
    Named,
    Node,
    Not,
    Ranked,
    Silence,
    facts_of,
)
from rules.language.values import today_of
from store.records import Day, Instant

__all__ = ["Outcome", "Row", "Truth", "Verdict", "columns_of", "evaluate", "outcome"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one node: its truth, why it is unknown, the row it was asked of, and its parts."""

    node: Node
    truth: Truth
    reason: str | None = None
    row: Row = field(default_factory=dict, repr=False, compare=False)
    parts: tuple[Outcome, ...] = ()

    @property
    def used(self) -> Mapping[str, object]:
        """What a phrase read of the row, by column."""
        if not isinstance(self.node, Leaf):
            return {}
        return {name: self.row.get(name) for name in columns_of(self.node)} | dict(values_of(self.node, self.row))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of one account at one instant."""

    truth: Truth
    severity: str
    reasons: tuple[str, ...]
    """Of every phrase that keeps the condition unknown; the first is what a finding shows."""
    tree: Outcome

    @property
    def outcome(self) -> str:
        """The word for it: fires, silent or unknown."""
        return {True: "fires", False: "silent", None: "unknown"}[self.truth]


def evaluate(rule: Rule, row: Row, as_of: Instant, today: Day | None = None) -> Verdict:
    """Evaluate a rule on a row of store.tables.facts; `today` is the calendar day of `as_of` in the configured zone."""
    day = today_of(as_of) if today is None else today
    tree = outcome(rule.when, row, as_of, day)
    raised = (severity for severity, node in rule.escalate if outcome(node, row, as_of, day).truth)
    return Verdict(tree.truth, next(raised, rule.severity), tuple(_reasons(tree)), tree)


def outcome(node: Node, row: Row, as_of: Instant, today: Day) -> Outcome:
    """Evaluate one node; nothing is short-cut, so that every part can be shown."""
    if isinstance(node, Leaf):  # most are
        return _leaf(node, row, as_of, today)
    match node:
        case All(nodes) | Any(nodes):
            parts = tuple(outcome(part, row, as_of, today) for part in nodes)
            decisive = isinstance(node, Any)
            truths = [part.truth for part in parts]
            truth = decisive if decisive in truths else (None if None in truths else not decisive)
        case Not(part=part):
            parts = (outcome(part, row, as_of, today),)
            truth = None if parts[0].truth is None else not parts[0].truth
        case Named(part=part):
            parts = (outcome(part, row, as_of, today),)
            truth = parts[0].truth
    reason = next((part.reason for part in parts if part.truth is None), None) if truth is None else None
    return Outcome(node, truth, reason, parts=parts)


def _reasons(tree: Outcome) -> Iterable[str]:
    if tree.truth is not None:
        return
    if not tree.parts and tree.reason:
        yield tree.reason
    for part in tree.parts:
        yield from _reasons(part)


def _leaf(leaf: Leaf, row: Row, as_of: Instant, today: Day) -> Outcome:
    truth, why = _decide(leaf, row, as_of, today)
    reason = f"{leaf.fact.shown}: {why}" if why else None
    return Outcome(leaf, truth, reason, row)


def _decide(leaf: Leaf, row: Row, as_of: Instant, today: Day) -> Decided:
    match leaf:
        case Silence() | Happened() | Booked():
            return event(leaf, row, as_of)
        case Moved() | Ranked() | InSet():
            return beside(leaf, row)
    return value(leaf, row, today)


def columns_of(leaf: Leaf) -> tuple[str, ...]:
    """The columns of store.tables.facts that decide a phrase: its evidence, with what it reads beside them."""
    found: list[str] = []
    facts = facts_of(leaf) if isinstance(leaf, InSet) else (*facts_of(leaf), leaf.fact)
    for fact in dict.fromkeys(facts):
        found += [fact.column, f"{fact.column}_state"]
        found += [f"{fact.column}_u"] if fact.interval else []
    found += columns_beside(leaf)
    if isinstance(leaf, Silence) and (booking := booking_for(leaf)):
        found += [booking.column, f"{booking.column}_state"]
    return tuple(found)
