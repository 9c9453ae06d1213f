"""The one clock."""

from __future__ import annotations

import threading
from typing import Protocol

from store.records.units import Instant


class Clock(Protocol):
    """The one clock, built in `daemon/wiring.py` and handed down; nobody else reads time or sleeps.

    A thread that waits for anything waits through the clock: on the demo's scenario clock time jumps when all wait.
    """

    def now(self) -> Instant:
        """The wall clock, UTC microseconds."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`."""
        ...

    def wait(self, event: threading.Event, timeout: float | None) -> bool:
        """Wait until `event` is set or `timeout` seconds have passed; True = it is set."""
        ...
