"""Token buckets on the scenario clock: one message a second per channel, the method tiers, a workspace ceiling."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from sandbox.slack.errors import RateLimited
from sandbox.slack.model import Limits

SECOND = 1_000_000


@dataclass(slots=True)
class Bucket:
    """Holds at most `size` tokens and gains `rate` of them per second."""

    size: float
    rate: float
    tokens: float
    at: int

    def take(self, now: int) -> int:
        """0 when a token was taken, else the whole seconds until there is one."""
        self.tokens = min(self.size, self.tokens + (now - self.at) / SECOND * self.rate)
        self.at = now
        if self.tokens >= 1 - 1e-9:
            self.tokens -= 1
            return 0
        return max(1, math.ceil((1 - self.tokens) / self.rate - 1e-9))


@dataclass(slots=True)
class Throttle:
    """The buckets of one workspace."""

    limits: Limits
    buckets: dict[str, Bucket] = field(default_factory=dict)

    def _take(self, name: str, size: float, rate: float, now: int) -> int:
        bucket = self.buckets.get(name)
        if bucket is None:
            bucket = self.buckets[name] = Bucket(size, rate, size, now)
        return bucket.take(now)

    def post(self, channel: str, now: int, how: str) -> None:
        """A message to a channel. Raises RateLimited."""
        if not self.limits.enforced:
            return
        wait = self._take(f"post:{channel}", self.limits.post_burst, self.limits.post_per_second, now)
        ceiling = self.limits.workspace_per_minute
        if wait == 0 and ceiling:
            wait = self._take("workspace", ceiling, ceiling / 60, now)
        if wait:
            raise RateLimited(wait, how)

    def call(self, method: str, tier: str, now: int, how: str) -> None:
        """Any method call, counted per method. Raises RateLimited; tiers that are not numbers are not limited."""
        if not self.limits.enforced:
            return
        per_minute = self.limits.per_minute.get(tier) if self.limits.tiers else None
        if self.limits.history_restricted and method in ("conversations.history", "conversations.replies"):
            per_minute = 1
        if per_minute is None:
            return
        wait = self._take(f"call:{method}", per_minute, per_minute / 60, now)
        if wait:
            raise RateLimited(wait, how)
