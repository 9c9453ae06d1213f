"""One evaluation: refresh the facts and what rules need besides, ask every rule by itself, hand the difference on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from daemon.facts import Needs
from daemon.facts import refresh as refresh_facts
from daemon.timed import when
from rules.facts.settings import FactSettings
from rules.language.compile import columns_read, select_findings
from rules.language.model import Rule, RuleSet
from rules.language.needs import by_business_days
from store import findings, portions
from store.engine import Store
from store.portions import Portion, Range, Touched
from store.records import Clock, Instant
from store.statements import Ready, TimedRows, When

_log = structlog.get_logger(__name__)

Refresh = Callable[[Store, FactSettings, Instant, Collection[int] | None, Needs | None], int]
Advance = Callable[[Store, RuleSet, Instant], object]
Statements = Mapping[str, Sequence[Ready]]
"""By rule, what keeps its findings."""


@dataclass(frozen=True, slots=True)
class RuleRun:
    """What one rule found. With an `error` the findings that it did not get to are those of the evaluation before."""

    rule: str
    fires: int = 0
    """Of all customers, or of the touched ones where only those were evaluated; `unknown` too."""
    unknown: Mapping[str, int] = field(default_factory=dict)
    """How many accounts by reason."""
    changed: int = 0
    """Finding rows written or removed."""
    seconds: float = 0.0
    error: str | None = None

    def counted(self, counts: Mapping[tuple[str, str, str], int]) -> RuleRun:
        """With what its findings are now, of those of all rules; a rule that failed counts as none."""
        if self.error:
            return self
        mine = {(outcome, reason): n for (rule, outcome, reason), n in counts.items() if rule == self.rule}
        unknown = {reason: n for (outcome, reason), n in mine.items() if outcome == "unknown"}
        return replace(self, fires=mine.get(("fires", ""), 0), unknown=unknown)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation as a whole; `advanced` is whatever the alerting step returned."""

    as_of: Instant
    scope: str
    """full | touched"""
    customers: int
    facts_changed: int
    rules: tuple[RuleRun, ...]
    advanced: object = None

    @property
    def changed(self) -> int:
        """Finding rows written or removed."""
        return sum(run.changed for run in self.rules)

    @property
    def errors(self) -> Mapping[str, str]:
        """Rules that could not be evaluated, with the reason: for the operators."""
        return {run.rule: run.error for run in self.rules if run.error}


def evaluate(
    store: Store,
    ruleset: RuleSet,
    settings: FactSettings,
    as_of: Instant,
    accounts: Collection[int] | None = None,
    *,
    refresh: Refresh = refresh_facts,
    advance: Advance | None = None,
    clock: Clock | None = None,
) -> Evaluation:
    """Evaluate all customers, or only `accounts`, at `as_of`; a second time at the same instant changes nothing.

    A rule that fails keeps the findings of the accounts that it fails on, and is reported. `clock` is for timing only.
    """
    scope = "full" if accounts is None else "touched"
    needs = Needs.of(ruleset)
    refreshed = refresh(store, settings, as_of, accounts, needs)
    few = None if accounts is None else frozenset(accounts)
    ask = _Ask(store, when(as_of, settings), settings.timezone, clock)
    customers, runs = ask.all(ruleset, few)
    advanced = advance(store, ruleset, as_of) if advance else None
    with store.write() as connection:
        findings.record_evaluation(connection, as_of, scope, _detail(ruleset, needs, customers, runs))
    return Evaluation(as_of, scope, customers, refreshed, tuple(runs), advanced)


@dataclass(frozen=True, slots=True)
class _Ask:
    """How rules are asked: of some accounts at a time all of them in one transaction.

    Of a few accounts a rule takes about a millisecond, and a commit takes longer; of very many the writer's turn is
    given back in between.
    """

    store: Store
    when: When
    zone: str
    clock: Clock | None

    def all(self, ruleset: RuleSet, accounts: frozenset[int] | None) -> tuple[int, list[RuleRun]]:
        """Ask all rules about the accounts, or about all customers; gives how many these are.

        A rule that fails is not asked about the rest.
        """
        statements, runs = self._ready(ruleset, accounts)
        read = frozenset[str]().union(*map(columns_read, ruleset.rules))
        counts: Counter[tuple[str, str, str]] = Counter()
        customers, low = 0, 0
        with self.store.aside() as room:
            while low <= portions.LAST:
                with room.write() as connection:
                    if not low:
                        findings.drop_other_rules(connection, list(runs))
                    portion = self._portion(connection, accounts, low)
                    customers += portions.put(connection, portion, read)
                    runs |= self._ask(connection, statements, portion, runs)
                    counts += findings.counts(connection, portion)
                low = (portion.high if isinstance(portion, Range) else portions.LAST) + 1
        for run in runs.values() if self.clock else ():
            _log.info("rule evaluated", rule=run.rule, changed=run.changed, seconds=round(run.seconds, 4))
        return customers, [run.counted(counts) for run in runs.values()]

    def _ready(self, ruleset: RuleSet, accounts: frozenset[int] | None) -> tuple[Statements, dict[str, RuleRun]]:
        """Build what will be asked, before anybody waits for a transaction to end."""
        portion = Range(0, 0) if accounts is None else Touched(accounts)
        statements, runs = {}, {rule.name: RuleRun(rule.name) for rule in ruleset.rules}
        for rule in ruleset.rules:
            try:
                statements[rule.name] = findings.ready(self.store.engine, self._wanted(rule, portion), portion)
            except SQLAlchemyError as error:
                runs[rule.name] = _failed(runs[rule.name], error)
        return statements, runs

    def _portion(self, connection: Connection, accounts: frozenset[int] | None, low: int) -> Portion:
        if accounts is not None:
            return Touched(accounts)
        return portions.after(connection, low, portions.SIZES[connection.dialect.name])

    def _ask(
        self, connection: Connection, statements: Statements, portion: Portion, runs: Mapping[str, RuleRun]
    ) -> Mapping[str, RuleRun]:
        """Ask the rules that have not failed; where one does, each by itself: only its own findings stay as they are."""
        asked = {name: statements[name] for name, run in runs.items() if not run.error}
        with suppress(SQLAlchemyError), connection.begin_nested():
            return {name: self._run(connection, mine, portion, runs[name]) for name, mine in asked.items()}
        found = {}
        for name, mine in asked.items():
            try:
                with connection.begin_nested():
                    found[name] = self._run(connection, mine, portion, runs[name])
            except SQLAlchemyError as error:
                found[name] = _failed(runs[name], error)
        return found

    def _run(self, connection: Connection, statements: Sequence[Ready], portion: Portion, before: RuleRun) -> RuleRun:
        start = self.clock.monotonic() if self.clock else 0.0
        changed = findings.keep(connection, statements, portion)
        seconds = self.clock.monotonic() - start if self.clock else 0.0
        return replace(before, changed=before.changed + changed, seconds=before.seconds + seconds)

    def _wanted(self, rule: Rule, portion: Portion) -> findings.Wanted:
        # Two statements are made of it, which differ only in what they do with the rows.
        build = lru_cache(maxsize=1)(lambda at: select_findings(rule, at, self.when.today(at)))
        what, by_days = f"rule {rule.name} of {portion.name}", not by_business_days(rule)
        rows = TimedRows(what, (rule, self.zone), self.when, build, by_days=by_days)
        return findings.Wanted(rule.name, rule.version, rows)


def _failed(run: RuleRun, error: SQLAlchemyError) -> RuleRun:
    cause = str(getattr(error, "orig", None) or error).splitlines()[0]
    _log.error("rule could not be evaluated, its findings stay as they are", rule=run.rule, cause=cause)
    return replace(run, error=cause)


def _detail(ruleset: RuleSet, needs: Needs, customers: int, runs: Collection[RuleRun]) -> Mapping[str, Any]:
    """`days` and `cuts`: what was computed beside the facts of now, for `daemon.verify`."""
    rules = {run.rule: {"fires": run.fires, "unknown": dict(run.unknown), "error": run.error} for run in runs}
    beside = {"days": needs.days, "cuts": [cut.own for cut in needs.ranked]}
    return {"rules_version": ruleset.version, "customers": customers, "rules": rules, **beside}
