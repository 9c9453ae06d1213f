"""The daemon finishes what it has in hand, survives a crashing task, and ends with the right code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from sqlalchemy.exc import OperationalError

from daemon.clock import SystemClock
from daemon.run import Crew, StopRequest, work
from daemon.schedule import At, Every, Schedule, Task
from daemon.workers import TaskLoop, Worker
from store.engine import Store
from store.records import DAY, HOUR, MINUTE, SECOND
from store.schedule import rows

START = 20_500 * DAY + 5 * HOUR


class StepClock(SystemClock):
    """Time that jumps over each wait: for one worker thread."""

    def __init__(self, now: int = START) -> None:
        self._now = now
        self.stop = threading.Event()

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return self._now / SECOND

    def wait(self, event: threading.Event, timeout: float | None) -> bool:
        if timeout is None:
            return event.wait(20)
        self._now += round(timeout * SECOND)
        return event.is_set()


def _run(schedule: Schedule, clock: StepClock, loop: TaskLoop, request: StopRequest) -> int:
    def body(stop: threading.Event) -> None:
        clock.stop = stop
        loop(stop)

    schedule.prepare(clock.now())
    return work(Crew([Worker("worker", clock, body, loop.wake)]), clock, request)


def _ask_to_stop(request: StopRequest, clock: StepClock) -> None:
    """The stop reaches the worker while its task is in hand."""
    request.make()
    assert clock.stop.wait(60)


def _stopping(request: StopRequest, clock: StepClock, runs: int, seen: list[int]) -> Callable[[int], None]:
    def run(as_of: int) -> None:
        seen.append(as_of)
        if len(seen) == runs:
            _ask_to_stop(request, clock)

    return run


@pytest.fixture
def request_stop() -> StopRequest:
    return StopRequest()


def test_tasks_run_at_their_instants_until_the_stop(sqlite_store: Store, request_stop: StopRequest) -> None:
    """A daily task stands for 06:00 of each day; the run in hand at the stop is completed."""
    clock, seen = StepClock(), list[int]()
    schedule = Schedule(sqlite_store, [Task("evaluate", At("06:00"), _stopping(request_stop, clock, 3, seen))])
    assert _run(schedule, clock, TaskLoop(schedule, ["evaluate"], clock), request_stop) == 0
    assert seen == [START + HOUR + day * DAY for day in range(3)]
    with sqlite_store.read() as connection:
        row = rows(connection)["evaluate"]
    assert row.next_due == START + HOUR + 3 * DAY
    assert row.last_completed is not None
    request_stop.close()


def test_crashing_task_is_noted_and_tried_again_when_next_due(sqlite_store: Store, request_stop: StopRequest) -> None:
    """One failure neither ends the worker nor is it forgotten before the task goes well."""
    clock, seen, troubles = StepClock(), list[int](), list[str | None]()

    def run(as_of: int) -> None:
        seen.append(as_of)
        if len(seen) == 1:
            raise RuntimeError("broken pipe")
        with sqlite_store.read() as connection:
            troubles.append(rows(connection)["sync:crm"].trouble)
        _ask_to_stop(request_stop, clock)

    schedule = Schedule(sqlite_store, [Task("sync:crm", Every(5 * MINUTE), run)])
    assert _run(schedule, clock, TaskLoop(schedule, ["sync:crm"], clock), request_stop) == 0
    assert seen == [START, START + 5 * MINUTE]
    assert troubles == ["RuntimeError: broken pipe"]
    with sqlite_store.read() as connection:
        assert rows(connection)["sync:crm"].trouble is None
    request_stop.close()


def test_task_stays_due_while_the_store_does_not_answer(sqlite_store: Store, request_stop: StopRequest) -> None:
    """A daily task that met a broken store is done half a minute later, not tomorrow, and for the same instant."""
    clock, seen, at = StepClock(), list[int](), list[int]()

    def run(as_of: int) -> None:
        seen.append(as_of)
        at.append(clock.now())
        if len(seen) == 1:
            raise OperationalError("SELECT 1", {}, ConnectionError("server closed the connection"))
        _ask_to_stop(request_stop, clock)

    schedule = Schedule(sqlite_store, [Task("evaluate", At("06:00"), run)])
    assert _run(schedule, clock, TaskLoop(schedule, ["evaluate"], clock), request_stop) == 0
    assert seen == [START + HOUR, START + HOUR]
    assert at == [START + HOUR, START + HOUR + 30 * SECOND]
    request_stop.close()


def test_evaluation_goes_on_without_a_sync_that_hangs(sqlite_store: Store, request_stop: StopRequest) -> None:
    """It waits for a sync that was due before it, but not for ever."""
    clock, seen, at = StepClock(), list[int](), list[int]()

    def run(as_of: int) -> None:
        seen.append(as_of)
        at.append(clock.now())
        _ask_to_stop(request_stop, clock)

    tasks = [Task("evaluate", At("06:00"), run), Task("sync:crm", Every(5 * MINUTE), lambda _: None)]
    schedule = Schedule(sqlite_store, tasks)
    loop = TaskLoop(schedule, ["evaluate"], clock, before=lambda due: schedule.waits_for(due.as_of, "sync:"))
    assert _run(schedule, clock, loop, request_stop) == 0
    assert seen == [START + HOUR]
    assert START + HOUR + 30 * MINUTE <= at[0] <= START + HOUR + 32 * MINUTE
    request_stop.close()


def test_evaluation_waits_for_the_syncs_after_an_outage(sqlite_store: Store, request_stop: StopRequest) -> None:
    """Hours late, it still lets the sync that is as late go first."""
    clock, order = StepClock(START + 5 * HOUR), list[str]()

    def evaluate(as_of: int) -> None:
        order.append(f"evaluate {(as_of - START) // HOUR}")
        _ask_to_stop(request_stop, clock)

    tasks = [Task("evaluate", At("06:00"), evaluate), Task("sync:crm", At("05:30"), lambda _: order.append("sync"))]
    schedule = Schedule(sqlite_store, tasks)
    schedule.prepare(START)  # and then nothing ran for five hours
    syncs = TaskLoop(schedule, ["sync:crm"], clock)

    def meanwhile() -> None:
        for due in schedule.due(clock.now(), ["sync:crm"]):
            syncs.run(due)

    loop = TaskLoop(
        schedule,
        ["evaluate"],
        clock,
        before=lambda due: schedule.waits_for(due.as_of, "sync:"),
        between=meanwhile,
    )
    assert _run(schedule, clock, loop, request_stop) == 0
    assert order == ["sync", "evaluate 1"]
    request_stop.close()


def test_failing_worker_ends_the_daemon_with_code_one(request_stop: StopRequest) -> None:
    """A worker that cannot go on brings everything down, so that a supervisor starts it anew."""
    clock = SystemClock()

    def fail(_stop: threading.Event) -> None:
        raise RuntimeError("no way on")

    def wait(stop: threading.Event) -> None:
        stop.wait(20)

    workers = [Worker("failing", clock, fail), Worker("fine", clock, wait)]
    assert work(Crew(workers), clock, request_stop) == 1
    assert [worker.alive() for worker in workers] == [False, False]
    request_stop.close()


_PROGRAM = """
import threading
from daemon.clock import SystemClock
from daemon.logs import set_up
from daemon.run import Crew, serve
from daemon.workers import Worker

set_up(SystemClock())

def body(stop):
    stop.wait()
    print("finishing", flush=True)

crew = Crew([Worker("w", SystemClock(), body)])
raise SystemExit(serve(crew, SystemClock(), lambda: print("ready", flush=True)))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_lets_the_work_finish_and_exits_zero(number: signal.Signals) -> None:
    """Both ways to ask a daemon to stop end it in order."""
    child = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    while "ready" not in child.stdout.readline():
        assert child.poll() is None
    os.kill(child.pid, number)
    output, log = child.communicate(timeout=20)
    assert (child.returncode, output) == (0, "finishing\n")
    assert [json.loads(line)["event"] for line in log.splitlines()] == ["running", "stopping", "stopped"]
