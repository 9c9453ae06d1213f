"""How much of a vendor's daily calls are ours, and who stops first when they run short.

One shape for both CRMs: `share` caps our own calls of 24 hours, `reserve` is what a backfill leaves to the others, and
`stop` is where increments stop too. A stop is a deferral with an hour to come back, never a success.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from connectors.http import Finding, VendorError
from store.records import SECOND, Clock, Instant

Work = Literal["increment", "backfill"]
LOOK_AGAIN = 3_600.0
"""Seconds: a rolling day frees some calls every hour."""


def _percent(value: object) -> object:
    if isinstance(value, str):
        number = value.strip().removesuffix("%")
        if value.strip() == number:
            raise ValueError(f"{value!r} is no share: write for example 20%")
        try:
            return float(number) / 100
        except ValueError:
            raise ValueError(f"{value!r} is no share: write for example 20%") from None
    return value


Share = Annotated[float, BeforeValidator(_percent), Field(ge=0, le=1)]
"""`20%` or 0.2."""


class Quota(BaseModel):
    """Manners towards the other apps of a CRM."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: Share = 0.2
    """Of the calls that the vendor allows in 24 hours: so much may be ours."""
    reserve: Share = 0.2
    """A first sync pauses when less than this is left for everybody."""
    stop: Share = 0.05
    """Everything pauses when less than this is left for everybody."""


class Budget:
    """What may still be called on one source; threads share it. `spent` gives our calls of the last 24 hours before
    this run, as the run records count them.
    """

    def __init__(self, quota: Quota, clock: Clock, spent: Callable[[], int] = lambda: 0) -> None:
        self._quota, self._clock, self._spent = quota, clock, spent
        self._lock = threading.Lock()
        self._before: int | None = None
        self._made = 0
        self._used = self._allowed = 0
        self._noted_at: Instant | None = None
        self._stop: tuple[VendorError, Instant] | None = None

    def begin(self) -> None:
        """A run begins: what earlier ones made is read from the records."""
        before = self._spent()
        with self._lock:
            self._before, self._made = before, 0

    def count(self, calls: int = 1) -> None:
        """Calls were made."""
        with self._lock:
            self._made += calls

    def note(self, used: int, allowed: int) -> None:
        """Everybody's calls of 24 hours, as the vendor's last answer told them."""
        with self._lock:
            self._used, self._allowed, self._noted_at = used, allowed, self._clock.now()

    def stopped(self, error: VendorError) -> None:
        """The vendor refuses for its quota: nothing more is asked before `retry_after`."""
        with self._lock:
            pause = error.retry_after or LOOK_AGAIN
            self._stop = (error, self._clock.now() + int(pause * SECOND))

    @property
    def ours(self) -> int:
        """Our calls in 24 hours."""
        return (self._before or 0) + self._made

    def report(self) -> Finding | None:
        """How much of the quota is used, for people; None where the vendor has not told it."""
        if not self._allowed:
            return None
        quota, may = self._quota, round(self._allowed * self._quota.share)
        what = (
            f"{self.ours:,} API calls by tierd in 24 hours, of the {may:,} that it may make ({quota.share:.0%} of "
            f"{self._allowed:,}); {self._used:,} by all apps together"
        )
        free = 1 - self._used / self._allowed
        if self.ours >= may or free <= quota.stop:
            return Finding("error", what, "reading waits: raise quota.share, or find the app that uses the calls up")
        if free <= quota.reserve:
            return Finding("warning", what, f"a first sync waits until {quota.reserve:.0%} of the calls are free again")
        return Finding("ok", what)

    def check(self, work: Work = "increment") -> None:
        """VendorError `deferred` where no call should be made for this work now."""
        if self._before is None:
            self.begin()
        with self._lock:
            now = self._clock.now()
            if self._stop is not None:
                error, until = self._stop
                if now < until:
                    left = (until - now) / SECOND
                    raise VendorError("deferred", str(error), status=error.status, code=error.code, retry_after=left)
                self._stop = None
            # A reading of an hour ago says nothing: one call is made to learn the next one.
            if self._noted_at is None or now - self._noted_at >= LOOK_AGAIN * SECOND:
                return
            why = self._reason(work)
            if why is not None:
                left = LOOK_AGAIN - (now - self._noted_at) / SECOND
                raise VendorError("deferred", why, code="QUOTA", retry_after=left)

    def _reason(self, work: Work) -> str | None:
        quota, used, allowed = self._quota, self._used, self._allowed
        if not allowed:
            return None
        if self.ours >= allowed * quota.share:
            return (
                f"tierd has made {self.ours:,} calls in 24 hours, its share ({quota.share:.0%}) of {allowed:,}: "
                "raise quota.share, or read less often"
            )
        left = quota.reserve if work == "backfill" else quota.stop
        if used >= allowed * (1 - left):
            what = "the first sync waits" if work == "backfill" else "reading waits"
            all_apps = f"{used:,} of {allowed:,} daily calls are used by all apps together"
            return f"{all_apps}: {what} until {left:.0%} of them are free again"
        return None
