"""A stage for acceptance tests: an imitated company, a folder with its tierd.yaml, and the real program as processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from daemon.demo import setup
from daemon.demo.play import Child, Control, play
from sandbox import serve
from store import tables
from store.engine import Store
from store.records import DAY

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-P", "-c", "from daemon.cli import main; main()")
"""`tierd` of this very source, in whatever folder it is started."""
SMALL = serve.Settings(accounts=60, days=8, history_days=90)
"""Enough for every part of the work, and read within seconds."""
_PATIENCE = 240.0  # real seconds that one command may take
_POLL = 0.01

Dump = Mapping[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """All that was printed."""
        return self.out + self.err


@dataclass
class Stage:
    """One sandbox and one folder of tierd's. `tierd()` runs on the system clock, `child` on the scenario clock."""

    sandbox: serve.Sandbox
    folder: Path
    store_url: str = ""

    def __post_init__(self) -> None:
        self.info: Mapping[str, Any] = self.sandbox.info()
        self.start = self.sandbox.settings.start
        self.control = Control(self.sandbox.control_url)
        self.config = self.folder / "tierd.yaml"
        if not self.config.exists():
            setup.write(self.folder, self.info, store=self.store_url or "sqlite:///tierd.db")
        self.child = Child(self.config, self.info, self.start)
        self.store = Store(self.store_url or f"sqlite:///{self.folder / 'tierd.db'}")

    def close(self) -> None:
        """End the daemon and let go of the store; the sandbox goes on."""
        self.child.stop()
        self.store.close()

    # ------------------------------------------------------------ the program

    def environment(self, **changes: str | None) -> dict[str, str]:
        """The environment of a command: the secrets, and changes to it (None takes a name away)."""
        given = {**os.environ, "PYTHONPATH": str(ROOT), **setup.secrets(self.info), **changes}
        return {name: value for name, value in given.items() if value is not None and name != "TIERD_CONFIG"}

    def tierd(self, *arguments: str, **environment: str | None) -> Done:
        """Run one command in the folder and wait for its end."""
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def popen(self, *arguments: str, **environment: str | None) -> subprocess.Popen[str]:
        """Start a command in the folder and leave it running."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def days(self, count: int, during: Callable[[int], None] = lambda _day: None) -> None:
        """Let so many scenario days pass through the real daemon; it is left running, the clock at 04:00 of the next."""
        play(self.child, self.control, self.store, count, kill_on=None, on_day=lambda _day: None, during=during)

    # ------------------------------------------------------------ what came of it

    def edit(self, text: str, instead: str, file: str = "tierd.yaml") -> int:
        """Put `instead` where `text` stands, once, in a file of the folder; the number of that line."""
        path = self.folder / file
        before = path.read_text(encoding="utf-8")
        assert before.count(text) == 1, f"{text!r} stands {before.count(text)} times in {file}"
        path.write_text(before.replace(text, instead), encoding="utf-8")
        return before[: before.index(text)].count("\n") + 1

    def dump(self, *without: str) -> Dump:
        """Every row of every table but these, in the order of the primary key."""
        with self.store.read() as connection:
            return {
                table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
                for table in tables.metadata.sorted_tables
                if table.name not in without
            }

    def requests(self, since: int = 0) -> dict[tuple[str, str, str], int]:
        """(vendor, method, path with ids replaced) -> how often it was asked after request number `since`."""
        counts = self.control.get(f"/requests?since={since}")["counts"]
        return {(row["vendor"], row["method"], row["path"]): row["count"] for row in counts}

    def last_request(self) -> int:
        """The number of the last request so far."""
        return int(self.control.get("/requests")["last"])

    def messages(self) -> list[dict[str, Any]]:
        """Every Slack message, oldest first."""
        found: list[dict[str, Any]] = self.control.get("/slack/messages")["messages"]
        return found


@contextmanager
def stage(folder: Path, settings: serve.Settings = SMALL, *, store_url: str = "") -> Iterator[Stage]:
    """A company of its own and an empty store."""
    sandbox = serve.start(settings)
    try:
        opened = Stage(sandbox, folder, store_url)
        try:
            yield opened
        finally:
            opened.close()
    finally:
        sandbox.stop()


def unlimited(stage: Stage) -> None:
    """Take the vendors' rate limits away: their buckets fill by the scenario clock, a command lives by the system's."""
    stage.control.post("/switches", {"hubspot": {"limits": False}, "slack_limits": {"enforced": False}})


@contextmanager
def copied(original: Stage, folder: Path) -> Iterator[Stage]:
    """Another folder over the same company, with the store as it is in the original, whose daemon must not run.

    The scenario clock stands until the test sets another limit.
    """
    original.control.limit(original.sandbox.clock.now())
    original.store.close()
    shutil.copytree(original.folder, folder, ignore=shutil.ignore_patterns("*.log", "*.lock"))
    opened = Stage(original.sandbox, folder)
    try:
        yield opened
    finally:
        opened.close()


def until(holds: Callable[[], bool], what: str, patience: float = _PATIENCE) -> None:
    """Look again and again, in real time, until it holds; fails with `what` was waited for."""
    nap = threading.Event()
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, f"waited {patience:.0f} s in vain: {what}"
        nap.wait(_POLL)


def evaluated(stage: Stage, day: int) -> bool:
    """Is the evaluation of that scenario day over."""
    rows = tables.evaluations
    done = select(rows.c.ended_at).where(rows.c.as_of == stage.start + day * DAY, rows.c.scope == "full")
    with stage.store.read() as connection:
        return connection.execute(done).scalar() is not None
