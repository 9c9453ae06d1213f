"""Champions lost: strong persons who have left in the last 90 days, judged by their strength before they left."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, BigInteger, Select, and_, case, func, literal, or_, select, union, union_all

from rules.facts.moment import Expr, Moment, count_if, once, whole, word
from rules.facts.people import on_record
from rules.facts.strength import RECENT_DAYS, STRONG, WEIGHTS, WINDOW_DAYS, powers, strength
from store.records import DAY
from store.tables import persons, touches

LOST_DAYS, BEFORE_DAYS = 90, 90
DELETED, MOVED = "deleted", "moved"
"""How a person may be off file and lost; who was merged, or only has another address, is somebody else on file."""
_YEAR, _QUARTER, _BEFORE = (literal(days * DAY, BigInteger) for days in (WINDOW_DAYS, RECENT_DAYS, BEFORE_DAYS))


def champions_lost(m: Moment, scope: CTE) -> CTE:
    """One row per customer with persons who left: how many of them were strong on any of the 90 days before."""
    gone = _gone(m, scope)
    best = _best_strength(m, gone)
    strong = case((best.c.strength >= STRONG, best.c.person_id))
    lost = whole(func.count(strong.distinct())).label("champions_lost")
    return once(select(best.c.account_id, lost).group_by(best.c.account_id), "champions_lost")


def _gone(m: Moment, scope: CTE) -> CTE:
    """(account, person, key, left_at, how): each time that a person was lost in the last 90 days."""
    p = persons.c

    def lost(at: Expr, how: Expr) -> Select[Any]:
        columns = (p.account_id, p.id.label("person_id"), p.key, at.label("left_at"), how.label("how"))
        here = p.account_id.in_(select(scope.c.account_id))
        return select(*columns).where(here, at > m.ago(LOST_DAYS), at <= m.as_of)

    off_file = lost(p.deleted_at, p.left_as).where(p.left_as.in_((DELETED, MOVED)))
    bounced = lost(p.bounced_at, word("bounced"))
    return once(union(off_file, bounced).subquery("leavings").select(), "leavers")


def _best_strength(m: Moment, gone: CTE) -> CTE:
    """The greatest strength of each leaving's last 90 days.

    Between two touches every part of strength falls or stays, but balance: it may rise when the window of 365 days
    drops an old touch. So the greatest is at the first of the days, right after a touch, or where one is dropped.
    """
    # The touches of somebody who moved went with the contact to the new account's person of the same address.
    theirs = once(
        select(
            gone.c.account_id,
            gone.c.person_id,
            gone.c.left_at,
            touches.c.kind,
            touches.c.inbound,
            touches.c.outbound,
            touches.c.occurred_at,
        )
        .select_from(gone)
        .join(persons, persons.c.key == gone.c.key)
        .join(touches, touches.c.person_id == persons.c.id)
        .where(
            on_record(m),
            touches.c.occurred_at <= gone.c.left_at,
            touches.c.occurred_at > gone.c.left_at - _BEFORE - _YEAR,
            or_(
                persons.c.id == gone.c.person_id,
                and_(gone.c.how == MOVED, persons.c.account_id != gone.c.account_id),
            ),
        ),
        "gone_touches",
    )
    t = theirs.c
    who = (t.account_id, t.person_id, t.left_at)
    dropped = t.occurred_at + _YEAR
    begun = t.left_at - _BEFORE
    instants = union_all(
        select(*who, begun.label("at")),
        select(*who, t.occurred_at.label("at")).where(t.occurred_at > begun),
        select(*who, dropped.label("at")).where(dropped > begun, dropped <= t.left_at),
    ).subquery("instants")
    at = once(select(instants).distinct(), "gone_moments").c
    year = and_(t.occurred_at <= at.at, t.occurred_at > at.at - _YEAR)
    recent = and_(t.occurred_at <= at.at, t.occurred_at > at.at - _QUARTER)
    weights = [(and_(recent, t.kind == kind), points) for kind, points in WEIGHTS.items()]
    last = func.max(case((year, t.occurred_at)))
    sums = (
        select(
            at.account_id,
            at.person_id,
            at.left_at,
            at.at,
            last.label("last"),
            func.min(case((year, t.occurred_at))).label("first"),
            func.sum(case(*weights, else_=0)).label("weight"),
            count_if(and_(recent, t.kind == "meeting")).label("meetings"),
            func.sum(case((year, t.inbound), else_=0)).label("inward"),
            func.sum(case((year, t.outbound), else_=0)).label("outward"),
        )
        .join(theirs, and_(t.person_id == at.person_id, t.left_at == at.left_at))
        .group_by(at.account_id, at.person_id, at.left_at, at.at)
    )
    s, table = once(sums, "gone_sums").c, powers()
    power = strength(
        power=table.c.power,
        weight=s.weight,
        inward=s.inward,
        outward=s.outward,
        meetings=s.meetings,
        history_days=(s.last - s.first) // literal(DAY, BigInteger),
        touched=s.last.is_not(None),
    )
    judged = select(s.account_id, s.person_id, power.label("strength")).join(
        table, table.c.age == (s.at - s.last) // literal(DAY, BigInteger), isouter=True
    )
    return once(judged, "gone_strength")
