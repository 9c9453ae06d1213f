"""Block Kit as Slack refuses it: types, required fields, lengths and counts, each with its JSON pointer.

The numbers are those of the vendor's own kit (models) and reference pages; a message takes 50 blocks, a view 100.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sandbox.slack.elements import ELEMENTS, Findings, check_element, check_text, limited, required
from sandbox.slack.model import Json

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100

ACTIONS = {
    "button",
    "checkboxes",
    "datepicker",
    "overflow",
    "radio_buttons",
    "static_select",
    "timepicker",
    "users_select",
}
INPUTS = {
    "checkboxes",
    "datepicker",
    "multi_static_select",
    "number_input",
    "plain_text_input",
    "radio_buttons",
    "static_select",
    "timepicker",
    "users_select",
}
ACCESSORIES = ACTIONS | {"image", "multi_static_select"}


def _section(block: Json, at: str, found: Findings) -> None:
    text, fields = block.get("text"), block.get("fields")
    if text is None and not fields:
        found.add("missing required field: text or fields", at)
    if text is not None:
        check_text(text, f"{at}/text", found, 3000)
    if fields is not None and limited(fields, f"{at}/fields", found, 10):
        for index, item in enumerate(fields):
            check_text(item, f"{at}/fields/{index}", found, 2000)
    if block.get("accessory") is not None:
        check_element(block["accessory"], f"{at}/accessory", found, ACCESSORIES)


def _header(block: Json, at: str, found: Findings) -> None:
    if required(block, "text", at, found):
        check_text(block["text"], f"{at}/text", found, 150, plain=True)


def _context(block: Json, at: str, found: Findings) -> None:
    if not required(block, "elements", at, found) or not limited(block["elements"], f"{at}/elements", found, 10):
        return
    for index, item in enumerate(block["elements"]):
        here = f"{at}/elements/{index}"
        if isinstance(item, dict) and item.get("type") == "image":
            check_element(item, here, found, {"image"})
        else:
            check_text(item, here, found, 2000)


def _actions(block: Json, at: str, found: Findings) -> None:
    if not required(block, "elements", at, found) or not limited(block["elements"], f"{at}/elements", found, 25):
        return
    seen: set[str] = set()
    for index, item in enumerate(block["elements"]):
        here = f"{at}/elements/{index}"
        check_element(item, here, found, ACTIONS)
        action = item.get("action_id") if isinstance(item, dict) else None
        if isinstance(action, str) and action in seen:
            found.add(f"`action_id` {action} already exists for another element", f"{here}/action_id")
        elif isinstance(action, str):
            seen.add(action)


def _divider(_block: Json, _at: str, _found: Findings) -> None:
    return None


def _image(block: Json, at: str, found: Findings) -> None:
    ELEMENTS["image"](block, at, found)
    if block.get("title") is not None:
        check_text(block["title"], f"{at}/title", found, 2000, plain=True)


def _input(block: Json, at: str, found: Findings) -> None:
    if required(block, "label", at, found):
        check_text(block["label"], f"{at}/label", found, 2000, plain=True)
    if block.get("hint") is not None:
        check_text(block["hint"], f"{at}/hint", found, 2000, plain=True)
    if required(block, "element", at, found):
        check_element(block["element"], f"{at}/element", found, INPUTS)


def _markdown(block: Json, at: str, found: Findings) -> None:
    if required(block, "text", at, found):
        found.text(block["text"], f"{at}/text", 12_000)


def _rich_text(block: Json, at: str, found: Findings) -> None:
    if required(block, "elements", at, found):
        limited(block["elements"], f"{at}/elements", found, 1000)


BLOCKS: dict[str, Callable[[Json, str, Findings], None]] = {
    "actions": _actions,
    "context": _context,
    "divider": _divider,
    "header": _header,
    "image": _image,
    "input": _input,
    "markdown": _markdown,
    "rich_text": _rich_text,
    "section": _section,
}
IN_MESSAGES = frozenset(BLOCKS) - {"input"}
IN_VIEWS = frozenset(BLOCKS) - {"markdown"}


def check_blocks(blocks: Sequence[Any], surface: str = "message", units: str = "code_points") -> list[str]:
    """What Slack would say of these blocks on a message, modal or home: one line per fault, none when they are fine."""
    found = Findings(units)
    most, allowed = (MESSAGE_BLOCKS, IN_MESSAGES) if surface == "message" else (VIEW_BLOCKS, IN_VIEWS)
    if len(blocks) > most:
        found.add(f"no more than {most} items allowed", "/blocks")
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        at = f"/blocks/{index}"
        kind = block.get("type") if isinstance(block, dict) else None
        if not isinstance(block, dict):
            found.add("must be an object", at)
        elif kind not in allowed:
            found.add(f"unsupported type: {kind}", f"{at}/type")
        else:
            BLOCKS[str(kind)](block, at, found)
            _block_id(block, at, seen, found)
    return found.lines


def _block_id(block: Json, at: str, seen: set[str], found: Findings) -> None:
    name = block.get("block_id")
    if name is None:
        return
    found.text(name, f"{at}/block_id", 255)
    if name in seen:
        found.add(f"`block_id` {name} already exists for another block", f"{at}/block_id")
    seen.add(name)


def texts(node: object) -> Iterator[tuple[str, str]]:
    """Every (kind, text) a reader can see below this node; kind is mrkdwn, plain_text, markdown or rich_text."""
    if isinstance(node, list):
        for item in node:
            yield from texts(item)
    elif isinstance(node, dict):
        kind, text = node.get("type"), node.get("text")
        if kind in ("mrkdwn", "plain_text", "markdown") and isinstance(text, str):
            yield str(kind), text
        elif kind == "text" and isinstance(text, str):
            yield "rich_text", text
        for item in node.values():
            if isinstance(item, (dict, list)):
                yield from texts(item)


def text_length(blocks: Sequence[Json]) -> int:
    """Characters of all text in the blocks, which is what msg_blocks_too_long counts."""
    return sum(len(text) for _, text in texts(list(blocks)))
