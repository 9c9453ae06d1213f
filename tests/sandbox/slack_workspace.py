"""An imitation workspace on a real port, with the vendor's own client in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.clock import SECOND, ScenarioClock, parse_instant
from sandbox.faults import FaultBook
from sandbox.requestlog import RequestLog
from sandbox.serving import Served, Shared
from sandbox.slack.app import app
from sandbox.slack.model import Channel
from sandbox.slack.workspace import Person, build, channel_ids, user_id

START = parse_instant("2026-03-02T06:00:00Z")
ANA, SAM = user_id("ana@tierd-demo.example"), user_id("sam@tierd-demo.example")
ALERTS, OPERATORS = channel_ids()["alerts"], channel_ids()["operators"]
PEOPLE = (Person("ana@tierd-demo.example", "Ana Novák", "CSM"), Person("sam@tierd-demo.example", "Sam O'Neill"))


class Workspace:
    """State, server and client of one test; limits are on, as they are by default."""

    def __init__(self) -> None:
        self.clock = ScenarioClock(START)
        self.state = build(self.clock, PEOPLE)
        self.state.channels["C0PUBLIC001"] = Channel("C0PUBLIC001", "public-other", {ANA})
        self.state.channels["C0SECRET001"] = Channel("C0SECRET001", "secret", {ANA}, private=True)
        self.state.channels["C0OLDONE001"] = Channel(
            "C0OLDONE001", "old", {ANA, self.state.team.bot_user}, archived=True
        )
        self.shared = Shared(self.clock, RequestLog(), FaultBook())
        self.served = Served("slack", app(self.state), self.shared)
        self.state.origin = self.served.url
        self.web = self.client(self.state.bot_token)

    def client(self, token: str | None) -> WebClient:
        """The vendor's client without its retries."""
        return WebClient(token, base_url=self.state.base_url, retry_handlers=[], timeout=10)

    def call(self, method: str, token: str | None = None, **args: Any) -> requests.Response:
        """A method call by hand, as JSON."""
        return requests.post(
            self.state.base_url + method,
            json=args,
            headers={"authorization": f"Bearer {token or self.state.bot_token}"},
            timeout=10,
        )

    def form(self, method: str, **args: Any) -> dict[str, Any]:
        """A method call by hand, as a form."""
        headers = {"authorization": f"Bearer {self.state.bot_token}"}
        answer: dict[str, Any] = requests.post(
            self.state.base_url + method, data=args, headers=headers, timeout=10
        ).json()
        return answer

    def page(self, **query: str) -> str:
        """The page's HTML."""
        return requests.get(self.state.page_url, params=query, timeout=10).text

    def do(self, **deed: Any) -> requests.Response:
        """A person's deed on the page."""
        return requests.post(f"{self.state.origin}/page/do", json=deed, timeout=10)

    def pass_seconds(self, seconds: float) -> None:
        """Let scenario time pass."""
        self.clock.advance(round(seconds * SECOND))


@contextmanager
def workspace() -> Iterator[Workspace]:
    """A served workspace, stopped afterwards."""
    served = Workspace()
    yield served
    served.state.hub.close()
    served.served.stop()


def error_of(call: Callable[[], object]) -> str:
    """The error code a call of the vendor's client ends with."""
    try:
        call()
    except SlackApiError as error:
        return str(error.response["error"])
    return "no error"


def section(text: str) -> dict[str, Any]:
    """A section block of mrkdwn."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(text: str, action_id: str, value: str = "1", **more: Any) -> dict[str, Any]:
    """A button element."""
    return {
        "type": "button",
        "text": {"type": "plain_text", "text": text},
        "action_id": action_id,
        "value": value,
        **more,
    }


def actions(*elements: dict[str, Any], block_id: str = "act") -> dict[str, Any]:
    """An actions block."""
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}
