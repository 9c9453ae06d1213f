"""The Streaming API: the Bayeux protocol over long polling, as far as a subscriber to change events needs it.

Errors: Streaming API developer guide, streaming_error_codes and streaming_handling_errors.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.clock import SECOND, real_pause
from sandbox.salesforce import sessions
from sandbox.salesforce.changeevents import NEW, Listener
from sandbox.salesforce.errors import Refused
from sandbox.salesforce.state import State

COOKIE = "BAYEUX_BROWSER"
_LIFE = 110 * SECOND
"""Scenario time after which a client that did not connect again is forgotten."""
_POLL_MS = 10
_OLDEST = 23

Json = dict[str, Any]


async def answer(state: State, request: Request, raw: bytes) -> Response:
    """One POST of Bayeux messages: a reply to each, events before the reply to a connect."""
    refusal = _address(request)
    if refusal is not None:
        return refusal
    messages = _messages(raw)
    if messages is None:
        return Response("Could not parse the messages", 400, media_type="text/plain")
    headers = {k.lower(): v for k, v in request.headers.items()}
    replies: list[Json] = []
    cookie = request.cookies.get(COOKIE, "")
    made = ""
    for message in messages:
        if message.get("channel") == "/meta/connect":
            replies += await _connect(state, headers, cookie, message)
            continue
        with state.store.lock:
            state.store.catch_up()
            reply = _meta(state, headers, cookie, message)
        if message.get("channel") == "/meta/handshake" and reply["successful"]:
            made = state.listeners[reply["clientId"]].cookie
        replies.append(reply)
    response = Response(json.dumps(replies), media_type="application/json;charset=UTF-8")
    if made:
        response.set_cookie(COOKIE, made, path="/", httponly=True)
    return response


def _address(request: Request) -> Response | None:
    match = re.match(r"/cometd(?:/(\d+)\.0)?/?\Z", request.scope["path"])
    if match is None or match.group(1) is None:
        text = "400::API version in the URI is mandatory. URI format: '/cometd/67.0'"
        return Response(text, 400, media_type="text/plain")
    if int(match.group(1)) < _OLDEST:
        text = (
            "400::Unsupported API version. Only API versions '23.0' and above are supported. URI format: '/cometd/67.0'"
        )
        return Response(text, 400, media_type="text/plain")
    return None if request.method == "POST" else Response("405::Only POST is supported", 405, media_type="text/plain")


def _messages(raw: bytes) -> list[Json] | None:
    try:
        parsed = json.loads(raw)
    except ValueError:
        return None
    listed = parsed if isinstance(parsed, list) else [parsed]
    return listed if listed and all(isinstance(message, dict) for message in listed) else None


def _meta(state: State, headers: Mapping[str, str], cookie: str, message: Json) -> Json:
    """The reply to any message but a connect."""
    channel = str(message.get("channel"))
    denied = _denied(state, headers)
    if channel == "/meta/handshake":
        return _handshake(state, headers, message, denied)
    if denied:
        return _failed(message, denied, reconnect="none")
    known = _known(state, cookie, message)
    if isinstance(known, str):
        return _failed(message, known, reconnect="handshake")
    if channel == "/meta/subscribe":
        return _subscribe(state, known, message)
    if channel == "/meta/unsubscribe":
        known.channels.pop(str(message.get("subscription")), None)
        return _done(message, subscription=message.get("subscription"))
    if channel == "/meta/disconnect":
        del state.listeners[str(message["clientId"])]
        return _done(message)
    return _failed(message, "403:denied_by_security_policy:create_denied")


def _handshake(state: State, headers: Mapping[str, str], message: Json, denied: str) -> Json:
    if denied:
        refused = _failed(message, "403::Handshake denied", reconnect="none")
        return {**refused, "ext": {"sfdc": {"failureReason": denied}}}
    if "long-polling" not in (message.get("supportedConnectionTypes") or ()):
        return _failed(message, "400::Invalid connection type; only long-polling is supported", reconnect="none")
    state.serial += 1
    client = hashlib.sha256(f"{state.settings.client_secret}/comet/{state.serial}".encode()).hexdigest()
    token = headers.get("authorization", "")
    state.listeners[client[:27]] = Listener(token, client[27:59], state.now)
    return {
        **_done(message),
        "clientId": client[:27],
        "version": "1.0",
        "minimumVersion": "1.0",
        "supportedConnectionTypes": ["long-polling"],
        "ext": {"replay": True, "payload.format": True},
    }


def _subscribe(state: State, listener: Listener, message: Json) -> Json:
    channel = message.get("subscription")
    if not isinstance(channel, str) or not channel:
        return _failed(message, "400::Channel name not specified")
    if not channel.startswith("/"):
        return _failed(message, "400::Channel subscriptions must start with a leading '/'")
    if not state.events.knows(channel):
        return _failed(message, f"400::The channel you requested to subscribe to does not exist {{{channel}}}")
    replay = ((message.get("ext") or {}).get("replay") or {}).get(channel, NEW)
    start = state.events.start(replay) if isinstance(replay, int) else None
    if start is None:
        text = (
            f"400::The replayId {{{replay}}} you provided was invalid. Please provide a valid ID, -2 to replay all events, "
            "or -1 to replay only new events."
        )
        return _failed(message, text, subscription=channel)
    listener.channels[channel] = start
    return _done(message, subscription=channel)


async def _connect(state: State, headers: Mapping[str, str], cookie: str, message: Json) -> list[Json]:
    """The events since the last connect, waiting for one if there is none; then the reply."""
    turn = 0
    waits = _waits(state, message)
    while True:
        with state.store.lock:
            state.store.catch_up()
            denied = _denied(state, headers)
            if denied:
                return [_failed(message, denied, reconnect="none")]
            known = _known(state, cookie, message)
            if isinstance(known, str):
                return [_failed(message, known, reconnect="handshake")]
            if message.get("connectionType") != "long-polling":
                return [_failed(message, f"400::Invalid connection type {message.get('connectionType')}")]
            if not turn:
                known.connects += 1
                turn = known.connects
            events = _events(state, known)
            # The first connect tells the advice at once; a newer connect of the same client takes over from this one.
            if events or turn == 1 or not waits or known.connects != turn:
                known.seen_at = state.now
                advice = {"reconnect": "retry", "interval": 0, "timeout": state.switches.comet_timeout_ms}
                return [*events, {**_done(message), "advice": advice}]
            known.seen_at = state.now
        waits -= 1
        await real_pause(_POLL_MS / 1000)


def _waits(state: State, message: Json) -> int:
    wanted = (message.get("advice") or {}).get("timeout")
    most = state.switches.comet_timeout_ms
    return (min(wanted, most) if isinstance(wanted, int) and wanted >= 0 else most) // _POLL_MS


def _events(state: State, listener: Listener) -> list[Json]:
    given: list[Json] = []
    for channel, last in listener.channels.items():
        for event in state.events.after(channel, last):
            data = {"schema": "sandbox", "payload": event.payload, "event": {"replayId": event.replay_id}}
            given.append({"channel": channel, "data": data})
            listener.channels[channel] = event.replay_id
    return given


def _denied(state: State, headers: Mapping[str, str]) -> str:
    if not headers.get("authorization"):
        return "401::Request requires authentication"
    try:
        sessions.check(state, headers, "/cometd")
    except Refused:
        return "401::Authentication invalid"
    return ""


def _known(state: State, cookie: str, message: Json) -> Listener | str:
    """The client that sent it, or why it is not known."""
    name = str(message.get("clientId"))
    listener = state.listeners.get(name)
    if listener is None or state.now - listener.seen_at > _LIFE:
        state.listeners.pop(name, None)
        return "403::Unknown client"
    if state.switches.comet_cookies and cookie != listener.cookie:
        return f"400::Client {name} has established a session, but no {COOKIE} cookie present"
    return listener


def _done(message: Json, **more: object) -> Json:
    kept: Json = {key: message[key] for key in ("id", "clientId") if key in message}
    return {"channel": message.get("channel"), **kept, **more, "successful": True}


def _failed(message: Json, error: str, reconnect: str = "", **more: object) -> Json:
    advice: Json = {"advice": {"reconnect": reconnect, "interval": 0}} if reconnect else {}
    return {**_done(message), **more, **advice, "error": error, "successful": False}
