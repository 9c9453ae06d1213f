"""Block Kit's limits, each at its edge: the last value that passes and the first that does not."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.slack.blockkit import check_blocks, text_length
from tests.sandbox.slack_workspace import actions, button, section


def plain(text: str) -> dict[str, Any]:
    """A plain_text object."""
    return {"type": "plain_text", "text": text}


def option(number: int, text: str = "o", value: str | None = None) -> dict[str, Any]:
    """An option with a value of its own."""
    return {"text": plain(text), "value": str(number) if value is None else value}


def select(options: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A static select."""
    return {"type": "static_select", "action_id": "s", "options": options, **more}


def overflow(count: int) -> dict[str, Any]:
    """An overflow menu."""
    return {"type": "overflow", "action_id": "o", "options": [option(n) for n in range(count)]}


def confirm(**lengths: int) -> dict[str, Any]:
    """A confirmation with texts of these lengths."""
    return {name: plain("c" * lengths.get(name, 1)) for name in ("title", "text", "confirm", "deny")}


EDGES: dict[str, tuple[Any, int]] = {
    "blocks": (lambda n: [{"type": "divider"}] * n, 50),
    "section text": (lambda n: [section("x" * n)], 3000),
    "fields": (lambda n: [{"type": "section", "fields": [plain("f")] * n}], 10),
    "field text": (lambda n: [{"type": "section", "fields": [plain("f" * n)]}], 2000),
    "header": (lambda n: [{"type": "header", "text": plain("h" * n)}], 150),
    "context elements": (lambda n: [{"type": "context", "elements": [plain("c")] * n}], 10),
    "actions elements": (lambda n: [actions(*[button("b", f"a{i}") for i in range(n)])], 25),
    "button text": (lambda n: [actions(button("b" * n, "a"))], 75),
    "button value": (lambda n: [actions(button("b", "a", "v" * n))], 2000),
    "button url": (lambda n: [actions(button("b", "a", url="https://a/" + "u" * (n - 10)))], 3000),
    "action_id": (lambda n: [actions(button("b", "a" * n))], 255),
    "block_id": (lambda n: [{"type": "divider", "block_id": "b" * n}], 255),
    "options": (lambda n: [actions(select([option(i) for i in range(n)]))], 100),
    "option text": (lambda n: [actions(select([option(0, "t" * n)]))], 75),
    "option value": (lambda n: [actions(select([option(0, value="v" * n)]))], 150),
    "placeholder": (lambda n: [actions(select([option(0)], placeholder=plain("p" * n)))], 150),
    "overflow options": (lambda n: [actions(overflow(n))], 5),
    "confirm title": (lambda n: [actions(button("b", "a", confirm=confirm(title=n)))], 100),
    "confirm text": (lambda n: [actions(button("b", "a", confirm=confirm(text=n)))], 300),
    "confirm button": (lambda n: [actions(button("b", "a", confirm=confirm(deny=n)))], 30),
    "image url": (
        lambda n: [{"type": "image", "image_url": "https://a/" + "u" * (n - 10), "alt_text": "a"}],
        3000,
    ),
    "image alt": (lambda n: [{"type": "image", "image_url": "https://a/b", "alt_text": "a" * n}], 2000),
    "markdown": (lambda n: [{"type": "markdown", "text": "m" * n}], 12_000),
}


@pytest.mark.parametrize("name", EDGES)
def test_limit_holds_at_its_edge(name: str) -> None:
    """The limit itself passes; one more is one fault or more, and each says where."""
    make, most = EDGES[name]
    assert check_blocks(make(most)) == []
    faults = check_blocks(make(most + 1))
    assert faults
    assert all("[json-pointer:/blocks" in fault for fault in faults)


@pytest.mark.parametrize(
    ("blocks", "fault"),
    [
        ([{"type": "banner"}], "unsupported type: banner"),
        (["text"], "must be an object"),
        ([{"type": "section"}], "missing required field: text or fields"),
        ([section("")], "must be more than 0 characters"),
        ([{"type": "section", "text": "bare"}], "must be a text object"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "h"}}], "unsupported type: mrkdwn"),
        ([{"type": "section", "text": {"type": "mrkdwn", "text": "x", "emoji": True}}], "additional property: emoji"),
        ([{"type": "actions", "elements": []}], "at least 1 items"),
        ([actions(button("b", "same"), button("c", "same"))], "already exists"),
        ([{"type": "divider", "block_id": "x"}, {"type": "divider", "block_id": "x"}], "already exists"),
        ([actions(button("b", "a", style="loud"))], "must be one of: primary, danger"),
        ([actions(button("b", "a", url="javascript:alert(1)"))], "must be a valid URL"),
        ([actions({"type": "slider"})], "unsupported type: slider"),
        ([actions(select([option(1)], initial_option=option(2)))], "is not one of the options"),
        ([actions({"type": "datepicker", "initial_date": "2/3/2026"})], "invalid format"),
        ([{"type": "input", "label": plain("l"), "element": {"type": "datepicker"}}], "unsupported type: input"),
        ([{"type": "image", "image_url": "https://a/b"}], "missing required field: alt_text"),
    ],
)
def test_fault_is_named(blocks: list[Any], fault: str) -> None:
    """What is not Block Kit is refused in words that say what is wrong."""
    assert any(fault in line for line in check_blocks(blocks)), check_blocks(blocks)


def test_views_take_inputs_and_more_blocks() -> None:
    """A view may have inputs and 100 blocks."""
    entry = {"type": "input", "label": plain("l"), "element": {"type": "plain_text_input"}}
    assert check_blocks([entry, *[{"type": "divider"}] * 99], "modal") == []
    assert "no more than 100 items allowed" in check_blocks([{"type": "divider"}] * 101, "modal")[0]


def test_characters_may_be_counted_as_utf16() -> None:
    """A face counts as one character, or as two where the workspace counts UTF-16 units."""
    faces = [{"type": "header", "text": plain("😀" * 100)}]
    assert check_blocks(faces) == []
    assert check_blocks(faces, units="utf16") != []


def test_text_length_counts_what_is_read() -> None:
    """All texts of all blocks count, ids and values do not."""
    blocks = [
        section("abc"),
        actions(button("de", "identifier", "value")),
        {"type": "context", "elements": [plain("f")]},
    ]
    assert text_length(blocks) == 6
