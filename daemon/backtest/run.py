"""Run a rule over a grid of weeks, each computed from what was on record by then, and judge its alerts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from daemon.backtest.episodes import Customer, Episode, Said, Watch
from daemon.backtest.judging import WEEK, Judgement, Terms, Warned, Week, judge, refusal
from daemon.backtest.sweep import Variant
from daemon.replay import fill
from rules.facts import FactSettings, churned
from rules.facts.notes import APPLIED, NOTES, RECORDED
from rules.language import wording
from rules.language.catalogue import Fact
from rules.language.compile import select_findings
from rules.language.evaluate import Outcome, Row, outcome
from rules.language.model import Rule
from rules.language.tree import Leaf, Named, Not, facts_of, leaves
from rules.language.values import today_of
from store import backtests
from store.engine import Store
from store.records import DAY, Instant
from store.scratch import scratch

SHOWN = 5
"""Misses and false alarms that are shown, the largest by ARR."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be backtested. `outcome` None: churn; else the moment on which that rule's condition turns true."""

    rule: Rule
    since: Instant
    terms: Terms
    outcome: Rule | None = None
    sweep: Sequence[Variant] = ()
    one_clock: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One account that is shown: a miss or a false alarm, with what the rule saw. `days`: the warning's lead, if any."""

    key: str
    name: str
    csm: str | None
    arr: int | None
    at: Instant
    """When the outcome came, or when the false alarm was raised."""
    days: float | None
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Swept:
    """One number of the sweep and what came of the rule with it."""

    value: float
    shown: str
    own: bool
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Backtest:
    """Everything that is reported; instants in microseconds, ARR in minor units."""

    asked: Asked
    outcome: str
    points: tuple[Instant, ...]
    customers: float
    """On average."""
    judgement: Judgement
    refusal: str | None
    unknown: Mapping[str, float]
    """Reason -> share of all customer-weeks on which the rule could not be told."""
    misses: tuple[Case, ...]
    false_alarms: tuple[Case, ...]
    swept: tuple[Swept, ...]
    limits: tuple[str, ...]
    """From when the rule can be reproduced, where that is not everywhere."""


@dataclass(slots=True)
class _Walk:
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
    """What was known of each lost account at the last point that left time for a warning."""
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
        self.rows |= {account: (at, row) for account, row in backtests.facts_of(self.connection, due).items()}

    def _said(self, rule: Rule, at: Instant, *, evidence: bool) -> dict[int, Said]:
        found = select_findings(rule, at, today_of(at, self.zone))
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


def backtest(
    store: Store,
    settings: FactSettings,
    asked: Asked,
    *,
    currency: str = "USD",
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Backtest:
    """Compute the portfolio of every week between since and until, ask the rule, follow its alerts, and judge them.

    Only reads. `for` and `keep firing` are counted from point to point, as an evaluation once a week would.
    """
    points = tuple(range(asked.since, asked.terms.until + 1, WEEK))
    zone = ZoneInfo(settings.timezone)
    variants = [(variant, Watch(variant.rule)) for variant in asked.sweep if not variant.own]
    with scratch(store, one_clock=asked.one_clock) as apart:
        connection = apart.connection
        outcomes = _losses(connection, settings, asked)
        walk = _Walk(connection, zone, asked, outcomes, Watch(asked.rule), variants)
        for number, at in enumerate(points):
            progress(number, len(points))
            fill(apart, settings, at)
            walk.point(at)
        if asked.outcome is not None:
            walk.weeks = [_again(week, outcomes) for week in walk.weeks]
        limits = _limits(connection, asked)
        judgement = judge(walk.watch.episodes, outcomes, walk.weeks, walk.sizes, asked.terms)
        missed = _largest(one for one in judgement.outcomes if one.lead is None or one.lead < asked.terms.lead)
        alarms = sorted(judgement.wrong, key=lambda e: (-(e.customer.arr or 0), e.account))[:SHOWN]
        names = backtests.names(connection, [*(one.account for one in missed), *(e.account for e in alarms)])
    customer_weeks = sum(week.customers for week in walk.weeks)
    shower = _Shower(asked.rule, zone, currency)
    return Backtest(
        asked=asked,
        outcome="churn" if asked.outcome is None else asked.outcome.name,
        points=points,
        customers=customer_weeks / len(points) if points else 0.0,
        judgement=judgement,
        refusal=refusal(judgement.recall.of, asked.since, asked.terms.until),
        unknown={reason: n / customer_weeks for reason, n in walk.unknown.most_common()},
        misses=tuple(shower.miss(one, walk, names[one.account]) for one in missed),
        false_alarms=tuple(shower.alarm(e, names[e.account]) for e in alarms),
        swept=tuple(_swept(judgement, walk)),
        limits=limits,
    )


def _losses(connection: Connection, settings: FactSettings, asked: Asked) -> dict[int, Instant]:
    """The first loss of each account after the beginning; none where the outcome is a condition."""
    if asked.outcome is not None:
        return {}
    found = backtests.outcomes(connection, churned(asked.terms.until, settings))
    return {account: at for account, at in found.items() if at > asked.since}


def _again(week: Week, outcomes: Mapping[int, Instant]) -> Week:
    doomed = frozenset(account for account in week.doomed if outcomes.get(account, 0) > week.at)
    return Week(week.at, week.customers, week.csms, week.arr, doomed)


def _swept(own: Judgement, walk: _Walk) -> Iterable[Swept]:
    watches = {id(variant): watch for variant, watch in walk.variants}
    for variant in walk.asked.sweep:
        watch = watches.get(id(variant))
        terms = walk.asked.terms
        judged = own if watch is None else judge(watch.episodes, walk.outcomes, walk.weeks, walk.sizes, terms)
        yield Swept(variant.value, variant.shown, variant.own, judged)


def _largest(some: Iterable[Warned]) -> list[Warned]:
    return sorted(some, key=lambda one: (-(one.arr or 0), one.account))[:SHOWN]


def _limits(connection: Connection, asked: Asked) -> tuple[str, ...]:
    """A sentence per field that the rule reads and whose past nobody kept, and per fact that tierd itself records."""
    columns = {fact.column for fact in _facts(asked.rule)}
    fields = {name for column in columns if column in NOTES for name in NOTES[column].fields}
    said = []
    for one in backtests.field_histories(connection, fields):
        since = "the first sync" if one.first_synced_at is None else wording.date(today_of(one.first_synced_at))
        said.append(
            f"`{one.field}` has no history on {one.unknown:,} of {one.accounts:,} accounts: before {since} the value "
            "of that day is taken"
        )
    first = backtests.first_synced_at(connection)
    since = "" if first is None else f", {wording.date(today_of(first))} at the earliest"
    own = sorted(column for column in columns if column in NOTES and NOTES[column].history in (RECORDED, APPLIED))
    said += [f"`{column.replace('_', ' ')}` can be reproduced only since tierd records it{since}" for column in own]
    return tuple(said)


def _facts(rule: Rule) -> list[Fact]:
    return [
        fact for node in (rule.when, *(n for _, n in rule.escalate)) for leaf in leaves(node) for fact in facts_of(leaf)
    ]


@dataclass(frozen=True, slots=True)
class _Shower:
    """Puts accounts into words."""

    rule: Rule
    zone: ZoneInfo
    currency: str

    def miss(self, one: Warned, walk: _Walk, name: tuple[str, str]) -> Case:
        """An outcome that was not warned of in time: what the rule saw when it still was time."""
        size = walk.sizes.get(one.account, Customer(None, None))
        at, row = walk.rows.get(one.account, (one.at, {}))
        days = None if one.lead is None else one.lead / DAY
        evidence = self._why_not(row, at) if row else ("nothing on record at that time",)
        return Case(*name, size.csm, size.arr, one.at, days, evidence)

    def alarm(self, episode: Episode, name: tuple[str, str]) -> Case:
        """An alert that nothing came of, with what it stood on."""
        at = episode.fired_at
        lines = wording.evidence_lines(self.rule, episode.row, at, today_of(at, self.zone), self.currency)
        return Case(*name, episode.customer.csm, episode.customer.arr, at, None, lines)

    def _why_not(self, row: Row, at: Instant) -> tuple[str, ...]:
        today = today_of(at, self.zone)
        tree = outcome(self.rule.when, row, at, today)
        if tree.truth:
            return (f"held on {wording.date(today)}, but not long enough, or it had fired too long before",)
        lines = [
            f"{'not' if part.truth is False else '?'} {_phrase(part)}"
            + "".join(
                f" ({fact.shown}: {wording.show(fact, row, at, today, self.currency)})" for fact in facts_of(leaf)
            )
            for part, leaf in _deciding(tree, wanted=tree.truth)
        ]
        return tuple(dict.fromkeys(lines))


def _phrase(part: Outcome) -> str:
    node = part.node
    return node.text if isinstance(node, Leaf | Not) else node.name if isinstance(node, Named) else ""


def _deciding(tree: Outcome, *, wanted: bool | None) -> list[tuple[Outcome, Leaf]]:
    """The phrases that keep the condition from holding: those with the same answer as the whole."""
    node = tree.node
    if isinstance(node, Leaf):
        return [(tree, node)]
    if isinstance(node, Not) and isinstance(node.part, Leaf):
        return [(tree, node.part)]
    return [found for part in tree.parts if part.truth is wanted for found in _deciding(part, wanted=part.truth)]
