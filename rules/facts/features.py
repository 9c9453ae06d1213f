"""What each customer makes of each feature at the moment, from the rows of the feeds and the catalogue of features."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import CTE, BigInteger, and_, case, distinct, exists, false, func, literal, or_, select

from rules.facts.moment import Expr, Moment, flag, once, whole, word
from rules.facts.states import fact
from store.tables import feature_catalogue, feature_uses, freshness, sources

ADOPTED_DAYS = 28
THRIVING_TENTHS = 3
"""Of the active users, from which on a feature that is used thrives."""


@dataclass(frozen=True, slots=True)
class Uses:
    """Use of features at the moment."""

    catalogue: CTE
    """One row per feature that the configuration names: `feature`, `by_default` 0/1, `list_value`."""
    rows: CTE
    """One row per customer and feature with rows of a feed: `used` 0/1 within the window, `users` then, `ever` 0/1,
    `said` (1 on offer, 0 not, NULL no word), `offered` 0/1, and what the catalogue says of it.
    """
    counts: CTE
    """One row per customer with such rows: what they add to, or take from, the counts of a customer without any."""
    seen: Expr
    """True for a customer whose use of features is known: a feed names it, or it has usage and a feed of features is there.

    Stands on a join with `counts` and with the rows of usage.
    """
    stale: Expr
    """1 where a feed of features is stale: what it has not brought yet may be any customer's."""


def uses(m: Moment, scope: CTE, used: CTE, stale_sources: CTE, newest: Collection[str]) -> Uses:
    """`used`: one row per customer with usage; `newest`: the features of the newest offering."""
    on_sale = _catalogue(m)
    rows = _rows(m, scope, on_sale)
    counts = _counts(rows, newest)
    u = feature_uses.c
    # Asked per source, so that its first row is enough of an answer.
    brought = exists(select(u.source).where(u.source == sources.c.source, u.recorded_at <= m.as_of))
    any_feed = exists(select(sources.c.source).where(brought))
    configured = exists(select(feature_catalogue.c.name))
    seen = or_(counts.c.account_id.is_not(None), and_(used.c.account_id.is_not(None), any_feed, configured))
    return Uses(on_sale, rows, counts, seen, _stale_feed(stale_sources))


def _catalogue(m: Moment) -> CTE:
    """The features that the configuration names; what is not released yet is on offer to nobody."""
    c = feature_catalogue.c
    released = or_(c.released.is_(None), c.released <= m.today)
    query = select(c.feature, flag(and_(c.offered == 1, released)).label("by_default"), c.list_value).distinct()
    return once(query, "features_on_sale")


def _rows(m: Moment, scope: CTE, on_sale: CTE) -> CTE:
    u, named = feature_uses.c, feature_catalogue.c
    happened = u.uses > 0
    # A walk along the covering index, in its order. An instant and a yes or no are one number: the latest word counts,
    # and of two words at the same instant the yes.
    by_user = (
        select(
            u.account_id,
            u.feature,
            u.user,
            func.max(case((happened, u.at))).label("last_used"),
            func.max(case((and_(happened, u.at > m.ago(ADOPTED_DAYS)), u.users))).label("counted"),
            func.max(u.at * literal(2, BigInteger) + u.offered).label("said"),
        )
        .where(u.account_id.in_(select(scope.c.account_id)), u.at <= m.as_of, u.recorded_at <= m.as_of)
        .group_by(u.account_id, u.feature, u.user)
        .cte("uses_by_user")
    )
    b = by_user.c
    users = func.count(distinct(case((and_(b.last_used > m.ago(ADOPTED_DAYS), b.user != ""), b.user))))
    # Whatever else a feed of events has is no feature.
    summed = (
        select(
            b.account_id,
            named.feature,
            func.max(b.last_used).label("last_used"),
            users.label("users"),
            func.max(b.counted).label("counted"),
            (func.max(b.said) % 2).label("said"),
        )
        .select_from(by_user)
        .join(feature_catalogue, named.name == b.feature)
        .group_by(b.account_id, named.feature)
        .cte("uses_by_feature")
    )
    s, sold = summed.c, on_sale.c
    used = func.coalesce(s.last_used > m.ago(ADOPTED_DAYS), false())
    had = or_(s.last_used.is_not(None), s.said == 1, and_(s.said.is_(None), sold.by_default == 1))
    query = (
        select(
            s.account_id,
            s.feature,
            flag(used).label("used"),
            case((s.users >= func.coalesce(s.counted, 0), s.users), else_=s.counted).label("users"),
            flag(s.last_used.is_not(None)).label("ever"),
            s.said,
            flag(or_(used, and_(func.coalesce(s.said, 1) == 1, had))).label("offered"),
            sold.by_default,
            func.coalesce(sold.list_value, 0).label("list_value"),
        )
        .select_from(summed)
        .join(on_sale, sold.feature == s.feature)
    )
    return once(query, "feature_rows")


def _counts(rows: CTE, newest: Collection[str]) -> CTE:
    r = rows.c
    open_offer = case((and_(r.offered == 1, r.used == 0), r.list_value), else_=0)
    query = select(
        r.account_id,
        whole(func.sum(r.used)).label("adopted"),
        whole(func.sum(r.offered - r.by_default)).label("offered_more"),
        whole(func.sum(open_offer - r.by_default * r.list_value)).label("whitespace_more"),
        func.max(case((r.feature.in_(sorted(newest)), r.used), else_=0)).label("newest_used"),
    )
    return once(query.group_by(r.account_id), "feature_counts")


def _stale_feed(stale_sources: CTE) -> Expr:
    f = freshness.c
    feeds = select(f.source).where(f.source == stale_sources.c.source, f.stream == "features")
    return flag(exists(select(stale_sources.c.source).where(stale_sources.c.usage == 1, feeds.exists())))


def feature_state(found: Uses, active_users: Expr) -> Expr:
    """The state of a feature of the catalogue at a customer; stands on an outer join of the catalogue with the rows."""
    r, by_default = found.rows.c, found.catalogue.c.by_default
    used = r.used == 1
    return case(
        (and_(used, active_users > 0, r.users > 0, r.users * 10 >= active_users * THRIVING_TENTHS), word("thriving")),
        (used, word("adopted")),
        (or_(~found.seen, found.stale == 1), word("unknown")),
        (r.said == 0, word("not_offered")),
        (r.ever == 1, word("lapsed")),
        (or_(r.said == 1, by_default == 1), word("offered")),
        else_=word("not_offered"),
    )


def feature_facts(found: Uses) -> dict[str, Expr]:
    """Counts over the features of the catalogue."""
    c, sold = found.counts.c, found.catalogue.c
    on_sale = select(func.coalesce(func.sum(sold.by_default), 0)).scalar_subquery()
    worth = select(func.coalesce(func.sum(case((sold.by_default == 1, sold.list_value))), 0)).scalar_subquery()
    priced = exists(select(sold.feature).where(sold.list_value.is_not(None)))
    known, old = found.seen, found.stale
    offered = whole(on_sale) + func.coalesce(c.offered_more, 0)
    whitespace = whole(worth) + func.coalesce(c.whitespace_more, 0)
    no_price = case((known, word("not_on_file")), else_=word("no_source"))
    return {
        **fact("features_adopted", case((known, func.coalesce(c.adopted, 0))), "no_source", old),
        **fact("features_offered", case((known, offered)), "no_source", old),
        **fact("whitespace", case((and_(known, priced), whitespace)), no_price, old),
    }
