"""The scenario clock: time in the sandbox stands still until somebody moves it, and never runs backwards."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - only ever written out, with a suffix that names the zone

Listener = Callable[[int, int], None]
"""Called with (before, after) in UTC microseconds once the clock has moved."""


class ScenarioClock:
    """UTC microseconds since 1970. Thread safe; a limit, once set, cannot be passed until it is lifted."""

    def __init__(self, now: int) -> None:
        self._now = now
        self._limit: int | None = None
        self._listeners: list[Listener] = []
        self._lock = threading.RLock()

    def now(self) -> int:
        """UTC microseconds since 1970."""
        return self._now

    @property
    def limit(self) -> int | None:
        """The instant that the clock may not pass; None: it may go anywhere."""
        return self._limit

    def advance_to(self, t: int) -> int:
        """Move to `t`, cut to the limit; an instant in the past moves nothing. Returns the new now."""
        with self._lock:
            before = self._now
            after = t if self._limit is None else min(t, self._limit)
            if after <= before:
                return before
            self._now = after
            for listener in self._listeners:
                listener(before, after)
            return after

    def advance(self, by: int) -> int:
        """Move forward by so many microseconds."""
        return self.advance_to(self._now + by)

    def set_limit(self, limit: int | None) -> None:
        """Let the clock go no further than `limit`; None lifts it."""
        with self._lock:
            self._limit = limit

    def listen(self, listener: Listener) -> None:
        """Call `listener(before, after)` after each move, in the mover's thread."""
        with self._lock:
            self._listeners.append(listener)


async def real_pause(seconds: float) -> None:
    """Let real time pass: for scripted faults only, which imitate a slow network."""
    await asyncio.sleep(seconds)


def parse_instant(value: str | int) -> int:
    """Microseconds, or ISO 8601 text (no zone reads as UTC, a bare date as midnight) -> microseconds. ValueError if neither."""
    if isinstance(value, bool):
        raise ValueError("an instant is microseconds or ISO 8601 text")  # noqa: TRY004 - callers report one kind of error
    if isinstance(value, int):
        return value
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def iso_ms(at: int, suffix: str = "Z") -> str:
    """Microseconds -> `2026-03-02T06:00:00.000Z`, cut to the millisecond; Salesforce's suffix is `+0000`."""
    # isoformat() of a time without a zone is several times as fast as strftime(), and lists write three of these per row.
    return (_NAIVE_EPOCH + timedelta(microseconds=at)).isoformat(timespec="milliseconds") + suffix


def iso_day(day: int) -> str:
    """Days since 1970 -> `2026-03-02`."""
    return (_EPOCH + timedelta(days=day)).strftime("%Y-%m-%d")


def parse_day(text: str) -> int:
    """`2026-03-02` -> days since 1970. ValueError if it is no date."""
    return (datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) - _EPOCH).days
