"""Whom nobody knows at the customers, and of whom of ours mail and meetings are captured: lists for people to act on."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, and_, case, func, select

from rules.facts.capture import capture
from rules.facts.moment import moment, once
from rules.facts.people import person_rows
from store.naming import person_name
from store.records import Instant
from store.tables import absences, captures, crm_activities, facts, findings, members, persons

LEVELS_NOT_KNOWN = "levels not known"


def unknown_people(as_of: Instant, csms: Collection[str] | None = None) -> Select[Any]:
    """Unclassified persons on file at customers, those first who would settle the most answers, then by recent touch.

    `settles`: how many rules cannot say about the account because levels are not known. `csms`: only the accounts of these.
    """
    m = moment(as_of, "UTC")
    # What the last evaluation counted narrows it; a fact that was never computed hides nobody.
    mine = select(facts.c.account_id).where(func.coalesce(facts.c.unclassified_contacts, 1) > 0)
    scope = (mine if csms is None else mine.where(facts.c.csm.in_(sorted(csms)))).cte("asked_about")
    everyone = person_rows(m, scope)
    r = everyone.c
    waiting = (
        select(findings.c.account_id, func.count().label("settles"))
        .where(findings.c.outcome == "unknown", findings.c.reason.contains(LEVELS_NOT_KNOWN))
        .group_by(findings.c.account_id)
        .cte("waiting")
    )
    settles = func.coalesce(waiting.c.settles, 0)
    return (
        select(
            persons.c.id.label("person_id"),
            persons.c.key,
            person_name().label("person"),
            persons.c.email,
            persons.c.title,
            facts.c.account_id,
            facts.c.name.label("account"),
            facts.c.csm,
            r.last_contact,
            settles.label("settles"),
        )
        .select_from(persons)
        .join(everyone, r.person_id == persons.c.id)
        .join(facts, facts.c.account_id == persons.c.account_id)
        .join(waiting, waiting.c.account_id == persons.c.account_id, isouter=True)
        .where(r.standing == "unclassified", r.on_file == 1)
        .order_by(settles.desc(), func.coalesce(r.last_contact, 0).desc(), persons.c.key, persons.c.id)
    )


def team_coverage(as_of: Instant) -> Select[Any]:
    """One row per active member: the last captured mail and meeting, how long quiet, the patience, captured or not.

    `quiet` and `patience` in microseconds (`rules.facts.capture`); `accounts` is of how many customers the member is CSM;
    `away_until` is the end of an absence at `as_of`.
    """
    m = moment(as_of, "UTC")
    who = once(select(members.c.id.label("member_id")).where(members.c.active == 1), "team_members")
    seen = capture(m, who, told=True)
    c, a = captures.c, crm_activities.c
    last = [func.max(case((a.kind == kind, c.occurred_at))).label(f"last_{kind}") for kind in ("email", "meeting")]
    channels = once(
        select(c.member_id, *last)
        .join(crm_activities, and_(a.source == c.source, a.id == c.activity_id))
        .where(c.occurred_at <= m.as_of, c.recorded_at <= m.as_of)
        .group_by(c.member_id),
        "channels",
    )
    books = once(select(facts.c.csm, func.count().label("accounts")).group_by(facts.c.csm), "books")
    gone = and_(absences.c.member_id == members.c.id, absences.c.from_at <= m.as_of, absences.c.until_at > m.as_of)
    away_until = select(func.max(absences.c.until_at)).where(gone).scalar_subquery()
    return (
        select(
            members.c.key,
            members.c.name,
            channels.c.last_email,
            channels.c.last_meeting,
            seen.c.quiet,
            seen.c.patience,
            func.coalesce(seen.c.captured, 0).label("captured"),
            func.coalesce(books.c.accounts, 0).label("accounts"),
            away_until.label("away_until"),
        )
        .select_from(members)
        .join(seen, seen.c.member_id == members.c.id, isouter=True)
        .join(channels, channels.c.member_id == members.c.id, isouter=True)
        .join(books, books.c.csm == members.c.key, isouter=True)
        .where(members.c.active == 1)
        .order_by(func.coalesce(seen.c.captured, 0), func.coalesce(books.c.accounts, 0).desc(), members.c.name)
    )
