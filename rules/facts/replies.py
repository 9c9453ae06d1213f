"""Who waits for whom: the oldest mail of a customer that nobody answered, and our mails that an exec did not answer."""

from __future__ import annotations

from sqlalchemy import CTE, BigInteger, and_, func, literal, or_, select

from rules.facts.moment import Expr, Moment, known, larger, once, whole
from rules.facts.people import on_record
from store.records import HOUR
from store.tables import person_levels, persons, touches

OUTREACH_DAYS = 30


def waiting(m: Moment, mine: CTE) -> CTE:
    """One row per account with a mail that waits for us: `waiting_since`, the oldest of them. `mine`: of `per_person`.

    A mail is answered once anything of ours, a mail, a call or a meeting, has reached one of the people on it after it.
    """
    p = mine.c
    # Few people wrote last, so their mails are looked up one person at a time.
    pending = once(
        select(p.person_id, func.coalesce(p.last_outbound, 0).label("answered_at")).where(
            p.last_mail_in.is_not(None), or_(p.last_outbound.is_(None), p.last_mail_in >= p.last_outbound)
        ),
        "pending_people",
    )
    t = touches.c
    mails = (
        select(t.account_id, t.source, t.activity_id, func.max(t.occurred_at).label("at"), func.count().label("waits"))
        .join(pending, pending.c.person_id == t.person_id)
        .where(
            t.kind == "email",
            t.inbound == 1,
            on_record(m),
            t.occurred_at <= m.as_of,
            t.occurred_at >= pending.c.answered_at,
        )
        .group_by(t.account_id, t.source, t.activity_id)
        .cte("unanswered_mails")
    )
    w, on_it = mails.c, touches.alias("on_it")
    everybody = (
        select(func.count())
        .where(on_it.c.source == w.source, on_it.c.activity_id == w.activity_id, on_it.c.account_id == w.account_id)
        .scalar_subquery()
    )
    query = select(w.account_id, func.min(w.at).label("waiting_since")).where(w.waits == everybody)
    return once(query.group_by(w.account_id), "waiting")


def outreach(m: Moment, mine: CTE) -> CTE:
    """One row per account with an exec who was written to in 30 days and has not answered since: `unanswered`, mails.

    The largest number over the execs on file. `mine`: of `per_person`.
    """
    p, level = mine.c, person_levels.c
    on_file = or_(persons.c.deleted_at.is_(None), persons.c.deleted_at > m.as_of)
    silent = once(
        select(p.person_id, larger(m.ago(OUTREACH_DAYS), func.coalesce(p.last_reply, 0)).label("since"))
        .select_from(mine)
        .join(persons, persons.c.id == p.person_id)
        .join(person_levels, and_(level.person_id == p.person_id, level.standing == "exec", known(person_levels, m)))
        .where(
            p.last_outbound > m.ago(OUTREACH_DAYS),
            or_(p.last_reply.is_(None), p.last_reply <= p.last_outbound),
            on_file,
        ),
        "silent_execs",
    )
    t = touches.c
    mails = (
        select(t.account_id, t.person_id, func.count().label("n"))
        .join(silent, silent.c.person_id == t.person_id)
        .where(
            t.kind == "email",
            t.outbound == 1,
            on_record(m),
            t.occurred_at <= m.as_of,
            t.occurred_at > m.ago(OUTREACH_DAYS),
            t.occurred_at >= silent.c.since,
        )
        .group_by(t.account_id, t.person_id)
        .cte("unanswered_outreach_mails")
    )
    n = mails.c
    query = select(n.account_id, whole(func.max(n.n)).label("unanswered")).group_by(n.account_id)
    return once(query, "outreach")


def hours_since(m: Moment, instant: Expr) -> Expr:
    """Whole elapsed hours since an instant that is not later than `as_of`."""
    return (m.now - instant) // literal(HOUR, BigInteger)
