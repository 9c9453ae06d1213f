"""The ingest listener over a store of a test, as the daemon puts it together, with calls over real HTTP."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import requests
from sqlalchemy import select

from connectors.hints import Hints
from connectors.hubspot.hints import HubSpotHints
from connectors.usage.settings import UsageSettings
from daemon.clock import SystemClock
from daemon.ingest.hintdesk import HintDesk
from daemon.ingest.pushes import Pushes
from daemon.ingest.server import IngestServer
from daemon.ingest.settings import IngestSettings
from store import tables as t
from store.engine import Store
from store.records import DAY, HOUR

KEY = "a-key-of-some-length"
SAMPLES = UsageSettings.model_validate({"kind": "usage", "push": True, "metrics": ["active_users"]})
FEATURES = UsageSettings.model_validate({"kind": "usage", "push": True, "content": "features"})
ACTIVITIES = UsageSettings.model_validate({"kind": "usage", "push": True, "content": "activities"})
FEEDS = {"samples": SAMPLES, "features": FEATURES, "activities": ACTIVITIES}
ROW = {"date": "2026-02-20", "workspace": "ws-1", "active_users": 5}


@dataclass
class Watch(SystemClock):
    """A clock that a test sets; waits are real."""

    at: int = 20_500 * DAY + 12 * HOUR

    def now(self) -> int:
        """UTC microseconds."""
        return self.at

    def monotonic(self) -> float:
        """Seconds."""
        return self.at / 1_000_000


@dataclass
class Listener:
    """A listener that runs, and what it has woken."""

    store: Store
    feeds: Mapping[str, UsageSettings] = field(default_factory=lambda: FEEDS)
    hints: Mapping[str, tuple[HubSpotHints, int | None]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    clock: Watch = field(default_factory=Watch)
    woken: list[str] = field(default_factory=list)
    takes: type[Pushes] = Pushes

    def __post_init__(self) -> None:
        hints: dict[str, Hints] = {name: about for name, (about, _) in self.hints.items()}
        self.desk = HintDesk(self.store, self.clock, hints, self.woken.append)
        self.pushes = self.takes(self.store, self.clock, lambda: None)
        given = IngestSettings.model_validate({"bind": "127.0.0.1:0", "keys": [KEY]} | dict(self.settings))
        self.server = IngestServer(
            given, self.clock, pushes=self.pushes, feeds=self.feeds, desk=self.desk, hints=self.hints
        )

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.server.stop()

    def post(self, path: str, body: Any, *, key: str | None = KEY, **headers: str) -> requests.Response:
        """POST; objects as JSON, bytes as they are. Header names with underscores for hyphens."""
        data = body if isinstance(body, bytes) or hasattr(body, "__next__") else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(f"{self.server.address}{path}", data=data, headers=sent, timeout=60)

    def posted_by_two(self, path: str, body: Any) -> queue.Queue[requests.Response]:
        """The same twice at once, on threads: the answers as they come."""
        answers: queue.Queue[requests.Response] = queue.Queue()
        for _ in range(2):
            threading.Thread(target=lambda: answers.put(self.post(path, body))).start()
        return answers


def rows(store: Store, table: Any, *names: str) -> list[tuple[Any, ...]]:
    """Rows of a table, sorted."""
    with store.read() as conn:
        return sorted((tuple(r) for r in conn.execute(select(*(table.c[n] for n in names)))), key=repr)


def samples(store: Store) -> list[tuple[Any, ...]]:
    """(key, user, value) of every sample."""
    return rows(store, t.usage_samples, "key", "user", "value")
