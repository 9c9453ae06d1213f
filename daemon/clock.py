"""The system clock: the only place of the product that reads the time or waits."""

from __future__ import annotations

import threading
import time

from store.records import SECOND, Instant

# Waits are cut into slices and compared with the wall clock after each: the monotonic clock stands still while a
# laptop or a virtual machine is suspended, and what became due meanwhile must not wait for the rest of the slice.
_SLICE_SECONDS = 30.0


class SystemClock:
    """Real time. `tierd run` and every other command use this one."""

    def now(self) -> Instant:
        """The wall clock, UTC microseconds."""
        return time.time_ns() // 1_000  # noqa: TID251 - the one clock

    def monotonic(self) -> float:
        """Seconds that never go backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`, less where the wall clock has jumped over them."""
        self.wait(threading.Event(), seconds)

    def wait(self, event: threading.Event, timeout: float | None) -> bool:
        """Wait until `event` is set or `timeout` seconds have passed, by the wall clock or the monotonic one."""
        if timeout is None:
            return event.wait()
        ends = time.monotonic() + timeout
        wall_ends = self.now() + round(timeout * SECOND)
        while True:
            left = ends - time.monotonic()
            if event.wait(max(0.0, min(left, _SLICE_SECONDS))):
                return True
            if time.monotonic() >= ends or self.now() >= wall_ends:
                return False
