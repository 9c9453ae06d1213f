"""What customers say of themselves and are asked for: surveys, pulses, asks, and exceptions made for them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from store.tables.base import RowId, at, metadata

# Answers to surveys, from a feed, a CRM object or a button.
survey_answers = Table(
    "survey_answers",
    metadata,
    Column("source", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, default=""),  # whom a feed names, as in `usage_samples`; '' where none does
    Column("user", Text, nullable=False, default=""),
    Column("account_id", BigInteger, ForeignKey("accounts.id")),  # that of the subject; NULL = unmatched
    Column("kind", Text, nullable=False),  # csat | nps
    Column("value", BigInteger, nullable=False),  # csat: hundredths of a percent, 0..10000; nps: 0..10
    at("at"),
    at("recorded_at"),
    Index("ix_survey_answers_account", "account_id", "kind", "at", "recorded_at", "value"),
    Index("ix_survey_answers_subject", "source", "key", "user"),
)

# A CSM's one-click "vibe".
pulses = Table(
    "pulses",
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("value", Integer, nullable=False),  # -2..2
    Column("author", Text, nullable=False),
    at("recorded_at"),
)

# What was asked of a customer.
asks = Table(
    "asks",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("account_id", BigInteger, ForeignKey("accounts.id"), nullable=False),
    Column("kind", Text, nullable=False),  # feedback | reference
    at("at"),
    Column("author", Text, nullable=False),
    at("recorded_at"),
    Index("ix_asks_account", "account_id", "kind", "at"),
)

# Service given beyond what the tier promises.
exceptions = Table(
    "exceptions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("account_id", BigInteger, ForeignKey("accounts.id"), nullable=False),
    Column("what", Text, nullable=False),
    at("at"),
    Column("author", Text, nullable=False),
    at("recorded_at"),
    Index("ix_exceptions_account", "account_id", "at"),
)

# Somebody of ours said whether a customer has been shown an offering: Yes or No on a message.
showings = Table(
    "showings",
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("offering", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("shown", Integer, nullable=False),  # 1 = yes, 0 = no
    Column("author", Text, nullable=False),
    at("recorded_at"),
)
