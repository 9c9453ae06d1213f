"""Let the scenario days pass: the sandbox's clock is freed day by day, and the daemon is killed once while it sends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import select

from daemon.demo import setup
from store.engine import Store
from store.records import DAY, HOUR, Instant
from store.tables import deliveries, evaluations, schedule

_DAY_ENDS = 22 * HOUR  # after the day's evaluation, before the next day's first sync
# Slack takes the next message at once and answers slowly: long enough for the daemon to be killed in between.
_SLOW_POST = {"vendor": "slack", "path": "chat.postMessage", "delay_ms": 700, "times": 1}
_POLL = 0.02  # real seconds between two looks at the child
_PATIENCE = 180.0  # real seconds that a scenario day may take
_TIMEOUT = 30.0


class DemoFailed(Exception):
    """The demo cannot go on; the message says what was seen and where the daemon's log is."""


@dataclass
class Child:
    """The daemon as a child process. Its log goes to a file beside the configuration."""

    config: Path
    info: Mapping[str, Any]
    start: Instant
    process: subprocess.Popen[bytes] | None = None
    kills: int = 0
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.config.parent / "tierd.log"

    def first(self) -> None:
        """Read everything, adopt the old tiers, apply the policy's."""
        self._launch("first")
        assert self.process is not None
        if self.process.wait(_PATIENCE) != 0:
            raise DemoFailed(f"the first sync failed; see {self.log}")

    def run(self) -> None:
        """Start the daemon."""
        self._launch("run")

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.kills += 1

    def stop(self) -> int:
        """SIGTERM: the work in hand is finished. Gives the exit code."""
        if self.process is None or self.process.poll() is not None:
            return 0 if self.process is None else int(self.process.returncode)
        self.process.terminate()
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return -signal.SIGKILL

    def check(self) -> None:
        """Raise when it has died by itself."""
        if self.process is not None and self.process.poll() not in (None, 0):
            raise DemoFailed(f"the daemon ended with {self.process.returncode}; see {self.log}")

    def _launch(self, command: str) -> None:
        control = self.info["control"]["base_url"]
        arguments = [
            sys.executable,
            "-P",
            "-m",
            "daemon.demo.child",
            command,
            str(self.config),
            control,
            str(self.start),
        ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                arguments,
                env={**os.environ, **setup.secrets(self.info)},
                stdout=log,
                stderr=log,
                cwd=self.config.parent,
            )


@dataclass(frozen=True)
class Control:
    """The sandbox's control server."""

    base_url: str

    def now(self) -> Instant:
        """Scenario time."""
        return int(self._json("GET", "/clock")["now"])

    def limit(self, until: Instant) -> None:
        """Let time pass up to here."""
        self._json("POST", "/clock", {"limit": until})

    def get(self, path: str) -> Any:
        """Any other resource."""
        return self._json("GET", path)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Any other command."""
        return self._json("POST", path, body)

    def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = requests.request(method, self.base_url + path, json=body, timeout=_TIMEOUT)
        answer.raise_for_status()
        return answer.json()


def play(
    child: Child,
    control: Control,
    store: Store,
    days: int,
    *,
    kill_on: int | None,
    on_day: Callable[[int], None],
    during: Callable[[int], None] = lambda _day: None,
) -> None:
    """`days` evaluations from the child's start on. On day `kill_on` the daemon is killed while a message is on its
    way, and started again. `during(day)` may interfere once a day has begun; `on_day(day)` is called when it is over.
    """
    child.run()
    armed = False
    for day in range(days):
        as_of = child.start + day * DAY
        if day == kill_on:
            control.post("/faults", _SLOW_POST)
            armed = True
        during(day)
        control.limit(as_of + _DAY_ENDS)
        over = partial(_is_over, control, store, as_of)
        if armed:
            _until(child, lambda: _sending(store) or over())  # noqa: B023 - called before the loop goes on
            if _sending(store):
                child.kill()
                child.run()
                armed = False
        _until(child, over)
        on_day(day)


def _sending(store: Store) -> bool:
    """A new message is on its way and not answered yet."""
    with store.read() as conn:
        on_its_way = (deliveries.c.state == "sending") & deliveries.c.op.in_(("post", "reply"))
        return conn.execute(select(deliveries.c.id).where(on_its_way).limit(1)).scalar() is not None


def _is_over(control: Control, store: Store, as_of: Instant) -> bool:
    """The clock stands at the limit, the evaluation is done, and no message is left that is due."""
    until = as_of + _DAY_ENDS
    if control.now() < until:
        return False
    with store.read() as conn:
        done = select(evaluations.c.ended_at).where(evaluations.c.as_of == as_of, evaluations.c.scope == "full")
        if conn.execute(done).scalar() is None:
            return False
        open_states = ("pending", "sending", "uncertain")
        left = select(deliveries.c.id).where(deliveries.c.state.in_(open_states), deliveries.c.not_before <= until)
        overdue = select(schedule.c.task).where(schedule.c.next_due <= until)
        return conn.execute(left.limit(1)).scalar() is None and conn.execute(overdue.limit(1)).scalar() is None


def _until(child: Child, holds: Callable[[], bool]) -> None:
    nap = threading.Event()  # real time: the parent is no part of the scenario
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        child.check()
        if time.monotonic() > deadline:
            raise DemoFailed(f"a scenario day took more than {_PATIENCE:.0f} s; see {child.log}")
        nap.wait(_POLL)
