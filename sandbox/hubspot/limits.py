"""HubSpot's rate buckets on the scenario clock: ten seconds for most calls, one second for search, a day for all."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sandbox.clock import SECOND
from sandbox.hubspot import errors
from sandbox.hubspot.switches import Switches

_TEN_SECONDS = 10 * SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_of(now: int, zone: str) -> int:
    """Days since 1970 in the portal's time zone: the daily quota starts anew at its midnight."""
    local = (_EPOCH + timedelta(microseconds=now)).astimezone(ZoneInfo(zone))
    return (local.date() - _EPOCH.date()).days


class Buckets:
    """What a portal has used. Refused calls use nothing."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._general: deque[int] = deque()
        self._searches: deque[int] = deque()
        self._day = -1
        self._day_used = 0

    def take(self, now: int, search: bool) -> None:
        """Count one call. Raises the vendor's 429 when a bucket is full."""
        self._roll(now)
        if self._switches.limits:
            if self._day_used >= self._switches.per_day:
                raise errors.policy_limit("DAILY")
            if search and len(self._searches) >= self._switches.searches_per_second:
                raise errors.secondly_limit()
            if not search and len(self._general) >= self._switches.per_ten_seconds:
                raise errors.policy_limit("TEN_SECONDLY_ROLLING")
        self._day_used += 1
        (self._searches if search else self._general).append(now)

    def headers(self, now: int, search: bool, oauth: bool) -> dict[str, str]:
        """Rate headers: search answers carry the daily ones only, answers to OAuth tokens never carry those."""
        self._roll(now)
        headers: dict[str, str] = {}
        if not oauth:
            headers["X-HubSpot-RateLimit-Daily"] = str(self._switches.per_day)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(max(0, self._switches.per_day - self._day_used))
        if not search:
            most = self._switches.per_ten_seconds
            secondly = most // 10
            recent = sum(1 for t in self._general if t > now - SECOND)
            headers["X-HubSpot-RateLimit-Interval-Milliseconds"] = "10000"
            headers["X-HubSpot-RateLimit-Max"] = str(most)
            headers["X-HubSpot-RateLimit-Remaining"] = str(max(0, most - len(self._general)))
            headers["X-HubSpot-RateLimit-Secondly"] = str(secondly)
            headers["X-HubSpot-RateLimit-Secondly-Remaining"] = str(max(0, secondly - recent))
        return headers

    @property
    def day_used(self) -> int:
        """Calls that counted since the portal's midnight."""
        return self._day_used

    def _roll(self, now: int) -> None:
        day = day_of(now, self._switches.time_zone)
        if day != self._day:
            self._day, self._day_used = day, 0
        for bucket, span in ((self._general, _TEN_SECONDS), (self._searches, SECOND)):
            while bucket and bucket[0] <= now - span:
                bucket.popleft()
