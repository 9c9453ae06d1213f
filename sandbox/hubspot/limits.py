"""HubSpot's rate buckets on the scenario clock: ten seconds for most calls, one second for search, a day for all."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Ask:
    """What a call is, for the buckets: a search or not, by an OAuth app or by one of the portal's own tokens."""

    search: bool
    oauth: bool


class Buckets:
    """What a portal has used. Refused calls use nothing.

    Searches have one bucket for the whole portal; other calls one for the OAuth app and one for the portal's own tokens.
    A share of each (not of the day) may be used up by somebody else all the time.
    """

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._general: dict[bool, deque[int]] = {False: deque(), True: deque()}
        self._searches: deque[int] = deque()
        self._day = -1
        self._day_used = 0

    def take(self, now: int, ask: Ask) -> None:
        """Count one call. Raises the vendor's 429 when a bucket is full."""
        self._roll(now)
        if self._switches.limits:
            if self._day_used >= self._switches.per_day:
                raise errors.policy_limit("DAILY")
            if self._used(ask) >= self._most(ask):
                raise errors.secondly_limit() if ask.search else errors.policy_limit("TEN_SECONDLY_ROLLING")
        self._day_used += 1
        self._bucket(ask).append(now)

    def headers(self, now: int, ask: Ask) -> dict[str, str]:
        """Rate headers: search answers carry the daily ones only, answers to OAuth tokens never carry those."""
        self._roll(now)
        headers: dict[str, str] = {}
        if not ask.oauth:
            headers["X-HubSpot-RateLimit-Daily"] = str(self._switches.per_day)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(max(0, self._switches.per_day - self._day_used))
        if not ask.search:
            most = self._most(ask)
            secondly = most // 10
            recent = sum(1 for t in self._bucket(ask) if t > now - SECOND) + self._stolen(secondly)
            headers["X-HubSpot-RateLimit-Interval-Milliseconds"] = "10000"
            headers["X-HubSpot-RateLimit-Max"] = str(most)
            headers["X-HubSpot-RateLimit-Remaining"] = str(max(0, most - self._used(ask)))
            headers["X-HubSpot-RateLimit-Secondly"] = str(secondly)
            headers["X-HubSpot-RateLimit-Secondly-Remaining"] = str(max(0, secondly - recent))
        return headers

    @property
    def day_used(self) -> int:
        """Calls that counted since the portal's midnight."""
        return self._day_used

    def use_day(self, calls: int) -> None:
        """Count calls that somebody else made today."""
        self._day_used += calls

    def _bucket(self, ask: Ask) -> deque[int]:
        return self._searches if ask.search else self._general[ask.oauth]

    def _most(self, ask: Ask) -> int:
        if ask.search:
            return self._switches.searches_per_second
        return self._switches.per_ten_seconds_oauth if ask.oauth else self._switches.per_ten_seconds

    def _used(self, ask: Ask) -> int:
        return len(self._bucket(ask)) + self._stolen(self._most(ask))

    def _stolen(self, most: int) -> int:
        return int(most * self._switches.stolen)

    def _roll(self, now: int) -> None:
        day = day_of(now, self._switches.time_zone)
        if day != self._day:
            self._day, self._day_used = day, 0
        for bucket in self._general.values():
            _forget(bucket, now - _TEN_SECONDS)
        _forget(self._searches, now - SECOND)


def _forget(bucket: deque[int], until: int) -> None:
    while bucket and bucket[0] <= until:
        bucket.popleft()
