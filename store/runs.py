"""Sources and their sync runs: what ran, when, how it ended and what it cost."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from store.records import DAY, Instant, Toll
from store.saved import NOTHING, Saved
from store.tables import freshness, sources, stream_runs, sync_runs

_KEPT = 14 * DAY
"""How long the record of single streams is kept; that of whole runs is kept for good."""


def declare_source(conn: Connection, source: str, kind: str, interval: Instant, tenant: str | None = None) -> None:
    """Say that a source is configured; an unchanged declaration writes nothing."""
    row = conn.execute(select(sources).where(sources.c.source == source)).one_or_none()
    if row is None:
        conn.execute(
            sources.insert().values(source=source, kind=kind, interval_us=interval, tenant=tenant, first_synced_at=None)
        )
    elif (row.kind, row.interval_us, row.tenant) != (kind, interval, tenant or row.tenant):
        this = update(sources).where(sources.c.source == source)
        conn.execute(this.values(kind=kind, interval_us=interval, tenant=tenant or row.tenant))


CONFIGURATION = "configuration"
"""In the place of a stream: what is wrong with a source's section in tierd.yaml."""


def keep_streams(conn: Connection, source: str, streams: Collection[str]) -> None:
    """Forget the freshness of what this source no longer reads, a mended mistake in its section included."""
    f = freshness.c
    gone = (f.source == source) & f.stream.not_in(streams)
    if conn.execute(select(f.stream).where(gone)).first() is not None:
        conn.execute(delete(freshness).where(gone))


def keep_sources(conn: Connection, names: Collection[str]) -> None:
    """Forget the freshness of sources that are no longer configured: nothing can make them fresh again."""
    gone = freshness.c.source.not_in(names)
    if conn.execute(select(freshness.c.stream).where(gone)).first() is not None:
        conn.execute(delete(freshness).where(gone))


def start(conn: Connection, source: str, kind: str, at: Instant) -> int:
    """A run begins; one that a kill left open is closed as interrupted."""
    left = update(sync_runs).where(sync_runs.c.source == source, sync_runs.c.kind == kind)
    conn.execute(left.where(sync_runs.c.status == "running").values(status="partial", ended_at=at))
    values = {"source": source, "kind": kind, "started_at": at, "status": "running"}
    made = conn.execute(sync_runs.insert().values(**values, seen=0, changed=0, deleted=0, calls=0))
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


@dataclass(frozen=True, slots=True)
class StreamRun:
    """What one run did to one stream. `status`: ok | partial | deferred | failed | absent."""

    status: str = "ok"
    saved: Saved = NOTHING
    calls: int = 0
    throttled: int = 0
    deferred_until: Instant | None = None


def finish(
    conn: Connection,
    run: int,
    at: Instant,
    status: str,
    *,
    saved: Saved,
    toll: Toll,
    troubles: Mapping[str, str],
    streams: Mapping[str, StreamRun],
) -> None:
    """How a run ended, as a whole and stream by stream. The first one that ended well makes the source known as synced."""
    detail = json.dumps(dict(troubles), sort_keys=True) if troubles else None
    used, allowed = toll.quota or (None, None)
    this = update(sync_runs).where(sync_runs.c.id == run).returning(sync_runs.c.source)
    source = conn.execute(
        this.values(
            ended_at=at,
            status=status,
            seen=saved.seen,
            changed=saved.changed,
            deleted=saved.deleted,
            calls=toll.calls,
            throttled=toll.throttled,
            quota_used=used,
            quota_allowed=allowed,
            faults=json.dumps(dict(toll.faults), sort_keys=True) if toll.faults else None,
            detail=detail,
        )
    ).scalar_one()
    _keep_stream_runs(conn, run, source, at, streams)
    if status == "ok":
        never = update(sources).where(sources.c.source == source, sources.c.first_synced_at.is_(None))
        conn.execute(never.values(first_synced_at=at))


def _keep_stream_runs(conn: Connection, run: int, source: str, at: Instant, streams: Mapping[str, StreamRun]) -> None:
    s = stream_runs.c
    conn.execute(delete(stream_runs).where(s.source == source, s.ended_at < at - _KEPT))
    rows = [
        {
            "run": run,
            "stream": name,
            "source": source,
            "ended_at": at,
            "status": one.status,
            "seen": one.saved.seen,
            "changed": one.saved.changed,
            "deleted": one.saved.deleted,
            "calls": one.calls,
            "throttled": one.throttled,
            "deferred_until": one.deferred_until,
        }
        for name, one in streams.items()
    ]
    if rows:
        conn.execute(stream_runs.insert(), rows)


def calls_since(conn: Connection, source: str, since: Instant) -> int:
    """API calls of a source's runs that began since then."""
    r = sync_runs.c
    total = select(func.coalesce(func.sum(r.calls), 0)).where(r.source == source, r.started_at >= since)
    return int(conn.execute(total).scalar_one())


def last_runs(conn: Connection) -> Sequence[Row[Any]]:
    """The newest run of each source and kind."""
    query = select(sync_runs).where(sync_runs.c.id.in_(_newest_ids()))
    return conn.execute(query.order_by(sync_runs.c.source, sync_runs.c.kind)).all()


def _newest_ids() -> Select[Any]:
    return select(func.max(sync_runs.c.id)).group_by(sync_runs.c.source, sync_runs.c.kind)


def streams(conn: Connection) -> Sequence[Row[Any]]:
    """The freshness of every stream."""
    return conn.execute(select(freshness).order_by(freshness.c.source, freshness.c.stream)).all()
