"""Socket Mode without its transport: tickets, live connections, envelopes, acks, redelivery.

A connection is anything that takes frames; `socket` gives one for a WebSocket. Redelivery runs on real time,
because the vendor's three seconds are a budget of the app's own process, not of the scenario.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from sandbox.slack.model import Json

MAX_CONNECTIONS = 10
"""Per app, as the vendor's maintainers state it (node-slack-sdk 1654)."""

CONNECTION_SECONDS = 18_060
"""What `hello` announces as the approximate life of the connection."""

OnAck = Callable[[Json], None]


class Connection(Protocol):
    """One live socket."""

    def send(self, frame: Json) -> None:
        """Queue one frame; from any thread."""

    def close(self, code: int = 1000) -> None:
        """Say goodbye; from any thread."""


@dataclass(slots=True)
class Envelope:
    """One thing the app should hear of, until it has acknowledged it or the attempts are used up."""

    id: str
    type: str
    payload: Json
    accepts_response: bool
    on_ack: OnAck | None
    on_lost: Callable[[], None] | None
    attempts: int = 0
    delivered: int = 0
    acked: bool = False
    settled: threading.Event = field(default_factory=threading.Event)
    """Set once the ack has taken effect, or the last attempt is over."""
    timer: threading.Timer | None = None


@dataclass(slots=True)
class Hub:
    """The app's sockets. `redeliver_after` in real seconds; `max_attempts` counts the first delivery too."""

    app_id: str
    redeliver_after: float = 3.0
    max_attempts: int = 4
    connections: list[Connection] = field(default_factory=list)
    envelopes: dict[str, Envelope] = field(default_factory=dict)
    tickets: set[str] = field(default_factory=set)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _turn: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _closed: bool = False

    def new_ticket(self) -> str:
        """A ticket that opens one connection, once."""
        with self._lock:
            ticket = _opaque("ticket", next(self._numbers))
            self.tickets.add(ticket)
            return ticket

    def redeem(self, ticket: str) -> bool:
        """Use a ticket up; False where it was never given or is used."""
        with self._lock:
            if ticket not in self.tickets:
                return False
            self.tickets.remove(ticket)
            return True

    def join(self, connection: Connection) -> bool:
        """Take a connection in and greet it; one too many is told so and refused."""
        with self._lock:
            if len(self.connections) >= MAX_CONNECTIONS:
                connection.send(self._disconnect("too_many_websockets"))
                return False
            self.connections.append(connection)
            connection.send(
                {
                    "type": "hello",
                    "num_connections": len(self.connections),
                    "connection_info": {"app_id": self.app_id},
                    "debug_info": {
                        "host": "applink-1",
                        "build_number": 1,
                        "approximate_connection_time": CONNECTION_SECONDS,
                    },
                }
            )
            return True

    def leave(self, connection: Connection) -> None:
        """The connection is gone."""
        with self._lock:
            if connection in self.connections:
                self.connections.remove(connection)

    def emit(
        self,
        kind: str,
        payload: Json,
        *,
        accepts_response: bool = False,
        on_ack: OnAck | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> str:
        """Send an envelope to one live connection, again after each silence; returns its id."""
        with self._lock:
            name = _uuid(next(self._numbers))
            envelope = self.envelopes[name] = Envelope(name, kind, payload, accepts_response, on_ack, on_lost)
            self._attempt(envelope)
            return name

    def ack(self, frame: Json) -> None:
        """The app's answer to an envelope; an unknown or repeated one is ignored."""
        with self._lock:
            envelope = self.envelopes.get(str(frame.get("envelope_id")))
            if envelope is None or envelope.acked:
                return
            envelope.acked = True
            if envelope.timer:
                envelope.timer.cancel()
        if envelope.on_ack is not None:
            payload = frame.get("payload")
            envelope.on_ack(payload if isinstance(payload, dict) else {})
        envelope.settled.set()

    def wait(self, envelope_id: str, seconds: float) -> bool:
        """Wait, in real seconds, until the app has acknowledged an envelope and that took effect; False if it did not."""
        envelope = self.envelopes[envelope_id]
        return envelope.settled.wait(seconds) and envelope.acked

    def disconnect(self, reason: str = "refresh_requested", *, close: bool = True) -> int:
        """Tell every connection to go (`warning` leaves it open); returns how many were told."""
        with self._lock:
            told = list(self.connections)
            for connection in told:
                connection.send(self._disconnect(reason))
                if close and reason != "warning":
                    connection.close()
            return len(told)

    def kill(self) -> int:
        """Cut every connection without a word, as a network failure would; returns how many."""
        with self._lock:
            cut = list(self.connections)
            for connection in cut:
                connection.close(1011)
            return len(cut)

    def unacked(self) -> list[str]:
        """Ids of envelopes that still wait for the app."""
        with self._lock:
            return [e.id for e in self.envelopes.values() if not e.acked]

    def close(self) -> None:
        """Stop all redelivery."""
        with self._lock:
            self._closed = True
            for envelope in self.envelopes.values():
                if envelope.timer:
                    envelope.timer.cancel()

    def _attempt(self, envelope: Envelope) -> None:
        """Deliver to the next connection in turn; with none alive the attempt is spent all the same."""
        if self.connections:
            self._turn += 1
            connection = self.connections[self._turn % len(self.connections)]
            connection.send(_frame(envelope))
            envelope.delivered += 1
        envelope.attempts += 1
        envelope.timer = threading.Timer(self.redeliver_after, self._again, [envelope])
        envelope.timer.daemon = True
        envelope.timer.start()

    def _again(self, envelope: Envelope) -> None:
        with self._lock:
            if envelope.acked or self._closed:
                return
            if envelope.attempts < self.max_attempts:
                self._attempt(envelope)
                return
        if envelope.on_lost is not None:
            envelope.on_lost()
        envelope.settled.set()

    def _disconnect(self, reason: str) -> Json:
        return {
            "type": "disconnect",
            "reason": reason,
            "debug_info": {"host": "applink-1"},
            "connection_info": {"app_id": self.app_id},
        }


def _frame(envelope: Envelope) -> Json:
    frame: Json = {
        "envelope_id": envelope.id,
        "type": envelope.type,
        "payload": envelope.payload,
        "accepts_response_payload": envelope.accepts_response,
    }
    if envelope.type == "events_api" or envelope.attempts:
        frame["retry_attempt"] = envelope.attempts
        frame["retry_reason"] = "timeout" if envelope.attempts else ""
    return frame


def _opaque(kind: str, number: int) -> str:
    return hashlib.sha256(f"{kind}:{number}".encode()).hexdigest()[:32]


def _uuid(number: int) -> str:
    text = _opaque("envelope", number)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:32]}"
