"""Who of ours holds which relationship: the strength of a person, over the touches of one team member at a time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, BigInteger, Select, and_, case, func, literal, or_, select

from rules.facts.moment import Expr, Moment, count_if, moment, once
from rules.facts.people import on_record
from rules.facts.strength import KNOWN, RECENT_DAYS, WEIGHTS, WINDOW_DAYS, powers, strength
from store.naming import person_name
from store.recipients import recipient_table
from store.records import DAY, Instant
from store.tables import account_fields, accounts, facts, handovers, members, persons, touch_members, touches


def pair_strengths(
    as_of: Instant, within: Select[int] | None = None, held_by: Select[int] | None = None
) -> Select[Any]:
    """(account_id, person_id, member_id, strength, last_contact) of every pair with a touch in the trailing 365 days.

    `strength` is in hundredths, by the formula of one person. `within` selects account ids, `held_by` member ids.
    """
    return _pairs(moment(as_of, "UTC"), within, held_by).select()


def _pairs(m: Moment, within: Select[int] | None, held_by: Select[int] | None) -> CTE:
    mine, table = _per_pair(m, within, held_by), powers()
    a = mine.c
    points = strength(
        power=table.c.power,
        weight=a.weight,
        inward=a.inward,
        outward=a.outward,
        meetings=a.meetings,
        history_days=(a.last_contact - a.first_contact) // literal(DAY, BigInteger),
        touched=a.last_contact.is_not(None),
    )
    query = select(a.account_id, a.person_id, a.member_id, points.label("strength"), a.last_contact)
    return once(query.join(table, table.c.age == m.age(a.last_contact)), "pairs")


def _per_pair(m: Moment, within: Select[int] | None, held_by: Select[int] | None) -> CTE:
    t, who = touches.c, touch_members.c
    recent = t.occurred_at > m.ago(RECENT_DAYS)
    weights = [(and_(recent, t.kind == kind), points) for kind, points in WEIGHTS.items()]
    query = (
        select(
            t.account_id,
            t.person_id,
            who.member_id,
            func.max(t.occurred_at).label("last_contact"),
            func.min(t.occurred_at).label("first_contact"),
            func.sum(case(*weights, else_=0)).label("weight"),
            count_if(and_(recent, t.kind == "meeting")).label("meetings"),
            func.sum(t.inbound).label("inward"),
            func.sum(t.outbound).label("outward"),
        )
        .join(touch_members, and_(who.source == t.source, who.activity_id == t.activity_id))
        .where(on_record(m), t.occurred_at <= m.as_of, t.occurred_at > m.ago(WINDOW_DAYS))
        .group_by(t.account_id, t.person_id, who.member_id)
    )
    if within is not None:
        query = query.where(t.account_id.in_(within))
    if held_by is not None:
        query = query.where(who.member_id.in_(held_by))
    return once(query, "per_pair")


def hand_overs(as_of: Instant, member: str | None = None, *, untold: bool = False) -> Select[Any]:
    """Relationships of at least 20 with persons on file at customers, that somebody of ours has to hand over.

    Of `member` (a key) all of them. Else of everybody who has left (`since` 0), and of former CSMs those at the accounts
    that another one has (`since` when that began). `recipient`: whose it is to take over, the account's CSM or who stands
    in. `untold` leaves out what `handovers` says was told to that one.
    """
    m = moment(as_of, "UTC")
    if member is not None:
        left = select(
            members.c.id.label("member_id"),
            literal(None, BigInteger).label("account_id"),
            literal(0, BigInteger).label("since"),
        )
        cause = left.where(members.c.key == member).cte("cause")
    else:
        cause = _causes(m)
    pairs, to = _pairs(m, select(facts.c.account_id), select(cause.c.member_id)), recipient_table()
    here = and_(
        cause.c.member_id == pairs.c.member_id,
        or_(cause.c.account_id.is_(None), cause.c.account_id == pairs.c.account_id),
    )
    query = (
        select(
            pairs.c.member_id,
            members.c.key.label("member_key"),
            members.c.name.label("member"),
            pairs.c.account_id,
            facts.c.name.label("account"),
            facts.c.csm,
            to.c.recipient,
            person_name().label("person"),
            persons.c.title,
            pairs.c.strength,
            pairs.c.last_contact,
            cause.c.since,
        )
        .select_from(pairs)
        .join(cause, here)
        .join(members, members.c.id == pairs.c.member_id)
        .join(facts, facts.c.account_id == pairs.c.account_id)
        .join(to, to.c.account_id == pairs.c.account_id)
        .join(persons, persons.c.id == pairs.c.person_id)
        .where(pairs.c.strength >= KNOWN, or_(persons.c.deleted_at.is_(None), persons.c.deleted_at > m.as_of))
        .order_by(members.c.name, members.c.id, facts.c.name, pairs.c.strength.desc(), persons.c.name, persons.c.id)
    )
    if untold:
        h = handovers.c
        said = select(h.member_id).where(
            h.member_id == pairs.c.member_id,
            h.account_id == pairs.c.account_id,
            h.since == cause.c.since,
            h.told_to.is_not_distinct_from(to.c.recipient),
        )
        query = query.where(~said.exists())
    return query


def _causes(m: Moment) -> CTE:
    """(member_id, account_id, since): who has left, of every account (NULL); whose account got another CSM."""
    left: Select[Any] = select(
        members.c.id.label("member_id"),
        literal(None, BigInteger).label("account_id"),
        literal(0, BigInteger).label("since"),
    ).where(members.c.active == 0)
    before, now = account_fields.alias("former"), account_fields.alias("now")
    b, n = before.c, now.c
    changed = (
        select(members.c.id, b.account_id, n.valid_from)
        .select_from(before)
        .join(now, and_(n.account_id == b.account_id, n.field == "csm", n.valid_from == b.valid_to))
        .join(members, and_(members.c.key == b.text, members.c.active == 1))
        .where(b.field == "csm", n.text != b.text, n.valid_to.is_(None), n.valid_from > m.ago(WINDOW_DAYS))
    )
    return left.union_all(changed).cte("cause")


def holders(as_of: Instant, account_id: int) -> Select[Any]:
    """Who of ours holds the relationships of one account: person, member, strength, last contact; the strongest first."""
    only = select(accounts.c.id).where(accounts.c.id == account_id)
    pairs = _pairs(moment(as_of, "UTC"), only, None)
    names: list[Expr] = [person_name().label("person"), members.c.name.label("member"), members.c.active]
    return (
        select(*names, pairs.c.strength, pairs.c.last_contact)
        .select_from(pairs)
        .join(persons, persons.c.id == pairs.c.person_id)
        .join(members, members.c.id == pairs.c.member_id)
        .order_by(pairs.c.strength.desc(), persons.c.name, members.c.name)
    )
