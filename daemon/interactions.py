"""Apply what people press under an alert: acknowledge, snooze, feedback; for the account's CSM and operators only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy import Connection

from alerts.buttons import snooze_dialog
from alerts.lifecycle import ACTIVE_STATES
from alerts.outcomes import Kind
from alerts.presses import Press, action_key, is_ours, objection, read
from alerts.settings import SlackSettings
from alerts.slack import SlackSender, SlackTrouble
from alerts.words import date_words, day_bounds, day_of
from daemon import answers
from daemon.alerting.behind import rows_behind
from daemon.alerting.book import AlertPolicy, RuleBook
from daemon.alerting.talk import Place, Talk
from daemon.alerting.views import Backdrop, backdrop, routed_to, waiting
from daemon.deliver_content import Content
from store import alerts as rows
from store import interactions
from store.alertviews import CardRow, MemberRow, cards, crm_ids, member
from store.engine import Store
from store.records import DAY, HOUR, AlertRow, Clock, ConversationRow, Day, Instant

_log = structlog.get_logger(__name__)

_REFUSED = "Only the account's CSM and the operators of tierd can do this. Ask them, or open the account in the CRM."
_ENDED = "This conversation has ended: there is nothing left to do here."
_GONE = "This person is not on file any more: there is nothing left to do here."
_LATE = "The dialog could not be opened in time. Please press again."
_SPANS = {"1d": DAY, "7d": 7 * DAY}


class Interactions:
    """`keep` and `apply` are what Socket Mode calls; `book` gives the rules in force; `wake` stirs the deliverer; `derive` works off
    what an answer about a person has changed.
    """

    def __init__(
        self,
        store: Store,
        sender: SlackSender,
        clock: Clock,
        policy: AlertPolicy,
        *,
        settings: SlackSettings,
        book: Callable[[], RuleBook],
        wake: Callable[[], None] = lambda: None,
        derive: Callable[[], object] = lambda: None,
    ) -> None:
        self._store = store
        self._sender = sender
        self._clock = clock
        self._policy = policy
        self._settings = settings
        self._book = book
        self._wake = wake
        self._derive = derive
        self._content = Content(store, sender, clock, settings)
        self._one_at_a_time = threading.Lock()

    def keep(self, envelope_id: str, payload: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Commit one envelope, once; returns what its acknowledgement carries: the objection to a dialog's input."""
        now = self._clock.now()
        wrong = objection(read(payload), day_of(now, self._policy.timezone))
        if wrong is None and is_ours(payload):
            with self._store.write() as connection:
                interactions.keep(connection, action_key(envelope_id, payload), payload, now)
        return wrong

    def apply(self) -> int:
        """Apply everything that is kept and not applied; returns how many. Each takes effect once."""
        with self._one_at_a_time:
            with self._store.read() as connection:
                waiting = interactions.unapplied(connection)
            for key, _, payload in waiting:
                outcome = self._one(key, read(payload))
                _log.info("interaction", key=key, outcome=outcome)
            return len(waiting)

    def _one(self, key: str, press: Press) -> str:
        with self._store.read() as connection:
            target = self._target(connection, press)
        if press.what == "nothing":
            return self._done(key, "nothing to do")
        if press.what.startswith(answers.PREFIX):
            return self._answered(key, press)
        if target is None:
            return self._refuse(key, press, _ENDED, "no open conversation")
        conversation, card, recipient = target
        refused = self._refused(key, press, recipient)
        if refused:
            return refused
        if press.what == "snooze" and self._ask_why(press):
            return self._done(key, "dialog opened")
        if press.what == "snooze" and press.choice not in _SPANS:
            return self._refuse(key, press, _LATE, "dialog not opened")
        return self._effect(key, press, conversation, card, recipient)

    def _target(self, connection: Connection, press: Press) -> tuple[ConversationRow, CardRow, MemberRow | None] | None:
        """The conversation that is meant, or the one that continues it; its account and whom it is addressed to."""
        found = rows.conversation_by_key(connection, press.conversation)
        if found is None:
            return None
        going_on = rows.open_conversations(connection, [found.account_id])
        here = [conversation for conversation in going_on if conversation.destination == found.destination]
        card = cards(connection, [found.account_id]).get(found.account_id)
        if not here or card is None:
            return None
        return here[-1], card, member(connection, card.recipient)

    def _answered(self, key: str, press: Press) -> str:
        """An answer to `who are these people?`: kept once, then the accounts of the person are derived anew."""
        with self._store.read() as connection:
            about = answers.asked(connection, press)
        if about is None:
            return self._refuse(key, press, _GONE, "no such person")
        refused = self._refused(key, press, about.recipient)
        if refused:
            return refused
        now = self._clock.now()
        with self._store.write() as connection:
            thanks = answers.answer(connection, key, press, about, by=self._by(press, about.recipient), now=now)
        if thanks is None:
            return "applied before"
        self._derive()
        if press.channel:
            self._sender.whisper(press.channel, press.user, thanks)
        return press.what

    def _refused(self, key: str, press: Press, recipient: MemberRow | None) -> str | None:
        """The outcome where this person may not do it, or Slack does not say who it is; None = go on."""
        try:
            allowed = self._allowed(press, recipient)
        except SlackTrouble as trouble:
            _log.warning("cannot check who pressed", error=trouble.outcome.error)
            return self._refuse(
                key, press, "Slack does not say who you are just now. Please press again.", "not checked"
            )
        return None if allowed else self._refuse(key, press, _REFUSED, "refused")

    def _by(self, press: Press, recipient: MemberRow | None) -> str:
        if recipient and press.user not in self._settings.operators:
            return recipient.key
        return press.user_name or press.user

    def _allowed(self, press: Press, recipient: MemberRow | None) -> bool:
        if press.user in self._settings.operators:
            return True
        if recipient is None or not recipient.email:
            return False
        return self._content.slack_id(recipient.email) == press.user

    def _ask_why(self, press: Press) -> bool:
        if press.trigger is None:
            return False
        view = snooze_dialog(press.conversation, press.choice)
        return self._sender.open_dialog(press.trigger, view).kind is Kind.SENT

    def _refuse(self, key: str, press: Press, why: str, outcome: str) -> str:
        """Tell only the person who pressed. The mark comes first: a refusal is worth saying once, not twice."""
        self._done(key, outcome)
        if press.channel:
            self._sender.whisper(press.channel, press.user, why)
        return outcome

    def _done(self, key: str, outcome: str) -> str:
        with self._store.write() as connection:
            interactions.applied(connection, key, self._clock.now(), outcome)
        return outcome

    # ------------------------------------------------------------ effects

    def _effect(
        self, key: str, press: Press, conversation: ConversationRow, card: CardRow, recipient: MemberRow | None
    ) -> str:
        """Change the alerts and the parent message, and mark the press as applied, in one transaction."""
        now = self._clock.now()
        by = self._by(press, recipient)
        with self._store.write() as connection:
            shared = self._shared(connection)
            newest = rows.newest_alerts(connection, [conversation.account_id])
            mine = [alert for alert in newest if routed_to(alert, conversation.destination, shared)]
            after = [self._changed(alert, press, by, now) if alert.state in ACTIVE_STATES else alert for alert in mine]
            outcome = _words(press, self._until(press, now))
            if not interactions.applied(connection, key, now, outcome):
                return "applied before"
            _save(connection, mine, after, now, f"{outcome} by {by}")
            crm = crm_ids(connection, [conversation.account_id]).get(conversation.account_id, [])
            found = rows_behind(connection, self._policy, shared.as_of, [conversation.account_id])
            behind = found[conversation.account_id]
            now_open = [*after, *(alert for alert in newest if alert not in mine)]
            waits = waiting(now_open, card, shared)
            place = Place(connection, shared, card, crm, conversation.destination, behind, waits=waits)
            Talk(place, conversation, after).edit(cause=key)
        self._wake()
        return outcome

    def _shared(self, connection: Connection) -> Backdrop:
        """Rendered as of the last evaluation: pressing a button does not make the data any newer."""
        as_of = int(rows.setting(connection, "alerting:as_of") or self._clock.now())
        return backdrop(connection, self._book(), self._policy, as_of)

    def _changed(self, alert: AlertRow, press: Press, by: str, now: Instant) -> AlertRow:
        match press.what:
            case "acknowledge":
                return replace(alert, acked_by=by, acked_at=now)
            case "snooze" | "snooze_submitted":
                return replace(alert, snoozed_until=self._until(press, now), snoozed_by=by, snooze_reason=press.reason)
        return replace(alert, feedback=press.what)

    def _until(self, press: Press, now: Instant) -> Instant:
        if press.until is not None and press.choice == "date":
            return _start_of(press.until, self._policy.timezone)
        return now + _SPANS.get(press.choice, DAY)


def _save(
    connection: Connection, before: Sequence[AlertRow], after: Sequence[AlertRow], now: Instant, reason: str
) -> None:
    for old, new in zip(before, after, strict=True):
        if new != old and new.id is not None:
            rows.save_alert(connection, new)
            rows.add_transitions(connection, new.id, now, [("attention", reason)])


def _start_of(day: Day, zone: str) -> Instant:
    return day_bounds(day * DAY + 12 * HOUR, zone)[0]


def _words(press: Press, until: Instant) -> str:
    if press.what.startswith("snooze"):
        return f"snoozed until {date_words(day_of(until))}" + (f": {press.reason}" if press.reason else "")
    return {"acknowledge": "acknowledged", "not_useful": "marked as not useful"}.get(press.what, "action taken")
