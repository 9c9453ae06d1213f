"""Evaluation: findings, its record, the rules it was made with."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from store.tables.base import at, metadata

findings = Table(
    "findings",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("outcome", Text, nullable=False),  # fires | unknown (silent accounts have no row)
    Column("severity", Text, nullable=False),
    Column("reason", Text),  # of unknown
    at("since"),  # as_of of the first evaluation with this outcome
    Column("rule_version", Text, nullable=False),
    Column("evidence", Text, nullable=False),  # JSON: fact -> value and state, keys sorted
    Index("ix_findings_account", "account_id"),
)

evaluations = Table(
    "evaluations",
    metadata,
    Column("as_of", BigInteger, primary_key=True),
    Column("scope", Text, primary_key=True),  # full | touched
    at("started_at"),
    at("ended_at", nullable=True),
    Column("detail", Text),  # JSON: customers, per rule fires and unknown by reason, past days and cuts computed
)

rule_sets = Table(
    "rule_sets",
    metadata,
    Column("version", Text, primary_key=True),  # sha256 of the files
    Column("files", Text, nullable=False),  # JSON: name -> text; the last good rules
    at("loaded_at"),
)
