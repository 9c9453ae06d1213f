"""Relationship strength of one person, 0 to 100, in hundredths, over the team's touches in the trailing 365 days."""

from __future__ import annotations

from functools import cache

from sqlalchemy import CTE, Double, Integer, case, column, func, values

from rules.facts.moment import Expr, half_up, larger, real, smaller

WINDOW_DAYS = 365
RECENT_DAYS = 90
HALF_LIFE_DAYS = 60
WEIGHTS = {"meeting": 3, "call": 2, "email": 1}
"""What one touch of the last 90 days counts for."""
FULL_WEIGHT, FULL_MEETINGS, FULL_HISTORY_DAYS = 12, 3, 330
CAP_WITHOUT_REPLY = 1_900
STRONG, KNOWN = 6_000, 2_000
"""From here on a relationship is strong, or one at all."""

# pow() is a compile-time option of SQLite and rounds differently from one C library to the next.
POWERS = tuple(2 ** (-age / HALF_LIFE_DAYS) for age in range(WINDOW_DAYS + 1))


@cache
def powers() -> CTE:
    """2^(-age/60) by age in days, 0 to 365, every value bound; one and the same for every part of a statement."""
    table = values(column("age", Integer), column("power", Double), name="powers").data(list(enumerate(POWERS)))
    return table.cte("powers")


def strength(
    *, power: Expr, weight: Expr, inward: Expr, outward: Expr, meetings: Expr, history_days: Expr, touched: Expr
) -> Expr:
    """Hundredths, rounded half up; the parts of `domain.md` section 4 in its order.

    `power` is that of the last touch's age, `weight` and `meetings` are of 90 days, the rest is of 365; 0 untouched.
    """
    inbound, outbound = func.coalesce(inward, 0), func.coalesce(outward, 0)
    more = larger(inbound, outbound)
    balance = case((more > 0, real(smaller(inbound, outbound)) / real(more)), else_=real(0.0))
    points = (
        real(30.0) * power
        + real(25.0) * smaller(real(weight) / real(FULL_WEIGHT), real(1.0))
        + real(15.0) * balance
        + real(15.0) * smaller(real(meetings) / real(FULL_MEETINGS), real(1.0))
        + real(15.0) * smaller(real(history_days) / real(FULL_HISTORY_DAYS), real(1.0))
    )
    hundredths = half_up(points, 100)
    capped = case((inbound > 0, hundredths), else_=smaller(hundredths, CAP_WITHOUT_REPLY))
    return case((touched, capped), else_=0)
