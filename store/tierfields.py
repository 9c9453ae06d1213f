"""The tier field of each account in each CRM: what a sync brought, what tierd knows of it, and its own writes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    Text,
    and_,
    cast,
    func,
    null,
    or_,
    select,
    update,
)

from store import history
from store.records import Instant
from store.refs import chunks, upsert
from store.sync_rows import with_field
from store.tables import account_fields, crm_accounts, sources, tier_fields, tier_ledger


def field_name(source: str) -> str:
    """Under which name derivation keeps the raw value of a source's tier field."""
    return f"tier_field:{source}"


def _in_force(interval: FromClause, as_of: Instant) -> ColumnElement[bool]:
    c = interval.c
    ends = or_(c.valid_to.is_(None), c.valid_to > as_of)
    return and_(c.valid_from <= as_of, c.recorded_at <= as_of, ends)


def sightings(conn: Connection, source: str, as_of: Instant, accounts: Select[int] | None = None) -> list[Row[Any]]:
    """Values known by `as_of` that nobody has looked at yet, of customers; among all or the `accounts` that it selects.

    Columns: account_id, value, at, what was known before (known, seen_at, pin_origin, pinned_at; seen_at NULL =
    nothing), first_synced_at of the source, `sending`, the value of a write whose outcome was never recorded, and
    `author`: who set it, where the CRM's history says so.
    """
    field, k = account_fields.alias("field"), tier_fields.c
    customer = account_fields.alias("customer")
    here = and_(field.c.account_id == k.account_id, k.source == source)
    before = (k.known, k.seen_at, k.pin_origin, k.pinned_at)
    first = select(sources.c.first_synced_at).where(sources.c.source == source).scalar_subquery()
    ledger = tier_ledger.c
    sending = (
        select(func.max(ledger.new_value))
        .where(ledger.account_id == field.c.account_id, ledger.source == source, ledger.state == "sending")
        .scalar_subquery()
    )
    is_customer = and_(
        customer.c.account_id == field.c.account_id,
        customer.c.field == "customer",
        customer.c.num == 1,
        _in_force(customer, as_of),
    )
    brought = (
        select(
            field.c.account_id,
            field.c.text.label("value"),
            field.c.valid_from.label("at"),
            *before,
            first.label("first_synced_at"),
            sending.label("sending"),
            field.c.author,
        )
        .select_from(field)
        .join(customer, is_customer)
        .join(tier_fields, here, isouter=True)
        .where(field.c.field == field_name(source), _in_force(field, as_of))
        .where(or_(k.account_id.is_(None), field.c.valid_from > k.seen_at))
    )
    other = account_fields.alias("other")
    still_there = select(other.c.account_id).where(
        other.c.account_id == k.account_id, other.c.field == field_name(source), _in_force(other, as_of)
    )
    emptied = (
        select(
            k.account_id,
            null().label("value"),
            func.max(field.c.valid_to).label("at"),
            *before,
            cast(null(), BigInteger).label("first_synced_at"),
            cast(null(), Text).label("sending"),
            cast(null(), Text).label("author"),
        )
        .select_from(tier_fields)
        .join(field, and_(here, field.c.field == field_name(source)))
        .where(k.known.is_not(None), field.c.valid_to <= as_of, field.c.valid_to > k.seen_at, ~still_there.exists())
        .group_by(k.account_id, *before)
    )
    if accounts is not None:
        brought = brought.where(field.c.account_id.in_(accounts))
        emptied = emptied.where(k.account_id.in_(accounts))
    found = [*conn.execute(brought), *conn.execute(emptied)]
    return sorted(found, key=lambda row: (row.at, row.account_id))


def states(conn: Connection, accounts: Collection[int] | None = None) -> list[Row[Any]]:
    """What is known of the tier fields of all accounts, or of these."""
    order = (tier_fields.c.account_id, tier_fields.c.source)
    if accounts is None:
        return list(conn.execute(select(tier_fields).order_by(*order)))
    found: list[Row[Any]] = []
    for some in chunks(sorted(accounts)):
        found += conn.execute(select(tier_fields).where(tier_fields.c.account_id.in_(some)).order_by(*order)).all()
    return found


def save_states(conn: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert or replace what is known of these fields (columns of `tier_fields`)."""
    upsert(conn, tier_fields, [{"pin_author": None, **row} for row in rows])


def crm_rows(conn: Connection, names: Collection[str], accounts: Collection[int] | None = None) -> list[Row[Any]]:
    """The living CRM rows of these sources that are an account: account_id, source, id."""
    c = crm_accounts.c
    query = select(c.account_id, c.source, c.id).where(
        c.source.in_(sorted(names)), c.account_id.is_not(None), c.deleted_at.is_(None), c.merged_into.is_(None)
    )
    if accounts is not None:
        query = query.where(c.account_id.in_(sorted(accounts)))
    return list(conn.execute(query.order_by(c.source, c.id)))


def wrote(
    conn: Connection, *, account_id: int, source: str, crm_id: str, field: str, value: str, at: Instant
) -> Instant:
    """The CRM now holds `value`, because tierd wrote it: bring our copy of the row and the field's history in line.

    Gives the instant from which the field's history has the value. The next sync then brings nothing new.
    """
    c = crm_accounts.c
    this = and_(c.source == source, c.id == crm_id)
    row = conn.execute(select(crm_accounts).where(this)).mappings().one_or_none()
    if row is not None:
        conn.execute(update(crm_accounts).where(this).values(**with_field(dict(row), field, value)))
    f = account_fields.c
    mine = and_(f.account_id == account_id, f.field == field_name(source))
    last = conn.execute(select(account_fields).where(mine).order_by(f.valid_from.desc()).limit(1)).one_or_none()
    if last is not None and last.valid_to is None and last.text == value:
        return int(last.valid_from)
    since = at if last is None else max(at, last.valid_from + 1, last.valid_to or 0)
    conn.execute(update(account_fields).where(mine, f.valid_to.is_(None)).values(valid_to=since))
    values = {"valid_from": since, "recorded_at": since, "valid_to": None, "history": "seen"}
    row_key = {"account_id": account_id, "field": field_name(source), "source": source, "num": None, "text": value}
    conn.execute(account_fields.insert().values(row_key | values))
    if row is not None:
        history.note_written(conn, row, field, value, since)
    return since
