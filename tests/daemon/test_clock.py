"""Waiting ends when it should: by event, by time, and on the scenario clock when everybody waits."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from daemon.clock import SystemClock
from daemon.demo.clock import RemoteScenarioClock, ScenarioClockLost
from store.records import HOUR, SECOND

START = 1_772_000_000 * SECOND


class _Control(BaseHTTPRequestHandler):
    """The control server's /clock: moves on request, never past the limit."""

    protocol_version = "HTTP/1.1"
    now = START
    limit: int | None = None
    asked: ClassVar[list[int]] = []

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        kind = type(self)
        to = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["to"]
        kind.asked.append(to)
        kind.now = max(kind.now, to if kind.limit is None else min(to, kind.limit))
        self._answer()

    def _answer(self) -> None:
        body = json.dumps({"now": self.now, "limit": self.limit}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests print nothing."""


@pytest.fixture
def control() -> Iterator[tuple[type[_Control], str]]:
    kind = type("Control", (_Control,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield kind, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_system_clock_waits_for_an_event_or_for_time() -> None:
    """An event that is set ends the wait at once and says so; time that passes says no."""
    clock, event = SystemClock(), threading.Event()
    before = clock.monotonic()
    assert clock.wait(event, 0.02) is False
    assert clock.monotonic() - before >= 0.02
    event.set()
    assert clock.wait(event, 3600) is True
    assert clock.wait(event, None) is True


def test_system_clock_ends_a_wait_that_the_wall_clock_has_jumped_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a suspend the wall clock is hours ahead: an hour's wait ends at the next slice."""
    monkeypatch.setattr("daemon.clock._SLICE_SECONDS", 0.01)
    clock = SystemClock()
    real = clock.now()
    walls = iter([real, *([real + 2 * HOUR] * 9)])
    monkeypatch.setattr(clock, "now", lambda: next(walls))
    before = clock.monotonic()
    assert clock.wait(threading.Event(), 3600) is False
    assert clock.monotonic() - before < 60


def test_time_jumps_to_the_wake_up_of_a_lone_thread(control: tuple[type[_Control], str]) -> None:
    """A day's sleep takes one request."""
    kind, url = control
    clock = RemoteScenarioClock(url)
    clock.sleep(86_400)
    assert clock.now() == START + 24 * HOUR
    assert kind.asked == [START + 24 * HOUR]
    clock.close()


def test_threads_wake_in_the_order_of_their_instants(control: tuple[type[_Control], str]) -> None:
    """Two sleepers share one time line: nobody is woken early, nobody is skipped."""
    _, url = control
    clock = RemoteScenarioClock(url)
    woken: list[tuple[str, int]] = []
    ready = threading.Barrier(2)

    def sleeper(name: str, step: float, times: int) -> None:
        with clock.working():
            ready.wait(20)
            for _ in range(times):
                clock.sleep(step)
                woken.append((name, (clock.now() - START) // SECOND))

    threads = [threading.Thread(target=sleeper, args=args) for args in (("a", 2, 3), ("b", 3, 2))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(woken, key=lambda entry: (entry[1], entry[0])) == [("a", 2), ("b", 3), ("a", 4), ("a", 6), ("b", 6)]
    assert [at for _, at in woken] == sorted(at for _, at in woken)
    clock.close()


def test_time_stands_still_while_a_thread_works(control: tuple[type[_Control], str]) -> None:
    """A sleeper is not woken before the worker beside it waits too."""
    _, url = control
    clock = RemoteScenarioClock(url)
    entered, finish = threading.Event(), threading.Event()

    def work() -> None:
        with clock.working():
            entered.set()
            finish.wait(20)

    worker = threading.Thread(target=work)
    worker.start()
    entered.wait(20)
    sleeper = threading.Thread(target=clock.sleep, args=(60,))
    sleeper.start()
    sleeper.join(0.1)
    assert sleeper.is_alive()
    assert clock.now() == START
    finish.set()
    sleeper.join(20)
    assert clock.now() == START + 60 * SECOND
    worker.join()
    clock.close()


def test_event_wakes_a_thread_without_moving_time(control: tuple[type[_Control], str]) -> None:
    """What another thread signals is worked on before anybody's next instant."""
    kind, url = control
    clock = RemoteScenarioClock(url)
    signal, seen = threading.Event(), threading.Event()

    def worker() -> None:
        if clock.wait(signal, 3600):
            seen.set()

    with clock.working():
        thread = threading.Thread(target=worker)
        thread.start()
        signal.set()
        assert clock.wait(seen, 7200) is True
        thread.join(20)
    assert kind.asked == []
    clock.close()


def test_limit_stops_time_until_it_is_raised(control: tuple[type[_Control], str]) -> None:
    """At the limit the process stands by; once the limit is raised the wait goes on to its end."""
    kind, url = control
    kind.limit = START + 10 * SECOND
    clock = RemoteScenarioClock(url)
    sleeper = threading.Thread(target=clock.sleep, args=(60,))
    sleeper.start()
    patience = 200
    while patience and clock.now() < START + 10 * SECOND:
        patience -= 1
        sleeper.join(0.1)
    sleeper.join(0.1)
    assert sleeper.is_alive()
    assert clock.now() == START + 10 * SECOND
    kind.limit = None
    sleeper.join(20)
    assert not sleeper.is_alive()
    assert clock.now() == START + 60 * SECOND
    clock.close()


def test_lost_control_server_is_named() -> None:
    """Without a control server there is no time, and the message says what to start."""
    with pytest.raises(ScenarioClockLost, match="start the sandbox again"):
        RemoteScenarioClock("http://127.0.0.1:9")
