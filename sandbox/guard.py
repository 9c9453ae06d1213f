"""ASGI middleware before every vendor: holds, faults, the request log, and the `Date` of the scenario clock."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.clock import SECOND, ScenarioClock, real_pause
from sandbox.faults import Fault, FaultBook, Strike, body_bytes
from sandbox.requestlog import Entry, RequestLog, template_of
from sandbox.spoil import Whole, spoil

COST = "sandbox.cost"
"""Scope key under which a vendor's app says what the request cost in calls; 1 if it says nothing."""

_POLL = 0.005

Connections = dict[tuple[str, int], asyncio.Transport]


@dataclass(frozen=True, slots=True)
class Shared:
    """What all servers of one sandbox have in common."""

    clock: ScenarioClock
    log: RequestLog
    faults: FaultBook


@dataclass(frozen=True, slots=True)
class _Ask:
    """One request under way, its body read."""

    scope: Scope
    body: bytes
    receive: Receive
    send: Send


class Guard:
    """Hold, fault, log. The body is read whole first, so that a fault may look at it."""

    def __init__(self, app: ASGIApp, vendor: str, shared: Shared, connections: Connections) -> None:
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
        strike = self._faults.strike(self._vendor, scope["method"], _full_path(scope), body)
        if strike is None:
            await self._pass(scope, body, send)
            return
        ask = _Ask(scope, body, receive, send)
        if strike.tries and strike.tries[0].early:
            await self._early(strike.tries[0], ask)
        else:
            await self._late(strike, ask)

    async def _pass(self, scope: Scope, body: bytes, send: Send) -> None:
        """The app's own answer: whole, or piece by piece as it comes when the app streams it."""
        answer, streaming = Whole(500, [], b""), False
        parts: list[bytes] = []

        async def forward(message: Message) -> None:
            nonlocal streaming
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = [(k, v) for k, v in message.get("headers", []) if k != b"content-length"]
                return
            if message.get("more_body", False) and not streaming:
                streaming = True
                self._date(answer)
                self._record(scope, body, answer.status, None)
                await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            if not streaming:
                parts.append(message.get("body", b""))
            elif tuple(scope["client"]) not in self._connections:
                raise _HungUpError
            else:
                await send(message)

        with contextlib.suppress(_HungUpError):
            await self._app(scope, _replay(body), forward)
        if not streaming:
            answer.body = b"".join(parts)
            self._date(answer)
            self._record(scope, body, answer.status, None)
            await _send(answer, send)

    async def _early(self, fault: Fault, ask: _Ask) -> None:
        """The vendor never sees the request."""
        self._move_on(fault)
        await _pause(fault)
        if fault.status is None:
            self._record(ask.scope, ask.body, None, fault)
            await self._cut(ask, at_once=not fault.hang)
            return
        content, kind = body_bytes(fault.body)
        answer = Whole(fault.status, [(b"content-type", kind.encode())] if content else [], content)
        for name, value in fault.headers.items():
            answer.set(name, value)
        self._date(answer)
        await self._deliver(fault, answer, ask)

    async def _late(self, strike: Strike, ask: _Ask) -> None:
        """Something happens to the vendor's own answer."""
        first = strike.tries[0] if strike.tries else None
        if first is not None:
            self._move_on(first)
        answer = await self._ask(ask.scope, ask.body)
        if first is not None:
            if first.duplicate:
                answer = await self._ask(ask.scope, ask.body)
            await _pause(first)
        for fault in strike.tries:
            if fault.early:
                continue
            before = self._faults.kept(strike, fault) if fault.repeat else None
            spoiled = spoil(answer, fault, before if isinstance(before, Whole) else None)
            if spoiled is not None:
                self._remember(strike, answer)
                await self._deliver(fault, spoiled, ask)
                return
        self._remember(strike, answer)
        self._record(ask.scope, ask.body, answer.status, None)
        await _send(answer, ask.send)

    async def _deliver(self, fault: Fault, answer: Whole, ask: _Ask) -> None:
        lost = fault.reset == "after"
        self._record(ask.scope, ask.body, None if lost else answer.status, fault)
        if lost:
            await self._cut(ask, at_once=True)
        elif fault.truncate is not None:
            await _send_part(answer, ask.send, fault.truncate)
            self._connections[tuple(ask.scope["client"])].close()
            await _gone(ask.receive)
        else:
            await _send(answer, ask.send)

    def _remember(self, strike: Strike, answer: Whole) -> None:
        if strike.remember:
            self._faults.keep(strike, answer)

    def _move_on(self, fault: Fault) -> None:
        if fault.delay_seconds:
            self._clock.advance(round(fault.delay_seconds * SECOND))

    async def _ask(self, scope: Scope, body: bytes) -> Whole:
        """The app's own answer, buffered, with the scenario's `Date`."""
        answer = Whole(500, [], b"")
        parts: list[bytes] = []

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = [(k, v) for k, v in message.get("headers", []) if k != b"content-length"]
            else:
                parts.append(message.get("body", b""))

        await self._app(scope, _replay(body), collect)
        answer.body = b"".join(parts)
        self._date(answer)
        return answer

    def _date(self, answer: Whole) -> None:
        if answer.header("date") is None:
            answer.headers.append((b"date", formatdate(self._clock.now() // SECOND, usegmt=True).encode()))

    async def _cut(self, ask: _Ask, at_once: bool) -> None:
        """Drop the connection without an answer; or else wait until the client gives up or the server ends."""
        if at_once:
            self._connections[tuple(ask.scope["client"])].abort()
        await _gone(ask.receive)

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


class _HungUpError(Exception):
    """The client is gone: nobody reads the rest of a stream."""


async def _pause(fault: Fault) -> None:
    if fault.delay_ms:
        await real_pause(fault.delay_ms / 1000)


async def _send(answer: Whole, send: Send) -> None:
    await _start(answer, send)
    await send({"type": "http.response.body", "body": answer.body})


async def _send_part(answer: Whole, send: Send, size: int) -> None:
    """Promise the whole body, give its first `size` bytes."""
    await _start(answer, send)
    part = answer.body[: min(size, max(len(answer.body) - 1, 0))]
    await send({"type": "http.response.body", "body": part, "more_body": True})


async def _start(answer: Whole, send: Send) -> None:
    # 204 and 304 carry neither a body nor its length (RFC 9110, 8.6).
    bare = answer.status in (204, 304)
    length = [] if bare else [(b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers + length})


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
