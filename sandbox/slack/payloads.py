"""What an interaction tells the app: the element that was used, what stands in the inputs, where to answer."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from sandbox.slack.model import Json, ResponseUrl, Trigger
from sandbox.slack.stamps import SECOND, to_ts

if TYPE_CHECKING:
    from sandbox.slack.state import SlackState

Values = Mapping[str, Mapping[str, Json]]
"""block_id -> action_id -> what stands in that input, in the vendor's shape."""

CHOICES = ("overflow", "radio_buttons", "static_select")


class NotThere(LookupError):
    """Nobody could do this: the person, message, button, option or view is not there for them."""


def elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Every (block, interactive element), in the order of reading."""
    for block in blocks:
        for element in block.get("elements", []) if block["type"] == "actions" else []:
            yield block, element
        for name in ("accessory", "element"):
            if isinstance(block.get(name), dict) and block[name]["type"] != "image":
                yield block, block[name]


def options(element: Json) -> list[Json]:
    """The options of a menu, those in groups too."""
    grouped = [option for group in element.get("option_groups", []) for option in group["options"]]
    return [*element.get("options", []), *grouped]


def find_element(blocks: list[Json], action_id: str, value: str | None, block_id: str | None) -> Json:
    """The element with this action_id that could give `value`, with its block_id. Raises NotThere."""
    for block, element in elements(blocks):
        if element.get("action_id") != action_id or block_id not in (None, block.get("block_id")):
            continue
        if element["type"] == "button" and value is not None and element.get("value", "") != value:
            continue
        if element["type"] in CHOICES and value not in [o["value"] for o in options(element)]:
            continue
        return {**element, "block_id": block.get("block_id")}
    raise NotThere(f"nothing to click with action_id {action_id!r} and value {value!r}")


def action_json(state: SlackState, element: Json, value: str | None) -> Json:
    """One item of `actions`: the element as it was used, stamped."""
    at, _ = state.stamp("actions")
    shape: Json = {"action_id": element["action_id"], "block_id": element["block_id"], "type": element["type"]}
    for name in ("text", "value", "style", "url", "confirm", "placeholder"):
        if element.get(name) is not None:
            shape[name] = element[name]
    return shape | chosen(element, value) | {"action_ts": to_ts(at)}


def chosen(element: Json, value: str | None) -> Json:
    """What an element holds once a person put `value` into it, without its type."""
    kind = element["type"]
    if kind in CHOICES:
        picked = next((o for o in options(element) if o["value"] == value), None)
        return {"selected_option": picked}
    if kind in ("checkboxes", "multi_static_select"):
        wanted = (value or "").split(",")
        return {"selected_options": [o for o in options(element) if o["value"] in wanted]}
    if kind in ("plain_text_input", "number_input"):
        return {"value": value or None}
    fields = {"datepicker": "selected_date", "timepicker": "selected_time", "users_select": "selected_user"}
    return {fields[kind]: value or None} if kind in fields else {}


def _initial(element: Json) -> str | None:
    for name in ("initial_date", "initial_time", "initial_user", "initial_value"):
        if element.get(name) is not None:
            return str(element[name])
    if element.get("initial_option"):
        return str(element["initial_option"]["value"])
    ticked = [str(option["value"]) for option in element.get("initial_options", [])]
    return ",".join(ticked) if ticked else None


def standing(blocks: list[Json], given: Values | None) -> dict[str, dict[str, Json]]:
    """The state of every input: what the person gave, else what the app put there; buttons have none."""
    values: dict[str, dict[str, Json]] = {}
    for block, element in elements(blocks):
        if element["type"] in ("button", "overflow"):
            continue
        here, name = str(block.get("block_id")), str(element.get("action_id"))
        own = (given or {}).get(here, {}).get(name)
        values.setdefault(here, {})[name] = {
            "type": element["type"],
            **(chosen(element, _initial(element)) if own is None else own),
        }
    return values


def frame(state: SlackState, user: str) -> Json:
    """What every interactive payload carries."""
    known = state.users[user]
    return {
        "user": {"id": user, "username": known.name, "name": known.name, "team_id": state.team.id},
        "api_app_id": state.team.app_id,
        "token": state.secret("verification"),
        "trigger_id": new_trigger(state, user),
        "team": {"id": state.team.id, "domain": state.team.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def new_trigger(state: SlackState, user: str) -> str:
    """A trigger_id for one modal of this person."""
    trigger = f"{state.clock.now() // SECOND}.{state.opaque('')}"
    state.triggers[trigger] = Trigger(user, time.monotonic())
    return trigger


def new_response_url(state: SlackState, channel: str, user: str, ts: str | None) -> str:
    """An address that takes the app's answers to this interaction."""
    key = state.opaque("")
    state.response_urls[key] = ResponseUrl(channel, user, ts, state.clock.now())
    return f"{state.origin}/actions/{state.team.id}/{key}"
