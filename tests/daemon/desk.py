"""A served Slack workspace, a store, and the deliverer between them, all on one scenario clock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import SecretStr
from sqlalchemy import insert
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alerts.message import Message as Said
from alerts.settings import Channels, SlackSettings
from alerts.slack import SlackSender
from daemon.alerting.outbox import body, row
from daemon.deliver import Deliverer
from sandbox.clock import ScenarioClock
from sandbox.faults import Fault, FaultBook
from sandbox.requestlog import RequestLog
from sandbox.serving import Served, Shared
from sandbox.slack.app import app
from sandbox.slack.workspace import Person, build, channel_ids, user_id
from store import deliveries
from store.engine import Store
from store.records import DAY, SECOND, DeliveryRow, Instant
from store.tables import accounts, conversations
from tests.daemon.alertworld import ANN, BOB, LEA, START

__all__ = ["ALERTS", "OPERATORS", "Desk", "Paced", "body", "desk"]

ALERTS, OPERATORS = channel_ids()["alerts"], channel_ids()["operators"]
ANN_ID, BOB_ID, LEA_ID = user_id(ANN), user_id(BOB), user_id(LEA)
OPS = "ops@x.example"
OPS_ID = user_id(OPS)


class Paced:
    """The product's clock on scenario time: waiting moves it. `waits` keeps what was waited for, in seconds."""

    def __init__(self, scenario: ScenarioClock) -> None:
        self.scenario = scenario
        self.waits: list[float] = []

    def now(self) -> Instant:
        """Scenario time."""
        return self.scenario.now()

    def monotonic(self) -> float:
        """Scenario seconds."""
        return self.scenario.now() / SECOND

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.waits.append(seconds)
        self.scenario.advance(round(seconds * SECOND))

    def wait(self, event: threading.Event, timeout: float | None) -> bool:
        """Move on unless the event is set."""
        if not event.is_set() and timeout is not None:
            self.sleep(timeout)
        return event.is_set()


class Gateway:
    """Answers with a proxy's 502 page after the app has done its work, as often as it is told to."""

    def __init__(self, inner: ASGIApp) -> None:
        self.inner = inner
        self.left = 0
        self.path = "chat.postMessage"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass through, or swallow the answer."""
        if not self.left or self.path not in scope.get("path", ""):
            await self.inner(scope, receive, send)
            return
        self.left -= 1

        async def swallow(message: Message) -> None:
            pass

        await self.inner(scope, receive, swallow)
        await HTMLResponse("<html>Bad Gateway</html>", status_code=502)(scope, receive, send)


class Desk:
    """Everything of one test."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.scenario = ScenarioClock(START)
        people = [Person(ANN, "Ann"), Person(BOB, "Bob"), Person(LEA, "Lea"), Person(OPS, "Olga")]
        self.state = build(self.scenario, people)
        self.shared = Shared(self.scenario, RequestLog(), FaultBook())
        self.gateway = Gateway(app(self.state))
        self.served = Served("slack", self.gateway, self.shared)
        self.state.origin = self.served.url
        self.clock = Paced(self.scenario)
        self.settings = self.configured()
        self.deliverer = self.fresh()

    def configured(self, **more: Any) -> SlackSettings:
        """Settings that lead to this workspace."""
        return SlackSettings(
            bot_token=SecretStr(self.state.bot_token),
            app_token=SecretStr(self.state.app_token),
            channels=Channels(alerts=ALERTS, operators=OPERATORS),
            base_url=self.state.base_url,
            operators=(OPS_ID,),
            **more,
        )

    def fresh(self, **more: Any) -> Deliverer:
        """A new process' deliverer."""
        self.settings = self.configured(**more)
        self.deliverer = Deliverer(self.store, SlackSender(self.settings), self.clock, self.settings)
        return self.deliverer

    def fault(self, path: str = "chat.postMessage", **how: Any) -> None:
        """Script trouble for a method."""
        self.shared.faults.add(Fault(path=path, **how))

    def post(self, name: str = "one", destination: str = ALERTS, **more: Any) -> DeliveryRow:
        """Queue a message."""
        return self.queue("post", name, destination=destination, **more)

    def queue(self, op: str, name: str, *, lane: str = "", destination: str = ALERTS, **more: Any) -> DeliveryRow:
        """Queue any row; its text is its name."""
        added = row(
            Said(f"text {name}"),
            cause=(name,),
            lane=lane or f"lane {name}",
            destination=destination,
            op=op,
            kind=more.pop("kind", "alert"),
            at=self.clock.now(),
            expire_after=3 * DAY,
            **more,
        )
        with self.store.write() as connection:
            deliveries.enqueue(connection, [added])
        return added

    def conversation(self, number: int = 1) -> int:
        """A conversation without a parent yet."""
        with self.store.write() as c:
            c.execute(insert(accounts).values(id=number, key=f"sf:{number}", name="A", created_at=0))
            values = {"id": number, "key": f"k{number}", "account_id": number, "destination": ALERTS}
            c.execute(insert(conversations).values(**values, severity="high", csm=ANN, opened_at=self.clock.now()))
        return number

    def row(self, wanted: DeliveryRow) -> DeliveryRow:
        """The row as it is now."""
        with self.store.read() as connection:
            found = deliveries.get(connection, wanted.id)
        assert found is not None
        return found

    def texts(self, channel: str = ALERTS) -> list[str]:
        """What people read in a channel, threads included, in order."""
        return [m["text"] for m in self.state.messages() if m["channel"] == channel and not m["deleted"]]

    def calls(self, path: str = "chat.postMessage") -> int:
        """How often a method was called."""
        return sum(path in entry.path for entry in self.shared.log.entries())

    def pass_time(self, us: Instant) -> None:
        """Let scenario time pass."""
        self.scenario.advance(us)


@contextmanager
def desk(store: Store) -> Iterator[Desk]:
    """A desk that is cleaned up afterwards."""
    made = Desk(store)
    yield made
    made.state.hub.close()
    made.served.stop()
