"""Product usage as the feeds give it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Table, Text

from store.tables.base import at, metadata

usage_samples = Table(
    "usage_samples",
    metadata,
    Column("source", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("user", Text, primary_key=True, default=""),  # '' where the feed is per account
    Column("at", BigInteger, primary_key=True),
    Column("value", Float, nullable=False),
    at("recorded_at"),
    Column("account_id", BigInteger, ForeignKey("accounts.id")),  # set by derivation; NULL = unmatched
    Index("ix_usage_samples_account", "account_id", "metric", "at", "recorded_at", "value", "source"),
    Index("ix_usage_samples_key", "key", "account_id"),  # matching asks by key, whatever the source
)

features = Table(
    "features",
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("feature", Text, primary_key=True),
    at("first_used_at", nullable=True),
    at("last_used_at", nullable=True),
    at("recorded_at"),
)
