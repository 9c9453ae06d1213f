"""Work off the outbox: claim, pace, send once, classify, look before sending again."""

from __future__ import annotations

import os
import threading
import uuid
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerts import message
from alerts.outcomes import Kind, Outcome
from alerts.settings import SlackSettings
from alerts.slack import Sight, SlackSender, SlackTrouble
from daemon.alerting.outbox import operators_row
from daemon.deliver_content import Content
from store import deliveries, flags
from store.engine import Store
from store.records import DAY, MINUTE, SECOND, Clock, DeliveryRow, Instant

_log = structlog.get_logger(__name__)

_BATCH = 50
_IDLE_SECONDS = 900.0
"""The longest sleep without anything due; whoever queues something sets `wake`."""
_BRAKE_SECONDS = 1.0
"""How soon `tierd resume messages` is noticed."""
_UPDATE_PACE = 1_200_000
"""chat.update is Tier 3, about 50 a minute for the workspace: https://docs.slack.dev/apis/web-api/rate-limits"""
_PROBE_FIRST, _PROBE_MOST = 30 * SECOND, 10 * MINUTE
_RETRY_MOST = 10 * MINUTE
_STORE_SECONDS = 30.0


@dataclass(slots=True)
class Delivered:
    """What one round did. `waiting` counts rows that are still to be sent later."""

    sent: int = 0
    retried: int = 0
    uncertain: int = 0
    dead: int = 0
    expired: int = 0
    paused: str = ""
    waiting: int = 0


@dataclass(slots=True)
class _Pause:
    """The workspace refuses us; the next probe, and how long to wait after that."""

    reason: str
    probe_at: Instant
    step: Instant


@dataclass(slots=True)
class _Pacer:
    """When each lane of Slack's limits may be used next: a channel for posts, the workspace for edits."""

    pace: Instant
    free_at: dict[str, Instant] = field(default_factory=dict)

    def key(self, row: DeliveryRow) -> str:
        """Which limit a row counts against."""
        return "update" if row.op == "update" else row.destination

    def used(self, key: str, now: Instant) -> None:
        """One call was made."""
        self.block(key, now + (_UPDATE_PACE if key == "update" else self.pace))

    def block(self, key: str, until: Instant) -> None:
        """Nothing before `until`."""
        self.free_at[key] = max(until, self.free_at.get(key, 0))


class Deliverer:
    """The only sender of a workspace. `wake` may be set from any thread when there is something new."""

    def __init__(self, store: Store, sender: SlackSender, clock: Clock, settings: SlackSettings) -> None:
        self.wake = threading.Event()
        self.paused: _Pause | None = None
        self._store = store
        self._sender = sender
        self._clock = clock
        self._settings = settings
        self._worker = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._content = Content(store, sender, clock, settings)
        self._pacer = _Pacer(settings.pace)
        self._done = Delivered()

    def loop(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set; set `wake` too, or it is noticed only after the current wait."""
        while not stop.is_set():
            self.wake.clear()
            try:
                self.run_once(stop)
                seconds = self._pause_seconds()
            except SQLAlchemyError as error:
                _log.error("the store does not answer, trying again", error=str(error))
                seconds = _STORE_SECONDS
            if not stop.is_set():
                self._clock.wait(self.wake, seconds)

    def run_once(self, stop: threading.Event | None = None, horizon: Instant = MINUTE) -> Delivered:
        """Work until nothing is due within `horizon` microseconds of waiting; the outcome of this round."""
        self._done = Delivered()
        while stop is None or not stop.is_set():
            self._expire()
            wait = self._round(stop)
            if wait is None or wait > horizon:
                break
            if wait > 0:
                self._clock.wait(self.wake, wait / SECOND)
                self.wake.clear()
        with self._store.read() as connection:
            counts = deliveries.counts(connection)
        self._done.waiting = sum(counts.get(state, 0) for state in deliveries.LIVE)
        self._done.paused = self.paused.reason if self.paused else ""
        return self._done

    # ------------------------------------------------------------ one round

    def _round(self, stop: threading.Event | None) -> Instant | None:
        """Send what may be sent now; returns how long until the next may be, None = nothing is left."""
        now = self._clock.now()
        if self._braked():
            return None
        if not self._let_in(now):
            return self.paused.probe_at - now if self.paused else None
        with self._store.read() as connection:
            due = deliveries.due(connection, now, _BATCH)
            following = deliveries.next_due(connection)
        if not due:
            return None if following is None else max(0, following - now)
        blocked: list[Instant] = []
        worked = False
        for row in due:
            if (stop is not None and stop.is_set()) or self._braked():
                return None
            free = self._pacer.free_at.get(self._pacer.key(row), 0)
            if row.state == "pending" and free > self._clock.now():
                blocked.append(free)
                continue
            self._handle(row)
            worked = True
            if self.paused:
                break
        if worked or not blocked:
            return 0
        return max(0, min(blocked) - self._clock.now())

    def _braked(self) -> bool:
        """`tierd pause messages` is looked at before each message, so that it acts at once."""
        with self._store.read() as connection:
            return flags.paused(connection, "messages") is not None

    def _pause_seconds(self) -> float:
        now = self._clock.now()
        if self._braked():
            return _BRAKE_SECONDS
        with self._store.read() as connection:
            following = deliveries.next_due(connection)
        if self.paused and following is not None:
            following = max(following, self.paused.probe_at)
        if following is None:
            return _IDLE_SECONDS
        return min(_IDLE_SECONDS, max(0.05, (following - now) / SECOND))

    def _let_in(self, now: Instant) -> bool:
        """While the workspace refuses us, ask `auth.test` at growing intervals."""
        pause = self.paused
        if pause is None:
            return True
        if now < pause.probe_at:
            return False
        outcome = self._sender.alive()
        if outcome.kind is Kind.SENT:
            _log.info("slack lets us in again", after=pause.reason)
            self.paused = None
            return True
        step = min(pause.step * 2, _PROBE_MOST)
        self.paused = _Pause(outcome.error or pause.reason, now + step, step)
        return False

    def _handle(self, row: DeliveryRow) -> None:
        if row.state == "pending":
            self._attempt(row)
        elif row.op == "update":
            # An edit may be repeated: the message reads the same afterwards.
            self._change(row, state="pending", lease_until=None)
        else:
            self._look(row)

    # ------------------------------------------------------------ sending

    def _attempt(self, row: DeliveryRow) -> None:
        now = self._clock.now()
        try:
            out = self._content.outgoing(row)
        except SlackTrouble as trouble:
            self._settle(row, trouble.outcome, claimed=False)
            return
        if out is None:
            # Its parent was given up: the newest state is the message then.
            self._change(row, op="post")
            return
        with self._store.write() as connection:
            if not deliveries.claim(connection, row, self._worker, now, self._settings.lease):
                return
        claimed = replace(row, state="sending", attempts=row.attempts + 1, first_claim_at=row.first_claim_at or now)
        claimed = replace(claimed, last_try_at=now)
        outcome = self._sender.send(out)
        if outcome.kind is Kind.PLAIN and out.blocks:
            _log.error("slack refuses the blocks, sending plain text", delivery=row.id, error=outcome.error)
            outcome = self._sender.send(replace(out, blocks=()))
        self._pacer.used(self._pacer.key(row), self._clock.now())
        self._settle(claimed, outcome)

    def _settle(self, row: DeliveryRow, outcome: Outcome, *, claimed: bool = True) -> None:
        """Write what became of an attempt."""
        now = self._clock.now()
        match outcome.kind:
            case Kind.SENT:
                self._sent(row, outcome.channel or row.destination, outcome.ts or "")
            case Kind.RETRY:
                self._retry(row, outcome, now, claimed=claimed)
            case Kind.UNCERTAIN if claimed:
                self._done.uncertain += 1
                _log.warning("slack may or may not have it", delivery=row.id, error=outcome.error)
                self._change(
                    row, state="uncertain", not_before=now, lease_until=None, error=outcome.error, last_try_at=now
                )
            case Kind.UNCERTAIN:
                self._retry(row, outcome, now, claimed=False)
            case Kind.PAUSED:
                self._pause(row, outcome, now)
            case Kind.FALLBACK:
                self._fall_back(row, outcome, now)
            case Kind.PARENT_GONE:
                self._without_parent(row, outcome)
            case Kind.PLAIN | Kind.DEAD:
                self._dead(row, outcome.error, now)

    def _sent(self, row: DeliveryRow, channel: str, ts: str) -> None:
        with self._store.write() as connection:
            if deliveries.sent(connection, row, channel, ts, self._clock.now()):
                self._done.sent += 1
                _log.info("sent", delivery=row.id, op=row.op, kind=row.kind, attempts=row.attempts)

    def _retry(self, row: DeliveryRow, outcome: Outcome, now: Instant, *, claimed: bool) -> None:
        """Certainly not accepted. A throttled channel waits as a whole; the others go on."""
        # A try that ended at a look-up was never claimed; it counts too, or it would come again every second.
        counted = {} if claimed else {"attempts": row.attempts + 1}
        step = outcome.retry_after or SECOND
        if outcome.error in ("ratelimited", "rate_limited", "429"):
            until = now + step
            self._pacer.block(self._pacer.key(row), until)
        else:
            until = now + min(step * 2 ** min(row.attempts, 8), _RETRY_MOST)
        self._done.retried += 1
        _log.info("not sent, trying again", delivery=row.id, error=outcome.error, seconds=(until - now) // SECOND)
        self._change(row, state="pending", not_before=until, lease_until=None, error=outcome.error, **counted)

    def _pause(self, row: DeliveryRow, outcome: Outcome, now: Instant) -> None:
        _log.error("slack refuses us: delivery is paused, nothing is lost", error=outcome.error)
        self.paused = _Pause(outcome.error, now + _PROBE_FIRST, _PROBE_FIRST)
        self._change(row, state="pending", not_before=now, lease_until=None, error=outcome.error)

    def _fall_back(self, row: DeliveryRow, outcome: Outcome, now: Instant) -> None:
        """The destination is broken: the default channel, then the operators' one, gets it instead."""
        channels = self._settings.channels
        order = [channel for channel in (channels.alerts, channels.operators) if channel != row.destination]
        if row.op == "update" or row.destination == channels.operators or not order:
            self._dead(row, outcome.error, now)
            return
        target = order[0]
        what = f"Destination {row.destination} cannot be reached ({outcome.error}); its messages go to {target}"
        with self._store.write() as connection:
            deliveries.change(
                connection,
                row,
                state="pending",
                op="post",
                destination=target,
                lease_until=None,
                not_before=now,
                error=outcome.error,
            )
            self._tell(
                connection, what, "invite the bot, or name another channel", ("broken", row.destination, now // DAY)
            )

    def _without_parent(self, row: DeliveryRow, outcome: Outcome) -> None:
        """The message to edit, or the thread, is gone: the newest state becomes a new parent."""
        _log.warning("the parent message is gone, posting anew", delivery=row.id, error=outcome.error)
        self._change(row, state="pending", op="post", lease_until=None, error=outcome.error)

    def _dead(self, row: DeliveryRow, error: str, now: Instant) -> None:
        self._done.dead += 1
        _log.error("given up", delivery=row.id, error=error)
        with self._store.write() as connection:
            deliveries.change(connection, row, state="dead", lease_until=None, error=error)
            if row.kind != "operators":
                self._tell(
                    connection, f"A message could not be sent: {error}", "see `tierd status`", ("dead", row.id), now
                )

    def _expire(self) -> None:
        now = self._clock.now()
        with self._store.read() as connection:
            late = deliveries.expired(connection, now)
        for row in late:
            with self._store.write() as connection:
                if deliveries.change(connection, row, state="expired", error=row.error or "waited too long"):
                    self._done.expired += 1
                    what = f"A message waited too long and was given up: {row.error or 'Slack was not reachable'}"
                    self._tell(connection, what, "see `tierd status`", ("expired", now // DAY), now)

    # ------------------------------------------------------------ looking before sending again

    def _look(self, row: DeliveryRow) -> None:
        """An uncertain message, or one whose sender is gone: adopt it if Slack has it, else send it after the window."""
        now = self._clock.now()
        out = self._content.whereabouts(row)
        seen = self._sender.verify(out, row.first_claim_at or row.created_at)
        over = now >= (row.last_try_at or row.created_at) + self._settings.verify_window
        if seen.sight is Sight.FOUND and seen.ts:
            self._sent(row, out.channel, seen.ts)
        elif seen.sight is Sight.LATER:
            wait = max(seen.retry_after, SECOND)
            self._change(row, state="uncertain", not_before=now + wait, lease_until=None, error=seen.error)
        elif seen.sight is Sight.ABSENT and over:
            self._again(row)
        elif seen.sight is Sight.ABSENT:
            left = (row.last_try_at or row.created_at) + self._settings.verify_window - now
            self._change(row, state="uncertain", not_before=now + min(left, 5 * SECOND), lease_until=None)
        elif row.possible_duplicate:
            self._dead(row, f"{seen.error}: Slack does not let us look whether it arrived, sent twice already", now)
        else:
            # Nobody lets us look: once more.
            self._again(row)

    def _again(self, row: DeliveryRow) -> None:
        """Send it again. It may be there twice: Slack did not show it to us in time. That is counted."""
        self._done.retried += 1
        self._change(row, state="pending", not_before=self._clock.now(), lease_until=None, possible_duplicate=1)

    def _change(self, row: DeliveryRow, **values: Any) -> None:
        with self._store.write() as connection:
            deliveries.change(connection, row, **values)

    def _tell(
        self, connection: Connection, what: str, remedy: str, cause: tuple[object, ...], at: Instant | None = None
    ) -> None:
        now = self._clock.now() if at is None else at
        note = operators_row(
            message.operators(what, remedy), cause=cause, destination=self._settings.channels.operators, at=now
        )
        deliveries.enqueue(connection, [note])
