"""Make text from a CRM harmless in Slack, and leave marks that only the delivery turns into mentions and links."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, urlsplit

# Private-use characters fence our own marks; `clean` takes them out of all data, so no name can forge one.
_OPEN, _CLOSE, _SPLIT = "\ue000", "\ue001", "\ue002"
_MARK = re.compile(f"{_OPEN}([a-z]+){_SPLIT}([^{_CLOSE}]*){_CLOSE}")
# Control characters, our fences, and the directional overrides that make a line read backwards.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f\ue000-\ue002\u202a-\u202e\u2066-\u2069]")
_ENTITY_TAIL = re.compile(r"&[a-z]{0,3}$")


def clean(text: str) -> str:
    """One line without control characters."""
    return " ".join(_UNWANTED.sub("", text.replace("\n", " ").replace("\r", " ")).split())


def escape(text: str, limit: int = 3000) -> str:
    """Data for any mrkdwn surface, top-level `text` included: at most `limit` characters after escaping.

    Slack reads only `&`, `<` and `>` as control characters: https://docs.slack.dev/messaging/formatting-message-text
    """
    escaped = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(escaped) <= limit:
        return escaped
    return _ENTITY_TAIL.sub("", escaped[: limit - 1]) + "…"


def link(url: str | None, label: str, limit: int = 150) -> str:
    """`<url|label>` with both parts made harmless; the label alone where the address is not http(s)."""
    safe = address(url)
    shown = escape(label, limit)
    return f"<{safe.replace('&', '&amp;')}|{shown}>" if safe and shown else shown


def address(url: str | None) -> str | None:
    """The address with `<`, `>`, `|`, quotes and blanks percent-encoded; None where its scheme is not http or https."""
    if not url or urlsplit(url).scheme not in ("http", "https"):
        return None
    return quote(_UNWANTED.sub("", url), safe=":/?#[]@!$&'()*+,;=%~-._")


def mention_mark(email: str, name: str) -> str:
    """A place where the delivery puts the Slack mention of `email`, or `name` where Slack does not know the address."""
    return f"{_OPEN}user{_SPLIT}{clean(email).lower()}{_SPLIT}{clean(name)}{_CLOSE}"


def link_mark(conversation_key: str, label: str) -> str:
    """A place where the delivery puts a link to a conversation's parent message, or nothing where it was never sent."""
    return f"{_OPEN}link{_SPLIT}{clean(conversation_key)}{_SPLIT}{clean(label)}{_CLOSE}"


def fill(text: str, mention: Callable[[str], str | None], permalink: Callable[[str], str | None]) -> str:
    """Replace every mark: `mention` gives the Slack id of an e-mail address, `permalink` the address of a parent."""

    def one(match: re.Match[str]) -> str:
        key, _, label = match.group(2).partition(_SPLIT)
        if match.group(1) == "user":
            user = mention(key)
            return f"<@{user}>" if user else escape(label, 100)
        url = permalink(key)
        return link(url, label) if url else escape(label, 150)

    return _MARK.sub(one, text)


def marks(text: str) -> tuple[tuple[str, str], ...]:
    """(kind, key) of every mark in a text: kind `user` with an e-mail address, `link` with a conversation's key."""
    return tuple((m.group(1), m.group(2).partition(_SPLIT)[0]) for m in _MARK.finditer(text))


def unmarked(text: str) -> str:
    """The text as a person would read it: marks become their labels."""
    return _MARK.sub(lambda m: m.group(2).partition(_SPLIT)[2], text)
