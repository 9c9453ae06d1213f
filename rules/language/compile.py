"""The same semantics as `evaluate`, compiled to SQLAlchemy Core over store.tables.facts; every cut-off is a bind parameter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any as Anything

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    Text,
    and_,
    case,
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

from rules.language import sql_beside, sql_events, sql_values
from rules.language.evaluate import columns_of
from rules.language.model import Rule
from rules.language.sql import Condition, Words
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
    leaves,
)
from rules.language.values import today_of
from rules.language.wording import placeholders
from store.records import Day, Instant
from store.tables import facts


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
        *(column.label(name) for name, column in sorted(_evidence(rule).items())),
    ).where(compiler.possible(rule.when))


def select_truth(rule: Rule, as_of: Instant, today: Day | None = None) -> Select[Anything]:
    """Every account with the condition's truth, severity and reason: what tests hold against the evaluator."""
    findings = select_findings(rule, as_of, today).subquery()
    found = findings.c
    return select(facts.c.account_id, found.outcome, found.severity, found.reason).join_from(
        facts, findings, facts.c.account_id == found.account_id, isouter=True
    )


def select_evidence(rule: Rule) -> Select[Anything]:
    """Every account with the values that the rule decides on: from them the evaluator says why it is silent, too."""
    return select(facts.c.account_id, *(column.label(name) for name, column in sorted(_evidence(rule).items())))


def evidence_columns(rule: Rule) -> list[str]:
    """The names of the values that a finding keeps, sorted: with them the evaluator says the same again, and why."""
    return sorted(_evidence(rule))


def columns_read(rule: Rule) -> frozenset[str]:
    """The columns of the facts that `select_findings` reads, but for the id: what a finding keeps is all that the rule decides on."""
    return frozenset(name for name in _evidence(rule) if name in facts.c)


def _evidence(rule: Rule) -> Mapping[str, ColumnElement[Anything]]:
    names: set[str] = set()
    found: dict[str, ColumnElement[Anything]] = {}
    for leaf in (leaf for node in rule.conditions for leaf in leaves(node)):
        names |= set(columns_of(leaf))
        match leaf:
            case Moved() | Ranked() | InSet():
                found |= sql_beside.evidence(leaf)
            case Silence(narrow=narrow) | Happened(narrow=narrow) if narrow is not None:
                found |= sql_events.narrowed(leaf, narrow)
    for fact in placeholders(rule.say):
        names |= {fact.column, f"{fact.column}_state", *([f"{fact.column}_u"] if fact.interval else [])}
    return found | {name: facts.c[name] for name in names}


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

    def possible(self, node: Node, *, untrue: bool = False) -> Condition:
        """The node is not false (or not true), asked part by part: a database stops at the first that settles it, where
        of `node IS NOT FALSE` it computes all. Most rows are settled by the first part.
        """
        match node:
            case All(parts) | Any(parts):
                every = isinstance(node, All) is not untrue
                return (and_ if every else or_)(*(self.possible(part, untrue=untrue) for part in parts))
            case Not(part=part):
                return self.possible(part, untrue=not untrue)
            case Named(part=part):
                return self.possible(part, untrue=untrue)
            case Leaf():
                return Grouping(self.condition(node)).is_not(true() if untrue else false())

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

    def _leaf(self, leaf: Leaf) -> Condition:
        match leaf:
            case Silence() | Happened() | Booked():
                return sql_events.event(leaf, self.as_of)
            case Moved() | Ranked() | InSet():
                return sql_beside.beside(leaf)
        return sql_values.value(leaf, self.today)

    def _why(self, leaf: Leaf) -> Words:
        match leaf:
            case Silence() | Happened() | Booked():
                return sql_events.why(leaf, self.as_of)
            case Moved() | Ranked() | InSet():
                return sql_beside.why(leaf)
        return sql_values.why(leaf)
