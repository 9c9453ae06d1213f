"""What each customer makes of each feature at the moment, from the rows of the feeds and the catalogue of features."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import CTE, BigInteger, and_, case, cast, distinct, exists, false, func, literal, or_, select

from rules.facts.moment import Expr, Moment, flag, once, real, whole, word
from rules.facts.states import fact
from store.tables import feature_catalogue, feature_uses, freshness

ADOPTED_DAYS = 28
THRIVING_TENTHS = 3
"""Of the active users, from which on a feature that is used thrives."""
OFFERED = ("offered", "adopted", "thriving", "lapsed")


@dataclass(frozen=True, slots=True)
class Uses:
    """Use of features at the moment."""

    catalogue: CTE
    """One row per feature that the configuration names: `feature`, `by_default` 0/1, `list_value`."""
    rows: CTE
    """One row per customer and feature with rows of a feed: `used`, `state`, and what the catalogue says of it."""
    counts: CTE
    """One row per customer with such rows: what they add to, or take from, the counts of a customer without any."""
    seen: Expr
    """True for a customer whose use of features is known: a feed names it, or it has usage and a feed of features is there.

    Stands on a join with `counts` and with the rows of usage.
    """
    stale: Expr
    """1 where a feed of features is stale: what it has not brought yet may be any customer's."""


def _catalogue(m: Moment) -> CTE:
    """The features that the configuration names; what is not released yet is on offer to nobody."""
    c = feature_catalogue.c
    released = or_(c.released.is_(None), c.released <= m.today)
    query = select(c.feature, flag(and_(c.offered == 1, released)).label("by_default"), c.list_value).distinct()
    return once(query, "features_on_sale")


def uses(m: Moment, scope: CTE, used: CTE, stale_sources: CTE, newest: Collection[str]) -> Uses:
    """`used`: one row per customer with usage; `newest`: the features of the newest offering."""
    on_sale, stale = _catalogue(m), _stale_feed(stale_sources)
    rows = _rows(m, scope, used, stale, on_sale)
    counts = _counts(rows, newest)
    any_feed = exists(select(feature_uses.c.source).where(feature_uses.c.recorded_at <= m.as_of))
    seen = or_(counts.c.account_id.is_not(None), and_(used.c.account_id.is_not(None), any_feed))
    return Uses(on_sale, rows, counts, seen, stale)


def _rows(m: Moment, scope: CTE, used: CTE, stale: Expr, on_sale: CTE) -> CTE:
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
    feature = func.coalesce(named.feature, b.feature)
    # Where the configuration names features, whatever else a feed of events has is none.
    is_one = or_(named.feature.is_not(None), ~exists(select(feature_catalogue.c.name)))
    users = func.count(distinct(case((and_(b.last_used > m.ago(ADOPTED_DAYS), b.user != ""), b.user))))
    summed = (
        select(
            b.account_id,
            feature.label("feature"),
            func.max(b.last_used).label("last_used"),
            users.label("users"),
            func.max(b.counted).label("counted"),
            func.max(b.said).label("said"),
        )
        .select_from(by_user)
        .join(feature_catalogue, named.name == b.feature, isouter=True)
        .where(is_one)
        .group_by(b.account_id, feature)
        .cte("uses_by_feature")
    )
    s, sold = summed.c, on_sale.c
    by_default = func.coalesce(sold.by_default, 1)
    active = cast(func.floor(used.c.active_users + real(0.5)), BigInteger)
    users_there = case((s.users >= func.coalesce(s.counted, 0), s.users), else_=s.counted)
    adopted = func.coalesce(s.last_used > m.ago(ADOPTED_DAYS), false())
    state = case(
        (and_(adopted, active > 0, users_there > 0, users_there * 10 >= active * THRIVING_TENTHS), word("thriving")),
        (adopted, word("adopted")),
        (stale == 1, word("unknown")),
        (s.said % 2 == 0, word("not_offered")),
        (s.last_used.is_not(None), word("lapsed")),
        (or_(s.said.is_not(None), by_default == 1), word("offered")),
        else_=word("not_offered"),
    )
    query = (
        select(
            s.account_id,
            s.feature,
            flag(adopted).label("used"),
            state.label("state"),
            by_default.label("by_default"),
            func.coalesce(sold.list_value, 0).label("list_value"),
            # The offer as it was last known: a stale feed leaves the counts their last value.
            flag(or_(adopted, and_(func.coalesce(s.said % 2, 1) == 1, or_(
                s.last_used.is_not(None), s.said.is_not(None), by_default == 1)))).label("offered"),
            flag(sold.feature.is_not(None)).label("named"),
        )
        .select_from(summed)
        .join(on_sale, sold.feature == s.feature, isouter=True)
        .join(used, used.c.account_id == s.account_id, isouter=True)
    )  # fmt: skip
    return once(query, "feature_rows")


def _counts(rows: CTE, newest: Collection[str]) -> CTE:
    r = rows.c
    default = case((r.named == 1, r.by_default), else_=0)
    open_offer = case((and_(r.offered == 1, r.used == 0), r.list_value), else_=0)
    query = select(
        r.account_id,
        whole(func.sum(r.used)).label("adopted"),
        whole(func.sum(r.offered - default)).label("offered_more"),
        whole(func.sum(open_offer - case((default == 1, r.list_value), else_=0))).label("whitespace_more"),
        func.max(case((r.feature.in_(sorted(newest)), r.used), else_=0)).label("newest_used"),
    )
    return once(query.group_by(r.account_id), "feature_counts")


def _stale_feed(stale_sources: CTE) -> Expr:
    f = freshness.c
    feeds = select(f.source).where(f.source == stale_sources.c.source, f.stream == "features")
    return flag(exists(select(stale_sources.c.source).where(stale_sources.c.usage == 1, feeds.exists())))


def feature_facts(found: Uses) -> dict[str, Expr]:
    """Counts over the features that the configuration names, or where it names none over those that the feeds name."""
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
