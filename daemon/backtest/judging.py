"""How good the alerts of a rule were, held against what happened afterwards: plain arithmetic over alerts and outcomes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from daemon.backtest.episodes import Customer, Episode, by_account
from store.records import DAY, Instant

WEEK: Instant = 7 * DAY
ENOUGH_OUTCOMES = 30
ENOUGH_DAYS = 365
_Z = 1.959963984540054
"""Of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `of`, with its 95 % Wilson interval, and the same weighted by ARR; None where there is nothing to divide."""

    hits: int
    of: int
    value: float | None
    low: float | None
    high: float | None
    by_arr: float | None


@dataclass(frozen=True, slots=True)
class Week:
    """One point of the grid: who was a customer then, and of those that were lost later who was there."""

    at: Instant
    customers: int
    csms: int
    arr: int
    doomed: frozenset[int]
    """The customers then whose outcome lies ahead, at whatever distance."""


@dataclass(frozen=True, slots=True)
class Terms:
    """By what alerts are judged, in microseconds: `lead`, a warning must come so long before; `horizon`, at most so long."""

    until: Instant
    lead: Instant = 30 * DAY
    horizon: Instant = 180 * DAY


@dataclass(frozen=True, slots=True)
class Warned:
    """One outcome, and how long before it each right alert came (microseconds, the longest first; none: no warning)."""

    account: int
    at: Instant
    leads: tuple[Instant, ...]
    arr: int | None

    @property
    def lead(self) -> Instant | None:
        """Of the first right alert."""
        return self.leads[0] if self.leads else None

    @property
    def last_lead(self) -> Instant | None:
        """Of the last one, which was open when the outcome came if any was."""
        return self.leads[-1] if self.leads else None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of the alerts. Leads are days; `young` alerts are not judged: their horizon is not over yet."""

    alerts: int
    young: int
    precision: Share
    recall: Share
    any_warning: Share
    leads: tuple[float, float, float] | None
    """p10, p50, p90 over the outcomes that were warned of: of the last right alert before each."""
    base_rate: float | None
    """The share of all customers, in any week, to whom the outcome came within the horizon."""
    lift: float | None
    per_csm_week: float | None
    wrong: tuple[Episode, ...]
    outcomes: tuple[Warned, ...]


def judge(
    episodes: Sequence[Episode],
    outcomes: Mapping[int, Instant],
    weeks: Sequence[Week],
    sizes: Mapping[int, Customer],
    terms: Terms,
) -> Judgement:
    """Hold alerts against outcomes (account -> instant). `sizes`: what each lost account last was.

    An alert is right when the outcome came while it was open, or within the horizon after it fired. A customer counts as
    lost when it was one at some point at least `lead` before.
    """
    right = [episode for episode in episodes if _right(episode, outcomes.get(episode.account), terms)]
    mine = {id(episode) for episode in right}
    # Also the right ones must be so old: those that came true early would crowd out those that may not come true at all.
    judged = [episode for episode in episodes if terms.until - episode.fired_at >= terms.horizon]
    warned = _warned(right, outcomes, weeks, sizes, terms)
    in_time = [one for one in warned if one.lead is not None and one.lead >= terms.lead]
    told = [one for one in warned if one.lead is not None]
    precision = share(_arrs([e for e in judged if id(e) in mine]), _arrs(judged))
    base = _base_rate(outcomes, weeks, terms)
    csm_weeks = sum(week.csms for week in weeks)
    return Judgement(
        alerts=len(episodes),
        young=len(episodes) - len(judged),
        precision=precision,
        recall=share([one.arr for one in in_time], [one.arr for one in warned]),
        any_warning=share([one.arr for one in told], [one.arr for one in warned]),
        leads=_percentiles([one.last_lead / DAY for one in told if one.last_lead is not None]),
        base_rate=base,
        lift=precision.value / base if base and precision.value is not None else None,
        per_csm_week=len(episodes) / csm_weeks if csm_weeks else None,
        wrong=tuple(e for e in judged if id(e) not in mine),
        outcomes=tuple(warned),
    )


def _right(episode: Episode, outcome: Instant | None, terms: Terms) -> bool:
    if outcome is None or outcome < episode.fired_at or outcome > terms.until:
        return False
    still_open = episode.closed_at is None or episode.closed_at >= outcome
    return still_open or outcome - episode.fired_at <= terms.horizon


def _warned(
    right: Sequence[Episode],
    outcomes: Mapping[int, Instant],
    weeks: Sequence[Week],
    sizes: Mapping[int, Customer],
    terms: Terms,
) -> list[Warned]:
    seen: dict[int, Instant] = {}
    for week in weeks:
        for account in week.doomed:
            seen.setdefault(account, week.at)
    alerts = by_account(right)
    found = []
    for account, at in sorted(outcomes.items(), key=lambda item: (item[1], item[0])):
        if account not in seen or at > terms.until or at - seen[account] < terms.lead:
            continue
        leads = tuple(sorted((at - episode.fired_at for episode in alerts.get(account, ())), reverse=True))
        size = sizes.get(account)
        arr = size.arr if size else None
        found.append(Warned(account, at, leads, arr))
    return found


def _base_rate(outcomes: Mapping[int, Instant], weeks: Sequence[Week], terms: Terms) -> float | None:
    over = [week for week in weeks if week.at + terms.horizon <= terms.until]
    customers = sum(week.customers for week in over)
    lost = sum(1 for week in over for account in week.doomed if outcomes[account] - week.at <= terms.horizon)
    return lost / customers if customers else None


def share(hits: Sequence[int | None], of: Sequence[int | None]) -> Share:
    """Of the ARR of each hit and each case: how many, the interval, and the share of the ARR that is known."""
    n, k = len(of), len(hits)
    money = sum(arr or 0 for arr in of)
    by_arr = sum(arr or 0 for arr in hits) / money if money else None
    if not n:
        return Share(0, 0, None, None, None, None)
    low, high = wilson(k, n)
    return Share(k, n, k / n, low, high, by_arr)


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927); `of` is more than 0."""
    p, z2 = hits / of, _Z * _Z
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z * math.sqrt(p * (1 - p) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def _percentiles(values: Sequence[float]) -> tuple[float, float, float] | None:
    """p10, p50 and p90, interpolated between neighbours."""
    if not values:
        return None
    ordered = sorted(values)

    def at(share_of: float) -> float:
        place = share_of * (len(ordered) - 1)
        low = math.floor(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)

    return at(0.1), at(0.5), at(0.9)


def _arrs(episodes: Sequence[Episode]) -> list[int | None]:
    return [episode.customer.arr for episode in episodes]


def refusal(outcomes: int, since: Instant, until: Instant) -> str | None:
    """Why there is no verdict; None = there is enough to judge by."""
    days = (until - since) // DAY
    short = []
    if outcomes < ENOUGH_OUTCOMES:
        short.append(f"{outcomes} outcomes, {ENOUGH_OUTCOMES} are needed")
    if days < ENOUGH_DAYS:
        short.append(f"{days} days of history, {ENOUGH_DAYS} are needed")
    return "; ".join(short) or None
