"""What a message would really do to its readers: every mention and link in every surface, apart from what it means to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.slack.blockkit import texts

Kind = Literal["broadcast", "user", "channel", "group", "date", "link", "bare_link"]

_ANGLE = re.compile(r"<([^<>\n]+)>")
_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_BARE = re.compile(r"https?://[^\s<>|]+", re.IGNORECASE)
_SHOUT = re.compile(r"(?<![\w@])@(channel|here|everyone)\b")


@dataclass(frozen=True, slots=True)
class Reference:
    """One thing in a text that Slack turns into a ping or a link."""

    kind: Kind
    target: str
    """`channel`, `here` or `everyone`; the id of a person, channel or group; the address of a link."""
    label: str
    surface: str
    """Where it stands: text, mrkdwn, markdown, button or image."""


def references(text: str, surface: str = "text", parse: str = "") -> list[Reference]:
    """The mentions and links that Slack makes of one mrkdwn text; with `parse` "full" bare @here pings too."""
    code_free = _CODE.sub(" ", text)
    found = [_angle(match.group(1), surface) for match in _ANGLE.finditer(code_free)]
    rest = _ANGLE.sub(" ", code_free)
    found += [Reference("bare_link", match.group(), "", surface) for match in _BARE.finditer(rest)]
    if parse == "full":
        found += [Reference("broadcast", match.group(1), "", surface) for match in _SHOUT.finditer(rest)]
    return found


def _angle(inner: str, surface: str) -> Reference:
    head, _, label = inner.partition("|")
    if head.startswith("!"):
        name, _, rest = head[1:].partition("^")
        if name == "subteam":
            return Reference("group", rest, label, surface)
        return Reference("date" if name == "date" else "broadcast", name, label, surface)
    if head.startswith("@"):
        return Reference("user", head[1:], label, surface)
    if head.startswith("#"):
        return Reference("channel", head[1:], label, surface)
    return Reference("link", head, label, surface)


def message_references(message: Mapping[str, Any]) -> list[Reference]:
    """All of a message as `SlackState.messages()` or the API tells it: `text` and every block; plain_text pings nobody."""
    parse = str(message.get("options", {}).get("parse", ""))
    found = references(str(message.get("text") or ""), "text", parse)
    for kind, text in texts(list(message.get("blocks") or [])):
        if kind in ("mrkdwn", "markdown"):
            found += references(text, kind)
    found += [Reference("link", url, "", surface) for surface, url in _addresses(message.get("blocks") or [])]
    return found


def _addresses(node: object) -> Iterable[tuple[str, str]]:
    if isinstance(node, list):
        for item in node:
            yield from _addresses(item)
    elif isinstance(node, dict):
        if isinstance(node.get("url"), str):
            yield "button", node["url"]
        if isinstance(node.get("image_url"), str):
            yield "image", node["image_url"]
        for item in node.values():
            yield from _addresses(item)


def delivery_counts(messages: Iterable[Mapping[str, Any]], key: str = "delivery_id") -> Counter[str]:
    """How many messages, deleted ones too, carry each delivery id in their metadata; more than one is a duplicate."""
    counts: Counter[str] = Counter()
    for message in messages:
        payload = (message.get("metadata") or {}).get("event_payload", {})
        if key in payload:
            counts[str(payload[key])] += 1
    return counts


def timeline(messages: Iterable[Mapping[str, Any]], channel: str) -> list[tuple[str, str]]:
    """(ts, text as it reads now) of one channel in order, deleted and ephemeral messages left out."""
    return [
        (str(m["ts"]), str(m["text"]))
        for m in sorted(messages, key=lambda m: str(m["ts"]))
        if m["channel"] == channel and not m["deleted"] and not m["ephemeral_for"]
    ]
