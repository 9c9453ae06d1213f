"""What messages show besides alerts: account cards, links to the CRMs, recipients, freshness, a CSM's list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select
from sqlalchemy.sql.selectable import FromClause, Join

from store.alerts import ACTIVE, alerts_where, urgency
from store.recipients import recipient_table
from store.records import AlertRow, Day, Instant
from store.tables import accounts, alerts, crm_accounts, facts, freshness, members, sources, told


@dataclass(frozen=True, slots=True)
class CardRow:
    """One account as its messages show it. `in_scope`: it has facts, so it is a customer that is evaluated."""

    account_id: int
    key: str
    name: str
    in_scope: bool
    tier: int | None
    arr: int | None
    renewal: Day | None
    csm: str | None
    """Member key of the CSM on file, active or not."""
    recipient: str | None
    """Member key of whom it is addressed to."""
    health: float | None
    """0-100, and csat 0-1; None = unknown."""
    csat: float | None


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One of our people."""

    key: str
    name: str
    email: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class ListedRow:
    """One alert in a CSM's list, with what was told about it in the destination."""

    alert_id: int
    rule: str
    account_id: int
    severity: str
    state: str
    evidence: str
    snoozed_until: Instant | None
    close_reason: str | None
    account: str
    renewal: Day | None
    arr: int | None
    told_kind: str | None
    told_reason: str | None
    health: float | None
    csat: float | None


def cards(connection: Connection, account_ids: Sequence[int]) -> dict[int, CardRow]:
    """Cards by account id; of an account out of scope only its name and key."""
    recipients = recipient_table()
    joined = accounts.outerjoin(facts, facts.c.account_id == accounts.c.id).outerjoin(
        recipients, recipients.c.account_id == accounts.c.id
    )
    columns = (
        accounts.c.id.label("account_id"),
        accounts.c.key,
        func.coalesce(facts.c.name, accounts.c.name).label("name"),
        facts.c.account_id.is_not(None).label("in_scope"),
        facts.c.tier,
        facts.c.arr,
        facts.c.renewal,
        recipients.c.csm,
        recipients.c.recipient,
        *_mood(),
    )
    query = select(*columns).select_from(joined).where(accounts.c.id.in_(account_ids))
    found = (CardRow(**row) for row in connection.execute(query).mappings())
    return {card.account_id: card for card in found}


def crm_ids(connection: Connection, account_ids: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """(source, CRM id) of the live rows behind each account, in a fixed order."""
    mine = and_(crm_accounts.c.account_id.in_(account_ids), crm_accounts.c.deleted_at.is_(None))
    query = select(crm_accounts.c.account_id, crm_accounts.c.source, crm_accounts.c.id).where(mine)
    found: dict[int, list[tuple[str, str]]] = {}
    for row in connection.execute(query.order_by(crm_accounts.c.source, crm_accounts.c.id)):
        found.setdefault(row.account_id, []).append((row.source, row.id))
    return found


def member(connection: Connection, key: str | None) -> MemberRow | None:
    """One of our people by key."""
    if key is None:
        return None
    query = select(members.c.key, members.c.name, members.c.email, members.c.active).where(members.c.key == key)
    row = connection.execute(query).one_or_none()
    return None if row is None else MemberRow(row.key, row.name, row.email, bool(row.active))


def source_ages(connection: Connection, as_of: Instant) -> dict[str, int]:
    """Source -> age in microseconds of its oldest stream at `as_of`; only sources that were ever read.

    Sweeps have a pace of their own and make no fact old, nor does what a source does not have.
    """
    oldest = func.min(freshness.c.fresh_at).label("oldest")
    joined = sources.join(freshness, freshness.c.source == sources.c.source)
    query = (
        select(sources.c.source, oldest)
        .select_from(joined)
        .where(freshness.c.fresh_at.is_not(None), freshness.c.status != "absent", freshness.c.interval_us.is_(None))
    )
    rows = connection.execute(query.group_by(sources.c.source).order_by(sources.c.source))
    return {row.source: max(0, as_of - row.oldest) for row in rows}


def ended_since(connection: Connection, account_id: int, since: Instant) -> list[AlertRow]:
    """Alerts of an account that fired and have closed since then."""
    ended = and_(alerts.c.account_id == account_id, alerts.c.state == "closed", alerts.c.closed_at >= since)
    return alerts_where(connection, and_(ended, alerts.c.fired_at.is_not(None)))


def recipients_with_alerts(connection: Connection) -> list[str | None]:
    """Member keys (None: nobody) to whom the active alerts, and the ended ones of the digest, are addressed."""
    recipients = recipient_table()
    query = (
        select(recipients.c.recipient)
        .select_from(alerts.join(recipients, recipients.c.account_id == alerts.c.account_id))
        .where(alerts.c.state.in_(ACTIVE))
        .distinct()
    )
    return sorted(connection.scalars(query), key=lambda key: (key is None, key or ""))


def listed(connection: Connection, recipient: str | None, today: Day) -> list[ListedRow]:
    """Active alerts of one recipient's accounts and those that ended after they were listed; the most urgent first."""
    recipients = recipient_table()
    listed_then_closed = and_(alerts.c.state == "closed", told.c.kind == "listed")
    query = (
        select(*_listed_columns())
        .select_from(_listed_from(recipients))
        .where(recipients.c.recipient.is_not_distinct_from(recipient))
        .where(or_(alerts.c.state.in_(ACTIVE), listed_then_closed))
        .order_by(_severity().desc(), urgency(today).desc(), alerts.c.account_id, alerts.c.rule)
    )
    return [ListedRow(**row) for row in connection.execute(query).mappings()]


def churn_accounts(connection: Connection, rules: Iterable[str]) -> set[int]:
    """Accounts with an active alert of severity high or critical of one of these rules."""
    query = select(alerts.c.account_id).where(
        alerts.c.rule.in_(list(rules)), alerts.c.state.in_(ACTIVE), alerts.c.severity.in_(("high", "critical"))
    )
    return set(connection.scalars(query))


def _severity() -> ColumnElement[int]:
    return case({"low": 0, "medium": 1, "high": 2, "critical": 3}, value=alerts.c.severity, else_=0)


def _listed_columns() -> list[ColumnElement[Any]]:
    names = ("rule", "account_id", "severity", "state", "evidence", "snoozed_until", "close_reason")
    return [
        alerts.c.id.label("alert_id"),
        *(alerts.c[name] for name in names),
        facts.c.name.label("account"),
        facts.c.renewal,
        facts.c.arr,
        told.c.kind.label("told_kind"),
        told.c.reason.label("told_reason"),
        *_mood(),
    ]


def _mood() -> list[ColumnElement[Any]]:
    """Health and satisfaction where they are known, and not stale."""
    return [case((facts.c[f"{name}_state"].is_(None), facts.c[name])).label(name) for name in ("health", "csat")]


def _listed_from(recipients: FromClause) -> Join:
    return (
        alerts.join(recipients, recipients.c.account_id == alerts.c.account_id)
        .join(facts, facts.c.account_id == alerts.c.account_id)
        .outerjoin(told, told.c.alert_id == alerts.c.id)
    )
