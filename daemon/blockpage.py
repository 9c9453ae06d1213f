"""Slack's Block Kit as plain HTML, for people who want to see a message without a Slack."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

_LINK = re.compile(r"&lt;(https?://[^|&]*(?:&amp;[^|&]*)*)\|(.*?)&gt;(?!\0)")
_STYLES = ((re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])"), "b"), (re.compile(r"(?<![\w_])_([^_\n]+)_(?![\w_])"), "i"))


@dataclass(frozen=True, slots=True)
class Shown:
    """One message: what kind it is, and its body (`text`, `blocks`) with all marks filled in."""

    kind: str
    body: Mapping[str, Any]


def page(title: str, messages: Sequence[Shown]) -> str:
    """One HTML page that needs no other file."""
    environment = Environment(loader=PackageLoader("daemon", "templates"), autoescape=select_autoescape(["html"]))
    shown = [
        {"kind": message.kind, "blocks": [_block(block) for block in message.body["blocks"]]} for message in messages
    ]
    return environment.get_template("preview.html").render(title=title, messages=shown)


def _block(block: Mapping[str, Any]) -> dict[str, Any]:
    kind = block.get("type")
    texts = [block["text"]] if "text" in block else []
    texts += block.get("elements", []) if kind == "context" else []
    fields = block.get("fields", [])
    buttons = list(block.get("elements", [])) if kind == "actions" else []
    buttons += [block["accessory"]] if "accessory" in block else []
    return {
        "kind": kind,
        "texts": [_text(text) for text in texts],
        "fields": [_text(text) for text in fields],
        "buttons": [_label(button) for button in buttons],
    }


def _label(element: Mapping[str, Any]) -> str:
    text: Mapping[str, Any] = element.get("text") or element.get("placeholder") or {}
    return str(text.get("text", "…"))


def _text(text: Mapping[str, Any]) -> Markup:
    words = str(text.get("text", ""))
    return mrkdwn(words) if text.get("type") == "mrkdwn" else Markup(html.escape(words))  # noqa: S704 - escaped here


def mrkdwn(text: str) -> Markup:
    """Slack's own markup as HTML. Everything is escaped first, so a customer's name can never become a tag."""
    plain = text.replace("&lt;", "<\0").replace("&gt;", ">\0").replace("&amp;", "&")
    escaped = html.escape(plain)
    escaped = _LINK.sub(r'<a href="\1" rel="noreferrer">\2</a>', escaped)
    for pattern, tag in _STYLES:
        escaped = pattern.sub(rf"<{tag}>\1</{tag}>", escaped)
    return Markup(escaped.replace("\0", "").replace("\n", "<br>"))  # noqa: S704 - escaped above
