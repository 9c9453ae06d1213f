"""Slack's limits on a message, checked before it is sent: the vendor's kit checks few of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Block = Mapping[str, Any]

MAX_BLOCKS = 50
MAX_TEXT = 3900
"""Top-level text: longer than 4,000 may be split into several messages or refused."""
MAX_TOTAL = 12_000
"""Blocks that sum to about 13,200 characters were refused with msg_blocks_too_long."""
_SECTION, _FIELD, _FIELDS, _CONTEXT, _ACTIONS = 3000, 2000, 10, 10, 25
_ID, _LABEL, _VALUE, _URL, _OPTION_VALUE, _HEADER, _OPTIONS = 255, 75, 2000, 3000, 150, 150, 100


def check(text: str, blocks: Sequence[Block]) -> list[str]:
    """Every limit that a message breaks, in words; empty = Slack takes it."""
    problems = [] if text.strip() else ["text is empty"]
    _most(problems, "text", len(text), MAX_TEXT)
    _most(problems, "blocks", len(blocks), MAX_BLOCKS)
    _most(problems, "characters in all blocks", _total(blocks), MAX_TOTAL)
    for at, block in enumerate(blocks):
        _block(problems, f"blocks[{at}]", block)
    return problems


def _block(problems: list[str], at: str, block: Block) -> None:
    _most(problems, f"{at}.block_id", len(block.get("block_id", "")), _ID)
    match block.get("type"):
        case "section":
            _section(problems, at, block)
        case "header":
            _text(problems, at, block.get("text"), _HEADER)
        case "context":
            _some(problems, at, block.get("elements", ()), _CONTEXT)
            for element in block.get("elements", ()):
                _text(problems, at, element, _SECTION)
        case "actions":
            _some(problems, at, block.get("elements", ()), _ACTIONS)
            for element in block.get("elements", ()):
                _element(problems, at, element)
        case "divider":
            pass
        case other:
            problems.append(f"{at}: this module knows no block of type {other}")


def _section(problems: list[str], at: str, block: Block) -> None:
    fields = block.get("fields", ())
    if "text" in block:
        _text(problems, at, block["text"], _SECTION)
    elif not fields:
        problems.append(f"{at}: a section needs text or fields")
    _most(problems, f"{at}.fields", len(fields), _FIELDS)
    for field in fields:
        _text(problems, f"{at}.fields", field, _FIELD)
    if "accessory" in block:
        _element(problems, at, block["accessory"])


def _element(problems: list[str], at: str, element: Block) -> None:
    _most(problems, f"{at}.action_id", len(element.get("action_id", "")), _ID)
    _most(problems, f"{at}.value", len(element.get("value", "")), _VALUE)
    _most(problems, f"{at}.url", len(element.get("url", "")), _URL)
    if "text" in element:
        _text(problems, at, element["text"], _LABEL)
    options = element.get("options", ())
    if element.get("type") == "static_select":
        _some(problems, f"{at}.options", options, _OPTIONS)
    for option in options:
        _text(problems, f"{at}.options", option.get("text"), _LABEL)
        _most(problems, f"{at}.options.value", len(option.get("value", "")), _OPTION_VALUE)


def _text(problems: list[str], at: str, text: Block | None, limit: int) -> None:
    words = (text or {}).get("text", "")
    if not words:
        problems.append(f"{at}: empty text")
    _most(problems, f"{at}.text", len(words), limit)


def _some(problems: list[str], at: str, items: Sequence[Any], limit: int) -> None:
    if not items:
        problems.append(f"{at}: needs at least one element")
    _most(problems, at, len(items), limit)


def _most(problems: list[str], at: str, count: int, limit: int) -> None:
    if count > limit:
        problems.append(f"{at}: {count} is more than {limit}")


def _total(value: object) -> int:
    """Characters of all texts inside blocks."""
    if isinstance(value, Mapping):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(_total(inner) for inner in value.values())
    if isinstance(value, list | tuple):
        return sum(_total(inner) for inner in value)
    return 0
