"""The scenario clock as the demo's child process sees it: when every thread waits, time jumps to the earliest wake-up."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from store.records import SECOND, Instant

_POLL_SECONDS = 0.01  # real time: how soon a waiting thread sees an event that nobody announced, or a raised limit
_TIMEOUT_SECONDS = 30.0


class ScenarioClockLost(Exception):
    """The control server does not answer: start the sandbox again, then this process."""


@dataclass(frozen=True)
class _Waiter:
    wake_at: Instant | None
    event: threading.Event | None

    def due(self, now: Instant) -> bool:
        return (self.wake_at is not None and now >= self.wake_at) or (self.event is not None and self.event.is_set())


class RemoteScenarioClock:
    """A Clock whose time is kept by the sandbox's control server and moved by this process.

    A thread takes part from its first wait, or inside `working()`, until it ends. While one of them works, time stands
    still. Once all wait and none has been woken, the clock asks the server for the earliest wake-up; where the server
    has set a limit, time stops there until the limit is raised.
    """

    def __init__(self, control_url: str) -> None:
        parts = urlsplit(control_url)
        assert parts.hostname is not None
        self._address = (parts.hostname, parts.port or 80)
        self._path = f"{parts.path.rstrip('/')}/clock"
        self._connection: http.client.HTTPConnection | None = None
        self._changed = threading.Condition()
        self._threads: set[threading.Thread] = set()
        self._waiting: dict[threading.Thread, _Waiter] = {}
        self._now: Instant = self._ask("GET", None)

    def now(self) -> Instant:
        """Scenario time, UTC microseconds."""
        return self._now

    def monotonic(self) -> float:
        """Scenario time in seconds: it never goes backwards either."""
        return self._now / SECOND

    def sleep(self, seconds: float) -> None:
        """Wait `seconds` of scenario time."""
        self._wait(None, seconds)

    def wait(self, event: threading.Event, timeout: float | None) -> bool:
        """Wait until `event` is set or `timeout` seconds of scenario time have passed."""
        return self._wait(event, timeout)

    @contextmanager
    def working(self) -> Iterator[None]:
        """This thread takes part: time does not move while it works inside the block."""
        thread = threading.current_thread()
        with self._changed:
            self._threads.add(thread)
        try:
            yield
        finally:
            with self._changed:
                self._threads.discard(thread)
                self._changed.notify_all()

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()

    def _wait(self, event: threading.Event | None, timeout: float | None) -> bool:
        thread = threading.current_thread()
        with self._changed:
            wake_at = None if timeout is None else self._now + max(0, round(timeout * SECOND))
            waiter = self._waiting[thread] = _Waiter(wake_at, event)
            self._threads.add(thread)
            self._changed.notify_all()  # a thread that has set an event usually comes here next
            try:
                while not waiter.due(self._now):
                    if not self._all_wait() or not self._advance():
                        self._changed.wait(_POLL_SECONDS)
            finally:
                del self._waiting[thread]
        return event is not None and event.is_set()

    def _all_wait(self) -> bool:
        """Does every thread that takes part wait, and has none been woken that has not run yet."""
        self._threads = {thread for thread in self._threads if thread.is_alive()}
        if any(thread not in self._waiting for thread in self._threads):
            return False
        return not any(waiter.due(self._now) for waiter in self._waiting.values())

    def _advance(self) -> bool:
        """Move to the earliest wake-up; False = nobody waits for an instant, or the limit is in the way."""
        wakes = [waiter.wake_at for waiter in self._waiting.values() if waiter.wake_at is not None]
        if not wakes:
            return False
        before, self._now = self._now, self._ask("POST", {"to": min(wakes)})
        self._changed.notify_all()
        return self._now > before

    def _ask(self, method: str, body: dict[str, Instant] | None) -> Instant:
        """One request to the control server -> its now. A connection it has closed meanwhile is opened again, once."""
        text = None if body is None else json.dumps(body)
        for last in (False, True):
            if self._connection is None:
                self._connection = http.client.HTTPConnection(*self._address, timeout=_TIMEOUT_SECONDS)
            try:
                self._connection.request(method, self._path, text, {"Content-Type": "application/json"})
                response = self._connection.getresponse()
                content = response.read()
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                self._connection = None
                if last:
                    raise ScenarioClockLost(f"{ScenarioClockLost.__doc__} ({error})") from error
                continue
            if response.status != http.client.OK:
                raise ScenarioClockLost(f"the control server refused: {response.status} {content[:200]!r}")
            return int(json.loads(content)["now"])
        raise AssertionError("the loop returns or raises")
