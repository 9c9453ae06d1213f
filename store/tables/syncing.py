"""Reading: sources, where each stream stands, how fresh it is, what derivation must look at again."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

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
    at("deferred_until", nullable=True),  # when a quota lets it go on
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
    Column("throttled", Integer, nullable=False, default=0),  # answers that said: too many calls
    Column("quota_used", Integer),  # calls of all apps in 24 hours, as the vendor said last
    Column("quota_allowed", Integer),
    Column("faults", Text),  # JSON: what went wrong on the way -> how often, what another try made good included
    Column("detail", Text),  # JSON: per stream
)

stream_runs = Table(
    "stream_runs",
    metadata,
    Column("run", BigInteger, primary_key=True, autoincrement=False),  # of sync_runs
    Column("stream", Text, primary_key=True),
    Column("source", Text, nullable=False),
    at("ended_at"),
    Column("status", Text, nullable=False),  # ok | partial | deferred | failed | absent
    Column("seen", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("deleted", Integer, nullable=False),
    Column("calls", Integer, nullable=False),  # a call that serves several streams counts at the first of them
    Column("throttled", Integer, nullable=False),
    at("deferred_until", nullable=True),
    Index("stream_runs_newest", "source", "stream", "run"),
)

# What a sync touched and derivation has not looked at yet; written with the rows, removed by daemon/resolve.
dirty = Table(
    "dirty",
    metadata,
    Column("source", Text, primary_key=True),
    Column("object", Text, primary_key=True),  # accounts | contacts | members | activities | opportunities | ...
    Column("id", Text, primary_key=True),
)
