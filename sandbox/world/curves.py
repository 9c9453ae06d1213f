"""Product usage: daily samples per workspace along a curve, with a weekly rhythm."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random

from sandbox.world.draft import Curve, Draft
from sandbox.world.model import UsagePoint
from sandbox.world.reading import number
from sandbox.world.when import DAY, Days

HISTORY_DAYS = 150
"""Days of samples that the feed has of customers at the start; of former ones it has their last 210 days.

Adoption change looks back 120 days; every further day costs the demo's first sync more than it shows."""
FORMER_DAYS = 210
LONG_DAYS = 310
"""Every eighth customer's feed reaches so far back: against them the falls of former customers were measured."""
USUAL_SHARE = 0.6
"""Active in 28 days per seat where the seats are not known."""


def factor(bends: Sequence[tuple[int, float]], day: int) -> float:
    """The curve's factor on a day: linear between two bends, constant outside, 1 without any."""
    if not bends:
        return 1.0
    if day <= bends[0][0]:
        return bends[0][1]
    for (a, low), (b, high) in pairwise(bends):
        if day <= b:
            return low + (high - low) * (day - a) / (b - a)
    return bends[-1][1]


def active_users(curve: Curve, days: Days, day: int, rng: Random) -> int:
    """Active users of one day."""
    expected = curve.level * factor(curve.bends, day)
    if days.weekday(day) >= 5:
        expected *= curve.weekend
    if curve.noise:
        expected *= rng.gauss(1.0, curve.noise)
    return max(0, round(expected))


def adoption_share(curve: Curve, day: int) -> float:
    """Active users in 28 days as a share of the seats on a day."""
    share = curve.shares[0][1]
    for since, candidate in curve.shares:
        if since <= day:
            share = candidate
    return share


def samples(draft: Draft, days: Days, last: int, rng: Random) -> list[UsagePoint]:
    """All samples of one account up to day `last`. A sample of a day is logged at 05:00 of that day."""
    curve = draft.life.curve
    if draft.workspace is None:
        return []
    first = -LONG_DAYS if number(draft.key) % 8 == 0 else -HISTORY_DAYS
    until = min(last, curve.stops - 1)
    if draft.churn_day is not None:
        until = min(until, draft.churn_day)
        if draft.kind == "former":
            first = draft.churn_day - FORMER_DAYS
    if draft.contract_start is not None:
        first = max(first, draft.contract_start)
    seats = draft.seats if draft.seats is not None else round(curve.level / 0.5 / USUAL_SHARE)
    account, midnight = draft.key, days.first
    return [
        UsagePoint(
            account=account,
            day=midnight + day,
            logged_at=(midnight + day) * DAY + 5 * DAY // 24,
            active_users=active_users(curve, days, day, rng),
            active_users_28d=round(seats * adoption_share(curve, day)),
        )
        for day in range(first, until + 1)
    ]
