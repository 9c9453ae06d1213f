"""The rows behind an account's facts, as known at any instant: for `tierd explain`."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from store.naming import person_name
from store.records import Instant
from store.tables import (
    account_fields,
    accounts,
    crm_accounts,
    crm_activities,
    crm_tickets,
    freshness,
    person_levels,
    persons,
    sources,
    tiers,
    touches,
    usage_samples,
)


@dataclass(frozen=True, slots=True)
class FoundAccount:
    """An account that a person may mean; `ids` are (source, id) of its CRM rows."""

    id: int
    key: str
    name: str
    ids: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person on file: `standing` is exec, user or unclassified; `last_touch` what was known of by then."""

    id: int
    name: str
    email: str | None
    title: str | None
    standing: str
    since: Instant
    last_touch: Instant | None


@dataclass(frozen=True, slots=True)
class TouchRow:
    """One touch, or a booking (`occurred_at` still ahead), with the person and the CRM's row."""

    source: str
    activity_id: str
    kind: str
    person: str
    title: str | None
    standing: str
    starts_at: Instant
    occurred_at: Instant
    recorded_at: Instant
    subject: str | None


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A mapped value in force: where it comes from, and since when. `history` none = only the first sight is known."""

    field: str
    source: str | None
    valid_from: Instant
    history: str


@dataclass(frozen=True, slots=True)
class SampleRow:
    """The latest sample of one metric of the usage feed."""

    source: str
    metric: str
    at: Instant
    value: float


@dataclass(frozen=True, slots=True)
class TicketRow:
    """One ticket as it stood: `closed_at` later than the instant counts as open."""

    source: str
    id: str
    priority: str | None
    opened_at: Instant
    closed_at: Instant | None


@dataclass(frozen=True, slots=True)
class SourceRow:
    """How fresh one stream of a source is."""

    source: str
    stream: str
    status: str
    fresh_at: Instant | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class TierRow:
    """The tier as it stands now: what the last apply recorded, what the score alone gives, and the pin over it."""

    tier: int | None
    computed: int | None
    proposed: int | None
    pin: int | None
    pin_origin: str | None
    pin_author: str | None
    pinned_at: Instant | None


def tier_of(connection: Connection, account_id: int) -> TierRow | None:
    """The account's tier row; None before the first apply."""
    tier = tiers.c
    columns = (tier.tier, tier.computed, tier.proposed, tier.pin, tier.pin_origin, tier.pin_author, tier.pinned_at)
    row = connection.execute(select(*columns).where(tier.account_id == account_id)).mappings().one_or_none()
    return None if row is None else TierRow(**row)


def find_accounts(connection: Connection, text: str, limit: int = 20) -> list[FoundAccount]:
    """Accounts by key or CRM id, else by name, else by part of the name; empty when there is none."""
    by_id = select(crm_accounts.c.account_id).where(crm_accounts.c.id == text, crm_accounts.c.account_id.is_not(None))
    name, wanted = func.lower(accounts.c.name), text.lower()
    tries: tuple[ColumnElement[bool], ...] = (
        or_(accounts.c.key == text, accounts.c.id.in_(by_id)),
        name == wanted,
        name.contains(wanted, autoescape=True),
    )
    for condition in tries:
        query = select(accounts.c.id, accounts.c.key, accounts.c.name).where(condition)
        rows = connection.execute(query.order_by(accounts.c.name, accounts.c.key).limit(limit)).all()
        if rows:
            return [FoundAccount(row.id, row.key, row.name, _ids(connection, row.id)) for row in rows]
    return []


def _ids(connection: Connection, account_id: int) -> tuple[tuple[str, str], ...]:
    query = select(crm_accounts.c.source, crm_accounts.c.id).where(
        crm_accounts.c.account_id == account_id, crm_accounts.c.deleted_at.is_(None)
    )
    return tuple(
        (row.source, row.id) for row in connection.execute(query.order_by(crm_accounts.c.source, crm_accounts.c.id))
    )


def _standing_at(as_of: Instant) -> ColumnElement[bool]:
    level = person_levels.c
    ended = or_(level.valid_to.is_(None), level.valid_to > as_of)
    return and_(level.person_id == persons.c.id, level.valid_from <= as_of, level.recorded_at <= as_of, ended)


def persons_of(connection: Connection, account_id: int, as_of: Instant) -> list[PersonRow]:
    """The persons on file at that instant, execs first."""
    known = and_(
        touches.c.person_id == persons.c.id,
        touches.c.occurred_at <= as_of,
        touches.c.recorded_at <= as_of,
        or_(touches.c.withdrawn_at.is_(None), touches.c.withdrawn_at > as_of),
    )
    last = select(func.max(touches.c.occurred_at)).where(known).scalar_subquery()
    standing = func.coalesce(person_levels.c.standing, "unclassified")
    query = (
        select(
            persons.c.id,
            person_name().label("name"),
            persons.c.email,
            persons.c.title,
            standing.label("standing"),
            persons.c.created_at.label("since"),
            last.label("last_touch"),
        )
        .select_from(persons.outerjoin(person_levels, _standing_at(as_of)))
        .where(
            persons.c.account_id == account_id,
            persons.c.created_at <= as_of,
            or_(persons.c.deleted_at.is_(None), persons.c.deleted_at > as_of),
        )
        .order_by(standing, persons.c.name, persons.c.key)
    )
    return [PersonRow(**row) for row in connection.execute(query).mappings()]


def touches_of(connection: Connection, account_id: int, as_of: Instant, limit: int = 500) -> list[TouchRow]:
    """Touches and bookings known at that instant, the latest first."""
    same = and_(crm_activities.c.source == touches.c.source, crm_activities.c.id == touches.c.activity_id)
    tables = touches.join(persons, persons.c.id == touches.c.person_id)
    tables = tables.outerjoin(person_levels, _standing_at(as_of)).outerjoin(crm_activities, same)
    query = (
        select(
            touches.c.source,
            touches.c.activity_id,
            touches.c.kind,
            person_name().label("person"),
            persons.c.title,
            func.coalesce(person_levels.c.standing, "unclassified").label("standing"),
            touches.c.starts_at,
            touches.c.occurred_at,
            touches.c.recorded_at,
            crm_activities.c.subject,
        )
        .select_from(tables)
        .where(
            touches.c.account_id == account_id,
            touches.c.recorded_at <= as_of,
            or_(touches.c.withdrawn_at.is_(None), touches.c.withdrawn_at > as_of),
        )
        .order_by(touches.c.occurred_at.desc(), touches.c.source, touches.c.activity_id, persons.c.key)
        .limit(limit)
    )
    return [TouchRow(**row) for row in connection.execute(query).mappings()]


def fields_of(connection: Connection, account_id: int, as_of: Instant) -> dict[str, FieldRow]:
    """The mapped values in force at that instant, by field."""
    field = account_fields.c
    query = select(field.field, field.source, field.valid_from, field.history).where(
        field.account_id == account_id,
        field.valid_from <= as_of,
        field.recorded_at <= as_of,
        or_(field.valid_to.is_(None), field.valid_to > as_of),
    )
    return {row["field"]: FieldRow(**row) for row in connection.execute(query.order_by(field.field)).mappings()}


def samples_of(connection: Connection, account_id: int, as_of: Instant) -> list[SampleRow]:
    """The latest sample of each metric that was on record at that instant."""
    s = usage_samples.c
    place = func.row_number().over(partition_by=s.metric, order_by=(s.at.desc(), s.source, s.key, s.user))
    mine = (s.account_id == account_id, s.at <= as_of, s.recorded_at <= as_of)
    ranked = select(s.source, s.metric, s.at, s.value, place.label("place")).where(*mine).subquery("ranked")
    columns = (ranked.c.source, ranked.c.metric, ranked.c.at, ranked.c.value)
    query = select(*columns).where(ranked.c.place == 1).order_by(ranked.c.metric)
    return [SampleRow(**row) for row in connection.execute(query).mappings()]


def tickets_of(connection: Connection, account_id: int, as_of: Instant, since: Instant) -> list[TicketRow]:
    """The tickets that were open at that instant, or opened after `since`, the latest first."""
    t = crm_tickets.c
    same = and_(crm_accounts.c.source == t.source, crm_accounts.c.id == t.crm_account_id)
    there = (t.opened_at <= as_of, or_(t.deleted_at.is_(None), t.deleted_at > as_of))
    counted = or_(t.closed_at.is_(None), t.closed_at > as_of, t.opened_at > since)
    query = (
        select(t.source, t.id, t.priority, t.opened_at, t.closed_at)
        .join(crm_accounts, same)
        .where(crm_accounts.c.evaluated_id == account_id, counted, *there)
        .order_by(t.opened_at.desc(), t.source, t.id)
    )
    return [TicketRow(**row) for row in connection.execute(query).mappings()]


def freshness_of(connection: Connection, names: tuple[str, ...] | None = None) -> list[SourceRow]:
    """How fresh each stream is; `names` limits the sources to those of an account (usage feeds always count)."""
    fresh = freshness.c
    query = select(fresh.source, fresh.stream, fresh.status, fresh.fresh_at, fresh.detail).order_by(
        fresh.source, fresh.stream
    )
    if names is not None:
        usage = select(sources.c.source).where(sources.c.kind == "usage")
        query = query.where(or_(fresh.source.in_(names), fresh.source.in_(usage)))
    return [SourceRow(**row) for row in connection.execute(query).mappings()]
