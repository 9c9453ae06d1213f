"""Run the daemon in the foreground until a signal asks it to stop; the work in hand is finished first."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from daemon.workers import Worker
from store.records import Clock

_log = structlog.get_logger(__name__)
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Service(Protocol):
    """Something beside the workers that is started before them and stopped after them (the health server)."""

    def start(self) -> None:
        """Serve from now on."""
        ...

    def stop(self) -> None:
        """Serve no longer; returns when it is over."""
        ...


class StopRequest:
    """A request to stop that a signal handler, a failing thread or a test may make, at any time.

    A pipe rather than an event: setting an event inside a signal handler can block for ever on the event's own lock.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def make(self) -> None:
        """Ask for the stop; asking twice is as good as once."""
        with contextlib.suppress(BlockingIOError, OSError):
            os.write(self._write, b"x")

    def wait(self, seconds: float | None = None) -> bool:
        """Return when a stop was asked for, or after so many seconds; whether it was.

        The main thread waits here in real time and takes no part in the clock.
        """
        return bool(select.select([self._read], [], [], seconds)[0])

    def close(self) -> None:
        """Give the pipe back."""
        os.close(self._read)
        os.close(self._write)

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT ask for the stop inside the block; a second one ends the process at once."""
        before = {number: signal.getsignal(number) for number in _SIGNALS}

        def handle(number: int, _frame: object) -> None:
            self.make()
            signal.signal(number, signal.SIG_DFL)

        for number in _SIGNALS:
            signal.signal(number, handle)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@dataclass(frozen=True)
class Crew:
    """Who works: the workers, the services beside them, and the event that tells them all to stop."""

    workers: Sequence[Worker]
    services: Sequence[Service] = ()
    stop: threading.Event = field(default_factory=threading.Event)


def serve(crew: Crew, clock: Clock, ready: Callable[[], None] = lambda: None) -> int:
    """Run until SIGTERM or SIGINT; the exit code: 0 after a stop that was asked for, 1 when a worker failed.

    `ready` is called once all are at work.
    """
    request = StopRequest()
    try:
        with request.on_signals():
            return work(crew, clock, request, ready)
    finally:
        request.close()


def work(crew: Crew, clock: Clock, request: StopRequest, ready: Callable[[], None] = lambda: None) -> int:
    """Start everything, wait for the request, stop everything in the opposite order."""
    workers, stop, gate = crew.workers, crew.stop, threading.Event()
    begun = clock.now()
    started: list[Worker] = []
    with contextlib.ExitStack() as stack:
        for service in crew.services:
            service.start()
            stack.callback(service.stop)
        try:
            for worker in workers:
                worker.start(stop, gate, request.make)
                started.append(worker)
            gate.set()
            ready()
            _log.info("running", workers=[worker.name for worker in workers])
            request.wait()
        finally:
            stop.set()  # before it is logged: who reads "stopping" may rely on it
            gate.set()
            _log.info("stopping", seconds=(clock.now() - begun) // 1_000_000)
            for worker in started:
                worker.wake.set()
            for worker in started:
                worker.join()
    failed = [worker.name for worker in started if worker.failure is not None]
    _log.info("stopped", failed=failed)
    return 1 if failed else 0
