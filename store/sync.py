"""Keep what a sync reads: rows, links, cursor and freshness in one transaction, writing only what differs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, select

from store import sync_history, sync_links, sync_merges, sync_rows, sync_values, usage
from store.records import (
    AccountRecord,
    ActivityRecord,
    Batch,
    ContactRecord,
    ContactRole,
    FeatureUse,
    FedActivity,
    FieldChange,
    FieldValues,
    Gone,
    Instant,
    Links,
    Merged,
    ObjectRecord,
    OpportunityRecord,
    ParticipantRecord,
    Record,
    StreamTrouble,
    SurveyAnswer,
    TeamMemberRecord,
    TicketRecord,
    UsageMap,
    UsageSample,
)
from store.refs import upsert
from store.saved import Saved
from store.tables import cursors, freshness

_Saver = Callable[[Connection, str, Sequence[Any], Instant], Saved]
_SAVERS: dict[type[Record], _Saver] = {
    AccountRecord: sync_rows.save_accounts,
    ContactRecord: sync_rows.save_contacts,
    TeamMemberRecord: sync_rows.save_members,
    ActivityRecord: sync_rows.save_activities,
    ParticipantRecord: sync_rows.save_participants,
    OpportunityRecord: sync_rows.save_opportunities,
    TicketRecord: sync_rows.save_tickets,
    ObjectRecord: sync_rows.save_objects,
    UsageSample: usage.save_samples,
    FeatureUse: usage.save_uses,
    SurveyAnswer: usage.save_answers,
    UsageMap: usage.save_map,
    FedActivity: usage.save_fed,
    Gone: sync_links.save_gone,
    Links: sync_links.save_links,
    ContactRole: sync_rows.save_contact_roles,
    Merged: sync_merges.save_merged,
    FieldChange: sync_history.save_changes,
    FieldValues: sync_values.save_values,
}


def save_batch(conn: Connection, source: str, batch: Batch, now: Instant, *, interval: Instant | None = None) -> Saved:
    """Rows, what derivation must look at again, the cursor and, on a stream's last batch, its freshness.

    `interval`: how often a sweep runs, microseconds; None for increments, which run as often as the source is read.
    """
    if batch.mend:
        sync_rows.distrust(conn, source, batch.records)
    saved = save_records(conn, source, batch.records, now)
    _save_cursor(conn, source, batch.stream, batch.cursor)
    if batch.fresh_at is not None:
        status = "absent" if batch.absent else "ok"
        set_freshness(conn, source, batch.stream, status, None, fresh_at=batch.fresh_at, interval=interval)
    return saved


def save_records(conn: Connection, source: str, records: Sequence[Record], now: Instant) -> Saved:
    """Rows of any kinds, and what derivation must look at again."""
    by_kind: defaultdict[type, list[Any]] = defaultdict(list)
    for record in records:
        by_kind[type(record)].append(record)
    saved = Saved(len(records), 0, 0)
    for kind, some in by_kind.items():
        saved += _SAVERS[kind](conn, source, some, now)
    return saved


def load_cursors(conn: Connection, source: str) -> dict[str, str]:
    """Where each stream of a source stands."""
    rows = conn.execute(select(cursors.c.stream, cursors.c.cursor).where(cursors.c.source == source))
    return {row.stream: row.cursor for row in rows}


def save_trouble(conn: Connection, source: str, trouble: StreamTrouble, *, interval: Instant | None = None) -> None:
    """A stream could not be read: its freshness stays what it was, its status says why."""
    status = {"failed": "failed", "deferred": "deferred"}.get(trouble.kind, "partial")
    set_freshness(
        conn, source, trouble.stream, status, trouble.message, interval=interval, deferred_until=trouble.retry_at
    )


def set_freshness(
    conn: Connection,
    source: str,
    stream: str,
    status: str,
    detail: str | None,
    *,
    fresh_at: Instant | None = None,
    interval: Instant | None = None,
    deferred_until: Instant | None = None,
) -> None:
    """Stamp a stream; without `fresh_at` the old stamp stays."""
    row: dict[str, Any] = {"source": source, "stream": stream, "fresh_at": fresh_at, "status": status, "detail": detail}
    row |= {"interval_us": interval, "deferred_until": deferred_until}
    upsert(conn, freshness, [row], keep=() if fresh_at is not None else ("fresh_at",))


def _save_cursor(conn: Connection, source: str, stream: str, cursor: str) -> None:
    this = (cursors.c.source == source) & (cursors.c.stream == stream)
    if conn.execute(select(cursors.c.cursor).where(this)).scalar() != cursor:
        upsert(conn, cursors, [{"source": source, "stream": stream, "cursor": cursor}])
