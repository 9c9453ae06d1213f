"""Run a rule over a grid of weeks, each computed from what was on record by then, and judge its alerts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from daemon.backtest.cases import Case, Shower
from daemon.backtest.episodes import Watch
from daemon.backtest.judging import WEEK, Judgement, Warned, Week, judge, refusal
from daemon.backtest.walk import Asked, Walk
from daemon.replay import fill, needs_of
from rules.facts import FactSettings, churned
from rules.facts.notes import APPLIED, NOTES, RECORDED
from rules.language import wording
from rules.language.catalogue import Fact
from rules.language.model import Rule
from rules.language.tree import facts_of, leaves
from rules.language.values import today_of
from store import backtests
from store.engine import Store
from store.records import Instant
from store.scratch import scratch

SHOWN = 5
"""Misses and false alarms that are shown, the largest by ARR."""


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
    needs = needs_of([asked.rule, *([asked.outcome] if asked.outcome else []), *(v.rule for v in asked.sweep)])
    with scratch(store, one_clock=asked.one_clock) as apart:
        connection = apart.connection
        outcomes = _losses(connection, settings, asked)
        walk = Walk(connection, zone, asked, outcomes, Watch(asked.rule), variants)
        for number, at in enumerate(points):
            progress(number, len(points))
            fill(apart, settings, at, needs)
            walk.point(at)
        if asked.outcome is not None:
            walk.weeks = [_again(week, outcomes) for week in walk.weeks]
        limits = _limits(connection, asked)
        judgement = judge(walk.watch.episodes, outcomes, walk.weeks, walk.sizes, asked.terms)
        missed = _largest(one for one in judgement.outcomes if one.lead is None or one.lead < asked.terms.lead)
        alarms = sorted(judgement.wrong, key=lambda e: (-(e.customer.arr or 0), e.account))[:SHOWN]
        names = backtests.names(connection, [*(one.account for one in missed), *(e.account for e in alarms)])
    customer_weeks = sum(week.customers for week in walk.weeks)
    shower = Shower(asked.rule, zone, currency)
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


def _swept(own: Judgement, walk: Walk) -> Iterable[Swept]:
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
