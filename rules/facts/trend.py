"""How often the product is used, and which way use goes: active days of two weeks, and a line through 90 days."""

from __future__ import annotations

from functools import reduce
from operator import add

from sqlalchemy import BigInteger, and_, case, func, literal, or_

from rules.facts.moment import Expr, Moment, count_if, real, word
from rules.facts.states import fact
from store.records import DAY

FREQUENCY_DAYS, TREND_DAYS, PER_DAYS = 14, 90, 30
DAILY, WEEKLY, OCCASIONAL = 9, 5, 2
"""Active days of the last 14 from which use is called so; below the last: inactive."""
FEWEST_SAMPLES = 3


def trend_sums(m: Moment, at: Expr, value: Expr, mine: Expr) -> list[Expr]:
    """What one walk over an account's samples must add up; `mine` says which samples are of the metric."""
    late = and_(mine, at > m.ago(TREND_DAYS))
    # Days from the middle of the window: the sums stay small, and so do their errors.
    days = real(at - m.ago(TREND_DAYS // 2)) / real(float(DAY))
    active = and_(mine, at > m.ago(FREQUENCY_DAYS), value > 0)
    day = case((active, (m.now - at) // literal(DAY, BigInteger)))
    # One flag a day: counting different days would sort the samples.
    flags = [func.max(case((day == age, 1), else_=0)) for age in range(FREQUENCY_DAYS)]
    return [
        reduce(add, flags).label("active_days"),
        func.max(case((mine, at))).label("metric_at"),
        count_if(late).label("trend_n"),
        func.sum(case((late, days))).label("trend_x"),
        func.sum(case((late, days * days))).label("trend_xx"),
        func.sum(case((late, value))).label("trend_y"),
        func.sum(case((late, days * value))).label("trend_xy"),
    ]


def trend_values(w: dict[str, Expr], every: Expr) -> list[Expr]:
    """`frequency`, `trend` and why each is missing; `every` is the rhythm of the samples in microseconds.

    The days on which a product is used cannot be told from samples that come less often than that: a rhythm of more
    than a day and a half gives no frequency. The trend needs half of what the rhythm promises and at least 3 samples,
    and a mean above 0.
    """
    n, x, y = real(w["trend_n"]), real(w["trend_x"]), real(w["trend_y"])
    spread = n * real(w["trend_xx"]) - x * x
    slope = (n * real(w["trend_xy"]) - x * y) / spread
    too_few = or_(every.is_(None), w["trend_n"] < FEWEST_SAMPLES, w["trend_n"] * every * 2 < TREND_DAYS * DAY)
    flat = or_(w["trend_y"] <= 0, spread <= 0)
    relative = slope * real(float(PER_DAYS)) / (y / n)
    rounded = func.floor(relative * real(1e9) + real(0.5)) / real(1e9)
    seldom = or_(every.is_(None), every * 2 > 3 * DAY, w["metric_at"].is_(None))
    frequency = case(
        (w["active_days"] >= DAILY, word("daily")),
        (w["active_days"] >= WEEKLY, word("weekly")),
        (w["active_days"] >= OCCASIONAL, word("occasional")),
        else_=word("inactive"),
    )
    return [
        case((seldom, None), else_=frequency).label("frequency"),
        case((too_few, None), (flat, None), else_=rounded).label("trend"),
        case((too_few, word("too_few_samples")), (flat, word("too_small"))).label("trend_state"),
    ]


def trend_facts(used: dict[str, Expr]) -> dict[str, Expr]:
    """The two facts of one customer, from its row of usage."""
    unseen = case((used["account_id"].is_(None), word("no_source")), else_=word("too_few_samples"))
    return {
        **fact("usage_frequency", used["frequency"], unseen, used["stale"]),
        **fact("usage_trend", used["trend"], func.coalesce(used["trend_state"], word("no_source")), used["stale"]),
    }
