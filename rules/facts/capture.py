"""Of whom of ours mail and meetings are captured, judged by each one's own rhythm on any account; days away do not count."""

from __future__ import annotations

from sqlalchemy import CTE, BigInteger, and_, case, func, literal, select
from sqlalchemy.sql.expression import FromClause

from rules.facts.medians import middle
from rules.facts.moment import Expr, Moment, larger, once, smaller, whole
from store.records import DAY
from store.tables import absences, captures

RHYTHM_DAYS = 90
FEW_GAPS = 5
PATIENCE_DAYS = 7
PATIENCE_GAPS = 3


def away(m: Moment, member: Expr, since: Expr, until: Expr) -> Expr:
    """Microseconds between two instants that the member was marked away, as far as that was known by the moment."""
    a = absences.c
    held = and_(a.member_id == member, a.from_at < until, a.until_at > since, a.recorded_at <= m.as_of)
    spent = select(func.sum(smaller(a.until_at, until) - larger(a.from_at, since))).where(held).scalar_subquery()
    return whole(func.coalesce(spent, 0))


def capture(m: Moment, who: CTE, *, told: bool = False) -> CTE:
    """One row per member of `who` (`member_id`) with anything captured, ever.

    `last_at`: the latest captured mail or meeting; `quiet`: microseconds since, days away left out; `patience`: how many
    of them are nothing unusual, 7 days or 3 x the median gap of the trailing 90 days; `captured`: 1 or 0.

    Whose latest is not 7 days old is captured whatever the rhythm: it is looked for only where `patience` is `told`.
    """
    c = captures.c
    by_then = and_(c.occurred_at <= m.as_of, c.recorded_at <= m.as_of)
    mine = and_(c.member_id.in_(select(who.c.member_id)), by_then)
    latest = select(c.member_id, func.max(c.occurred_at).label("at")).where(mine).group_by(c.member_id)
    last = once(latest, "last_capture")
    doubted = select(last.c.member_id) if told else select(last.c.member_id).where(last.c.at <= m.ago(PATIENCE_DAYS))
    rhythm = _rhythm(m, and_(c.member_id.in_(doubted), by_then))
    # Twice the median, so that the mean of two gaps stays an integer.
    week = literal(2 * PATIENCE_DAYS * DAY, BigInteger)
    own = (rhythm.c.low + rhythm.c.high) * PATIENCE_GAPS
    patience = case((rhythm.c.n >= FEW_GAPS, larger(own, week)), else_=week)
    quiet = m.now - last.c.at - away(m, last.c.member_id, last.c.at, m.now)
    query = select(
        last.c.member_id,
        last.c.at.label("last_at"),
        quiet.label("quiet"),
        (patience // 2).label("patience"),
        case((quiet * 2 < patience, 1), else_=0).label("captured"),
    ).join(rhythm, rhythm.c.member_id == last.c.member_id, isouter=True)
    return once(query.select_from(last), "capture")


def _rhythm(m: Moment, by_then: Expr) -> CTE:
    """The two middle gaps between one member's captures of the trailing 90 days, and how many gaps there are."""
    c = captures.c
    before = func.lag(c.occurred_at).over(partition_by=c.member_id, order_by=c.occurred_at)
    pairs = (
        select(c.member_id, c.occurred_at.label("at"), before.label("before"))
        .where(by_then, c.occurred_at > m.ago(RHYTHM_DAYS))
        .subquery("pairs")
    )
    gap = pairs.c.at - pairs.c.before - _away_between(m, pairs)
    return middle(
        select(pairs.c.member_id, gap.label("gap")).where(pairs.c.before.is_not(None)), "gap", "member_id", "rhythm"
    )


def _away_between(m: Moment, pairs: FromClause) -> Expr:
    return away(m, pairs.c.member_id, pairs.c.before, pairs.c.at)
