"""Socket Mode over a real WebSocket: the vendor's client, and a bare one where the client would hide what happens."""

from __future__ import annotations

import gc
import json
import queue
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import websocket
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.socket_mode.websocket_client import SocketModeClient

from sandbox.slack.payloads import NotThere
from tests.sandbox.slack_workspace import ALERTS, ANA, SAM, Workspace, actions, button, error_of, section, workspace

WAIT = 10
"""Real seconds after which a test gives up."""


@pytest.fixture
def slack() -> Iterator[Workspace]:
    """A fresh workspace that redelivers sooner than Slack does, but not before a busy machine has acknowledged."""
    with workspace() as served:
        served.state.hub.redeliver_after = 1.0
        yield served


class Listener:
    """A bare socket: every frame as it comes, acks only when told."""

    def __init__(self, slack: Workspace) -> None:
        self.hub = slack.state.hub
        url = slack.client(slack.state.app_token).apps_connections_open(app_token=slack.state.app_token)["url"]
        self.socket = websocket.create_connection(url, timeout=WAIT)

    def frame(self) -> dict[str, Any]:
        """The next frame."""
        found: dict[str, Any] = json.loads(self.socket.recv())
        return found

    def ack(self, envelope_id: str, payload: dict[str, Any] | None = None) -> None:
        """Acknowledge, and wait until that took effect."""
        answer = {"envelope_id": envelope_id} | ({"payload": payload} if payload else {})
        self.socket.send(json.dumps(answer))
        assert self.hub.wait(envelope_id, WAIT)


@pytest.fixture
def listen(slack: Workspace) -> Iterator[Callable[[], Listener]]:
    """Opens bare sockets, closes them afterwards."""
    opened: list[Listener] = []

    def open_one() -> Listener:
        listener = Listener(slack)
        opened.append(listener)
        return listener

    yield open_one
    for listener in opened:
        listener.socket.close()
        listener.socket.shutdown()  # type: ignore[no-untyped-call]


def post_alert(slack: Workspace) -> str:
    """An alert with two buttons and a menu; returns its ts."""
    days = {"type": "plain_text", "text": "7 days"}
    menu = {"type": "static_select", "action_id": "snooze", "options": [{"text": days, "value": "7d"}]}
    until = {"type": "datepicker", "action_id": "until", "initial_date": "2026-03-09"}
    blocks = [section("Acme"), actions(button("Acknowledge", "ack", "alert-1"), button("No", "no"), menu, until)]
    return str(slack.web.chat_postMessage(channel=ALERTS, text="Acme", blocks=blocks)["ts"])


def test_hello_and_ticket_used_once(slack: Workspace) -> None:
    """A connection is greeted; its ticket opens no second one, and no other word does."""
    web = slack.client(slack.state.app_token)
    url = web.apps_connections_open(app_token=slack.state.app_token)["url"]
    first = websocket.create_connection(url, timeout=WAIT)
    hello = json.loads(first.recv())
    assert (hello["type"], hello["num_connections"]) == ("hello", 1)
    assert hello["connection_info"] == {"app_id": slack.state.team.app_id}
    with pytest.raises(websocket.WebSocketBadStatusException):
        websocket.create_connection(url, timeout=WAIT)
    first.close()


def test_bot_token_opens_no_socket(slack: Workspace) -> None:
    """apps.connections.open takes the app-level token only."""
    refused = error_of(lambda: slack.web.apps_connections_open(app_token=slack.state.bot_token))
    assert refused == "not_allowed_token_type"


def test_click_arrives_as_block_actions(slack: Workspace, listen: Callable[[], Listener]) -> None:
    """A click carries person, message, action, the inputs' state and where to answer."""
    ts = post_alert(slack)
    listener = listen()
    assert listener.frame()["type"] == "hello"
    slack.state.click(ANA, ALERTS, ts, "ack")
    frame = listener.frame()
    payload = frame["payload"]
    assert (frame["type"], payload["type"]) == ("interactive", "block_actions")
    assert frame["accepts_response_payload"] is False
    assert payload["user"]["id"] == ANA
    assert payload["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": ALERTS,
        "is_ephemeral": False,
    }
    assert payload["message"]["text"] == "Acme"
    assert [(a["action_id"], a["block_id"], a["value"]) for a in payload["actions"]] == [("ack", "act", "alert-1")]
    assert payload["state"]["values"]["act"]["until"]["selected_date"] == "2026-03-09"
    assert payload["response_url"].startswith(slack.state.origin)
    listener.ack(frame["envelope_id"])


def test_menu_choice_carries_the_option(slack: Workspace, listen: Callable[[], Listener]) -> None:
    """Choosing from a menu sends the whole option."""
    ts = post_alert(slack)
    listener = listen()
    listener.frame()
    slack.state.click(ANA, ALERTS, ts, "snooze", "7d")
    action = listener.frame()["payload"]["actions"][0]
    assert (action["type"], action["selected_option"]["value"]) == ("static_select", "7d")


@pytest.mark.parametrize(
    ("user", "action", "value"), [("U0NOBODY", "ack", None), (ANA, "shout", None), (ANA, "snooze", "9d")]
)
def test_click_that_nobody_could_make(slack: Workspace, user: str, action: str, value: str | None) -> None:
    """A click by nobody, on nothing or on an option that is not there is an error of the test."""
    ts = post_alert(slack)
    with pytest.raises(NotThere):
        slack.state.click(user, ALERTS, ts, action, value)


def test_redelivered_until_acked(slack: Workspace, listen: Callable[[], Listener]) -> None:
    """Without an ack the same envelope comes again, counted; after the ack it does not."""
    ts = post_alert(slack)
    listener = listen()
    listener.frame()
    slack.state.click(ANA, ALERTS, ts, "ack")
    first, second, third = listener.frame(), listener.frame(), listener.frame()
    assert first["envelope_id"] == second["envelope_id"] == third["envelope_id"]
    assert [frame.get("retry_attempt") for frame in (first, second, third)] == [None, 1, 2]
    assert (second["retry_reason"], second["payload"]) == ("timeout", first["payload"])
    listener.ack(first["envelope_id"])
    listener.socket.settimeout(1.5)
    with pytest.raises(websocket.WebSocketTimeoutException):
        listener.frame()
    assert slack.state.hub.unacked() == []


def test_redelivered_on_another_connection(slack: Workspace, listen: Callable[[], Listener]) -> None:
    """An envelope whose connection died unacked comes on a new one."""
    ts = post_alert(slack)
    first = listen()
    first.frame()
    slack.state.click(ANA, ALERTS, ts, "ack")
    envelope = first.frame()["envelope_id"]
    first.socket.close()
    second = listen()
    second.frame()
    again = second.frame()
    assert again["envelope_id"] == envelope
    assert again["retry_attempt"] >= 1


def test_click_nobody_answers_is_told_to_the_person(slack: Workspace) -> None:
    """With no app on the line the person learns so, privately, once the attempts are used up."""
    ts = post_alert(slack)
    slack.state.hub.redeliver_after = 0.02
    assert slack.state.hub.wait(slack.state.click(ANA, ALERTS, ts, "ack"), WAIT) is False
    last = slack.state.messages()[-1]
    assert (last["ephemeral_for"], last["text"]) == (ANA, ":warning: tierd did not answer ana's click.")


def test_eleventh_connection_is_refused(listen: Callable[[], Listener]) -> None:
    """Ten connections are the most; the next is told too_many_websockets and closed."""
    greetings = [listen().frame()["num_connections"] for _ in range(10)]
    assert greetings == list(range(1, 11))
    eleventh = listen()
    assert eleventh.frame()["reason"] == "too_many_websockets"
    assert eleventh.socket.recv() == ""


def test_disconnect_frames(slack: Workspace, listen: Callable[[], Listener]) -> None:
    """A warning leaves the socket open; a refresh closes it."""
    listener = listen()
    listener.frame()
    assert slack.state.hub.disconnect("warning") == 1
    assert (listener.frame()["type"], len(slack.state.hub.connections)) == ("disconnect", 1)
    slack.state.hub.disconnect("refresh_requested")
    assert listener.frame()["reason"] == "refresh_requested"
    assert listener.socket.recv() == ""


def test_slash_command_answered_in_the_ack(slack: Workspace, listen: Callable[[], Listener]) -> None:
    """A command arrives with its text; what the ack says only that person reads."""
    listener = listen()
    listener.frame()
    slack.state.slash(SAM, ALERTS, "/tierd account Acme & Co")
    frame = listener.frame()
    assert (frame["type"], frame["accepts_response_payload"]) == ("slash_commands", True)
    assert (frame["payload"]["command"], frame["payload"]["text"]) == ("/tierd", "account Acme & Co")
    listener.ack(frame["envelope_id"], {"text": "All is well"})
    assert [(m["text"], m["ephemeral_for"]) for m in slack.state.messages()] == [("All is well", SAM)]


def test_response_url(slack: Workspace, listen: Callable[[], Listener]) -> None:
    """The address answers privately, to all, by replacing and by deleting; five times, for thirty minutes."""
    ts = post_alert(slack)
    listener = listen()
    listener.frame()
    slack.state.click(ANA, ALERTS, ts, "ack")
    url = listener.frame()["payload"]["response_url"]

    def send(**answer: Any) -> requests.Response:
        return requests.post(url, json=answer, timeout=WAIT)

    assert send(text="only you").json() == {"ok": True}
    assert send(text="for all", response_type="in_channel").json() == {"ok": True}
    assert send(text="replaced", replace_original=True).json() == {"ok": True}
    assert send(blocks=[{"type": "banner"}]).json()["error"] == "invalid_blocks"
    assert [(m["text"], m["ephemeral_for"]) for m in slack.state.messages()] == [
        ("replaced", None),
        ("only you", ANA),
        ("for all", None),
    ]
    assert send(text="four").json() == send(delete_original=True).json() == {"ok": True}
    assert slack.state.messages()[0]["deleted"] is True
    assert (send(text="six").status_code, send(text="six").json()["error"]) == (404, "used_url")


def test_response_url_expires(slack: Workspace, listen: Callable[[], Listener]) -> None:
    """After thirty scenario minutes the address is gone."""
    ts = post_alert(slack)
    listener = listen()
    listener.frame()
    slack.state.click(ANA, ALERTS, ts, "ack")
    url = listener.frame()["payload"]["response_url"]
    slack.pass_seconds(1801)
    answer = requests.post(url, json={"text": "late"}, timeout=WAIT)
    assert (answer.status_code, answer.json()["error"]) == (404, "expired_url")


def modal(**more: Any) -> dict[str, Any]:
    """A modal that asks for a reason."""
    reason = {"type": "plain_text_input", "action_id": "reason"}
    label = {"type": "plain_text", "text": "Why"}
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Snooze"},
        "submit": {"type": "plain_text", "text": "Go"},
        "blocks": [{"type": "input", "block_id": "why", "label": label, "element": reason}],
        **more,
    }


def reason(text: str) -> dict[str, Any]:
    """What stands in the modal's input."""
    return {"why": {"reason": {"type": "plain_text_input", "value": text}}}


def test_modal_from_click_to_submission(slack: Workspace, listen: Callable[[], Listener]) -> None:
    """A click's trigger opens one modal; its submission can be refused with errors, then closes it."""
    ts = post_alert(slack)
    listener = listen()
    listener.frame()
    slack.state.click(ANA, ALERTS, ts, "ack")
    frame = listener.frame()
    listener.ack(frame["envelope_id"])
    trigger = frame["payload"]["trigger_id"]
    view = slack.web.views_open(trigger_id=trigger, view=modal(private_metadata="alert-1"))["view"]
    assert error_of(lambda: slack.web.views_open(trigger_id=trigger, view=modal())) == "exchanged_trigger_id"

    slack.state.submit(ANA, view["id"], reason(""))
    assert slack.state.views[view["id"]].errors == {"why": "Please complete this required field."}
    slack.state.submit(ANA, view["id"], reason("no"))
    first = listener.frame()
    assert first["payload"]["view"]["private_metadata"] == "alert-1"
    listener.ack(first["envelope_id"], {"response_action": "errors", "errors": {"why": "Say more"}})
    assert slack.state.views[view["id"]].errors == {"why": "Say more"}

    slack.state.submit(ANA, view["id"], reason("they are on holiday"))
    second = listener.frame()
    assert second["payload"]["view"]["state"]["values"]["why"]["reason"]["value"] == "they are on holiday"
    listener.ack(second["envelope_id"])
    assert slack.state.views == {}


def test_views_refused(slack: Workspace, listen: Callable[[], Listener]) -> None:
    """A late trigger, an unknown one, a foreign hash and a modal that is none are refused."""
    ts = post_alert(slack)
    listener = listen()
    listener.frame()
    slack.state.click(ANA, ALERTS, ts, "ack")
    trigger = listener.frame()["payload"]["trigger_id"]
    opening = slack.web.views_open
    long = modal(title={"type": "plain_text", "text": "t" * 25})
    assert error_of(lambda: opening(trigger_id="1.2", view=modal())) == "invalid_arguments"
    assert error_of(lambda: opening(trigger_id=trigger, view=long)) == "invalid_arguments"
    assert error_of(lambda: opening(trigger_id=trigger, view=modal(submit=None))) == "invalid_arguments"
    assert error_of(lambda: opening(trigger_id=trigger, view=modal(x="y" * 250_000))) == "view_too_large"
    slack.state.switches.trigger_seconds = 0
    assert error_of(lambda: opening(trigger_id=trigger, view=modal())) == "expired_trigger_id"
    home = {"type": "home", "blocks": [section("My book")]}
    shown = slack.web.views_publish(user_id=ANA, view=home)["view"]
    wrong = error_of(lambda: slack.web.views_publish(user_id=ANA, view=home, hash="1.0"))
    assert wrong == "hash_conflict"
    assert slack.web.views_update(view_id=shown["id"], view=home, hash=shown["hash"])["view"]["id"] == shown["id"]
    assert error_of(lambda: slack.web.views_update(view_id="V0NONE", view=home)) == "not_found"


def test_events_reach_subscribers_only(slack: Workspace, listen: Callable[[], Listener]) -> None:
    """A person's message is an event where the app subscribed to messages, and nothing where it did not."""
    listener = listen()
    listener.frame()
    slack.state.say(ANA, ALERTS, "unheard")
    slack.state.subscriptions.add("message")
    slack.state.say(ANA, ALERTS, "heard")
    frame = listener.frame()
    assert (frame["type"], frame["retry_attempt"]) == ("events_api", 0)
    assert frame["payload"]["event"]["text"] == "heard"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the client drops sockets unclosed
def test_vendor_client_acks_and_reconnects(slack: Workspace) -> None:
    """The vendor's websocket client hears a click, acks it, and comes back after a refresh to hear the next."""
    ts = post_alert(slack)
    heard: queue.Queue[str] = queue.Queue()

    def on_request(client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
        heard.put(request.payload["actions"][0]["action_id"])

    client = SocketModeClient(app_token=slack.state.app_token, web_client=slack.web, ping_interval=1)
    client.socket_mode_request_listeners.append(on_request)
    # Its monitor and its reader may both reconnect, and one waits five seconds for the other: on a busy machine that took 9 to 16 s.
    patience = 6 * WAIT
    slack.state.hub.redeliver_after, slack.state.hub.max_attempts = 1.0, patience
    client.connect()
    try:
        slack.state.click(ANA, ALERTS, ts, "ack")
        assert heard.get(timeout=patience) == "ack"
        slack.state.hub.disconnect("refresh_requested")
        slack.state.click(ANA, ALERTS, ts, "no")
        assert heard.get(timeout=patience) == "no"
    finally:
        client.close()
        del client
        gc.collect()
