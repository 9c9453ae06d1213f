"""Step 5 of silence: is the CSM's mailbox or calendar captured, judged by that person's own rhythm on any account."""

from __future__ import annotations

from sqlalchemy import CTE, BigInteger, and_, case, func, literal, select

from rules.facts.medians import middle
from rules.facts.moment import Moment, larger, once, word
from store.records import DAY
from store.tables import captures, members

RHYTHM_DAYS = 90
FEW_GAPS = 5
PATIENCE_DAYS = 7
PATIENCE_GAPS = 3
NO_CSM = "no CSM"


def coverage(m: Moment, contracts: CTE) -> CTE:
    """One row per customer: `not_covered` is NULL, or the name of the CSM of whom nothing is captured, or 'no CSM'."""
    c = captures.c
    csms = select(members.c.id).where(members.c.key.in_(select(contracts.c.csm)))
    by_then = and_(c.member_id.in_(csms), c.occurred_at <= m.as_of, c.recorded_at <= m.as_of)
    latest = select(c.member_id, func.max(c.occurred_at).label("at")).where(by_then).group_by(c.member_id)
    last = once(latest, "last_capture")
    before = func.lag(c.occurred_at).over(partition_by=c.member_id, order_by=c.occurred_at)
    spaced = select(c.member_id, (c.occurred_at - before).label("gap")).where(
        by_then, c.occurred_at > m.ago(RHYTHM_DAYS)
    )
    gaps = spaced.subquery("gaps")
    rhythm = middle(select(gaps.c.member_id, gaps.c.gap).where(gaps.c.gap.is_not(None)), "gap", "member_id", "rhythm")
    # Everything is doubled, so that the mean of two gaps stays an integer.
    week = literal(2 * PATIENCE_DAYS * DAY, BigInteger)
    own = (rhythm.c.low + rhythm.c.high) * PATIENCE_GAPS
    patience = case((rhythm.c.n >= FEW_GAPS, larger(own, week)), else_=week)
    captured = (m.now - last.c.at) * 2 < patience
    not_covered = case(
        (contracts.c.csm.is_(None), word(NO_CSM)),
        (captured, None),
        else_=func.coalesce(members.c.name, contracts.c.csm),
    )
    query = (
        select(contracts.c.account_id, not_covered.label("not_covered"))
        .select_from(contracts)
        .join(members, members.c.key == contracts.c.csm, isouter=True)
        .join(last, last.c.member_id == members.c.id, isouter=True)
        .join(rhythm, rhythm.c.member_id == members.c.id, isouter=True)
    )
    return once(query, "coverage")
