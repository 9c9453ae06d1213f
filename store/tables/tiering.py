"""Tiers: runs, scores, the tier in force, pins and the ledger of writes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from store.tables.base import RowId, at, metadata

tier_runs = Table(
    "tier_runs",
    metadata,
    Column("id", RowId, primary_key=True),
    at("as_of"),
    at("started_at"),
    at("ended_at", nullable=True),
    Column("policy", Text, nullable=False),
    Column("status", Text, nullable=False),  # planned | applied | partial | held
    Column("detail", Text),
)

# The score each customer had at each tier evaluation: stability counts these.
tier_scores = Table(
    "tier_scores",
    metadata,
    Column("as_of", BigInteger, primary_key=True),
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("score", BigInteger),  # millionths; NULL = left the ranking
    Column("cut1", BigInteger),
    Column("cut2", BigInteger),
    Column("computed", Integer),  # the tier the score alone gives
)

# The tier in force, as last recorded by an apply, and the human pin over it.
tiers = Table(
    "tiers",
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("tier", Integer),  # last recorded by an apply
    at("tier_since", nullable=True),
    Column("computed", Integer),
    Column("proposed", Integer),  # a downgrade of tier 1 that waits for approval
    at("proposed_at", nullable=True),
    Column("pin", Integer),  # the pin's value
    Column("pin_origin", Text),  # found | person
    Column("pin_author", Text),
    at("pinned_at", nullable=True),
)

# What tierd knows of the tier field of each account in each CRM: whatever else turns up there is a person's.
tier_fields = Table(
    "tier_fields",
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("source", Text, primary_key=True),
    Column("known", Text),  # the value last seen there, or written by tierd
    at("seen_at"),  # valid_from (valid_to where it was emptied) of the interval of `account_fields` last looked at
    Column("pin_origin", Text),  # found | person; NULL = the value is tierd's, or empty, or released
    Column("pin_author", Text),
    at("pinned_at", nullable=True),
)

tier_history = Table(
    "tier_history",
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("valid_from", BigInteger, primary_key=True),
    at("valid_to", nullable=True),
    Column("tier", Integer),  # in force: the pin's value, else the applied one
    Column("pinned", Integer, nullable=False),
)

# What was, or is to be, written to the CRM: one row per change, written before the call and completed after it.
tier_ledger = Table(
    "tier_ledger",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("run_id", BigInteger, ForeignKey("tier_runs.id"), nullable=False),
    Column("account_id", BigInteger, ForeignKey("accounts.id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("crm_id", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("old_value", Text),
    Column("new_value", Text),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),  # planned | sending | written | verified | parked | conflict | superseded
    Column("error", Text),
    at("planned_at"),
    at("written_at", nullable=True),
    Index("ix_tier_ledger_state", "state"),
    Index("ix_tier_ledger_row", "source", "crm_id"),
)

# When somebody of ours last looked at a customer's tier and kept or changed it.
tier_reviews = Table(
    "tier_reviews",
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("author", Text, nullable=False),
    at("recorded_at"),
)
