"""Serve an app at an address from a thread of its own: what the health pages and the ingest listener share."""

from __future__ import annotations

import socket
import threading

import uvicorn
from starlette.types import ASGIApp


class Listener:
    """One address; `bind` is `host:port`, port 0 takes a free one."""

    def __init__(self, name: str, bind: str) -> None:
        self._name, self._bind = name, bind
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.address = ""
        """`http://host:port` once it listens."""

    def start(self, app: ASGIApp, **options: int | bool) -> None:
        """Listen; raises OSError when the address is taken. `options` are uvicorn's."""
        host, _, port = self._bind.rpartition(":")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host.strip("[]"), int(port)), family=family)
        self.address = "http://{}:{}".format(*listener.getsockname()[:2])
        config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", ws="none", **options)  # type: ignore[arg-type]
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name=self._name, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the address; returns when the calls that are being worked on have their answer."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
