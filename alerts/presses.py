"""What somebody pressed, read from Slack's interaction payloads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from alerts.buttons import ACKNOWLEDGE, NOT_USEFUL, OPEN, REASONS, SNOOZE, SNOOZE_DIALOG, TOOK_ACTION
from alerts.who import ANSWERS, WHO
from store.records import Day

Payload = Mapping[str, Any]

_WHO = {f"{WHO}{answer}": f"who_{answer}" for answer, _ in ANSWERS}
_PRESSES = _WHO | {ACKNOWLEDGE: "acknowledge", NOT_USEFUL: "not_useful", TOOK_ACTION: "took_action", SNOOZE: "snooze"}
_REASONS = dict(REASONS)


@dataclass(frozen=True, slots=True)
class Press:
    """One press. `what`: acknowledge | not_useful | took_action | snooze | snooze_submitted | who_exec | who_user |
    who_other | nothing.
    """

    what: str
    user: str
    """Slack user id."""
    user_name: str = ""
    conversation: str = ""
    """The conversation's opaque key; of who_...: the person's."""
    choice: str = ""
    """1d | 7d | date"""
    until: Day | None = None
    reason: str | None = None
    channel: str | None = None
    trigger: str | None = None


def read(payload: Payload) -> Press:
    """The press that a payload means; `nothing` for what we do not offer."""
    person = payload.get("user") or {}
    user, name = str(person.get("id", "")), str(person.get("name") or person.get("username") or "")
    if payload.get("type") == "view_submission":
        return _submitted(payload, user, name)
    action = next(iter(payload.get("actions") or ()), None)
    if payload.get("type") != "block_actions" or action is None:
        return Press("nothing", user, name)
    what = _PRESSES.get(str(action.get("action_id")), "nothing")
    value = action.get("value") or (action.get("selected_option") or {}).get("value") or ""
    key, _, choice = str(value).partition("|")
    channel = (payload.get("channel") or {}).get("id") or (payload.get("container") or {}).get("channel_id")
    return Press(what, user, name, key, choice, channel=channel, trigger=payload.get("trigger_id"))


def _submitted(payload: Payload, user: str, name: str) -> Press:
    view = payload.get("view") or {}
    if view.get("callback_id") != SNOOZE_DIALOG:
        return Press("nothing", user, name)
    key, _, choice = str(view.get("private_metadata", "")).partition("|")
    values = (view.get("state") or {}).get("values") or {}
    chosen = ((values.get("until") or {}).get("until") or {}).get("selected_date")
    option = ((values.get("reason") or {}).get("reason") or {}).get("selected_option") or {}
    reason = _REASONS.get(str(option.get("value")))
    return Press("snooze_submitted", user, name, key, choice, until=_day(chosen), reason=reason)


def _action(payload: Payload) -> Payload:
    """The element that was used; empty where it was none."""
    first: Payload = next(iter(payload.get("actions") or ()), {})
    return first


def _day(text: object) -> Day | None:
    try:
        return (date.fromisoformat(str(text)) - date(1970, 1, 1)).days
    except ValueError:
        return None


def objection(press: Press, today: Day) -> dict[str, Any] | None:
    """What Slack shows beside a dialog's input instead of taking it; None = nothing is wrong."""
    if press.what != "snooze_submitted" or press.choice != "date":
        return None
    if press.until is None or press.until <= today:
        return {"response_action": "errors", "errors": {"until": "Choose a day after today."}}
    return None


def action_key(envelope_id: str, payload: Payload) -> str:
    """One press, however often Slack delivers it: envelope id and action time."""
    action = _action(payload)
    return f"{envelope_id}:{action.get('action_ts', '')}"


def is_ours(payload: Payload) -> bool:
    """Is there anything to do for it? A link button also reports its press."""
    action = _action(payload)
    return not str(action.get("action_id", "")).startswith(OPEN)
