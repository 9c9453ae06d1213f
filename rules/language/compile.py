"""The same semantics as `evaluate`, compiled to SQLAlchemy Core over store.tables.facts; every cut-off is a bind parameter."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any as Anything

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Double,
    Select,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.sql.elements import Grouping

from rules.language.catalogue import Fact, booking_of, role_columns
from rules.language.evaluate import BOOKED_AHEAD, PARTIAL_STATES, STEPS, columns_of
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
    leaves,
)
from rules.language.values import today_of
from rules.language.wording import placeholders
from store.records import Day, Instant
from store.tables import facts

Condition = ColumnElement[bool]
Words = ColumnElement[str]
_COMPARE: Mapping[str, Callable[[Anything, Anything], Condition]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
}


def select_findings(rule: Rule, as_of: Instant, today: Day | None = None) -> Select[Anything]:
    """Accounts on which the rule fires or is unknown: account_id, outcome, severity, reason, then the evidence columns.

    `today` is the calendar day of `as_of` in the configured zone; UTC when not given.
    """
    compiler = _Compiler(as_of, today_of(as_of) if today is None else today)
    holds = compiler.condition(rule.when)
    raised = [(compiler.condition(node), literal(severity, Text)) for severity, node in rule.escalate]
    severity = case(*raised, else_=literal(rule.severity, Text)) if raised else literal(rule.severity, Text)
    return select(
        facts.c.account_id,
        case((holds, literal("fires", Text)), else_=literal("unknown", Text)).label("outcome"),
        severity.label("severity"),
        case((holds.is_(None), compiler.reason(rule.when)), else_=null()).label("reason"),
        *(facts.c[name] for name in evidence_columns(rule)),
    ).where(holds.is_not(false()))  # read once, where `holds OR holds IS NULL` reads every column twice


def select_truth(rule: Rule, as_of: Instant, today: Day | None = None) -> Select[Anything]:
    """Every account with the condition's truth, severity and reason: what tests hold against the evaluator."""
    findings = select_findings(rule, as_of, today).subquery()
    found = findings.c
    return select(facts.c.account_id, found.outcome, found.severity, found.reason).join_from(
        facts, findings, facts.c.account_id == found.account_id, isouter=True
    )


def evidence_columns(rule: Rule) -> list[str]:
    """The columns whose values a finding keeps, sorted: with them the evaluator says the same again, and why."""
    found: set[str] = set()
    for node in (rule.when, *(node for _, node in rule.escalate)):
        for leaf in leaves(node):
            found |= set(columns_of(leaf))
    for fact in placeholders(rule.say):
        found |= {fact.column, f"{fact.column}_state", *([f"{fact.column}_u"] if fact.interval else [])}
    return sorted(found)


class _Compiler:
    def __init__(self, as_of: Instant, today: Day) -> None:
        self.as_of, self.today = as_of, today

    def condition(self, node: Node) -> Condition:
        """SQL's own AND, OR and NOT are Kleene's, so only the leaves need care."""
        match node:
            case All(parts):
                return and_(*map(self.condition, parts))
            case Any(parts):
                return or_(*map(self.condition, parts))
            case Not(part=part):
                # In brackets on both sides: `NOT x IS NULL` is `NOT (x IS NULL)` on PostgreSQL.
                return Grouping(not_(Grouping(self.condition(part))))
            case Named(part=part):
                return self.condition(part)
            case Leaf():
                return type_coerce(self._leaf(node), Boolean)

    def reason(self, node: Node) -> Words:
        """Why a node is unknown; read only where it is: then a part that is unknown is one that keeps it so."""
        match node:
            case All(parts) | Any(parts):
                whys = [case((self.condition(part).is_(None), self.reason(part)), else_=null()) for part in parts]
                return func.coalesce(*whys) if len(whys) > 1 else whys[0]
            case Not(part=part) | Named(part=part):
                return self.reason(part)
            case Leaf():
                return literal(f"{node.fact.shown}: ", Text) + self._why(node)

    # ------------------------------------------------------------ leaves

    def _leaf(self, leaf: Leaf) -> Condition:
        fact, value, state = leaf.fact, _value(leaf.fact), _state(leaf.fact)
        match leaf:
            case Silence(window=window):
                booked = self._booked_soon(fact)
                gap = self._gap(fact, window)
                return case(
                    (value > self.as_of - window, false()), (booked, false()), (gap.is_not(None), null()), else_=true()
                )
            case Happened(window=window):
                seen = value.is_not(None) if window is None else value > self.as_of - window
                return case((seen, true()), (self._gap(fact, window).is_not(None), null()), else_=false())
            case Booked():
                on_record = or_(state.is_(None), state == "not_captured")
                return case((state == "never", false()), (on_record, value > self.as_of), else_=null())
            case Known():
                known = (state.is_(None), value.is_not(None))
                return case((state == "stale", null()), (state == "never", true()), known, else_=false())
            case Range():
                return _range(leaf)
            case Against(op=op, other=other, share=share):
                compared = _COMPARE[op](_steps(value, share.denominator), _steps(_value(other), share.numerator))
                return case((and_(state.is_(None), _state(other).is_(None)), compared), else_=null())
            case DateIn(first=first, last=last, absolute=absolute):
                zero = 0 if absolute else self.today
                ends = [] if first is None else [value >= zero + first]
                ends += [] if last is None else [value <= zero + last]
                return case((state.is_(None), and_(*ends)), else_=null())
            case OneOf(values=values):
                return case((state.is_(None), value.in_(values)), else_=null())
            case Flag():
                return case((state.is_(None), value == 1), else_=null())
        raise TypeError(f"no SQL for {type(leaf).__name__}")

    def _booked_soon(self, fact: Fact) -> Condition:
        booking = booking_of(fact)
        if booking is None:
            return false()
        ahead = _value(booking)
        return and_(ahead > self.as_of, ahead <= self.as_of + BOOKED_AHEAD)

    def _gap(self, fact: Fact, window: int | None) -> Words:
        """Steps 3 to 6 of silence as a text, NULL = the absence can be told."""
        if not fact.role:
            return case((_state(fact) == "never", null()), *_absent(fact), else_=null())
        count, since = role_columns(fact.role)
        state, column = _state(fact), facts.c
        cutoff = None if window is None else self.as_of - window
        unclassified = func.coalesce(column.unclassified_contacts, 0)
        nobody = (
            column[since].is_(None) if count is None else and_(func.coalesce(column[count], 0) == 0, unclassified == 0)
        )
        whys: list[tuple[Condition, Anything]] = [(nobody, f"no {fact.role} on file" if count else "nobody on file")]
        if fact.unclassified:
            hidden = column[fact.unclassified]
            whys.append((hidden.is_not(None) if cutoff is None else hidden > cutoff, "levels not known"))
        whys += [
            (or_(column.activity_stale == 1, state == "stale"), "stale"),
            (or_(column.not_covered.is_not(None), state == "not_captured"), "not captured"),
            (state != "never", _plain(state)),
            (and_(state.is_(None), _value(fact).is_(None)), "not on file"),
        ]
        if cutoff is not None:
            old = [func.coalesce(stamp <= cutoff, false()) for stamp in self._stamps(count, since)]
            whys.append((not_(or_(*old)), "too new"))
        return case(*[(when, literal(why, Text) if isinstance(why, str) else why) for when, why in whys], else_=null())

    def _stamps(self, count: str | None, since: str) -> Iterable[ColumnElement[Anything]]:
        return [facts.c[since]] if count is None else [facts.c[since], facts.c.unclassified_since]

    def _why(self, leaf: Leaf) -> Words:
        fact, state = leaf.fact, _state(leaf.fact)
        match leaf:
            case Silence(window=window) | Happened(window=window):
                return self._gap(fact, window)
            case Range() if fact.interval:
                return case(
                    (state.is_not(None), _plain(state)),
                    (_value(fact).is_(None), _text("not on file")),
                    else_=_text("levels not known"),
                )
            case Against(other=other):
                return case(*(_absent(fact)), *(_absent(other)), else_=null())
        return case(*_absent(fact), else_=null())


def _range(leaf: Range) -> Condition:
    fact, low = leaf.fact, _value(leaf.fact)
    high = low + func.coalesce(facts.c[f"{fact.column}_u"], 0) if fact.interval else low
    fresh = case(
        (and_(*_within(leaf, low, high)), true()),
        (or_(_over(leaf, low), _under(leaf, high)), false()),
        else_=null(),
    )
    whens: list[tuple[Condition, Anything]] = [(_state(fact).is_(None), fresh)]
    if fact.partial:  # the true value is this or more
        above = and_(*_within(leaf, low, low)) if math.isinf(leaf.high) else false()
        whens.append(
            (_state(fact).in_(PARTIAL_STATES), case((above, true()), (_over(leaf, low), false()), else_=null()))
        )
    return case(*whens, else_=null())


def _within(leaf: Range, low: ColumnElement[Anything], high: ColumnElement[Anything]) -> list[Condition]:
    ends: list[Condition] = []
    if not math.isinf(leaf.low):
        ends.append(low > leaf.low if leaf.low_open else low >= leaf.low)
    if not math.isinf(leaf.high):
        ends.append(high < leaf.high if leaf.high_open else high <= leaf.high)
    return ends


def _over(leaf: Range, value: ColumnElement[Anything]) -> Condition:
    if math.isinf(leaf.high):
        return false()
    return value >= leaf.high if leaf.high_open else value > leaf.high


def _under(leaf: Range, value: ColumnElement[Anything]) -> Condition:
    if math.isinf(leaf.low):
        return false()
    return value <= leaf.low if leaf.low_open else value < leaf.low


def _steps(value: ColumnElement[Anything], times: int) -> ColumnElement[Anything]:
    whole = cast(value, Double) * literal(float(times), Double)
    return func.floor(whole * literal(STEPS, Double) + literal(0.5, Double))


def _absent(fact: Fact) -> list[tuple[Condition, Words]]:
    state = _state(fact)
    return [(state.is_not(None), _plain(state)), (_value(fact).is_(None), _text("not on file"))]


def _value(fact: Fact) -> ColumnElement[Anything]:
    return facts.c[fact.column]


def _state(fact: Fact) -> ColumnElement[Anything]:
    return facts.c[f"{fact.column}_state"]


def _plain(state: ColumnElement[Anything]) -> Words:
    return func.replace(state, _text("_"), _text(" "), type_=Text)


def _text(words: str) -> ColumnElement[str]:
    return literal(words, Text)
