"""The process: schedule and settings."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from store.tables.base import at, metadata

schedule = Table(
    "schedule",
    metadata,
    Column("task", Text, primary_key=True),  # sync:<source> | sweep:<source>:<name> | evaluate | tiers | digest | ...
    at("next_due"),
    at("last_started", nullable=True),
    at("last_completed", nullable=True),
    at("hinted_for", nullable=True),  # a hint that came while the task ran: due again by then
    Column("trouble", Text),  # why the last run failed; NULL = it did not
)

settings = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),  # baseline_done | paused:messages | instance | ...
    Column("value", Text, nullable=False),
)
