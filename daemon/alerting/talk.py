"""The conversation about one account in one destination: open it, edit it, reply in it, hand it over, end it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from alerts import message
from alerts.lifecycle import ACTIVE_STATES, rank
from alerts.telling import Decision, Way, combine
from alerts.view import ConversationView, ReplyView
from alerts.words import day_of
from daemon.alerting.outbox import body, opaque, row
from daemon.alerting.views import Backdrop, account_card, conversation_view, line_of, moved
from store import alerts as rows
from store import deliveries
from store.alertviews import CardRow, member
from store.records import AlertRow, Behind, ConversationRow, DeliveryRow, Instant

Told = Sequence[tuple[AlertRow, Decision]]


@dataclass(frozen=True, slots=True)
class Place:
    """An account in a destination, and the transaction in which something is said about it there."""

    connection: Connection
    shared: Backdrop
    card: CardRow
    crm: Sequence[tuple[str, str]]
    destination: str
    behind: Behind
    said: tuple[str, Instant] | None = None
    """What the open conversation's parent shows or is to show, and since when; None = unknown, or there is none."""
    waits: str | None = None
    """Why news of growth are held on the account."""


class Talk:
    """One conversation during one transaction; `queued` counts the deliveries it adds."""

    def __init__(self, place: Place, conversation: ConversationRow | None, alerts: Sequence[AlertRow]) -> None:
        self.queued = 0
        self._connection = place.connection
        self._shared = place.shared
        self._row = place.card
        self._destination = place.destination
        self._behind = place.behind
        self._said = place.said
        self._waits = place.waits
        self._conversation = conversation
        self._alerts = alerts
        # An account that has left the portfolio has no recipient any more; its last words go to whom it had.
        gone = conversation is not None and not place.card.in_scope
        self._recipient = conversation.csm if conversation is not None and gone else place.card.recipient
        self._card = account_card(place.connection, place.card, place.crm, place.shared, self._recipient)

    def say(self, told: Told) -> int | None:
        """Write the one message that these decisions amount to; returns the id of the conversation they went to."""
        plan = combine([decision for _, decision in told])
        news = [told[at] for at in plan.news]
        handed = self._handed_over()
        if plan.way is Way.PARENT:
            self._open(news)
        elif plan.way is Way.REPLY:
            self._reply(news)
            self.edit()
        elif plan.way is Way.EDIT or handed or self._is_of_another_day():
            self._edit_if_new()
        if handed and plan.way not in (Way.PARENT, Way.REPLY):
            self._note_new_owner(handed)
        self._settle()
        return None if self._conversation is None else self._conversation.id

    def edit(self, cause: object = "") -> None:
        """Render the parent again."""
        if self._conversation is not None:
            self._queue("update", "alert", message.conversation(self._view(self._conversation)), cause)

    def _is_of_another_day(self) -> bool:
        """Was the parent last written on an earlier day: what has changed since without any flip is shown then."""
        zone = self._shared.policy.timezone
        return self._said is not None and day_of(self._said[1], zone) < day_of(self._shared.as_of, zone)

    def _edit_if_new(self) -> None:
        if self._conversation is None:
            return
        content = message.conversation(self._view(self._conversation))
        if self._said is None or not message.reads_the_same(self._said[0], body(content)):
            self._queue("update", "alert", content)

    def _open(self, news: Told) -> None:
        old = self._conversation
        worst = max((alert.severity for alert, _ in news), key=rank)
        fresh = rows.open_conversation(self._connection, self._fresh(worst))
        if old is not None:
            rows.change_conversation(self._connection, old.id, closed_at=self._shared.as_of)
        self._conversation = fresh
        self._queue("post", "alert", message.conversation(self._view(fresh)))
        if old is not None:
            self._conversation = old
            self._queue("update", "alert", message.conversation(moved(self._view(old), fresh.key)), "moved")
            self._conversation = fresh

    def _fresh(self, severity: str) -> ConversationRow:
        return ConversationRow(
            id=0,
            key=opaque(self._row.key, self._destination, self._shared.as_of),
            account_id=self._row.account_id,
            destination=self._destination,
            severity=severity,
            csm=self._recipient,
            opened_at=self._shared.as_of,
            quiet_since=None,
            closed_at=None,
            channel=None,
            ts=None,
        )

    def _reply(self, news: Told) -> None:
        ranked = sorted(news, key=lambda item: (-rank(item[0].severity), item[0].rule))
        lines = tuple(
            (line_of(alert, self._shared, {}, self._behind), str(decision.action)) for alert, decision in ranked
        )
        view = ReplyView(self._card, self._shared.as_of, lines)
        cause = ",".join(f"{alert.rule}/{alert.episode}" for alert, _ in ranked)
        self._queue("reply", "reply", message.reply(view), cause)

    def _handed_over(self) -> str | None:
        """Who it was addressed to before, by name, when that has changed; empty text for nobody."""
        conversation = self._conversation
        if conversation is None or conversation.csm == self._recipient:
            return None
        rows.change_conversation(self._connection, conversation.id, csm=self._recipient)
        before = member(self._connection, conversation.csm)
        self._conversation = replace(conversation, csm=self._recipient)
        return before.name if before else "nobody"

    def _note_new_owner(self, before: str) -> None:
        if not any(alert.state in ACTIVE_STATES for alert in self._alerts):
            return
        now = self._card.recipient.name if self._card.recipient else "nobody"
        note = f"{self._card.name} is now with {now} (before: {before}). {self._card.routing}"
        view = ReplyView(self._card, self._shared.as_of, note=note.strip())
        self._queue("reply", "reply", message.reply(view), f"owner {self._recipient}")

    def _settle(self) -> None:
        """Note since when all is clear; end the conversation when that has lasted."""
        conversation = self._conversation
        if conversation is None:
            return
        active = any(alert.state in ACTIVE_STATES for alert in self._alerts)
        as_of = self._shared.as_of
        if active and conversation.quiet_since is not None:
            rows.change_conversation(self._connection, conversation.id, quiet_since=None)
        elif not active and conversation.quiet_since is None:
            rows.change_conversation(self._connection, conversation.id, quiet_since=as_of)
        elif not active and as_of - (conversation.quiet_since or as_of) >= self._shared.policy.settings.flap_window:
            rows.change_conversation(self._connection, conversation.id, closed_at=as_of)

    def _view(self, conversation: ConversationRow) -> ConversationView:
        return conversation_view(
            self._connection,
            conversation,
            self._card,
            self._alerts,
            self._shared,
            behind=self._behind,
            growth=self._waits is None,
        )

    def _queue(self, op: str, kind: str, content: message.Message, cause: object = "") -> None:
        assert self._conversation is not None
        added: DeliveryRow = row(
            content,
            cause=(self._row.key, self._conversation.key, self._shared.as_of, cause),
            lane=f"{self._destination}|{self._row.key}",
            destination=self._destination,
            op=op,
            kind=kind,
            at=self._shared.as_of,
            conversation_id=self._conversation.id,
            expire_after=self._shared.policy.settings.expire_after,
        )
        self.queued += deliveries.enqueue(self._connection, [added])
