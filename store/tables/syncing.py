"""Reading: sources, where each stream stands, how fresh it is, what derivation must look at again."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from store.tables.base import RowId, at, metadata

sources = Table(
    "sources",
    metadata,
    Column("source", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("tenant", Text),  # org or portal id: pins the store to one tenant
    at("first_synced_at", nullable=True),
    Column("interval_us", BigInteger, nullable=False),
)

cursors = Table(
    "cursors",
    metadata,
    Column("source", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("cursor", Text, nullable=False),
)

freshness = Table(
    "freshness",
    metadata,
    Column("source", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    at("fresh_at", nullable=True),  # complete up to here
    Column("status", Text, nullable=False),  # ok | partial | deferred | failed | absent: the source has no such rows
    Column("detail", Text),
    Column("interval_us", BigInteger),  # how often a sweep runs; NULL: as often as the source is read
)

sync_runs = Table(
    "sync_runs",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),  # increment | sweep:<name>
    at("started_at"),
    at("ended_at", nullable=True),
    Column("status", Text, nullable=False),  # running | ok | partial | deferred | failed
    Column("seen", Integer, nullable=False, default=0),
    Column("changed", Integer, nullable=False, default=0),
    Column("deleted", Integer, nullable=False, default=0),
    Column("calls", Integer, nullable=False, default=0),
    Column("detail", Text),  # JSON: per stream
)

# What a sync touched and derivation has not looked at yet; written with the rows, removed by daemon/resolve.
dirty = Table(
    "dirty",
    metadata,
    Column("source", Text, primary_key=True),
    Column("object", Text, primary_key=True),  # accounts | contacts | members | activities | opportunities | ...
    Column("id", Text, primary_key=True),
)
