"""One evaluation: refresh the facts and what rules need besides, ask every rule by itself, hand the difference on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Any

import structlog
from sqlalchemy import Connection, Select
from sqlalchemy.exc import SQLAlchemyError

from daemon.facts import Needs
from daemon.facts import refresh as refresh_facts
from daemon.timed import when
from rules.facts.settings import FactSettings
from rules.language.compile import columns_read, select_findings
from rules.language.model import Rule, RuleSet
from rules.language.needs import by_business_days
from store import findings, touched
from store.engine import Store
from store.records import Clock, Instant
from store.statements import TimedRows, When

_log = structlog.get_logger(__name__)

Refresh = Callable[[Store, FactSettings, Instant, Collection[int] | None, Needs | None], int]
Advance = Callable[[Store, RuleSet, Instant], object]


@dataclass(frozen=True, slots=True)
class RuleRun:
    """What one rule found. With an `error` its findings are those of the evaluation before."""

    rule: str
    fires: int = 0
    """Of all customers, or of the touched ones where only those were evaluated; `unknown` too."""
    unknown: Mapping[str, int] = field(default_factory=dict)
    """How many accounts by reason."""
    changed: int = 0
    """Finding rows written or removed."""
    seconds: float = 0.0
    error: str | None = None

    def counted(self, count: findings.Count | None) -> RuleRun:
        """With what its findings are now; a rule that failed counts as none."""
        if count is None or self.error:
            return self
        return replace(self, fires=count.fires, unknown=count.unknown)


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

    A rule that fails keeps its findings and is reported. `clock` is for timing only.
    """
    scope = "full" if accounts is None else "touched"
    refreshed = refresh(store, settings, as_of, accounts, Needs.of(ruleset))
    ask = _Ask(store, when(as_of, settings), settings.timezone, None if accounts is None else frozenset(accounts))
    ask.ready(ruleset)
    with ask.together(ruleset):
        runs = [_timed(clock, partial(ask.run, rule)) for rule in ruleset.rules]
    with store.write() as connection:
        findings.drop_other_rules(connection, [rule.name for rule in ruleset.rules])
        customers = findings.customers(connection, ask.within(connection))
        counts = findings.counts(connection, ask.within(connection))
    runs = [run.counted(counts.get(run.rule)) for run in runs]
    advanced = advance(store, ruleset, as_of) if advance else None
    with store.write() as connection:
        findings.record_evaluation(connection, as_of, scope, _detail(ruleset, customers, runs))
    return Evaluation(as_of, scope, customers, refreshed, tuple(runs), advanced)


@dataclass
class _Ask:
    """How rules are asked: each in a transaction of its own, or of touched accounts all in one, in a savepoint each.

    Of touched accounts a rule takes about a millisecond, and a commit takes longer.
    """

    store: Store
    when: When
    zone: str
    accounts: Collection[int] | None
    shared: Connection | None = None

    def ready(self, ruleset: RuleSet) -> None:
        """Build what will be asked, before anybody waits for a transaction to end."""
        for rule in ruleset.rules:
            with suppress(SQLAlchemyError):  # it comes again where it is told
                findings.ready(
                    self.store.engine, self._wanted(rule), None if self.accounts is None else touched.ACCOUNTS
                )

    @contextmanager
    def together(self, ruleset: RuleSet) -> Iterator[None]:
        """The transaction that all rules share, where they share one, with the facts that they read."""
        if self.accounts is None:
            yield
            return
        with self.store.write() as self.shared:
            read = frozenset[str]().union(*map(columns_read, ruleset.rules))
            touched.put_facts(self.shared, touched.put(self.shared, self.accounts), read)
            yield
        self.shared = None

    def within(self, connection: Connection) -> Select[int] | None:
        """The accounts that are asked about; None: all."""
        return None if self.accounts is None else touched.put(connection, self.accounts)

    def run(self, rule: Rule) -> RuleRun:
        """Ask one rule; where it fails its findings stay as they are."""
        try:
            with self._transaction() as connection:
                changed = findings.keep(connection, self._wanted(rule), self.within(connection))
        except SQLAlchemyError as error:
            cause = str(getattr(error, "orig", None) or error).splitlines()[0]
            _log.error("rule could not be evaluated, its findings stay as they are", rule=rule.name, cause=cause)
            return RuleRun(rule.name, error=cause)
        return RuleRun(rule.name, changed=changed)

    def _wanted(self, rule: Rule) -> findings.Wanted:
        what = "rule" if self.accounts is None else "rule of touched"
        # Two statements are made of it, which differ only in what they do with the rows.
        build = lru_cache(maxsize=1)(lambda at: select_findings(rule, at, self.when.today(at)))
        rows = TimedRows(what, (rule, self.zone), self.when, build, by_days=not by_business_days(rule))
        return findings.Wanted(rule.name, rule.version, rows)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        if self.shared is None:
            with self.store.write() as connection:
                yield connection
            return
        with self.shared.begin_nested():
            yield self.shared


def _timed(clock: Clock | None, run: Callable[[], RuleRun]) -> RuleRun:
    start = clock.monotonic() if clock else 0.0
    done = run()
    if clock is None:
        return done
    seconds = clock.monotonic() - start
    _log.info("rule evaluated", rule=done.rule, changed=done.changed, seconds=round(seconds, 4))
    return replace(done, seconds=seconds)


def _detail(ruleset: RuleSet, customers: int, runs: Collection[RuleRun]) -> Mapping[str, Any]:
    rules = {run.rule: {"fires": run.fires, "unknown": dict(run.unknown), "error": run.error} for run in runs}
    return {"rules_version": ruleset.version, "customers": customers, "rules": rules}
