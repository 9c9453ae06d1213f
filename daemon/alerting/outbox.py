"""Delivery rows: the same cause gives the same id in every run, so that saying it again is no second message."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from alerts.message import Message
from store.records import DAY, DeliveryRow, Instant


def opaque(*parts: object) -> str:
    """A word that tells nothing about its parts and is the same for the same parts."""
    return hashlib.sha256("|".join(str(part) for part in parts).encode()).hexdigest()[:32]


def body(message: Message) -> str:
    """The message as the outbox keeps it."""
    content = {"text": message.text, "blocks": list(message.blocks)}
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def row(
    message: Message,
    *,
    cause: Sequence[object],
    lane: str,
    destination: str,
    op: str,
    kind: str,
    at: Instant,
    conversation_id: int | None = None,
    expire_after: Instant,
) -> DeliveryRow:
    """One delivery, created at `at`. `cause` names what it is about, without the store's surrogate ids."""
    return DeliveryRow(
        id=opaque(*cause, op, destination),
        lane=lane,
        destination=destination,
        op=op,
        kind=kind,
        body=body(message),
        created_at=at,
        not_before=at,
        not_after=at + expire_after,
        conversation_id=conversation_id,
    )


def operators_row(message: Message, *, cause: Sequence[object], destination: str, at: Instant) -> DeliveryRow:
    """A note to the operators; they are one lane."""
    return row(
        message,
        cause=("operators", *cause),
        lane="operators",
        destination=destination,
        op="post",
        kind="operators",
        at=at,
        expire_after=30 * DAY,
    )
