"""Socket Mode: keep what was pressed, acknowledge it in time, then let it be applied."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from socket import SHUT_WR
from typing import Any

from slack_sdk import WebClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

# The kit's built-in client is deaf for three seconds after every reconnect, which is Slack's whole patience.
from slack_sdk.socket_mode.websocket_client import SocketModeClient
from websocket import WebSocket, WebSocketApp, WebSocketException

from alerts.outcomes import TRANSPORT_ERRORS, classify
from alerts.settings import SlackSettings
from store.records import SECOND

log = logging.getLogger(__name__)

_COMMIT_SECONDS = 2.0
"""Slack waits three; what is not kept by then is not acknowledged, so that Slack delivers it again."""
_CONNECT_AGAIN_SECONDS = 10.0
_DRAIN_SECONDS = 3.0

Keep = Callable[[str, Mapping[str, Any]], Mapping[str, Any] | None]
"""Commit one envelope (id, payload); returns what the acknowledgement carries. May be called again for the same one."""


class _Ending(logging.Filter):
    """Drops what the kit says about the end of a connection: it calls every end an error, also the one we asked for."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Everything else passes."""
        words = record.getMessage()
        return not (words.startswith("on_error invoked") or words.endswith(" - goodbye"))


@contextlib.contextmanager
def _ending(kit: logging.Logger) -> Iterator[None]:
    """While we hang up, the two lines about it are no errors; before and after they are."""
    quiet = _Ending()
    loggers = (kit, logging.getLogger("websocket"))
    for logger in loggers:
        logger.addFilter(quiet)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(quiet)


class SlackSocket:
    """One Socket Mode connection. `keep` commits an envelope, `apply` works off what was kept."""

    def __init__(self, settings: SlackSettings, keep: Keep, apply: Callable[[], object]) -> None:
        if settings.app_token is None:
            raise ValueError("Socket Mode needs slack.app_token")
        self._keep = keep
        self._apply = apply
        self._stopping = threading.Event()
        self._closed = threading.Event()
        self._idle = threading.Condition()
        self._in_hand = 0
        self._commits = ThreadPoolExecutor(4, thread_name_prefix="slack-commit")
        self._work = ThreadPoolExecutor(1, thread_name_prefix="slack-apply")
        self._keeper = threading.Thread(target=self._connect, name="slack-socket", daemon=True)
        web = WebClient(base_url=settings.base_url, timeout=max(1, settings.timeout // SECOND), retry_handlers=[])
        self._client = SocketModeClient(settings.app_token.get_secret_value(), web_client=web, concurrency=4)
        self._open: dict[WebSocketApp, WebSocket] = {}
        self._client.on_open_listeners.append(self._remember)
        self._client.on_error_listeners.append(lambda session, _error: self._release(session))
        self._client.on_close_listeners.append(self._release)
        self._client.on_close_listeners.append(lambda _session: self._closed.set())
        self._client.socket_mode_request_listeners.append(self._on_request)

    def start(self) -> None:
        """Connect in the background, and apply what an earlier process has kept but not applied."""
        self._work.submit(self._applied)
        self._keeper.start()

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._client.is_connected()

    def stop(self) -> None:
        """Take nothing new, finish the acknowledgements in hand, then close."""
        self._stopping.set()
        with self._idle:
            # The kit closes the socket first and then waits for its handlers, whose acknowledgements are lost then.
            self._idle.wait_for(lambda: self._in_hand == 0, _DRAIN_SECONDS)
        if self._keeper.is_alive():
            self._keeper.join(_DRAIN_SECONDS)
        with _ending(self._client.logger):
            self._hang_up()
            self._client.close()
        self._commits.shutdown(wait=False, cancel_futures=True)
        self._work.shutdown(wait=True)

    def _hang_up(self) -> None:
        """Say goodbye, so that the reading thread ends at once: the kit's close() leaves it in a ten second wait."""
        self._client.auto_reconnect_enabled = self._client.default_auto_reconnect_enabled = False
        session = self._client.current_session
        connection = None if session is None else session.sock
        if connection is None:
            return
        self._closed.clear()
        with contextlib.suppress(OSError, WebSocketException):  # it may break off meanwhile
            connection.send_close()
            if connection.sock is not None:
                connection.sock.shutdown(SHUT_WR)
        if not self._closed.wait(_DRAIN_SECONDS):
            connection.shutdown()  # type: ignore[no-untyped-call]  # the kit has no types here

    def _remember(self, session: WebSocketApp) -> None:
        if session.sock is not None:
            self._open[session] = session.sock

    def _release(self, session: WebSocketApp) -> None:
        """Give the socket back: after the server's close frame the kit's own close() only forgets it, and it leaks."""
        connection = self._open.pop(session, None)
        if connection is not None:
            connection.shutdown()  # type: ignore[no-untyped-call]  # the kit has no types here

    def _connect(self) -> None:
        """Until the first connection; from then on the kit reconnects on its own."""
        while not self._stopping.is_set():
            try:
                self._client.connect()
            except (*TRANSPORT_ERRORS, WebSocketException) as error:
                reason = str(error) if isinstance(error, WebSocketException) else classify(error).error
                log.warning("no socket mode connection: nobody can press buttons", extra={"error": reason})
            else:
                return
            # Real time on purpose: the connection lives outside the product's clock.
            self._stopping.wait(_CONNECT_AGAIN_SECONDS)

    def _on_request(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        with self._idle:
            if self._stopping.is_set():
                return
            self._in_hand += 1
        try:
            self._take(client, request)
        finally:
            with self._idle:
                self._in_hand -= 1
                self._idle.notify_all()

    def _take(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        committed = self._commits.submit(self._keep, request.envelope_id, request.payload)
        try:
            answer = committed.result(timeout=_COMMIT_SECONDS)
        except NotInTime:
            committed.add_done_callback(_report)
            log.warning("an interaction could not be kept in time, slack will deliver it again")
            return
        except Exception:  # whatever kept it from being kept: an acknowledgement would lose the press
            log.exception("an interaction could not be kept, slack will deliver it again")
            return
        payload = dict(answer) if answer else None
        client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=payload))
        if not self._stopping.is_set():
            self._work.submit(self._applied)

    def _applied(self) -> None:
        try:
            self._apply()
        except Exception:  # the press is kept; an executor would swallow the error without a word
            log.exception("an interaction is kept but could not be applied; it is tried again with the next one")


def _report(commit: Future[Any]) -> None:
    if not commit.cancelled() and commit.exception() is not None:
        log.error("late commit failed", extra={"error": repr(commit.exception())})
