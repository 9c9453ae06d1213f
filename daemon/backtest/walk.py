"""The way of a backtest through its weeks: what the rule says at each, and who was there of those that were lost later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from daemon.backtest.episodes import Customer, Said, Watch
from daemon.backtest.judging import WEEK, Terms, Week
from daemon.backtest.sweep import Variant
from rules.language.compile import select_evidence, select_findings
from rules.language.evaluate import Row
from rules.language.model import Rule
from rules.language.needs import by_business_days
from rules.language.values import today_of
from store import backtests
from store.records import Instant
from store.statements import TimedRows, When


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be backtested. `outcome` None: churn; else the moment on which that rule's condition turns true."""

    rule: Rule
    since: Instant
    terms: Terms
    outcome: Rule | None = None
    sweep: Sequence[Variant] = ()
    one_clock: bool = False


@dataclass(slots=True)
class Walk:
    """What is collected on the way through the weeks. `outcomes` is filled on the way where they are a condition."""

    connection: Connection
    zone: ZoneInfo
    asked: Asked
    outcomes: dict[int, Instant]
    watch: Watch
    variants: Sequence[tuple[Variant, Watch]]
    weeks: list[Week] = field(default_factory=list)
    sizes: dict[int, Customer] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)
    rows: dict[int, tuple[Instant, Row]] = field(default_factory=dict)
    """What the rule knew of each lost account at the last point that left time for a warning."""
    held: set[int] | None = None
    """On whom the outcome's condition held at the point before."""

    def point(self, at: Instant) -> None:
        """Ask the rule, and all its variants, of the portfolio that the connection holds."""
        there = {row.account_id: Customer(row.arr, row.csm) for row in backtests.customers(self.connection)}
        if self.asked.outcome is not None:
            self._turned(self.asked.outcome, at)
        said = self._said(self.asked.rule, at, evidence=True)
        self.watch.see(at, said, there)
        self.unknown.update(one.reason or "unknown" for one in said.values() if not one.fires)
        for variant, watch in self.variants:
            watch.see(at, self._said(variant.rule, at, evidence=False), there)
        self._doomed(at, there)

    def _doomed(self, at: Instant, there: Mapping[int, Customer]) -> None:
        """Note who was there of those that are, or may yet be, lost; and what was known when it was time to warn."""
        open_end = self.asked.outcome is not None
        lost = there.keys() if open_end else there.keys() & self.outcomes.keys()
        self.sizes |= {account: there[account] for account in lost}
        ahead = frozenset(account for account in lost if open_end or self.outcomes[account] > at)
        csms = {customer.csm for customer in there.values() if customer.csm is not None}
        self.weeks.append(Week(at, len(there), len(csms), sum(c.arr or 0 for c in there.values()), ahead))
        lead = self.asked.terms.lead
        due = [account for account in ahead if at <= self.outcomes.get(account, 0) - lead < at + WEEK]
        self.rows |= {
            account: (at, row)
            for account, row in backtests.rows_of(self.connection, select_evidence(self.asked.rule), due).items()
        }

    def _said(self, rule: Rule, at: Instant, *, evidence: bool) -> dict[int, Said]:
        when = When(at, partial(today_of, zone=self.zone))
        build = lambda then: select_findings(rule, then, when.today(then))  # noqa: E731
        found = TimedRows("rule", (rule, self.zone), when, build, by_days=not by_business_days(rule))
        rows = backtests.said(self.connection, found, evidence=evidence)
        return {
            row["account_id"]: Said(row["outcome"] == "fires", row["severity"], row["reason"], row if evidence else {})
            for row in rows
        }

    def _turned(self, rule: Rule, at: Instant) -> None:
        """Note on whom the outcome's condition has turned true since the point before."""
        holds = {account for account, one in self._said(rule, at, evidence=False).items() if one.fires}
        for account in holds - self.held if self.held is not None else ():
            self.outcomes.setdefault(account, at)
        self.held = holds
