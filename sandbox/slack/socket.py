"""Socket Mode over a real WebSocket: one connection of the hub per socket."""

from __future__ import annotations

import asyncio
import json

from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.slack.model import Json
from sandbox.slack.state import SlackState

BYE = "close"


class SocketConnection:
    """Frames queued from any thread, written by the socket's own task."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[tuple[str, Json | int]] = asyncio.Queue()

    def send(self, frame: Json) -> None:
        """Queue one frame."""
        self._loop.call_soon_threadsafe(self._queue.put_nowait, ("frame", frame))

    def close(self, code: int = 1000) -> None:
        """Close after what is queued."""
        self._loop.call_soon_threadsafe(self._queue.put_nowait, (BYE, code))

    async def write(self) -> None:
        """Send until told to close."""
        while True:
            kind, value = await self._queue.get()
            if kind == BYE:
                assert isinstance(value, int)
                await self._socket.close(value)
                return
            await self._socket.send_text(json.dumps(value))


async def serve(socket: WebSocket, state: SlackState) -> None:
    """One Socket Mode connection from handshake to goodbye; a ticket that is spent or made up is refused."""
    if not state.hub.redeem(socket.query_params.get("ticket", "")):
        await socket.close(1008)
        return
    await socket.accept()
    connection = SocketConnection(socket)
    if not state.hub.join(connection):
        connection.close()
        await connection.write()
        return
    writer = asyncio.create_task(connection.write())
    try:
        await _read(socket, state)
    finally:
        state.hub.leave(connection)
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)


async def _read(socket: WebSocket, state: SlackState) -> None:
    while True:
        try:
            text = await socket.receive_text()
        except WebSocketDisconnect:
            return
        if text.startswith("{"):
            state.hub.ack(json.loads(text))
