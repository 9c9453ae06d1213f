"""How much comes in: calls per second, and calls at once."""

from __future__ import annotations

import math
import threading

from store.records import Clock


class Rate:
    """A token bucket that refuses instead of waiting. Threads share it."""

    def __init__(self, clock: Clock, per_second: float, burst: int) -> None:
        self._clock, self._per_second, self._burst = clock, per_second, burst
        self._level, self._at = float(burst), clock.monotonic()
        self._lock = threading.Lock()

    def wait(self) -> int:
        """0 = go ahead; else in how many seconds there is room again."""
        with self._lock:
            now = self._clock.monotonic()
            self._level = min(self._burst, self._level + (now - self._at) * self._per_second)
            self._at = now
            if self._level >= 1:
                self._level -= 1
                return 0
            return max(1, math.ceil((1 - self._level) / self._per_second))


class Room:
    """A bound on calls that are worked on at once; nobody queues for it."""

    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places)

    def enter(self) -> bool:
        """True = there was a place; give it back with `leave`."""
        return self._places.acquire(blocking=False)

    def leave(self) -> None:
        """Give the place back."""
        self._places.release()
