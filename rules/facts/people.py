"""Persons of each customer: standing, touches, strength; counted per account, with the unclassified apart."""

from __future__ import annotations

from sqlalchemy import CTE, and_, case, func, literal, or_, select

from rules.facts.moment import Expr, Moment, count_if, known, once, whole
from rules.facts.strength import (
    KNOWN,
    RECENT_DAYS,
    STRONG,
    WEIGHTS,
    WINDOW_DAYS,
    powers,
    strength,
)
from store.records import DAY
from store.tables import person_levels, persons, touches

STANDINGS = ("exec", "user", "unclassified")


def on_record(m: Moment) -> Expr:
    """Touches and bookings that were logged by then and not yet withdrawn (cancelled, no-show, deleted)."""
    t = touches.c
    return and_(t.recorded_at <= m.as_of, or_(t.withdrawn_at.is_(None), t.withdrawn_at > m.as_of))


def per_person(m: Moment, scope: CTE) -> CTE:
    """One row per person with touches or bookings; a walk along the covering index, no sort."""
    t = touches.c
    past = t.occurred_at <= m.as_of
    year, recent = and_(past, t.occurred_at > m.ago(WINDOW_DAYS)), and_(past, t.occurred_at > m.ago(RECENT_DAYS))
    weights = [(and_(recent, t.kind == kind), points) for kind, points in WEIGHTS.items()]
    query = (
        select(
            t.person_id,
            func.max(case((past, t.occurred_at))).label("last_contact"),
            func.max(case((and_(past, t.inbound == 1), t.occurred_at))).label("last_reply"),
            func.max(case((and_(past, t.outbound == 1), t.occurred_at))).label("last_outbound"),
            func.max(case((and_(past, t.inbound == 1, t.kind == "email"), t.occurred_at))).label("last_mail_in"),
            func.max(case((and_(past, t.kind == "meeting"), t.occurred_at))).label("last_meeting"),
            func.min(case((and_(t.kind == "meeting", t.starts_at > m.as_of), t.starts_at))).label("next_meeting"),
            func.min(case((year, t.occurred_at))).label("first_in_year"),
            func.sum(case(*weights, else_=0)).label("weight"),
            count_if(and_(recent, t.kind == "meeting")).label("meetings"),
            func.sum(case((year, t.inbound), else_=0)).label("inward"),
            func.sum(case((year, t.outbound), else_=0)).label("outward"),
        )
        .where(t.account_id.in_(select(scope.c.account_id)), on_record(m))
        .group_by(t.account_id, t.person_id)
    )
    return once(query, "per_person")


def person_rows(m: Moment, scope: CTE, mine: CTE | None = None) -> CTE:
    """One row per person known by then: account, standing, on file or not, instants, strength in hundredths.

    `mine`: what `per_person` gives, where the statement has it already.
    """
    mine, table = per_person(m, scope) if mine is None else mine, powers()
    p, a = persons.c, mine.c
    on_file = or_(p.deleted_at.is_(None), p.deleted_at > m.as_of)
    touched = a.first_in_year.is_not(None)
    power = strength(
        power=table.c.power,
        weight=a.weight,
        inward=a.inward,
        outward=a.outward,
        meetings=a.meetings,
        history_days=(a.last_contact - a.first_in_year) // literal(DAY, a.last_contact.type),
        touched=touched,
    )
    query = (
        select(
            p.account_id,
            p.id.label("person_id"),
            p.created_at,
            func.coalesce(person_levels.c.standing, "unclassified").label("standing"),
            case((on_file, 1), else_=0).label("on_file"),
            a.last_contact,
            a.last_reply,
            a.last_meeting,
            a.next_meeting,
            power.label("strength"),
        )
        .select_from(persons)
        .join(person_levels, and_(person_levels.c.person_id == p.id, known(person_levels, m)), isouter=True)
        .join(mine, a.person_id == p.id, isouter=True)
        .join(table, table.c.age == case((touched, m.age(a.last_contact))), isouter=True)
        .where(p.account_id.in_(select(scope.c.account_id)), p.created_at <= m.as_of)
    )
    return query.cte("person_rows")


def people(m: Moment, scope: CTE, mine: CTE | None = None) -> CTE:
    """One row per account with persons: contacts, instants and relationships by standing; `mine` as for `person_rows`."""
    r = person_rows(m, scope, mine).c
    there = r.on_file == 1
    columns: list[Expr] = [
        func.max(r.last_contact).label("last_contact"),
        func.max(r.last_reply).label("last_reply"),
        func.max(r.last_meeting).label("last_meeting"),
        func.min(r.next_meeting).label("next_meeting"),
        func.min(case((there, r.created_at))).label("any_since"),
    ]
    for standing in STANDINGS:
        here = r.standing == standing
        known_here = and_(here, there)
        columns += [
            func.max(case((here, r.last_contact))).label(f"last_{standing}_contact"),
            func.max(case((here, r.last_reply))).label(f"last_{standing}_reply"),
            func.min(case((here, r.next_meeting))).label(f"next_{standing}_meeting"),
            func.min(case((known_here, r.created_at))).label(f"{standing}_since"),
            whole(count_if(known_here)).label(f"{standing}_contacts"),
            whole(count_if(and_(known_here, r.strength >= STRONG))).label(f"strong_{standing}"),
            whole(count_if(and_(known_here, r.strength >= KNOWN))).label(f"known_{standing}"),
            func.max(case((known_here, r.strength))).label(f"best_{standing}"),
        ]
    return once(select(r.account_id, *columns).group_by(r.account_id), "people")


def relationship(best_exec: Expr, best_user: Expr) -> Expr:
    """Hundredths: the mean of both, rounded half up; the one that is on file where the other kind is not."""
    both = (best_exec + best_user + 1) // 2
    return func.coalesce(both, best_exec, best_user)


def touch_counts(m: Moment, scope: CTE) -> CTE:
    """One row per account with touches in 90 days: how many activities, however many persons took part in each."""
    t = touches.c
    one = (
        select(
            t.account_id,
            t.source,
            t.activity_id,
            func.max(t.occurred_at).label("occurred_at"),
            func.max(t.inbound).label("inbound"),
            func.max(case((t.kind == "meeting", 1), else_=0)).label("meeting"),
        )
        .where(
            t.account_id.in_(select(scope.c.account_id)),
            on_record(m),
            t.occurred_at <= m.as_of,
            t.occurred_at > m.ago(90),
        )
        .group_by(t.account_id, t.source, t.activity_id)
        .cte("activities_90d")
    )
    query = select(
        one.c.account_id,
        whole(count_if(one.c.occurred_at > m.ago(30))).label("touches_30d"),
        whole(func.count()).label("touches_90d"),
        whole(count_if(one.c.inbound == 1)).label("inbound_90d"),
        whole(count_if(one.c.meeting == 1)).label("meetings_90d"),
    )
    return once(query.group_by(one.c.account_id), "touch_counts")
