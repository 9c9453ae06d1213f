"""Slack's mrkdwn as safe HTML: everything is escaped first, only our own tags are put back."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping

from markupsafe import Markup, escape

Names = Mapping[str, str]
"""Id of a person or channel -> what a reader sees."""

_TOKEN = re.compile(r"```(?P<pre>.*?)```|`(?P<code>[^`\n]+)`|<(?P<angle>[^<>\n]+)>", re.DOTALL)
_BARE = re.compile(r"https?://[^\s<>|\ue000-\uf8ff]*[^\s<>|.,;:!?)\ue000-\uf8ff]", re.IGNORECASE)
_HELD = re.compile(r"\ue000(\d+)\ue001")
_PRIVATE = re.compile(r"[\ue000\ue001]")
_QUOTE = re.compile(r"(?:^&gt; ?.*(?:\n|$))+", re.MULTILINE)
_STYLES = tuple(
    (re.compile(rf"(?<![\w{mark}])\{mark}(?=\S)([^{mark}\n]+?)(?<=\S)\{mark}(?![\w{mark}])"), tag)
    for mark, tag in (("*", "strong"), ("_", "em"), ("~", "s"))
)
_EMOJI = re.compile(r":([a-z0-9_+-]+):")
EMOJI = {
    "alarm_clock": "⏰",
    "arrow_down": "⬇️",
    "arrow_right": "➡️",
    "arrow_up": "⬆️",
    "bell": "🔔",
    "calendar": "📅",
    "chart_with_downwards_trend": "📉",
    "chart_with_upwards_trend": "📈",
    "eyes": "👀",
    "heavy_check_mark": "✔️",
    "hourglass": "⌛",
    "information_source": "ℹ️",
    "large_blue_circle": "🔵",
    "large_green_circle": "🟢",
    "large_orange_circle": "🟠",
    "large_yellow_circle": "🟡",
    "mag": "🔍",
    "memo": "📝",
    "no_entry": "⛔",
    "question": "❓",
    "red_circle": "🔴",
    "rotating_light": "🚨",
    "rocket": "🚀",
    "tada": "🎉",
    "thumbsdown": "👎",
    "thumbsup": "👍",
    "warning": "⚠️",
    "white_check_mark": "✅",
    "white_circle": "⚪",
    "x": "❌",
    "zzz": "💤",
}


def emoji(text: str) -> str:
    """`:warning:` and its like as characters; unknown names stay as they are."""
    return _EMOJI.sub(lambda match: EMOJI.get(match.group(1), match.group()), text)


def plain(text: str) -> Markup:
    """plain_text as HTML: nothing in it means anything, but emoji names and line ends."""
    return Markup("<br>").join(escape(line) for line in emoji(text).split("\n"))


def unescaped(text: str) -> str:
    """Slack's three entities back as characters."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def safe_url(address: str) -> str | None:
    """The address if a link may lead there, else None."""
    return address if re.match(r"(https?://|mailto:)", address, re.IGNORECASE) else None


def mrkdwn(text: str, names: Names, me: str = "") -> Markup:
    """Message text as HTML for the reader `me`, whose own mentions stand out."""
    held: list[str] = []

    def hold(markup: str) -> str:
        held.append(markup)
        return f"\ue000{len(held) - 1}\ue001"

    def token(match: re.Match[str]) -> str:
        if match["pre"] is not None:
            return hold(f"<pre>{_escaped(match['pre'].strip(chr(10)))}</pre>")
        if match["code"] is not None:
            return hold(f"<code>{_escaped(match['code'])}</code>")
        return hold(_angle(match["angle"], names, me))

    text = _TOKEN.sub(token, _PRIVATE.sub("", text))
    text = _BARE.sub(lambda match: hold(_link(unescaped(match.group()), "")), text)
    text = _escaped(emoji(text))
    for pattern, tag in _STYLES:
        text = pattern.sub(rf"<{tag}>\1</{tag}>", text)
    text = _quoted(text).replace("\n", "<br>")
    return Markup(_restored(text, lambda number: held[number]))  # noqa: S704 - built from escaped parts only


def _escaped(text: str) -> str:
    return html.escape(unescaped(text), quote=True)


def _restored(text: str, held: Callable[[int], str]) -> str:
    return _HELD.sub(lambda match: held(int(match.group(1))), text)


def _quoted(text: str) -> str:
    def quote(match: re.Match[str]) -> str:
        lines = [re.sub(r"^&gt; ?", "", line) for line in match.group().rstrip("\n").split("\n")]
        return f"<blockquote>{chr(10).join(lines)}</blockquote>"

    return _QUOTE.sub(quote, text)


def _link(address: str, label: str) -> str:
    url = safe_url(address)
    shown = html.escape(unescaped(label) or address)
    if url is None:
        return shown
    return f'<a href="{html.escape(url)}" target="_blank" rel="noopener noreferrer">{shown}</a>'


def _angle(inner: str, names: Names, me: str) -> str:
    head, _, label = inner.partition("|")
    if head.startswith(("@", "!")):
        return _mention(head, label, names, me)
    if head.startswith("#"):
        return f'<span class="mention">#{html.escape(names.get(head[1:], label or head[1:]))}</span>'
    return _link(unescaped(head), label)


def _mention(head: str, label: str, names: Names, me: str) -> str:
    name = head[1:].partition("^")[0]
    if head.startswith("@"):
        shown, kind = names.get(name, label or name), "mention me" if name == me else "mention"
    elif name in ("channel", "here", "everyone"):
        shown, kind = name, "mention me"
    else:
        return html.escape(unescaped(label) or name)
    return f'<span class="{kind}">@{html.escape(shown)}</span>'
