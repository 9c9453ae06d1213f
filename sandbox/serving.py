"""Serve an ASGI app on loopback from a thread of its own, with every request logged and scripted faults applied."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.clock import SECOND, ScenarioClock, real_pause
from sandbox.faults import Fault, FaultBook, body_bytes
from sandbox.requestlog import Entry, RequestLog, template_of

COST = "sandbox.cost"
"""Scope key under which a vendor's app says what the request cost in calls; 1 if it says nothing."""

HOST = "127.0.0.1"

_POLL = 0.005
_PATIENCE = 1.0
"""Seconds that requests under way get at the end."""
_GARBAGE = b"\x00<<< not json >>>"

Connections = dict[tuple[str, int], asyncio.Transport]


@dataclass(frozen=True, slots=True)
class Shared:
    """What all servers of one sandbox have in common."""

    clock: ScenarioClock
    log: RequestLog
    faults: FaultBook


class Guard:
    """ASGI middleware: hold, fault, log. The body is read whole first, so that a fault may look at it."""

    def __init__(
        self,
        app: ASGIApp,
        vendor: str,
        shared: Shared,
        connections: Connections,
    ) -> None:
        self._app = app
        self._vendor = vendor
        self._clock = shared.clock
        self._log = shared.log
        self._faults = shared.faults
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; WebSockets are logged when they open and otherwise left alone."""
        if scope["type"] == "websocket":
            self._record(scope, b"", 101, None)
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        while self._faults.held(self._vendor):
            await real_pause(_POLL)
        fault = self._faults.strike(self._vendor, scope["method"], _full_path(scope), body)
        if fault is None:
            answer = await self._ask(scope, body)
            self._record(scope, body, answer.status, None)
            await answer.send(send)
            return
        await self._go_wrong(fault, scope, body, receive, send)

    async def _go_wrong(self, fault: Fault, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        if fault.delay_ms:
            await real_pause(fault.delay_ms / 1000)
        if fault.delay_seconds:
            self._clock.advance(round(fault.delay_seconds * SECOND))
        if fault.hang or fault.reset == "before":
            self._record(scope, body, None, fault)
            await self._cut(scope, receive, at_once=not fault.hang)
            return
        answer = await self._answer(fault, scope, body)
        lost = fault.reset == "after"
        self._record(scope, body, None if lost else answer.status, fault)
        if lost:
            await self._cut(scope, receive, at_once=True)
        elif fault.truncate is not None:
            await answer.send_part(send, fault.truncate)
            self._connections[tuple(scope["client"])].close()
            await _gone(receive)
        else:
            await answer.send(send)

    async def _answer(self, fault: Fault, scope: Scope, body: bytes) -> _Answer:
        if fault.status is not None:
            content, kind = body_bytes(fault.body)
            headers = [(b"content-type", kind.encode())] if content else []
            headers += [(k.lower().encode(), v.encode()) for k, v in fault.headers.items()]
            return _Answer(fault.status, headers, content)
        answer = await self._ask(scope, body)
        if fault.duplicate:
            answer = await self._ask(scope, body)
        if fault.garbage:
            answer.body = _GARBAGE
        return answer

    async def _ask(self, scope: Scope, body: bytes) -> _Answer:
        """The app's own answer, buffered."""
        answer = _Answer(500, [], b"")
        await self._app(scope, _replay(body), answer.collect)
        return answer

    async def _cut(self, scope: Scope, receive: Receive, at_once: bool) -> None:
        """Drop the connection without an answer; or else wait until the client gives up."""
        if at_once:
            self._connections[tuple(scope["client"])].abort()
        await _gone(receive)

    def _record(self, scope: Scope, body: bytes, status: int | None, fault: Fault | None) -> None:
        self._log.add(
            Entry(
                seq=0,
                at=self._clock.now(),
                vendor=self._vendor,
                method=scope.get("method", "WS"),
                path=_full_path(scope),
                template=template_of(scope["path"], scope.get("path_params", {})),
                status=status,
                cost=scope.get(COST, 1),
                fault=fault.kind() if fault else None,
                body=body.decode("utf-8", "replace"),
            )
        )


class _Answer:
    """A whole response in memory."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    async def collect(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(k, v) for k, v in message.get("headers", []) if k != b"content-length"]
        else:
            self.body += message.get("body", b"")

    async def send(self, send: Send) -> None:
        await self._start(send)
        await send({"type": "http.response.body", "body": self.body})

    async def send_part(self, send: Send, size: int) -> None:
        """Promise the whole body, give its first `size` bytes."""
        await self._start(send)
        part = self.body[: min(size, max(len(self.body) - 1, 0))]
        await send({"type": "http.response.body", "body": part, "more_body": True})

    async def _start(self, send: Send) -> None:
        # 204 and 304 carry neither a body nor its length (RFC 9110, 8.6).
        bare = self.status in (204, 304)
        length = [] if bare else [(b"content-length", str(len(self.body)).encode())]
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers + length})


def _full_path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    # A WebSocket's query carries its ticket, which is a secret.
    query: bytes = scope["query_string"] if scope["type"] == "http" else b""
    return (raw + (b"?" + query if query else b"")).decode("latin-1")


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _gone(receive: Receive) -> None:
    """Wait until the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        continue


def _replay(body: bytes) -> Callable[[], Awaitable[Message]]:
    pending = [body]

    async def receive() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return {"type": "http.disconnect"}

    return receive


class Served:
    """One app on 127.0.0.1, in a daemon thread from construction until `stop()`. Port 0 takes a free one."""

    def __init__(self, vendor: str, app: ASGIApp, shared: Shared, port: int = 0) -> None:
        connections: Connections = {}
        self.vendor = vendor
        # With the protocol left at 0 asyncio does not turn Nagle's algorithm off, which costs 40 ms per answer.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((HOST, port))
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            Guard(app, vendor, shared, connections),
            log_level="critical",
            access_log=False,
            lifespan="off",
            http=_protocol(connections),
            ws="websockets-sansio",
            loop="asyncio",
            # Kits keep connections; one that we closed while idle would look like a fault that nobody scripted.
            timeout_keep_alive=3600,
            h11_max_incomplete_event_size=256 * 1024,
            server_header=False,
            date_header=False,
        )
        self._ready = threading.Event()
        self._server = _Server(config, self._ready)
        self._thread = threading.Thread(target=self._run, name=f"sandbox-{vendor}", daemon=True)
        self._thread.start()
        self._ready.wait()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:port`, no slash at its end."""
        return f"http://{HOST}:{self.port}"

    def stop(self) -> None:
        """Answer what is under way (at most a second), then close; safe to call twice."""
        self._server.end()
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])


class _Server(uvicorn.Server):
    """Says when it listens, and ends at once when told to, where uvicorn looks only every tenth of a second."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready
        self._over = asyncio.Event()

    def end(self) -> None:
        """Stop serving; from any thread, and any number of times."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended already
            self._loop.call_soon_threadsafe(self._over.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self._ready.set()

    async def main_loop(self) -> None:
        await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        patience = round(_PATIENCE / _POLL)
        while patience and (self.server_state.connections or self.server_state.tasks):
            patience -= 1
            await real_pause(_POLL)
        for task in list(self.server_state.tasks):
            task.cancel()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await real_pause(0)


def _protocol(connections: Connections) -> type[H11Protocol]:
    """Uvicorn's HTTP protocol, with the transports kept by client address: a reset needs the bare connection."""

    class Tracked(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if self.client is not None:
                connections[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self.client is not None:
                connections.pop(self.client, None)

    return Tracked
