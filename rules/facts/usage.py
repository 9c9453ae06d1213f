"""Adoption and its movement, from samples of product usage."""

from __future__ import annotations

from sqlalchemy import CTE, BigInteger, and_, case, func, literal, or_, select

from rules.facts.medians import middle
from rules.facts.moment import Expr, Moment, count_if, once, real, word
from rules.facts.settings import FactSettings, UsageNames
from rules.facts.trend import trend_sums, trend_values
from store.records import DAY
from store.tables import usage_samples

LATER_DAYS, EARLIER_DAYS = 30, 90
ACTIVE_DAYS = 28
FEWEST_SAMPLES = 3
SMALL_USERS, SMALL_FALL = 10, 3
BILLION = 1_000_000_000.0

MEDIAN_CHANGE = "adoption_change_median"
RHYTHM = "usage_rhythm"
"""Names in `portfolio_stats`."""


def _by_then(m: Moment) -> Expr:
    return and_(usage_samples.c.at <= m.as_of, usage_samples.c.recorded_at <= m.as_of)


def ratio(value: Expr) -> Expr:
    """Rounded half up to nine decimals: -20 % is then exactly -0.2, and a threshold of -20 % meets it."""
    return func.floor(value * real(BILLION) + real(0.5)) / real(BILLION)


def feed_rhythm(m: Moment, names: UsageNames, *, stored: bool) -> CTE:
    """`rhythm`, microseconds between samples: configured, or stored by the last full evaluation, or the median gap."""
    if names.interval is not None:
        return select(literal(names.interval, BigInteger).label("rhythm")).cte("feed_rhythm")
    if stored:
        value = m.statistic(RHYTHM).subquery("stored_rhythm").c.value
        return select(value.label("rhythm")).cte("feed_rhythm")
    s = usage_samples.c
    # In the order of the covering index, so that nothing is sorted.
    before = func.lag(s.at).over(partition_by=[s.account_id, s.metric], order_by=s.at)
    spaced = (
        select((s.at - before).label("gap"))
        .where(s.metric == names.metric, s.account_id.is_not(None), _by_then(m))
        .subquery("sample_gaps")
    )
    # Users sampled at the same instant are one sample. Few gaps differ: their counts give the median without ranking all.
    gap = spaced.c.gap
    counted = select(gap, func.count().label("n")).where(gap > 0).group_by(gap).subquery("gap_counts")
    upto = select(
        counted.c.gap,
        func.sum(counted.c.n).over(order_by=counted.c.gap).label("upto"),
        func.sum(counted.c.n).over().label("n"),
    ).subquery("gaps_upto")
    u = upto.c
    low = func.min(case((u.upto * 2 >= u.n, u.gap)))
    high = func.min(case((u.upto * 2 >= u.n + 1, u.gap)))
    return once(select(((low + high) // 2).label("rhythm")), "feed_rhythm")


def usage(m: Moment, settings: FactSettings, scope: CTE, stale: CTE, rhythm: CTE) -> CTE:
    """One row per customer with samples: `active_users`, `change`, `frequency`, `trend`, why they are missing, staleness."""
    s, names = usage_samples.c, settings.usage
    # A feed's own rhythm; of several feeds the slowest promises the fewest samples.
    own = [(s.source == feed, literal(every, BigInteger)) for feed, every in sorted(settings.rhythms.items())]
    every = case(*own) if own else literal(None, BigInteger)
    old = select(stale.c.source).where(stale.c.usage == 1)
    # Several users or workspaces sampled at one instant add up.
    samples = (
        select(
            s.account_id,
            s.metric,
            s.at,
            func.sum(s.value).label("value"),
            func.max(case((s.source.in_(old), 1), else_=0)).label("stale"),
            func.max(every).label("every"),
        )
        .where(
            s.account_id.in_(select(scope.c.account_id)),
            s.metric.in_((names.metric, names.active_users)),
            _by_then(m),
            s.at > m.ago(LATER_DAYS + EARLIER_DAYS),
        )
        .group_by(s.account_id, s.metric, s.at)
        .cte("samples")
    )
    c = samples.c
    active = and_(c.metric == names.active_users, c.at > m.ago(ACTIVE_DAYS))
    later = and_(c.metric == names.metric, c.at > m.ago(LATER_DAYS))
    earlier = and_(c.metric == names.metric, c.at <= m.ago(LATER_DAYS))
    windows = (
        select(
            c.account_id,
            func.max(case((active, c.at))).label("active_at"),
            count_if(later).label("later_n"),
            func.sum(case((later, c.value))).label("later_sum"),
            count_if(earlier).label("earlier_n"),
            func.sum(case((earlier, c.value))).label("earlier_sum"),
            *trend_sums(m, c.at, c.value, c.metric == names.metric),
            func.max(c.stale).label("stale"),
            func.max(c.every).label("every"),
        )
        .group_by(c.account_id)
        .cte("usage_windows")
    )
    return _judged(m, names, windows, rhythm)


def _judged(m: Moment, names: UsageNames, windows: CTE, rhythm: CTE) -> CTE:
    w = windows.c
    every = func.coalesce(w.every, rhythm.c.rhythm)
    later, earlier = real(w.later_sum) / real(w.later_n), real(w.earlier_sum) / real(w.earlier_n)
    too_few = or_(
        every.is_(None),
        w.later_n < FEWEST_SAMPLES,
        w.earlier_n < FEWEST_SAMPLES,
        w.later_n * every * 2 < LATER_DAYS * DAY,
        w.earlier_n * every * 2 < EARLIER_DAYS * DAY,
    )
    small = or_(
        w.earlier_sum <= 0, and_(earlier < real(float(SMALL_USERS)), ratio(earlier - later) < real(float(SMALL_FALL)))
    )
    change = ratio(later / earlier - real(1.0))
    # A look-up by index per account; as a join with the samples SQLite reads all of them for each.
    latest = usage_samples.alias("latest")
    active_users = (
        select(func.sum(latest.c.value))
        .where(
            latest.c.account_id == w.account_id,
            latest.c.metric == names.active_users,
            latest.c.at == w.active_at,
            latest.c.recorded_at <= m.as_of,
        )
        .scalar_subquery()
    )
    query = (
        select(
            w.account_id,
            active_users.label("active_users"),
            case((too_few, None), (small, None), else_=change).label("change"),
            case((too_few, word("too_few_samples")), (small, word("too_small"))).label("change_state"),
            *trend_values(dict(w.items()), every),
            w.stale,
        )
        .select_from(windows)
        .join(rhythm, literal(True), isouter=True)
    )
    return once(query, "usage")


def change_median(m: Moment, used: CTE, *, stored: bool) -> CTE:
    """`median` of the adoption change over the portfolio: stored by the last full evaluation, else of all fresh values."""
    if stored:
        value = m.statistic(MEDIAN_CHANGE).subquery("stored_median").c.value
        return select(value.label("median")).cte("change_median")
    fresh = select(used.c.change).where(used.c.change.is_not(None), used.c.stale == 0)
    mid = middle(fresh, "change", None, "change_middle")
    return once(select(((mid.c.low + mid.c.high) / real(2.0)).label("median")), "change_median")
