"""What was really told: read off the messages in Slack, not off what the daemon believes to have sent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from alerts.escape import escape
from rules.language.model import RuleSet
from store.engine import Store
from store.records import Instant
from store.tables import conversations, deliveries

Message = Mapping[str, Any]
"""One message as `GET /slack/messages` gives it."""
WHERE = {"alert": "alert", "reply": "reply", "digest": "digest", "baseline": "first list"}
"""Kind of delivery -> the word of the truth table."""
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_TOLD_IN_DIGEST = ("*New*", "*Held back", "*Still open*")
_SHORTEST = 12  # characters of a sentence that are enough to know it by


@dataclass(frozen=True, slots=True)
class Telling:
    """One message as it was first posted; an edit notifies nobody."""

    at: Instant
    where: str
    account_id: int | None
    """None: a digest or list, which names several accounts."""
    paragraphs: tuple[str, ...]


def first_blocks(message: Message) -> Sequence[Mapping[str, Any]]:
    """The blocks as they were posted, before any edit."""
    history = message["history"]
    blocks: Sequence[Mapping[str, Any]] = history[0]["blocks"] if history else message["blocks"]
    return blocks


def texts(blocks: Iterable[Mapping[str, Any]]) -> list[str]:
    """What a reader sees in sections and their fields, one text per paragraph."""
    found = []
    for block in blocks:
        if block.get("type") == "section":
            found += [part["text"] for part in (block.get("text"), *block.get("fields", ())) if part]
    return found


def delivery_id(message: Message) -> str | None:
    """The opaque id that travels in the message's metadata."""
    payload = (message.get("metadata") or {}).get("event_payload") or {}
    found = payload.get("delivery_id")
    return found if isinstance(found, str) else None


def posted(messages: Iterable[Message]) -> list[Message]:
    """The daemon's own messages that everybody of the channel sees."""
    return [m for m in messages if m["bot"] and not m["deleted"] and not m["ephemeral_for"]]


def duplicates(messages: Iterable[Message]) -> int:
    """How many messages there are beyond the first of their delivery."""
    counts = Counter(id_ for message in posted(messages) if (id_ := delivery_id(message)))
    return sum(count - 1 for count in counts.values())


def lost(store: Store, messages: Iterable[Message]) -> list[str]:
    """Delivery ids of posts that Slack does not have, whatever the store says of them."""
    there = {delivery_id(message) for message in posted(messages)}
    wanted = select(deliveries.c.id).where(deliveries.c.op.in_(("post", "reply")), deliveries.c.state != "superseded")
    with store.read() as conn:
        return [id_ for id_ in conn.execute(wanted.order_by(deliveries.c.seq)).scalars() if id_ not in there]


def tellings(store: Store, messages: Iterable[Message]) -> list[Telling]:
    """Everything that was told, in order of time."""
    query = select(deliveries.c.id, deliveries.c.kind, conversations.c.account_id).outerjoin(
        conversations, conversations.c.id == deliveries.c.conversation_id
    )
    with store.read() as conn:
        known = {row.id: (row.kind, row.account_id) for row in conn.execute(query)}
    found = []
    for message in posted(messages):
        kind, account = known.get(delivery_id(message) or "", ("", None))
        if kind in WHERE:
            paragraphs = tuple(texts(first_blocks(message)))
            found.append(Telling(message["at"], WHERE[kind], account, paragraphs))
    return sorted(found, key=lambda telling: telling.at)


class Reader:
    """Knows a rule's sentence in a message when it sees it."""

    def __init__(self, rules: RuleSet) -> None:
        self._sentences = {rule.name: _pattern(rule.say, rule.name) for rule in rules.rules}

    def names(self, telling: Telling, rule: str, account_id: int, account: str) -> bool:
        """Does this message tell of the rule on the account."""
        sentence = self._sentences[rule]
        if telling.account_id is not None:
            return telling.account_id == account_id and any(sentence.search(text) for text in telling.paragraphs)
        return any(
            _is_entry_of(line, account) and sentence.search(line) is not None
            for text in telling.paragraphs
            if text.startswith(_TOLD_IN_DIGEST)
            for line in text.split("\n")
        )


def _is_entry_of(line: str, account: str) -> bool:
    shown = re.escape(escape(account, 80))
    return re.match(rf"• (<[^|>]+\|{shown}>|{shown}) _", line) is not None


def _pattern(say: str | None, rule: str) -> re.Pattern[str]:
    """The rule's sentence with anything in place of its values; only so much of it as is never cut off."""
    text = say or rule.replace("-", " ").capitalize()
    parts: list[str] = []
    for part in _PLACEHOLDER.split(text):
        parts.append(part)
        if sum(map(len, parts)) >= _SHORTEST:
            break
    return re.compile(".{1,60}?".join(re.escape(escape(part)) if part.strip() else part for part in parts))
