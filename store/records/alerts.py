"""Alerts, what was told of them, conversations and deliveries."""

from __future__ import annotations

from dataclasses import dataclass

from store.records.units import Instant


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One episode of a rule on an account. `id` is None until the store has given one; the meaning of states is `alerts.lifecycle`'s."""

    rule: str
    account_id: int
    episode: int
    state: str
    """pending | firing | recovering | closed"""
    severity: str
    last_outcome_at: Instant
    evidence: str
    rule_version: str
    id: int | None = None
    true_since: Instant | None = None
    fired_at: Instant | None = None
    clear_since: Instant | None = None
    closed_at: Instant | None = None
    close_reason: str | None = None
    unknown_reason: str | None = None
    unknown_since: Instant | None = None
    acked_by: str | None = None
    acked_at: Instant | None = None
    snoozed_until: Instant | None = None
    snoozed_by: str | None = None
    snooze_reason: str | None = None
    feedback: str | None = None


@dataclass(frozen=True, slots=True)
class ToldRow:
    """What a destination was last told about one alert."""

    alert_id: int
    destination: str
    kind: str
    """opened | escalated | reminder | held | listed | resolved | closed"""
    severity: str
    at: Instant
    reason: str
    conversation_id: int | None = None


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """One parent message about one account in one destination."""

    id: int
    key: str
    account_id: int
    destination: str
    severity: str
    """The highest severity when it opened: what the daily cap counts."""
    csm: str | None
    """Member key of whom it was addressed to."""
    opened_at: Instant
    quiet_since: Instant | None
    closed_at: Instant | None
    channel: str | None
    ts: str | None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One message to be sent, edited or replied; `body` is JSON with `text` and `blocks`."""

    id: str
    lane: str
    destination: str
    op: str
    """post | reply | update"""
    kind: str
    """alert | reply | digest | baseline | operators"""
    body: str
    created_at: Instant
    not_before: Instant
    not_after: Instant
    """Given up when it could not be sent by then."""
    conversation_id: int | None = None
    seq: int = 0
    state: str = "pending"
    """pending | sending | uncertain | sent | superseded | dead | expired"""
    attempts: int = 0
    first_claim_at: Instant | None = None
    last_try_at: Instant | None = None
    lease_until: Instant | None = None
    claimed_by: str | None = None
    channel: str | None = None
    ts: str | None = None
    possible_duplicate: int = 0
    error: str | None = None
    sent_at: Instant | None = None
