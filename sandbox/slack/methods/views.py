"""views.open, views.update, views.publish: modals and the App Home."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Literal

from sandbox.slack.blockkit import check_blocks
from sandbox.slack.content import complete
from sandbox.slack.elements import Findings, check_text
from sandbox.slack.errors import SlackError, missing
from sandbox.slack.model import Json, View
from sandbox.slack.shapes import view_json
from sandbox.slack.stamps import SECOND
from sandbox.slack.state import SlackState
from sandbox.slack.wire import Call

VIEW_BYTES = 250_000


def open_(state: SlackState, call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/views.open."""
    body = _body(state, call, ("modal",))
    if not call.text("trigger_id"):
        raise missing("trigger_id")
    trigger = state.triggers.get(call.text("trigger_id"))
    if trigger is None:
        raise SlackError("invalid_arguments", ["invalid `trigger_id`"])
    if trigger.used:
        raise SlackError("exchanged_trigger_id")
    if time.monotonic() - trigger.at > state.switches.trigger_seconds:
        raise SlackError("expired_trigger_id")
    external = body.get("external_id")
    if external and any(v.body.get("external_id") == external for v in state.views.values()):
        raise SlackError("duplicate_external_id")
    trigger.used = True
    return _shown(state, View(state.opaque("V"), trigger.user, "modal", body, ""))


def update(state: SlackState, call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/views.update; by view_id or external_id."""
    body = _body(state, call, ("modal", "home"))
    name, external = call.text("view_id"), call.text("external_id")
    if not name and not external:
        raise missing("view_id")
    view = next(
        (v for v in state.views.values() if name == v.id or (external and v.body.get("external_id") == external)), None
    )
    if view is None:
        raise SlackError("not_found")
    _expect(call, view)
    view.body = body
    return _shown(state, view)


def publish(state: SlackState, call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/views.publish; one Home per person, replaced each time."""
    user = call.need("user_id")
    body = _body(state, call, ("home",))
    if user not in state.users:
        raise SlackError("invalid_arguments", ["[ERROR] invalid user_id"])
    view = next((v for v in state.views.values() if v.type == "home" and v.user == user), None)
    if view is None:
        return _shown(state, View(state.opaque("V"), user, "home", body, ""))
    _expect(call, view)
    view.body = body
    return _shown(state, view)


def _expect(call: Call, view: View) -> None:
    if call.text("hash") and call.text("hash") != view.hash:
        raise SlackError("hash_conflict")


def _shown(state: SlackState, view: View) -> Json:
    now = state.clock.now()
    view.hash = f"{now // SECOND}.{hashlib.sha256(f'{state.version}:{view.id}'.encode()).hexdigest()[:8]}"
    state.views[view.id] = view
    state.changed()
    return {"view": view_json(state, view)}


def _body(state: SlackState, call: Call, types: tuple[Literal["modal", "home"], ...]) -> Json:
    """The view of a call, checked and completed. Raises SlackError."""
    body = call.structure("view", "invalid_arguments")
    if body is None:
        raise missing("view")
    if not isinstance(body, dict) or body.get("type") not in types:
        raise SlackError("invalid_arguments", ["[ERROR] unsupported type [json-pointer:/view/type]"])
    if len(json.dumps(body).encode()) > VIEW_BYTES:
        raise SlackError("view_too_large")
    faults = _faults(state, body)
    if faults:
        raise SlackError("invalid_arguments", faults)
    return {**body, "blocks": complete(state, body["blocks"])}


def _faults(state: SlackState, body: Json) -> list[str]:
    found = Findings(state.switches.text_units)
    blocks = body.get("blocks")
    if not isinstance(blocks, list):
        return ["[ERROR] missing required field: blocks [json-pointer:/view]"]
    found.lines += [
        line.replace("json-pointer:/blocks", "json-pointer:/view/blocks")
        for line in check_blocks(blocks, "view", state.switches.text_units)
    ]
    for name, most in (("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)):
        if body.get(name):
            found.text(body[name], f"/view/{name}", most)
    if body["type"] == "home":
        return found.lines
    check_text(body.get("title"), "/view/title", found, 24, plain=True)
    for name in ("submit", "close"):
        if body.get(name) is not None:
            check_text(body[name], f"/view/{name}", found, 24, plain=True)
    asks = any(isinstance(block, dict) and block.get("type") == "input" for block in blocks)
    if asks and body.get("submit") is None:
        found.add("missing required field: submit, which views with input blocks need", "/view")
    return found.lines
