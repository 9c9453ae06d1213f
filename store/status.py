"""How things stand: freshness, runs, open alerts, the outbox, the last evaluation. Counts and stamps, no account data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from store import schedule
from store.records import DAY, HOUR, Instant
from store.tables import (
    accounts,
    alerts,
    cursors,
    deliveries,
    evaluations,
    facts,
    findings,
    freshness,
    settings,
    sources,
    stream_runs,
    sync_runs,
)

VERIFIED = "verified"
"""Under this name the settings keep how the last verification of the facts ended, as JSON."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream or sweep of one source. `late`: how far it is behind its allowance, microseconds; None = it is not."""

    source: str
    stream: str
    fresh_at: Instant | None
    status: str
    detail: str | None
    late: Instant | None
    deferred_until: Instant | None


@dataclass(frozen=True, slots=True)
class StreamNow:
    """Where one stream stands: the last run that touched it, its cursor, and when it was complete."""

    source: str
    stream: str
    fresh_at: Instant | None
    status: str
    seen: int
    changed: int
    deleted: int
    calls: int
    throttled: int
    ended_at: Instant
    deferred_until: Instant | None
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Quota:
    """Calls of 24 hours of one source: ours, and of all apps as the vendor told them at `at`."""

    source: str
    ours: int
    used: int
    allowed: int
    at: Instant


@dataclass(frozen=True, slots=True)
class Run:
    """The latest sync run of one kind of one source."""

    source: str
    kind: str
    started_at: Instant
    ended_at: Instant | None
    status: str
    seen: int
    changed: int
    deleted: int
    calls: int
    throttled: int


@dataclass(frozen=True, slots=True)
class Status:
    """Everything `tierd status`, the health server and the metrics tell."""

    streams: tuple[Stream, ...]
    runs: tuple[Run, ...]
    calls: Mapping[str, int]
    """Source -> API calls of all its runs."""
    quotas: tuple[Quota, ...]
    accounts: int
    customers: int
    alerts: Mapping[tuple[str, str, str], int]
    """(rule, severity, state) -> alerts that are not closed."""
    undecided: Mapping[str, int]
    """Rule -> accounts where it cannot be decided."""
    queue: Mapping[str, int]
    """State -> deliveries."""
    oldest_waiting: Instant | None
    possible_duplicates: int
    evaluated_at: Instant | None
    """`as_of` of the last full evaluation that was completed."""
    tasks: tuple[schedule.Row, ...]
    paused: Mapping[str, str]
    """Brake -> why it is on."""
    verified: tuple[Instant, int] | None
    """When the facts were last computed from nothing, and how many accounts differed; None = never."""


def read(connection: Connection, now: Instant) -> Status:
    """The state at `now`."""
    live = ("pending", "sending", "uncertain")
    return Status(
        streams=_streams(connection, now),
        runs=_runs(connection),
        calls=_counts(connection, select(sync_runs.c.source, func.sum(sync_runs.c.calls)).group_by(sync_runs.c.source)),
        quotas=quotas(connection, now),
        accounts=connection.scalar(select(func.count()).select_from(accounts).where(accounts.c.closed_at.is_(None)))
        or 0,
        customers=connection.scalar(select(func.count()).select_from(facts)) or 0,
        alerts=_alerts(connection),
        undecided=_counts(
            connection,
            select(findings.c.rule, func.count()).where(findings.c.outcome == "unknown").group_by(findings.c.rule),
        ),
        queue=_counts(connection, select(deliveries.c.state, func.count()).group_by(deliveries.c.state)),
        oldest_waiting=connection.scalar(select(func.min(deliveries.c.created_at)).where(deliveries.c.state.in_(live))),
        possible_duplicates=connection.scalar(select(func.sum(deliveries.c.possible_duplicate))) or 0,
        evaluated_at=evaluated_at(connection),
        tasks=tuple(schedule.rows(connection).values()),
        paused={
            row.name.removeprefix("paused:"): row.value
            for row in connection.execute(
                select(settings.c.name, settings.c.value).where(settings.c.name.startswith("paused:"))
            )
        },
        verified=_verified(connection),
    )


def _verified(connection: Connection) -> tuple[Instant, int] | None:
    text = connection.scalar(select(settings.c.value).where(settings.c.name == VERIFIED))
    if text is None:
        return None
    found = json.loads(text)
    return found["at"], found["wrong"]


def stream_table(connection: Connection) -> tuple[StreamNow, ...]:
    """Every stream as the last run that touched it left it."""
    s = stream_runs.c
    newest = select(func.max(s.run).label("run"), s.source, s.stream).group_by(s.source, s.stream).subquery()
    columns: tuple[ColumnElement[Any], ...] = (
        s.source,
        s.stream,
        freshness.c.fresh_at,
        *(s[name] for name in ("status", "seen", "changed", "deleted", "calls", "throttled", "ended_at")),
        s.deferred_until,
        cursors.c.cursor,
    )
    statement = (
        select(*columns)
        .join(newest, (newest.c.run == s.run) & (newest.c.stream == s.stream))
        .join(freshness, (freshness.c.source == s.source) & (freshness.c.stream == s.stream))
        .outerjoin(cursors, (cursors.c.source == s.source) & (cursors.c.stream == s.stream))
        .order_by(s.source, s.stream)
    )  # fmt: skip
    return tuple(StreamNow(*row) for row in connection.execute(statement))


def quotas(connection: Connection, now: Instant) -> tuple[Quota, ...]:
    """How much of each source's daily calls is used, by its last run that was told so."""
    r = sync_runs.c
    ours = dict(
        connection.execute(
            select(r.source, func.sum(r.calls)).where(r.started_at >= now - DAY).group_by(r.source)
        ).all()
    )
    told = select(func.max(r.id)).where(r.quota_allowed.is_not(None)).group_by(r.source)
    rows = connection.execute(
        select(r.source, r.quota_used, r.quota_allowed, r.ended_at).where(r.id.in_(told)).order_by(r.source)
    )
    return tuple(Quota(name, int(ours.get(name) or 0), used, allowed, at) for name, used, allowed, at in rows)


def evaluated_at(connection: Connection) -> Instant | None:
    """`as_of` of the last full evaluation that was completed; None = there was none yet."""
    full = (evaluations.c.scope == "full") & evaluations.c.ended_at.is_not(None)
    found: Instant | None = connection.scalar(select(func.max(evaluations.c.as_of)).where(full))
    return found


def _counts(connection: Connection, statement: object) -> dict[str, int]:
    return {str(name): int(count or 0) for name, count in connection.execute(statement)}  # type: ignore[call-overload]


def _streams(connection: Connection, now: Instant) -> tuple[Stream, ...]:
    statement = (
        select(
            freshness.c.source,
            freshness.c.stream,
            freshness.c.fresh_at,
            freshness.c.status,
            freshness.c.detail,
            freshness.c.deferred_until,
            func.coalesce(freshness.c.interval_us, sources.c.interval_us).label("interval_us"),
        )
        .outerjoin(sources, sources.c.source == freshness.c.source)
        .order_by(freshness.c.source, freshness.c.stream)
    )
    return tuple(
        Stream(
            row.source,
            row.stream,
            row.fresh_at,
            row.status,
            row.detail,
            _late(row.fresh_at, row.interval_us, row.status, now),
            row.deferred_until,
        )
        for row in connection.execute(statement)
    )


def _late(fresh_at: Instant | None, interval: Instant | None, status: str, now: Instant) -> Instant | None:
    """A stream may be three of its intervals old, and at least an hour; what a source does not have is never late."""
    if fresh_at is None or interval is None or status == "absent":
        return None
    late = now - fresh_at - max(3 * interval, HOUR)
    return late if late > 0 else None


def _runs(connection: Connection) -> tuple[Run, ...]:
    latest = select(func.max(sync_runs.c.id)).group_by(sync_runs.c.source, sync_runs.c.kind)
    statement = select(*(sync_runs.c[name] for name in Run.__slots__)).where(sync_runs.c.id.in_(latest))
    return tuple(Run(*row) for row in connection.execute(statement.order_by(sync_runs.c.source, sync_runs.c.kind)))


def _alerts(connection: Connection) -> dict[tuple[str, str, str], int]:
    statement = (
        select(alerts.c.rule, alerts.c.severity, alerts.c.state, func.count())
        .where(alerts.c.state != "closed")
        .group_by(alerts.c.rule, alerts.c.severity, alerts.c.state)
        .order_by(alerts.c.rule, alerts.c.severity, alerts.c.state)
    )
    return {(rule, severity, state): count for rule, severity, state, count in connection.execute(statement)}
