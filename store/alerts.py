"""Alerts, conversations and what was told: the difference between findings and alerts, and the rows around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    case,
    delete,
    distinct,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
    update,
)

from store.recipients import recipient_table
from store.records import AlertRow, ConversationRow, Instant, ToldRow
from store.tables import alerts, conversations, facts, findings, settings, told, transitions

OPEN = ("pending", "firing", "recovering")
ACTIVE = ("firing", "recovering")
_ALERT = [alerts.c[f.name] for f in fields(AlertRow)]
_CONVERSATION = [conversations.c[f.name] for f in fields(ConversationRow)]
_TOLD = [told.c[f.name] for f in fields(ToldRow)]
_RANK = {"low": 0, "medium": 1, "high": 2, "critical": 3}


@dataclass(frozen=True, slots=True)
class RuleKey:
    """What the difference needs to know of a rule; durations in microseconds."""

    name: str
    version: str
    for_us: int
    keep_firing_us: int


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One row of findings."""

    rule: str
    account_id: int
    outcome: str
    severity: str
    reason: str | None
    evidence: str


# ---------------------------------------------------------------- the difference


def changed_accounts(
    connection: Connection, rules: Sequence[RuleKey], as_of: Instant, flap_us: int, today: int
) -> list[int]:
    """Accounts where findings and alerts differ, or where time alone has moved something; the most urgent first.

    Order: severity of the worst finding, then max(ltv, arr) x urgency of the renewal (within 30 days 2, within 90
    days 1.5, else 1), then id. `today` is the calendar day of `as_of` in the configured zone.
    """
    parts = [part for rule in rules for part in _rule_difference(rule, as_of)]
    touched = union_all(*parts, *_time_difference([rule.name for rule in rules], as_of, flap_us)).subquery()
    severity = select(func.max(case(_RANK, value=findings.c.severity, else_=0)))
    worst = severity.where(findings.c.account_id == touched.c.account_id, findings.c.outcome == "fires")
    query = (
        select(touched.c.account_id)
        .select_from(touched.outerjoin(facts, facts.c.account_id == touched.c.account_id))
        .group_by(touched.c.account_id)
        .order_by(
            func.coalesce(func.max(worst.scalar_subquery()), -1).desc(),
            func.max(urgency(today)).desc(),
            touched.c.account_id,
        )
    )
    return list(connection.scalars(query))


def urgency(today: int) -> ColumnElement[float]:
    """Value times urgency of a row of facts; 0 where no value is known."""
    left = facts.c.renewal - literal(today)
    factor = case((and_(left >= 0, left <= 30), 2.0), (and_(left >= 0, left <= 90), 1.5), else_=1.0)
    arr, ltv = func.coalesce(facts.c.arr, 0), func.coalesce(facts.c.ltv, 0)
    value = case((ltv > arr, ltv), else_=arr)
    return func.coalesce(value * factor, 0.0)


def _rule_difference(rule: RuleKey, as_of: Instant) -> list[Select[Any]]:
    mine = and_(alerts.c.rule == rule.name, alerts.c.state.in_(OPEN))
    pair = and_(findings.c.rule == alerts.c.rule, findings.c.account_id == alerts.c.account_id)
    both = findings.join(alerts, and_(pair, alerts.c.state.in_(OPEN)))
    fires = and_(findings.c.rule == rule.name, findings.c.outcome == "fires")
    unknown = and_(findings.c.rule == rule.name, findings.c.outcome == "unknown")
    opened = select(alerts.c.id).where(pair, alerts.c.state.in_(OPEN)).exists()
    found = select(findings.c.account_id).where(pair).exists()
    news = or_(
        alerts.c.state == "recovering",
        alerts.c.severity != findings.c.severity,
        alerts.c.unknown_since.is_not(None),
        alerts.c.evidence != findings.c.evidence,
        alerts.c.rule_version != rule.version,
        and_(alerts.c.state == "pending", alerts.c.true_since <= as_of - rule.for_us),
    )
    clearing = or_(
        alerts.c.state.in_(("pending", "firing")),
        alerts.c.unknown_since.is_not(None),
        alerts.c.clear_since <= as_of - rule.keep_firing_us,
    )
    return [
        select(findings.c.account_id).where(fires, ~opened),
        select(findings.c.account_id).select_from(both).where(fires, news),
        select(findings.c.account_id)
        .select_from(both)
        .where(unknown, func.coalesce(alerts.c.unknown_reason, "") != func.coalesce(findings.c.reason, "unknown")),
        select(alerts.c.account_id).where(mine, ~found, clearing),
    ]


def _time_difference(rules: Sequence[str], as_of: Instant, flap_us: int) -> list[Select[Any]]:
    """What has nothing to do with one rule's finding."""
    is_open = alerts.c.state.in_(OPEN)
    in_scope = select(facts.c.account_id).where(facts.c.account_id == alerts.c.account_id).exists()
    talking = conversations.c.closed_at.is_(None)
    recipients = recipient_table()
    return [
        select(alerts.c.account_id).where(is_open, ~in_scope),
        select(alerts.c.account_id).where(is_open, alerts.c.rule.not_in(rules)),
        select(alerts.c.account_id).where(is_open, alerts.c.snoozed_until <= as_of),
        select(conversations.c.account_id).where(talking, conversations.c.quiet_since <= as_of - flap_us),
        select(conversations.c.account_id)
        .select_from(conversations.join(recipients, recipients.c.account_id == conversations.c.account_id))
        .where(talking, conversations.c.csm.is_distinct_from(recipients.c.recipient)),
    ]


def newly_firing(connection: Connection, rule: RuleKey, as_of: Instant) -> int:
    """On how many accounts a rule fires that has no active alert there and has been true for as long as it must."""
    active = select(alerts.c.id).where(
        alerts.c.rule == findings.c.rule, alerts.c.account_id == findings.c.account_id, alerts.c.state.in_(ACTIVE)
    )
    query = select(func.count()).where(findings.c.rule == rule.name, findings.c.outcome == "fires", ~active.exists())
    if rule.for_us:
        held = select(alerts.c.id).where(
            alerts.c.rule == findings.c.rule,
            alerts.c.account_id == findings.c.account_id,
            alerts.c.state == "pending",
            alerts.c.true_since <= as_of - rule.for_us,
        )
        query = query.where(held.exists())
    return connection.scalar(query) or 0


def portfolio(connection: Connection) -> int:
    """How many customers are in scope."""
    return connection.scalar(select(func.count()).select_from(facts)) or 0


# ---------------------------------------------------------------- rows of a chunk of accounts


def findings_of(connection: Connection, accounts: Sequence[int]) -> list[FindingRow]:
    """Every finding of these accounts."""
    columns = [findings.c[f.name] for f in fields(FindingRow)]
    query = select(*columns).where(findings.c.account_id.in_(accounts)).order_by(findings.c.rule)
    return [FindingRow(**row) for row in connection.execute(query).mappings()]


def newest_alerts(connection: Connection, accounts: Sequence[int]) -> list[AlertRow]:
    """The newest episode of every rule on these accounts, ordered by rule."""
    newest = (
        select(alerts.c.rule, alerts.c.account_id, func.max(alerts.c.episode).label("episode"))
        .where(alerts.c.account_id.in_(accounts))
        .group_by(alerts.c.rule, alerts.c.account_id)
        .subquery()
    )
    same = and_(
        newest.c.rule == alerts.c.rule,
        newest.c.account_id == alerts.c.account_id,
        newest.c.episode == alerts.c.episode,
    )
    query = select(*_ALERT).select_from(alerts.join(newest, same)).order_by(alerts.c.rule)
    return [_alert(row) for row in connection.execute(query).mappings()]


def alerts_where(connection: Connection, condition: ColumnElement[bool]) -> list[AlertRow]:
    """Alerts under a condition on the alerts table, ordered by account and rule."""
    query = select(*_ALERT).where(condition).order_by(alerts.c.account_id, alerts.c.rule, alerts.c.episode)
    return [_alert(row) for row in connection.execute(query).mappings()]


def told_of(connection: Connection, alert_ids: Iterable[int]) -> list[ToldRow]:
    """What was told about these alerts, everywhere."""
    query = select(*_TOLD).where(told.c.alert_id.in_(list(alert_ids)))
    return [ToldRow(**row) for row in connection.execute(query).mappings()]


def talking_accounts(connection: Connection) -> list[int]:
    """Accounts with a conversation that has not ended."""
    query = select(conversations.c.account_id).distinct().where(conversations.c.closed_at.is_(None))
    return sorted(connection.scalars(query))


def open_conversations(connection: Connection, accounts: Sequence[int]) -> list[ConversationRow]:
    """Conversations that have not ended."""
    mine = and_(conversations.c.account_id.in_(accounts), conversations.c.closed_at.is_(None))
    query = select(*_CONVERSATION).where(mine).order_by(conversations.c.id)
    return [ConversationRow(**row) for row in connection.execute(query).mappings()]


def continued_by(connection: Connection, row: ConversationRow) -> str | None:
    """Key of the conversation that this one took over from: the one that ended in the same place as it began."""
    before = and_(
        conversations.c.account_id == row.account_id,
        conversations.c.destination == row.destination,
        conversations.c.closed_at == row.opened_at,
        conversations.c.id != row.id,
    )
    return connection.scalar(select(conversations.c.key).where(before).limit(1))


def conversation_by_key(connection: Connection, key: str) -> ConversationRow | None:
    """The conversation with this opaque key."""
    row = connection.execute(select(*_CONVERSATION).where(conversations.c.key == key)).mappings().one_or_none()
    return None if row is None else ConversationRow(**row)


def save_alert(connection: Connection, alert: AlertRow) -> int:
    """Insert or update; returns the alert's id."""
    values = asdict(alert)
    del values["id"]
    if alert.id is None:
        result = connection.execute(insert(alerts).values(values).returning(alerts.c.id))
        return int(result.scalar_one())
    connection.execute(update(alerts).where(alerts.c.id == alert.id).values(values))
    return alert.id


def add_transitions(connection: Connection, alert_id: int, at: Instant, changes: Sequence[tuple[str, str]]) -> None:
    """Append (kind, reason) rows."""
    rows = [{"alert_id": alert_id, "at": at, "kind": kind, "reason": reason} for kind, reason in changes]
    if rows:
        connection.execute(insert(transitions), rows)


def save_told(connection: Connection, row: ToldRow) -> None:
    """Keep what a destination knows about an alert; the newest telling replaces the one before."""
    same = and_(told.c.alert_id == row.alert_id, told.c.destination == row.destination)
    connection.execute(delete(told).where(same))
    connection.execute(insert(told).values(asdict(row)))


def open_conversation(connection: Connection, row: ConversationRow) -> ConversationRow:
    """Insert a conversation (its `id` is ignored) and return it with the store's id."""
    values = asdict(row)
    del values["id"]
    new = connection.execute(insert(conversations).values(values).returning(conversations.c.id)).scalar_one()
    return ConversationRow(**{**values, "id": int(new)})


def change_conversation(connection: Connection, conversation_id: int, **values: Any) -> None:
    """Update columns of one conversation."""
    connection.execute(update(conversations).where(conversations.c.id == conversation_id).values(values))


def opened_between(
    connection: Connection, csm: str | None, start: Instant, end: Instant, severities: Sequence[str]
) -> int:
    """How many conversations addressed to a CSM were opened in [start, end) with one of these severities."""
    query = select(func.count()).where(
        conversations.c.csm.is_not_distinct_from(csm),
        conversations.c.opened_at >= start,
        conversations.c.opened_at < end,
        conversations.c.severity.in_(severities),
    )
    return connection.scalar(query) or 0


def accounts_opened_at(connection: Connection, csm: str | None, at: Instant) -> int:
    """How many accounts of a CSM got a conversation at exactly this instant."""
    query = select(func.count(distinct(conversations.c.account_id))).where(
        conversations.c.csm.is_not_distinct_from(csm), conversations.c.opened_at == at
    )
    return connection.scalar(query) or 0


# ---------------------------------------------------------------- small facts of the process


def setting(connection: Connection, name: str) -> str | None:
    """One value of the settings table."""
    return connection.scalar(select(settings.c.value).where(settings.c.name == name))


def save_setting(connection: Connection, name: str, value: str) -> None:
    """Set one value of the settings table."""
    if not connection.execute(update(settings).where(settings.c.name == name).values(value=value)).rowcount:
        connection.execute(insert(settings).values(name=name, value=value))


def _alert(row: RowMapping) -> AlertRow:
    return AlertRow(**row)
