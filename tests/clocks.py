"""A clock for tests: it stands on the sandbox's scenario clock, and sleeping moves it."""

from __future__ import annotations

import threading

from sandbox.clock import SECOND, ScenarioClock


class StepClock:
    """The product's Clock over a scenario clock that only sleepers move."""

    def __init__(self, scenario: ScenarioClock) -> None:
        self._scenario = scenario
        self.slept: list[float] = []

    def now(self) -> int:
        """UTC microseconds."""
        return self._scenario.now()

    def monotonic(self) -> float:
        """Seconds."""
        return self._scenario.now() / SECOND

    def sleep(self, seconds: float) -> None:
        """Move the clock."""
        self.slept.append(seconds)
        self._scenario.advance(round(seconds * SECOND))

    def wait(self, event: threading.Event, timeout: float | None) -> bool:
        """An event that is not set yet will not be: time passes."""
        if not event.is_set() and timeout is not None:
            self.sleep(timeout)
        return event.is_set()
