"""Salesforce's change events as hints, by the Streaming API: CometD over long polling, with the session's own token.

Not the Pub/Sub API: it would need gRPC and Avro, two heavy libraries, to deliver contents that a hint does not read.
https://developer.salesforce.com/docs/atlas.en-us.api_streaming.meta/api_streaming/using_streaming_api_client_connection.htm
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from connectors.http import VendorError
from connectors.salesforce.session import SalesforceSession
from connectors.salesforce.settings import ChangeEventHints
from store.records import Clock

_log = structlog.get_logger(__name__)

_ANSWER = 30.0
_POLL = 130.0
"""Seconds: the server answers a poll without events after 110."""
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0
_REFUSED_PAUSE = 900.0
"""After a refusal that passes by no waiting: somebody has to grant a permission or select objects."""
_CLOSING = 2.0


class ChangeEvents:
    """Listens on a thread of its own and calls `on_hint` when something has changed, or may have while it was deaf."""

    def __init__(
        self, settings: ChangeEventHints, session: SalesforceSession, clock: Clock, on_hint: Callable[[], None]
    ) -> None:
        self._settings, self._session, self._clock, self._on_hint = settings, session, clock, on_hint
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen from now on."""
        self._thread = threading.Thread(target=self.loop, name="change events", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Listen no longer. A poll that waits for the server is not waited for: it holds nothing that could be lost."""
        self._stop.set()
        self._session.close()
        if self._thread is not None:
            self._thread.join(_CLOSING)

    def loop(self) -> None:
        """Connect again and again, with pauses that grow, until `stop`."""
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            try:
                self._listen()
                pause = _FIRST_PAUSE  # it was connected, and was told to begin anew
            except VendorError as error:
                if self._stop.is_set():
                    return
                pause = _REFUSED_PAUSE if error.kind in ("failed", "auth") else min(pause * 2, _LONGEST_PAUSE)
                wait = error.retry_after or pause
                _log.warning("change events: not connected, polling goes on", reason=str(error), seconds=wait)
                self._clock.wait(self._stop, wait)

    def _listen(self) -> None:
        """One connection, until the server wants a new one. VendorError."""
        client = self._meta({"channel": "/meta/handshake", "version": "1.0", "minimumVersion": "1.0",
                             "supportedConnectionTypes": ["long-polling"]})["clientId"]  # fmt: skip
        channel = self._settings.channel
        self._meta({"channel": "/meta/subscribe", "clientId": client, "subscription": channel})
        _log.info("change events: listening", channel=channel)
        self._on_hint()  # nobody says what changed before
        connect = {"channel": "/meta/connect", "clientId": client, "connectionType": "long-polling"}
        while not self._stop.is_set():
            messages = self._session.stream([connect], _POLL)
            if self._stop.is_set():
                return
            if any(message.get("channel") == channel for message in messages):
                self._on_hint()
            advice = _advice(messages)
            if advice.get("reconnect") == "none":
                raise VendorError("failed", f"the Streaming API wants no connection: {_error(messages)}")
            if advice.get("reconnect") == "handshake" or not _successful(messages, "/meta/connect"):
                self._clock.wait(self._stop, _FIRST_PAUSE)
                return
            interval = advice.get("interval", 0)
            if isinstance(interval, int | float) and interval > 0:
                self._clock.wait(self._stop, min(interval / 1_000, _LONGEST_PAUSE))

    def _meta(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send one message that must succeed; gives the answer to it."""
        channel = message["channel"]
        messages = self._session.stream([message], _ANSWER)
        answer = _successful(messages, channel)
        if answer is None or (channel == "/meta/handshake" and not answer.get("clientId")):
            raise VendorError("failed", f"the Streaming API refused {channel}: {_error(messages)}; {_REMEDY}")
        return answer


_REMEDY = "select objects under Setup, Change Data Capture, and let the user view all of them"


def _successful(messages: Sequence[Mapping[str, Any]], channel: str) -> Mapping[str, Any] | None:
    return next((m for m in messages if m.get("channel") == channel and m.get("successful")), None)


def _error(messages: Sequence[Mapping[str, Any]]) -> str:
    return next((str(m["error"])[:200] for m in messages if m.get("error")), "without a reason")


def _advice(messages: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next((m["advice"] for m in messages if isinstance(m.get("advice"), dict)), {})
    return found
