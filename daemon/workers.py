"""The named threads of the daemon: each works off its own tasks, finishes what it has in hand, and stops when asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from daemon.masking import without_private
from daemon.schedule import Due, Schedule
from store.records import MINUTE, SECOND, Clock, Instant

_log = structlog.get_logger(__name__)

_RETRY_SECONDS = 30.0  # the store itself did not answer
_HOLD_LOOK_SECONDS = 60.0
_HOLD_AT_MOST: Instant = 30 * MINUTE  # a hanging sync must not keep every alert back


class Stopped(Exception):
    """The daemon stops while a task has work left: the task stays due and the next start goes on with it."""


class Worker:
    """One thread. `body` runs until the stop event; a body that ends early with an error brings the daemon down."""

    def __init__(
        self, name: str, clock: Clock, body: Callable[[threading.Event], None], wake: threading.Event | None = None
    ) -> None:
        self.name = name
        self.wake = threading.Event() if wake is None else wake  # set to make the body look up from its wait
        self.failure: BaseException | None = None
        self._clock = clock
        self._body = body
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, stop: threading.Event, gate: threading.Event, fail: Callable[[], None]) -> None:
        """Start the thread and let it wait at the gate, so that all are there before the first one waits for time."""

        def run() -> None:
            structlog.contextvars.bind_contextvars(worker=self.name)
            self._clock.sleep(0)  # from now on this thread takes part in the clock
            self._ready.set()
            gate.wait()
            try:
                self._body(stop)
            except BaseException as error:  # noqa: BLE001 - whatever ends a worker ends the daemon, which a supervisor restarts
                _log.critical("worker failed", exc_info=error)
                self.failure = error
                fail()

        self._thread = threading.Thread(target=run, name=self.name)
        self._thread.start()
        self._ready.wait()

    def alive(self) -> bool:
        """Does the thread run."""
        return self._thread is not None and self._thread.is_alive()

    def join(self) -> None:
        """Wait until the thread has finished its work in hand."""
        if self._thread is not None:
            self._thread.join()


class TaskLoop:
    """The body of a worker that works off scheduled tasks, the longest overdue first.

    `before(due)` names what a task has to wait for (empty: nothing); `between()` is called once per round, for work
    that is handed over rather than scheduled; `troubled(task, trouble)` when a task has not done all it should;
    `after()` when a task is over, to wake who waits for it.
    """

    def __init__(
        self,
        schedule: Schedule,
        names: Sequence[str],
        clock: Clock,
        *,
        before: Callable[[Due], Sequence[str]] = lambda _due: (),
        between: Callable[[], None] = lambda: None,
        troubled: Callable[[str, str], None] = lambda _task, _trouble: None,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        self.wake = threading.Event()
        self._schedule = schedule
        self._names = tuple(names)
        self._clock = clock
        self._before = before
        self._between = between
        self._troubled = troubled
        self._after = after
        self._held: dict[tuple[str, Instant], Instant] = {}

    def __call__(self, stop: threading.Event) -> None:
        """Work until `stop` is set; the task in hand is finished first."""
        while True:
            self.wake.clear()
            if stop.is_set():
                return
            try:
                pause = self._round(stop)
            except SQLAlchemyError as error:
                _log.error("the store does not answer, trying again", error=str(error), seconds=_RETRY_SECONDS)
                pause = _RETRY_SECONDS
            if pause is None or pause > 0:
                self._clock.wait(self.wake, pause)

    def _round(self, stop: threading.Event) -> float | None:
        """Run what is due; how many seconds to wait afterwards, 0 = look again at once, None = nothing is scheduled."""
        ran = False
        for due in self._schedule.due(self._clock.now(), self._names):
            if stop.is_set():
                return 0
            waits_for = self._before(due)
            now = self._clock.now()
            # Counted from the first look: after an outage everything is long overdue, the syncs too.
            if waits_for and now - self._held.setdefault((due.task.name, due.due), now) < _HOLD_AT_MOST:
                self._between()
                return _HOLD_LOOK_SECONDS
            if waits_for:
                _log.warning("not waiting any longer", task=due.task.name, waits_for=list(waits_for))
            self._held.pop((due.task.name, due.due), None)
            self.run(due)
            ran = True
        self._between()
        if ran:
            return 0
        following = self._schedule.next(self._clock.now(), self._names)
        return None if following is None else max(0.0, (following - self._clock.now()) / SECOND)

    def run(self, due: Due) -> None:
        """Run one task and note how it ended; a crash is logged, noted, and tried again at the next due instant.

        Where the store itself did not answer, the task stays due: a daily evaluation must not wait for tomorrow.
        """
        self._schedule.started(due, self._clock.now())
        try:
            trouble = due.task.run(due.as_of)
        except Stopped:
            _log.info("stopped before the end", task=due.task.name)
            return
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - one task's crash must not end the others
            _log.error("task failed", task=due.task.name, exc_info=error)
            trouble = without_private(f"{type(error).__name__}: {error}")
        if trouble:
            self._troubled(due.task.name, trouble)
        self._schedule.ended(due, self._clock.now(), trouble)
        self._after()
