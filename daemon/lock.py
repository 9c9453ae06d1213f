"""One writer per store: a file lock beside a SQLite file, an advisory lock on PostgreSQL; the holder can be named."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, text

from store.engine import Store

# Any number of one's own: PostgreSQL's advisory locks are numbers, counted per database.
_LOCK_KEY = int.from_bytes(hashlib.sha256(b"tierd writer").digest()[:7])


class StoreHeld(Exception):
    """Another tierd writes this store: stop it first, or give this one a store of its own."""

    def __init__(self, who: str) -> None:
        super().__init__(f"{who} writes this store: stop it first, or set another `store:` in tierd.yaml")
        self.who = who


@contextmanager
def writer(store: Store, command: str) -> Iterator[None]:
    """Be the only writer inside the block; raises StoreHeld with the name of the one that is. Ends with the process."""
    if not store.is_sqlite:
        with _advisory(store, command):
            yield
        return
    database = store.engine.url.database
    if not database or database == ":memory:":
        yield  # nobody else can see it
        return
    with _file(Path(database), command):
        yield


def holder(store: Store) -> str | None:
    """Who writes this store now, in words; None = nobody."""
    try:
        with writer(store, "look"):
            return None
    except StoreHeld as held:
        return held.who


@contextmanager
def _file(database: Path, command: str) -> Iterator[None]:
    """A file of its own is locked: SQLite's own locks on the database file must not be touched."""
    path = database.with_name(f"{database.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise StoreHeld(_described(file.read())) from None
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "command": command}))
        file.flush()
        yield  # the file stays: removing it would let a third process lock a new one beside a waiting second


@contextmanager
def _advisory(store: Store, command: str) -> Iterator[None]:
    """A session lock on a connection of its own: PostgreSQL frees it when the connection ends, however it ends."""
    name = f"tierd {command} pid {os.getpid()} on {socket.gethostname()}"[:63]
    with store.engine.connect() as plain:
        connection = plain.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("SELECT set_config('application_name', :name, false)"), {"name": name})
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK_KEY}):
            raise StoreHeld(_advisory_holder(connection))
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK_KEY})


def _advisory_holder(connection: Connection) -> str:
    found = connection.scalar(
        text(
            "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
            " WHERE l.locktype = 'advisory' AND l.granted AND l.database = (SELECT oid FROM pg_database"
            " WHERE datname = current_database()) AND (l.classid::bigint << 32) + l.objid::bigint = :key"
        ),
        {"key": _LOCK_KEY},
    )
    return found or "another tierd"


def _described(info: str) -> str:
    """The holder as its lock file tells it; a holder that has just started may not have written it yet."""
    try:
        facts = json.loads(info)
    except ValueError:
        return "another tierd"
    return f"tierd {facts['command']} pid {facts['pid']} on {facts['host']}"
