"""Alerts, conversations, what was told to whom, deliveries, interactions."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from store.tables.base import RowId, at, metadata

alerts = Table(
    "alerts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("account_id", BigInteger, ForeignKey("accounts.id"), nullable=False),
    Column("episode", Integer, nullable=False),
    # condition
    Column("state", Text, nullable=False),  # pending | firing | recovering | closed
    Column("severity", Text, nullable=False),
    at("true_since", nullable=True),
    at("fired_at", nullable=True),
    at("clear_since", nullable=True),
    at("closed_at", nullable=True),
    Column("close_reason", Text),  # resolved | not_held | account_gone | rule_removed | rule_shadowed | rule_changed
    at("last_outcome_at"),  # as_of at which true or false was last known; unknown time counts for nothing
    Column("unknown_reason", Text),
    at("unknown_since", nullable=True),
    Column("evidence", Text, nullable=False),
    Column("rule_version", Text, nullable=False),
    # attention
    Column("acked_by", Text),
    at("acked_at", nullable=True),
    at("snoozed_until", nullable=True),
    Column("snoozed_by", Text),
    Column("snooze_reason", Text),
    Column("feedback", Text),  # not_useful | took_action
    UniqueConstraint("rule", "account_id", "episode"),
    Index("ix_alerts_state", "state"),
    Index("ix_alerts_account", "account_id", "rule"),
)

# Every change of an alert's condition, with its reason: what flipped, from, to, why, when.
transitions = Table(
    "transitions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("alert_id", BigInteger, ForeignKey("alerts.id"), nullable=False, index=True),
    at("at"),
    Column(
        "kind", Text, nullable=False
    ),  # pended | fired | escalated | deescalated | recovering | resolved | closed | ...
    Column("reason", Text, nullable=False),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", Text, nullable=False, unique=True),  # opaque, the same in every run: travels in button values
    Column("account_id", BigInteger, ForeignKey("accounts.id"), nullable=False),
    Column("destination", Text, nullable=False),  # channel or user id as configured
    Column("severity", Text, nullable=False),  # the highest when it opened: what the daily cap counts
    Column("csm", Text),  # key of the member it was addressed to
    at("opened_at"),
    at("quiet_since", nullable=True),  # all its rules clear since; closes after flap_window
    at("closed_at", nullable=True),
    Column("channel", Text),  # Slack's id of where the parent was posted
    Column("ts", Text),  # Slack's id of the parent message; NULL until sent
    Index("ix_conversations_account", "account_id", "destination"),
)

told = Table(
    "told",
    metadata,
    Column("alert_id", BigInteger, ForeignKey("alerts.id"), primary_key=True),
    Column("destination", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # opened | escalated | reminder | held | listed (digest) | resolved | closed
    Column("severity", Text, nullable=False),
    at("at"),
    Column("reason", Text, nullable=False),
    Column("conversation_id", BigInteger, ForeignKey("conversations.id")),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),  # opaque delivery_id, travels in message metadata
    Column("seq", BigInteger, nullable=False),  # order within a lane
    Column("lane", Text, nullable=False),  # head-of-line key: destination, conversation
    Column("destination", Text, nullable=False),
    Column("conversation_id", BigInteger, ForeignKey("conversations.id")),
    Column("op", Text, nullable=False),  # post | reply | update
    Column("kind", Text, nullable=False),  # alert | reply | digest | baseline | who | operators
    Column("body", Text, nullable=False),  # JSON: text, blocks; no secret
    Column("state", Text, nullable=False),  # pending | sending | uncertain | sent | superseded | dead | expired
    at("created_at"),
    at("not_before"),
    at("not_after"),
    Column("attempts", Integer, nullable=False, default=0),
    at("first_claim_at", nullable=True),
    at("last_try_at", nullable=True),
    at("lease_until", nullable=True),
    Column("claimed_by", Text),
    Column("channel", Text),
    Column("ts", Text),
    Column("possible_duplicate", Integer, nullable=False, default=0),
    Column("error", Text),
    at("sent_at", nullable=True),
    Index("ix_deliveries_due", "state", "not_before"),
    Index("ix_deliveries_lane", "lane", "seq"),
    Index("ix_deliveries_seq", "seq"),
    Index("ix_deliveries_conversation", "conversation_id"),
)

interactions = Table(
    "interactions",
    metadata,
    Column("key", Text, primary_key=True),  # envelope id and action time: a redelivery is the same row
    at("received_at"),
    Column("payload", Text, nullable=False),
    at("applied_at", nullable=True),
    Column("outcome", Text),
)

slack_users = Table(
    "slack_users",
    metadata,
    Column("email", Text, primary_key=True),
    Column("slack_id", Text),  # NULL = looked up and not found
    at("checked_at"),
)
