"""Turn an outbox row into the message that goes out: mentions, links, and its place in Slack."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import structlog

from alerts import message
from alerts.escape import fill, marks
from alerts.settings import SlackSettings
from alerts.slack import Outgoing, SlackSender, SlackTrouble
from daemon.alerting.outbox import operators_row
from store import deliveries
from store.engine import Store
from store.records import DAY, Clock, DeliveryRow

_log = structlog.get_logger(__name__)

_USER_TTL = 7 * DAY
_UNKNOWN_USER_TTL = DAY


class Content:
    """Fills in what is only known when a message is sent."""

    def __init__(self, store: Store, sender: SlackSender, clock: Clock, settings: SlackSettings) -> None:
        self._store = store
        self._sender = sender
        self._clock = clock
        self._settings = settings

    def outgoing(self, row: DeliveryRow) -> Outgoing | None:
        """The message ready to be sent; None = an edit whose parent was never sent. Raises SlackTrouble."""
        with self._store.read() as connection:
            channel, ts = deliveries.place(connection, row.conversation_id) if row.conversation_id else (None, None)
        if row.op == "update" and ts is None:
            return None
        self._learn_users(row.body)
        content: dict[str, Any] = _filled(json.loads(row.body), self.mention, self._permalink)
        threaded = row.op in ("reply", "update")
        return Outgoing(
            delivery_id=row.id,
            op=row.op,
            channel=channel if threaded and channel and ts else row.destination,
            text=content["text"],
            blocks=content["blocks"],
            ts=ts if threaded else None,
        )

    def whereabouts(self, row: DeliveryRow) -> Outgoing:
        """Where to look for a message whose sending is in doubt; what it says does not matter."""
        with self._store.read() as connection:
            channel, ts = deliveries.place(connection, row.conversation_id) if row.conversation_id else (None, None)
        threaded = row.op == "reply" and channel and ts
        where = channel if threaded and channel else row.destination
        return Outgoing(row.id, row.op, where, "", ts=ts if threaded else None)

    def slack_id(self, email: str) -> str | None:
        """The Slack user of an address, from the cache or by asking. Raises SlackTrouble."""
        self._learn(email)
        return self.mention(email)

    def mention(self, email: str) -> str | None:
        """The Slack user of an address as far as it is known."""
        with self._store.read() as connection:
            return deliveries.slack_user(connection, email, 0)[1]

    def _learn_users(self, body: str) -> None:
        for email in sorted({key for kind, key in marks(body) if kind == "user"}):
            try:
                self._learn(email)
            except SlackTrouble as trouble:
                if not trouble.outcome.error.startswith("missing_scope"):
                    raise
                # A name without a mention is better than no message at all.
                _log.warning("cannot look up slack users", error=trouble.outcome.error)

    def _learn(self, email: str) -> None:
        """Ask Slack for an address that was not asked for lately; the answer that there is none is kept for a day."""
        now = self._clock.now()
        with self._store.read() as connection:
            known, slack_id = deliveries.slack_user(connection, email, now - _USER_TTL)
            fresh, _ = deliveries.slack_user(connection, email, now - _UNKNOWN_USER_TTL)
        if known and (slack_id is not None or fresh):
            return
        found = self._sender.lookup(email)
        with self._store.write() as connection:
            deliveries.save_slack_user(connection, email, found, now)
            if found is None:
                what = f"Slack knows no user with the address {email}: messages name that CSM without a mention"
                note = message.operators(what, "use the same address in the CRM and in Slack")
                channel = self._settings.channels.operators
                row = operators_row(note, cause=("no user", email), destination=channel, at=now)
                deliveries.enqueue(connection, [row])

    def _permalink(self, key: str) -> str | None:
        with self._store.read() as connection:
            channel, ts = deliveries.place_of_key(connection, key)
        return self._sender.permalink(channel, ts) if channel and ts else None


def _filled(value: Any, mention: Callable[[str], str | None], permalink: Callable[[str], str | None]) -> Any:
    """The same JSON with every mark in its texts filled in."""
    if isinstance(value, str):
        return fill(value, mention, permalink)
    if isinstance(value, list):
        return [_filled(item, mention, permalink) for item in value]
    if isinstance(value, dict):
        return {name: _filled(item, mention, permalink) for name, item in value.items()}
    return value
