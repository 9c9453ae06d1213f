"""Serve an ASGI app on loopback from a thread of its own, with every request logged and scripted faults applied."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.clock import real_pause
from sandbox.guard import COST, Connections, Guard, Shared

__all__ = ["COST", "HOST", "Served", "Shared"]

HOST = "127.0.0.1"

_POLL = 0.005
_PATIENCE = 1.0
"""Seconds that requests under way get at the end."""


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
