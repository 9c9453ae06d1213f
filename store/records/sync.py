"""What a sync brings: batches with the cursor that covers them, and trouble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from store.records.record import Record
from store.records.units import Instant


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one stream and the cursor that covers them: saved together, in one transaction."""

    stream: str
    records: tuple[Record, ...]
    cursor: str
    """JSON text; equal text = the cursor did not move."""
    fresh_at: Instant | None = None
    """Set on the last batch of a stream: the stream is complete up to this instant of our clock."""
    absent: bool = False
    """The source has no such rows and never will have: nothing is read, so nothing can become stale."""
    mend: bool = False
    """The rows kept are damaged, though their hashes say otherwise: write these in any case."""


@dataclass(frozen=True, slots=True)
class StreamTrouble:
    """One stream could not be (fully) read; the others go on."""

    stream: str
    kind: str
    """failed (permanent until something changes) | partial (some of it could be read) | retry (transient, retries used
    up) | deferred (quota)"""
    message: str
    """Says where, what and how to mend it; free of secrets."""
    retry_at: Instant | None = None


SyncEvent = Batch | StreamTrouble


@dataclass(frozen=True, slots=True)
class Toll:
    """What a connector's calls have cost so far."""

    calls: int
    throttled: int = 0
    """Answers that said: too many calls."""
    quota: tuple[int, int] | None = None
    """(used, allowed) calls of all apps in 24 hours, as the vendor's last answer said; None where it does not say."""
    faults: Mapping[str, int] = field(default_factory=dict)
    """What went wrong on the way and how often, whether or not another try made it good: status and code."""
