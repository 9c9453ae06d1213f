"""The allowance of API calls: how many were made in 24 hours, and when there is none left."""

from __future__ import annotations

from collections import deque

from sandbox.clock import DAY, ScenarioClock
from sandbox.salesforce.errors import over_limit, too_many_at_once


class Usage:
    """API calls of the last 24 hours, by the scenario's clock."""

    def __init__(self, clock: ScenarioClock, limit: int) -> None:
        self.limit = limit
        self.crowded = 0
        """So many requests are yet to be refused because too many long ones run."""
        self.crowd = "ConcurrentRequests (Concurrent API Requests)"
        """What their refusal names; `ConcurrentPerOrgLongTxn` was seen as well."""
        self._clock = clock
        self._calls: deque[tuple[int, int]] = deque()
        self._used = 0

    @property
    def used(self) -> int:
        """Calls in the window that ends now."""
        oldest = self._clock.now() - DAY
        while self._calls and self._calls[0][0] <= oldest:
            self._used -= self._calls.popleft()[1]
        return self._used

    def take(self) -> None:
        """Count one call. REQUEST_LIMIT_EXCEEDED when none is left, or while too many are under way."""
        if self.crowded:
            self.crowded -= 1
            raise too_many_at_once(self.crowd)
        if self.used >= self.limit:
            raise over_limit()
        self.add(1)

    def add(self, calls: int) -> None:
        """Count calls without asking whether there are any left."""
        now = self._clock.now()
        if self._calls and self._calls[-1][0] == now:
            self._calls[-1] = (now, self._calls[-1][1] + calls)
        else:
            self._calls.append((now, calls))
        self._used += calls

    def put(self, used: int, limit: int | None = None) -> None:
        """Set what other clients and we have used in the last 24 hours, and the allowance; it all lapses in 24 hours."""
        self._calls.clear()
        self._used = 0
        self.limit = self.limit if limit is None else limit
        self.add(used)
