"""How fast one portal is asked: one limiter for every thread, reader and writer that talk to it.

HubSpot counts per portal: calls in ten rolling seconds, searches in one second apart from them, and all calls of a day
until midnight in the portal's time zone (developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines). Other
apps use the same portal, so a refusal halves our pace, and quiet calls bring it back.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectors.http import Bucket, VendorError
from connectors.hubspot.settings import HubSpotSettings
from connectors.quota import Budget, Work
from store.records import Clock

_SLOWEST = 0.1
"""Of the configured pace; below that nothing would ever end."""
_RECOVERY, _PROBING, _NEAR = 0.01, 0.001, 0.9
"""Of the configured pace, per call that was not refused: quickly back to near the pace that was refused last, from there
on slowly, so that looking for room costs an error in 50 calls and not in 20 (HubSpot wants less than 5 %).
"""
_SCARCE = 0.1
"""When less than this share of the rolling window is left, others are about to be refused too."""


class Pace:
    """Calls per second that go down by half at a refusal and come back slowly. Threads share it."""

    def __init__(self, clock: Clock, most: float) -> None:
        # No bursts: the portal counts rolling seconds, and other apps share them.
        self._bucket = Bucket(clock, most, 1)
        self._most = self._refused_at = most
        self._lock = threading.Lock()

    @property
    def rate(self) -> float:
        """Calls per second, now."""
        return self._bucket.rate

    def take(self) -> None:
        """Wait for one's turn."""
        self._bucket.take()

    def slower(self) -> None:
        """A call was refused, or is about to be."""
        with self._lock:
            self._refused_at = self._bucket.rate
            self._bucket.rate = max(self._most * _SLOWEST, self._bucket.rate / 2)

    def faster(self) -> None:
        """A call was answered."""
        with self._lock:
            near = self._bucket.rate >= self._refused_at * _NEAR
            step = self._most * (_PROBING if near else _RECOVERY)
            self._bucket.rate = min(self._most, self._bucket.rate + step)
            self._refused_at = max(self._refused_at, self._bucket.rate)


@dataclass(frozen=True, slots=True)
class Usage:
    """How a portal's limits stand, for `tierd status` and messages."""

    calls_per_second: float
    searches_per_second: float
    made: int
    """Our calls since the process began."""
    refused: int
    """How many of them were answered with 429."""
    used_today: int | None
    """Everybody's calls of the portal's day; None where HubSpot does not say (OAuth)."""
    per_day: int | None


class PortalLimits:
    """The limiter of one portal. Thread-safe."""

    def __init__(self, clock: Clock, budget: Budget, *, calls_per_second: float, searches_per_second: float) -> None:
        self._calls, self._searches = Pace(clock, calls_per_second), Pace(clock, searches_per_second)
        self._lock = threading.Lock()
        self._made = self._refused = 0
        self._day: tuple[int, int] | None = None
        self.budget = budget
        self.zone: str | None = None
        """The portal's time zone, once it is known."""

    def check(self, work: Work | None) -> None:
        """VendorError `deferred` while the day's calls are used up, or where this kind of work has had its share; None:
        what a person has asked for, which is not stopped.
        """
        if work is not None:
            self.budget.check(work)

    def take(self, *, search: bool) -> None:
        """Wait for one's turn, and count a call."""
        (self._searches if search else self._calls).take()
        with self._lock:
            self._made += 1
        self.budget.count()

    def answered(self, headers: Mapping[str, str], *, search: bool) -> None:
        """A call was answered: read what the headers say of both windows. Searches carry those of the day only, answers
        to OAuth tokens those of the ten seconds only.
        """
        named = {key.casefold(): value for key, value in headers.items()}
        per_day, day_left = (_number(named, f"daily{end}") for end in ("", "-remaining"))
        if per_day and day_left is not None:
            self._day = (per_day - day_left, per_day)
            self.budget.note(*self._day)
        most, left = (_number(named, name) for name in ("max", "remaining"))
        if most and left is not None and left < most * _SCARCE:
            self._calls.slower()
        else:
            (self._searches if search else self._calls).faster()

    def refused(self, error: VendorError, *, search: bool) -> None:
        """A call was refused: slow down after 429, and stop where HubSpot says until when."""
        if error.status != 429:
            return
        with self._lock:
            self._refused += 1
        (self._searches if search else self._calls).slower()
        if error.kind == "deferred":
            self.budget.stopped(error)

    def usage(self) -> Usage:
        """How it stands."""
        used, allowed = self._day or (None, None)
        return Usage(self._calls.rate, self._searches.rate, self._made, self._refused, used, allowed)


class Limiters:
    """The limiters of one process, by portal: whoever talks to the same portal waits in the same queue."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], PortalLimits] = {}

    def of(self, settings: HubSpotSettings, portal: str, clock: Clock, spent: Callable[[], int]) -> PortalLimits:
        """The limiter of a portal; the first source that asks says how fast. `portal`: its id, or else the credentials
        that open it (kept as a hash only). `spent`: our calls of the last 24 hours.
        """
        key = (settings.base_url, hashlib.sha256(portal.encode()).hexdigest())
        with self._lock:
            if key not in self._known:
                self._known[key] = PortalLimits(
                    clock,
                    Budget(settings.quota, clock, spent),
                    calls_per_second=settings.calls_per_second,
                    searches_per_second=settings.searches_per_second,
                )
            return self._known[key]


def _number(named: Mapping[str, str], name: str) -> int | None:
    text = named.get(f"x-hubspot-ratelimit-{name}", "")
    return int(text) if text.isdigit() else None
