"""What the opportunities of a customer say: paid so far, first won, last and open renewal, a renewal lost, an expansion."""

from __future__ import annotations

from sqlalchemy import CTE, and_, case, exists, func, or_, select

from rules.facts.moment import Moment, alive, once, whole
from rules.facts.settings import FactSettings
from store.tables import crm_opportunities, sources


def deals(m: Moment, settings: FactSettings, linked: CTE) -> CTE:
    """One row per customer with opportunities (dates as days, `paid` in minor units, `open_expansion` 0/1).

    Of a deal that is in both CRMs the larger sum counts, not both.
    """
    o = crm_opportunities.c
    # Stages have no history here: an outcome was known if it is dated by then, or if nobody touched the row since.
    settled = and_(o.closed == 1, or_(o.close_on <= m.today, o.modified_at <= m.as_of))
    won, lost = and_(settled, o.won == 1), and_(settled, o.won == 0)
    renews = func.lower(o.type).in_(settings.renewal_types)
    expands = func.lower(o.type).in_(settings.expansion_types)
    paid = and_(won, o.close_on <= m.today)
    by_source = (
        select(
            linked.c.account_id,
            func.min(case((won, o.close_on))).label("first_won"),
            func.max(case((and_(won, renews), o.close_on))).label("last_renewal"),
            func.min(case((and_(renews, o.closed == 0), o.close_on))).label("open_renewal"),
            func.max(case((and_(lost, renews), o.close_on))).label("lost_renewal"),
            func.max(case((and_(renews, or_(o.closed == 0, o.won == 1)), o.close_on))).label("other_renewal"),
            whole(func.sum(case((paid, o.amount)))).label("paid"),
            func.max(case((settled, 0), (expands, 1), else_=0)).label("open_expansion"),
        )
        .select_from(linked)
        .join(crm_opportunities, (o.source == linked.c.source) & (o.crm_account_id == linked.c.crm_id))
        .where(alive(crm_opportunities, m))
        .group_by(linked.c.account_id, linked.c.source)
        .cte("deals_by_source")
    )
    d = by_source.c
    best = (
        func.min(d.first_won).label("first_won"),
        func.max(d.last_renewal).label("last_renewal"),
        func.min(d.open_renewal).label("open_renewal"),
        func.max(d.lost_renewal).label("lost_renewal"),
        func.max(d.other_renewal).label("other_renewal"),
        func.max(d.paid).label("paid"),
        func.max(d.open_expansion).label("open_expansion"),
    )
    return once(select(d.account_id, *best).group_by(d.account_id), "deals")


def dealing(m: Moment, linked: CTE) -> CTE:
    """The customers whose sources know opportunities at all: of them, none open is known."""
    o, s = crm_opportunities.c, sources.c
    there = exists(select(o.id).where(o.source == s.source, o.created_at <= m.as_of))
    with_deals = select(s.source).where(there)
    return once(select(linked.c.account_id).where(linked.c.source.in_(with_deals)).distinct(), "dealing")
