"""The reference semantics: three-valued (Kleene) evaluation of one rule over one wide fact row, keeping reasons and values."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from rules.language.catalogue import Fact, booking_of, coverage_column, role_columns
from rules.language.model import Rule
from rules.language.tree import (
    Against,
    All,
    Any,
    Booked,
    DateIn,
    Flag,
    Happened,
    Known,
    Leaf,
    Named,
    Node,
    Not,
    OneOf,
    Range,
    Silence,
    facts_of,
)
from rules.language.values import today_of
from store.records import DAY, Day, Instant

Row = Mapping[str, object]
Truth = bool | None
BOOKED_AHEAD = 14 * DAY
"""A meeting booked within this time breaks silence (step 2)."""
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one node: its truth, why it is unknown, the values it used (by column), and its parts."""

    node: Node
    truth: Truth
    reason: str | None = None
    used: Mapping[str, object] = field(default_factory=dict)
    parts: tuple[Outcome, ...] = ()


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
        case Leaf():
            return _leaf(node, row, as_of, today)
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
    return Outcome(leaf, truth, reason, {column: row.get(column) for column in columns_of(leaf)})


def _decide(leaf: Leaf, row: Row, as_of: Instant, today: Day) -> tuple[Truth, str | None]:
    fact = leaf.fact
    value, state = row.get(fact.column), row.get(f"{fact.column}_state")
    match leaf:
        case Silence(window=window):
            happened, why = _happened(fact, row, as_of, window)
            booking = booking_of(fact)
            ahead = _int(row, booking.column) if booking else None
            booked = ahead is not None and as_of < ahead <= as_of + BOOKED_AHEAD
            return (False, None) if happened or booked else (None if why else True, why)
        case Happened(window=window):
            return _happened(fact, row, as_of, window)
        case Booked():
            return _booked(fact, row, as_of)
        case Known():
            if state == "stale":
                return None, "stale"
            return state == "never" or (state is None and value is not None), None
        case Range():
            return _range(leaf, row)
        case Against(op=op, other=other, share=share):
            missing = _missing(fact, row) or _missing(other, row)
            if missing:
                return None, missing
            mine, others = float(_num(row, fact)) * share.denominator, float(_num(row, other)) * share.numerator
            return _COMPARE[op](steps(mine), steps(others)), None
        case DateIn(first=first, last=last, absolute=absolute):
            zero = 0 if absolute else today
            return _known(fact, row, lambda day: _between(day - zero, first, last))
        case OneOf(values=values):
            missing = _missing(fact, row)
            return (None, missing) if missing else (value in values, None)
        case Flag():
            return _known(fact, row, lambda flag: flag == 1)
    raise TypeError(f"no semantics for {type(leaf).__name__}")


def steps(value: float) -> float:
    """A value in steps of 1e-9, rounded half up: what two computed numbers are compared by."""
    return math.floor(value * STEPS + 0.5)


def _booked(fact: Fact, row: Row, as_of: Instant) -> tuple[Truth, str | None]:
    """A booking that is on record stands, also where not everything is captured; that there is none is then not known."""
    state, at = row.get(f"{fact.column}_state"), _int(row, fact.column)
    if state == "never":
        return False, None
    if at is not None and state in (None, "not_captured"):
        return at > as_of, None
    return None, _missing(fact, row)


def _happened(fact: Fact, row: Row, as_of: Instant, window: int | None) -> tuple[Truth, str | None]:
    last = _int(row, fact.column)
    cutoff = None if window is None else as_of - window
    if last is not None and (cutoff is None or last > cutoff):
        return True, None
    why = _gap(fact, row, cutoff)
    return (None, why) if why else (False, None)


def _gap(fact: Fact, row: Row, cutoff: Instant | None) -> str | None:
    """Steps 3 to 6 of silence: why the absence of an event in the window (None = ever) cannot be told; None = it can."""
    if not fact.role:
        return None if row.get(f"{fact.column}_state") == "never" else _missing(fact, row)
    count, since = role_columns(fact.role)
    kind = f"{fact.role} " if count else ""
    if count is None:
        if row.get(since) is None:
            return "nobody on file"
    elif not row.get(count) and not row.get("unclassified_contacts"):
        return f"no {kind}on file"
    hidden = _int(row, fact.unclassified) if fact.unclassified else None
    if hidden is not None and (cutoff is None or hidden > cutoff):
        return "levels not known"
    state = row.get(f"{fact.column}_state")
    if row.get("activity_stale") == 1 or state == "stale":
        return "stale"
    if row.get(coverage_column(fact.role)) is not None or state == "not_captured":
        return "not captured"
    if state not in (None, "never"):
        return _plain(state)
    if state is None and row.get(fact.column) is None:
        return "not on file"
    stamps = [_int(row, since), None if count is None else _int(row, "unclassified_since")]
    if cutoff is not None and not any(stamp is not None and stamp <= cutoff for stamp in stamps):
        return "too new"
    return None


def _range(leaf: Range, row: Row) -> tuple[Truth, str | None]:
    """A count by level is an interval, and so is a partial fact whose source is stale: decided when all of it agrees."""
    fact, state = leaf.fact, row.get(f"{leaf.fact.column}_state")
    partial = fact.partial and state in PARTIAL_STATES and row.get(fact.column) is not None
    missing = None if partial else _missing(fact, row)
    if missing:
        return None, missing
    low = _num(row, fact)
    high = float("inf") if partial else low + (_int(row, f"{fact.column}_u") or 0 if fact.interval else 0)
    if leaf.above(low) and leaf.below(high):
        return True, None
    if not leaf.below(low) or not leaf.above(high):
        return False, None
    return None, _plain(state) if partial else "levels not known"


def _known(fact: Fact, row: Row, test: Callable[[int], bool]) -> tuple[Truth, str | None]:
    missing = _missing(fact, row)
    value = _int(row, fact.column)
    return (None, missing) if missing or value is None else (test(value), None)


def _missing(fact: Fact, row: Row) -> str | None:
    """Why there is no fresh value; None = there is one."""
    state = row.get(f"{fact.column}_state")
    if state is not None:
        return _plain(state)
    return "not on file" if row.get(fact.column) is None else None


def _plain(state: object) -> str:
    return str(state).replace("_", " ")


def _between(value: int, first: int | None, last: int | None) -> bool:
    return (first is None or value >= first) and (last is None or value <= last)


def _int(row: Row, column: str) -> int | None:
    value = row.get(column)
    return int(value) if isinstance(value, int | float) else None


def _num(row: Row, fact: Fact) -> float:
    value = row[fact.column]
    assert isinstance(value, int | float), fact.name
    return value


def columns_of(leaf: Leaf) -> tuple[str, ...]:
    """The columns of store.tables.facts that decide a phrase: its evidence."""
    found: list[str] = []
    for fact in facts_of(leaf):
        found += [fact.column, f"{fact.column}_state"]
        found += [f"{fact.column}_u"] if fact.interval else []
    if isinstance(leaf, Silence | Happened) and leaf.fact.role:
        count, since = role_columns(leaf.fact.role)
        found += [since, "activity_stale", coverage_column(leaf.fact.role)]
        found += [count, "unclassified_contacts", "unclassified_since"] if count else []
        found += [leaf.fact.unclassified] if leaf.fact.unclassified else []
    if isinstance(leaf, Silence) and (booking := booking_of(leaf.fact)):
        found += [booking.column, f"{booking.column}_state"]
    return tuple(found)
