"""The question `who are these people?`: persons whom nobody knows, with Exec, User and Other under each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alerts import words
from alerts.escape import escape, link
from alerts.message import Block, Message, context, guarded, mention, section
from alerts.view import Person
from store.records import Day

MOST = 10
"""Persons in one message: two blocks each, well within Slack's fifty."""
WHO = "tierd_who_"
ANSWERS = (("exec", "Exec"), ("user", "User"), ("other", "Other"))


@dataclass(frozen=True, slots=True)
class WhoItem:
    """One person. `key`: an opaque word that comes back with the press."""

    key: str
    name: str
    account: str
    url: str | None = None
    title: str | None = None
    last_touch: Day | None = None
    settles: int = 0


@dataclass(frozen=True, slots=True)
class WhoView:
    """One CSM's question. `left_out`: how many persons more there are."""

    recipient: Person | None
    items: Sequence[WhoItem]
    left_out: int
    day: Day


def render(view: WhoView) -> Message:
    """One message; it says where the rest is listed."""
    to = mention(view.recipient)
    total = len(view.items) + view.left_out
    people = "this person" if total == 1 else f"these {total:,} people"
    text = f"Who {'is' if total == 1 else 'are'} {people}? {to}".strip()

    def build() -> list[Block]:
        head = section(f"*{text}*\nTheir level is not known, so some questions about their accounts have no answer.")
        blocks = [head]
        for item in view.items:
            blocks += [section(_line(item)), _buttons(item.key)]
        more = f"{view.left_out:,} more: `tierd people unknown` · " if view.left_out else ""
        return [*blocks, context(f"{more}As of {words.date_words(view.day)}; asked at most once a week")]

    return guarded(text, build)


def _line(item: WhoItem) -> str:
    title = f", {escape(item.title, 80)}" if item.title else ""
    touch = f"last touch {words.date_words(item.last_touch)}" if item.last_touch is not None else "never touched"
    settles = f" · {words.count(item.settles, 'question')} waiting" if item.settles else ""
    return f"*{escape(item.name, 100)}*{title} at {link(item.url, item.account, 80)}\n{touch}{settles}"


def _buttons(key: str) -> Block:
    elements = [
        {
            "type": "button",
            "text": {"type": "plain_text", "text": label},
            "action_id": f"{WHO}{answer}",
            "value": f"{key}|{answer}",
        }
        for answer, label in ANSWERS
    ]
    return {"type": "actions", "block_id": f"{WHO}{key}", "elements": elements}
