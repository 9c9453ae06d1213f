"""What a message may hold: text, blocks, attachments and metadata of a call, checked and completed as Slack does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.slack.blockkit import check_blocks, text_length
from sandbox.slack.elements import ELEMENTS
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Json
from sandbox.slack.wire import Call

if TYPE_CHECKING:
    from sandbox.slack.state import SlackState

TEXT_LIMIT = 4_000
"""Characters of `text`; documented for chat.update, seen for chat.postMessage."""

TEXT_TRUNCATED_AT = 40_000
MARKDOWN_LIMIT = 12_000
ATTACHMENTS = 100


@dataclass(slots=True)
class Content:
    """What the call gave; None where it did not mention a part."""

    text: str | None
    blocks: list[Json] | None
    attachments: list[Json] | None
    metadata: Json | None
    """{} clears it."""


def read_content(state: SlackState, call: Call) -> Content:
    """Take the content of a call apart and refuse what the vendor refuses. Raises SlackError."""
    text = call.text("text") if "text" in call.args else None
    markdown = call.text("markdown_text")
    posts, whispers = call.method == "chat.postMessage", call.method == "chat.postEphemeral"
    # The vendor's tables name these faults differently from method to method.
    too_long = "msg_blocks_too_long" if posts else "msg_too_long"
    blocks = read_blocks(state, call.structure("blocks", "invalid_blocks_format"), too_long)
    bad_attachments = "no_text" if posts else "invalid_attachments"
    attachments = _listed(call.structure("attachments", bad_attachments), bad_attachments)
    if markdown:
        if text or blocks:
            raise SlackError("markdown_text_conflict")
        if len(markdown) > MARKDOWN_LIMIT:
            raise SlackError("invalid_arguments", [f"[ERROR] must be less than {MARKDOWN_LIMIT + 1} characters"])
        text, blocks = markdown, complete(state, [{"type": "markdown", "text": markdown}])
    if attachments is not None and len(attachments) > ATTACHMENTS:
        raise SlackError("too_many_attachments")
    metadata = None
    if not whispers:
        metadata = _metadata(call.structure("metadata", "invalid_metadata_format"), state.switches.metadata_limit)
    return Content(text, blocks, attachments, metadata)


def read_blocks(state: SlackState, value: object, too_long: str = "msg_blocks_too_long") -> list[Json] | None:
    """The blocks of a message, checked and completed; None where there are none given. Raises SlackError."""
    blocks = _listed(value, "invalid_blocks_format")
    if blocks is None:
        return None
    faults = check_blocks(blocks, "message", state.switches.text_units)
    if faults:
        raise SlackError("invalid_blocks", faults, {"errors": faults})
    if text_length(blocks) > state.switches.blocks_text_limit:
        raise SlackError(too_long)
    return complete(state, blocks)


def pieces(state: SlackState, text: str) -> list[str]:
    """The text as one message or, where the workspace is switched so, several. Raises SlackError msg_too_long."""
    if len(text) <= TEXT_LIMIT:
        return [text]
    if state.switches.long_text == "msg_too_long":
        raise SlackError("msg_too_long")
    text = text[:TEXT_TRUNCATED_AT]
    if state.switches.long_text == "pass":
        return [text]
    return [text[start : start + TEXT_LIMIT] for start in range(0, len(text), TEXT_LIMIT)]


def complete(state: SlackState, blocks: list[Json]) -> list[Json]:
    """Blocks with the ids and text flags that Slack adds; the caller's own list is left alone."""
    return [{**_completed(state, block), "block_id": block.get("block_id") or state.short_id()} for block in blocks]


def _completed(state: SlackState, node: Any) -> Any:
    if isinstance(node, list):
        return [_completed(state, item) for item in node]
    if not isinstance(node, dict):
        return node
    full = {name: _completed(state, value) for name, value in node.items()}
    kind = full.get("type")
    if kind == "plain_text":
        full.setdefault("emoji", True)
    elif kind == "mrkdwn":
        full.setdefault("verbatim", False)
    elif kind in ELEMENTS and kind != "image":
        full.setdefault("action_id", state.short_id())
    return full


def _listed(value: object, error: str) -> list[Json] | None:
    if value is None or value == "":
        return None
    if not isinstance(value, list):
        raise SlackError(error)
    return value


def _metadata(value: object, limit: int) -> Json | None:
    if value is None or value == {}:
        return None if value is None else {}
    if not isinstance(value, dict) or not isinstance(value.get("event_type"), str) or not value["event_type"]:
        raise SlackError("invalid_metadata_format")
    if not isinstance(value.get("event_payload"), dict) or set(value) - {"event_type", "event_payload"}:
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(value, separators=(",", ":"))) > limit:
        raise SlackError("metadata_too_large")
    return value
