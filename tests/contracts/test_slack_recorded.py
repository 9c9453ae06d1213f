"""What others recorded of the real Slack, replayed to the imitation workspace and to our sender and press reader."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from alerts import presses
from alerts import slack as product
from alerts.outcomes import Kind
from alerts.settings import Channels, SlackSettings
from alerts.slack import SlackSender
from sandbox.clock import SECOND, ScenarioClock
from sandbox.faults import FaultBook
from sandbox.requestlog import RequestLog
from sandbox.serving import Served, Shared
from sandbox.slack.model import Channel, User
from tests.sandbox.slack_workspace import ANA, START, Workspace, workspace

HOME = Path(__file__).parents[2].parent / "shared" / "contracts" / "slack"
pytestmark = pytest.mark.skipif(not HOME.is_dir(), reason="the vendors' recordings are not beside this project")

Json = dict[str, Any]

NOT_CALLED = {
    "conversations.setTopic": "tierd changes no channel: its scopes do not allow it",
    "files.getUploadURLExternal": "tierd uploads no file",
    "files.example.com/redacted": "tierd uploads no file",
    "files.completeUploadExternal": "tierd uploads no file",
}
"""Endpoints that the imitation does not have, and why."""
NOT_OURS = {
    "presence": "the argument `presence` of 2021, which is gone",
    "offset": "cursor of a token of 2015",
    "who_can_share_contact_card": "a setting of the recorded workspace",
    "is_open": "how the person behind a user token stands to a conversation",
    "last_read": "as is_open",
    "latest": "as is_open",
    "unread_count": "as is_open",
    "unread_count_display": "as is_open",
    "members": "of a group message, told to user tokens of old",
}
"""Recorded keys that an answer to a bot token of today does not have, and why."""
PICTURE = re.compile(r"image_\w+|is_custom_image|bot_id|always_active")
"""Of profiles: the imitation's people have no pictures, and only some recorded ones have the rest."""


def _recordings() -> list[Path]:
    return sorted((HOME / "recorded").glob("*.json")) if HOME.is_dir() else []


def _exchange(path: Path) -> Json:
    found: Json = json.loads(path.read_text())
    body = found["response"]["body"]
    for name in ("members", "channels") if isinstance(body, dict) else ():
        # The recorder cut long lists and left a note in their last place.
        if name in body:
            body[name] = [item for item in body[name] if "id" in item]
    return found


def _method(exchange: Json) -> str:
    url: str = exchange["request"]["url"]
    return url.removeprefix("https://").removeprefix("slack.com/api/")


def _asked_for(*methods: str) -> list[Path]:
    return [path for path in _recordings() if _method(_exchange(path)) in methods]


def _imitated() -> list[Path]:
    return [path for path in _recordings() if _method(_exchange(path)) not in NOT_CALLED]


@pytest.fixture
def slack() -> Iterator[Workspace]:
    """A workspace without limits."""
    with workspace() as served:
        served.state.limits.enforced = False
        yield served


def test_what_is_replayed_and_what_is_not() -> None:
    """12 of 21 are replayed; the others are of endpoints that our sender's source does not name."""
    assert (21, 12) == (len(_recordings()), len(_imitated()))
    source = Path(product.__file__).read_text()
    assert [] == [name for name in NOT_CALLED if name.replace(".", "_") in source]
    # Answers that our sender never gets are replayed to the imitation alone: the methods that it calls are two of these.
    called = {_method(_exchange(p)) for p in _imitated() if _method(_exchange(p)).replace(".", "_") in source}
    assert {"auth.test", "conversations.info"} == called


def _seed(slack: Workspace, body: Json) -> None:
    """People and conversations of the recorded answer, among ours."""
    for member in [*body.get("members", []), *([body["user"]] if isinstance(body.get("user"), dict) else [])]:
        slack.state.users[member["id"]] = User(
            member["id"],
            member["name"],
            member["profile"]["real_name"],
            member["profile"].get("email"),
            deleted=member["deleted"],
            is_bot=bool(member.get("is_bot")),
        )
    for found in [*body.get("channels", []), *([body["channel"]] if "channel" in body else [])]:
        kind = "mpim" if found.get("is_mpim") else "channel"
        slack.state.channels[found["id"]] = Channel(
            found["id"],
            found["name"],
            {ANA, slack.state.team.bot_user},
            found["created"] * SECOND,
            kind=kind,  # type: ignore[arg-type]  # one of the two
        )


def _ask(slack: Workspace, exchange: Json, known: bool) -> requests.Response:
    """The request as recorded, with our token where it had one, and without its cursor, which was another list's."""
    form = {k: v for k, v in parse_qsl(exchange["request"]["body"]) if k != "cursor"}
    if _method(exchange) == "conversations.list" and any(
        c.get("is_mpim") for c in exchange["response"]["body"]["channels"]
    ):
        form["types"] = "public_channel,mpim"  # a token of old saw them without asking
    headers = {"authorization": f"Bearer {slack.state.bot_token}"} if known else {}
    return requests.post(slack.state.base_url + _method(exchange), data=form, headers=headers, timeout=10)


@pytest.mark.parametrize("path", _imitated(), ids=lambda p: p.stem)
def test_recorded_requests_are_answered_alike(slack: Workspace, path: Path) -> None:
    """The same status, keys, JSON types and Slack's own headers as the real API gave."""
    exchange = _exchange(path)
    recorded = exchange["response"]
    _seed(slack, recorded["body"])
    answer = _ask(slack, exchange, recorded["body"]["ok"])
    assert recorded["status"] == answer.status_code
    assert recorded["headers"]["Content-Type"] == answer.headers["Content-Type"]
    assert _own_headers(recorded["headers"]) == _own_headers(answer.headers)
    _alike(recorded["body"], answer.json(), "")


def _own_headers(headers: Any) -> set[str]:
    names = {name.lower() for name in headers}
    return {name for name in names if name in ("x-slack-req-id", "x-oauth-scopes", "x-accepted-oauth-scopes")}


def _alike(theirs: Any, ours: Any, where: str) -> None:
    """Every recorded key is there with its JSON type, records compared by id."""
    if theirs is None or ours is None:
        return
    assert type(theirs) is type(ours), where
    if isinstance(theirs, dict):
        missing = theirs.keys() - ours.keys() - NOT_OURS.keys()
        if where.endswith("profile"):
            missing = {name for name in missing if not PICTURE.fullmatch(name)}
        assert set() == missing, where
        for name in theirs.keys() & ours.keys():
            _alike(theirs[name], ours[name], f"{where}.{name}")
    elif isinstance(theirs, list) and any(isinstance(item, dict) and "id" in item for item in theirs):
        known = {item["id"]: item for item in ours}
        found = [item for item in theirs if item["id"] in known]
        assert found, where
        for item in found:
            _alike(item, known[item["id"]], f"{where}[]")


# ---------------------------------------------------------------- our sender and press reader


class _Verbatim:
    """A server that answers each method with what was recorded for it."""

    def __init__(self, *exchanges: Json) -> None:
        self._answers = {_method(exchange): exchange["response"] for exchange in exchanges}
        shared = Shared(ScenarioClock(START), RequestLog(), FaultBook())
        self.served = Served("recorded", self._answer, shared)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        recorded = self._answers[scope["path"].removeprefix("/api/")]
        own = {"content-length", "transfer-encoding", "connection", "date"}
        headers = {k: v for k, v in recorded["headers"].items() if k.lower() not in own}
        await Response(json.dumps(recorded["body"]), recorded["status"], headers)(scope, receive, send)

    def sender(self, channel: str = "C0ALERTS001") -> SlackSender:
        """Our sender in front of it."""
        return SlackSender(
            SlackSettings(
                bot_token=SecretStr("-"),
                channels=Channels(alerts=channel, operators=channel),
                base_url=f"{self.served.url}/api/",
            )
        )


@pytest.mark.parametrize("path", _asked_for("auth.test"), ids=lambda p: p.stem)
def test_recorded_sign_ins_are_read(path: Path) -> None:
    """A workspace that lets us in is alive; one that does not know us pauses sending, by Slack's own code."""
    exchange = _exchange(path)
    body = exchange["response"]["body"]
    verbatim = _Verbatim(exchange)
    outcome = verbatim.sender().alive()
    verbatim.served.stop()
    assert (Kind.SENT if body["ok"] else Kind.PAUSED, body.get("error", "")) == (outcome.kind, outcome.error)


@pytest.mark.parametrize("path", _asked_for("conversations.info"), ids=lambda p: p.stem)
def test_recorded_channels_are_read_by_the_self_test(path: Path) -> None:
    """The self-test names the recorded workspace and channel, and each scope that the recorded token lacks."""
    sign_in = next(_exchange(p) for p in _asked_for("auth.test") if _exchange(p)["response"]["body"]["ok"])
    channel = _exchange(path)["response"]["body"]["channel"]
    verbatim = _Verbatim(sign_in, _exchange(path))
    findings = verbatim.sender(channel["id"]).check()
    verbatim.served.stop()
    body = sign_in["response"]["body"]
    told = [f"Slack workspace {body['team']} ({body['team_id']})", f"channel #{channel['name']} ({channel['id']})"]
    assert told == [finding.what for finding in findings if finding.level == "ok"]
    missing = {f.what.split()[2] for f in findings if f.level == "error"}
    assert set(product.SCOPES) == missing


def _payloads() -> list[Path]:
    return sorted((HOME / "payloads").glob("*.json")) if HOME.is_dir() else []


@pytest.mark.parametrize("path", _payloads(), ids=lambda p: p.stem)
def test_vendors_payloads_mean_nothing_to_us(path: Path) -> None:
    """Payloads of other people's buttons, commands and events are read without an error, as nobody's press of ours."""
    content = json.loads(path.read_text())
    message = content.get("message", content)
    payload = message.get("payload", message)
    press = presses.read(payload)
    assert "nothing" == press.what
    person = payload.get("user")
    assert (str(person["id"]) if isinstance(person, dict) else "") == press.user
    assert presses.objection(press, 20_000) is None
    assert presses.action_key("e", payload).startswith("e:")
