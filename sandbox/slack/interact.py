"""What people do in Slack - click, choose, submit, command, write - turned into the envelopes the app receives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.slack.model import Json, Message, View
from sandbox.slack.payloads import (
    NotThere,
    Values,
    action_json,
    find_element,
    frame,
    new_response_url,
    new_trigger,
    standing,
)
from sandbox.slack.shapes import channel_json, message_json, view_json
from sandbox.slack.stamps import SECOND, to_ts

if TYPE_CHECKING:
    from sandbox.slack.state import SlackState

SLACKBOT = "USLACKBOT"


def click(
    state: SlackState,
    user: str,
    channel: str,
    ts: str,
    action_id: str,
    *,
    value: str | None = None,
    block_id: str | None = None,
    values: Values | None = None,
) -> str:
    """Use an element of a message as `user`; `value` is a button's value, an option's value or a date.

    Sends a `block_actions` envelope and returns its id. Raises NotThere.
    """
    with state.lock:
        person = _person(state, user)
        message = _visible(state, user, channel, ts)
        element = find_element(message.blocks, action_id, value, block_id)
        container: Json = {
            "type": "message",
            "message_ts": ts,
            "channel_id": channel,
            "is_ephemeral": message.ephemeral_for is not None,
        }
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        name = channel_json(state, state.channels[channel]).get("name", "directmessage")
        payload = frame(state, user) | {
            "type": "block_actions",
            "container": container,
            "channel": {"id": channel, "name": name},
            "message": message_json(state, message),
            "state": {"values": standing(message.blocks, values)},
            "response_url": new_response_url(state, channel, user, ts),
            "actions": [action_json(state, element, value)],
        }
        if message.ephemeral_for:
            del payload["message"]

    def lost() -> None:
        with state.lock:
            at, stamp = state.stamp(channel)
            text = f":warning: {state.team.app_name} did not answer {person}'s click."
            state.add(
                Message(channel, stamp, at, SLACKBOT, text, thread_ts=message.thread_ts, bot=False, ephemeral_for=user)
            )

    return state.hub.emit("interactive", payload, on_lost=lost)


def click_view(
    state: SlackState,
    user: str,
    view_id: str,
    action_id: str,
    *,
    value: str | None = None,
    values: Values | None = None,
) -> str:
    """Use an element of an open modal or App Home. Raises NotThere."""
    with state.lock:
        _person(state, user)
        view = _open_view(state, user, view_id)
        element = find_element(view.body.get("blocks", []), action_id, value, None)
        holds = standing(view.body.get("blocks", []), values)
        payload = frame(state, user) | {
            "type": "block_actions",
            "container": {"type": "view", "view_id": view.id},
            "view": view_json(state, view, holds),
            "actions": [action_json(state, element, value)],
        }
    return state.hub.emit("interactive", payload)


def submit(state: SlackState, user: str, view_id: str, values: Values) -> str:
    """Submit a modal; the app's ack closes it, changes it, or puts errors beside its inputs. Raises NotThere."""
    with state.lock:
        _person(state, user)
        view = _open_view(state, user, view_id)
        view.errors = _unfilled(view, standing(view.body.get("blocks", []), values))
        if view.errors:
            state.changed()
            return ""
        view.submitting, view.trouble = True, ""
        payload = frame(state, user) | {
            "type": "view_submission",
            "view": view_json(state, view, standing(view.body.get("blocks", []), values)),
            "response_urls": [],
        }

    def answered(ack: Json) -> None:
        with state.lock:
            _settle(state, view, ack)

    def lost() -> None:
        with state.lock:
            view.submitting = False
            view.trouble = "We had some trouble connecting. Try again?"
            state.changed()

    return state.hub.emit("interactive", payload, accepts_response=True, on_ack=answered, on_lost=lost)


def close_view(state: SlackState, user: str, view_id: str) -> str:
    """Close a modal without submitting; the app hears of it only where it asked to. Raises NotThere."""
    with state.lock:
        view = _open_view(state, user, view_id)
        del state.views[view.id]
        state.changed()
        if not view.body.get("notify_on_close"):
            return ""
        payload = frame(state, user) | {
            "type": "view_closed",
            "view": view_json(state, view),
            "is_cleared": False,
        }
    return state.hub.emit("interactive", payload)


def slash(state: SlackState, user: str, channel: str, line: str) -> str:
    """Send "/command text" from a channel; a text in the ack is shown to that person only. Raises NotThere."""
    command, _, text = line.strip().partition(" ")
    with state.lock:
        name = _person(state, user)
        place = state.channels.get(channel)
        if place is None or user not in place.members:
            raise NotThere(f"{user} is not in {channel}")
        payload: Json = {
            "token": state.secret("verification"),
            "team_id": state.team.id,
            "team_domain": state.team.domain,
            "channel_id": channel,
            "channel_name": place.name if place.kind == "channel" else "directmessage",
            "user_id": user,
            "user_name": name,
            "command": command,
            "text": text,
            "api_app_id": state.team.app_id,
            "is_enterprise_install": "false",
            "response_url": new_response_url(state, channel, user, None),
            "trigger_id": new_trigger(state, user),
        }

    def answered(ack: Json) -> None:
        if ack.get("text") or ack.get("blocks"):
            respond(state, channel, user, ack)

    return state.hub.emit("slash_commands", payload, accepts_response=True, on_ack=answered)


def respond(state: SlackState, channel: str, user: str, answer: Json, thread_ts: str | None = None) -> Message:
    """Put an app's reply into a channel: for everybody with `response_type: in_channel`, else for `user` alone."""
    with state.lock:
        at, ts = state.stamp(channel)
        everybody = answer.get("response_type") == "in_channel"
        return state.add(
            Message(
                channel,
                ts,
                at,
                state.team.bot_user,
                str(answer.get("text") or ""),
                blocks=list(answer.get("blocks") or []),
                thread_ts=thread_ts,
                ephemeral_for=None if everybody else user,
            )
        )


def say(state: SlackState, user: str, channel: str, text: str, thread_ts: str | None = None) -> Message:
    """Write a message as a person; the app hears of it where it subscribed to `message`. Raises NotThere."""
    with state.lock:
        _person(state, user)
        if channel not in state.channels or user not in state.channels[channel].members:
            raise NotThere(f"{user} is not in {channel}")
        at, ts = state.stamp(channel)
        message = state.add(Message(channel, ts, at, user, text, thread_ts=thread_ts, bot=False))
        event = {"type": "message", "channel": channel, "user": user, "text": text, "ts": ts}
    _tell(state, event)
    return message


def open_home(state: SlackState, user: str) -> None:
    """Open the app's Home tab as a person."""
    with state.lock:
        _person(state, user)
        direct, _ = state.direct_message([user])
        assert direct is not None
        event = {"type": "app_home_opened", "user": user, "channel": direct.id, "tab": "home"}
    _tell(state, event)


def _tell(state: SlackState, event: Json) -> None:
    if event["type"] not in state.subscriptions:
        return
    now = state.clock.now()
    payload: Json = {
        "token": state.secret("verification"),
        "team_id": state.team.id,
        "api_app_id": state.team.app_id,
        "event": event | {"event_ts": to_ts(now)},
        "type": "event_callback",
        "event_id": state.opaque("Ev"),
        "event_time": now // SECOND,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": state.team.id,
                "user_id": state.team.bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
    }
    state.hub.emit("events_api", payload)


def _person(state: SlackState, user: str) -> str:
    """The handle of a living person."""
    known = state.users.get(user)
    if known is None or known.deleted or known.is_bot:
        raise NotThere(f"no such person: {user}")
    return known.name


def _visible(state: SlackState, user: str, channel: str, ts: str) -> Message:
    place = state.channels.get(channel)
    message = state.find(channel, ts) or next(
        (m for m in state.ephemerals if m.ts == ts and m.channel == channel and not m.deleted), None
    )
    if place is None or message is None:
        raise NotThere(f"no message {ts} in {channel}")
    if user not in place.members or message.ephemeral_for not in (None, user):
        raise NotThere(f"{user} does not see the message {ts}")
    return message


def _open_view(state: SlackState, user: str, view_id: str) -> View:
    view = state.views.get(view_id)
    if view is None or view.user != user:
        raise NotThere(f"{user} has no open view {view_id}")
    return view


def _unfilled(view: View, values: Values) -> dict[str, str]:
    """Slack itself refuses a required input that is empty."""
    errors: dict[str, str] = {}
    for block in view.body.get("blocks", []):
        if block["type"] != "input" or block.get("optional"):
            continue
        holds = values[str(block["block_id"])][str(block["element"]["action_id"])]
        if not any(held for name, held in holds.items() if name != "type"):
            errors[str(block["block_id"])] = "Please complete this required field."
    return errors


def _settle(state: SlackState, view: View, ack: Json) -> None:
    view.submitting = False
    action = ack.get("response_action")
    if action == "errors":
        view.errors = {str(k): str(v) for k, v in ack.get("errors", {}).items()}
    elif action == "update":
        view.body = ack["view"]
    else:
        state.views.pop(view.id, None)
    state.changed()
