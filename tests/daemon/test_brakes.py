"""`tierd pause` acts before the next message or write, and survives a restart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from daemon.deliver import Deliverer
from store import flags
from store.engine import Store
from tests.daemon.desk import Desk, desk


@pytest.fixture
def d(sqlite_store: Store) -> Iterator[Desk]:
    """An outbox over an imitated Slack."""
    with desk(sqlite_store) as made:
        yield made


def _pause(d: Desk) -> None:
    with d.store.write() as connection:
        flags.pause(connection, "messages", "migration")


def test_paused_messages_wait(d: Desk) -> None:
    """Nothing is sent while the brake is on, by this process or the next; afterwards everything is."""
    d.post()
    _pause(d)
    assert d.deliverer.run_once().sent == 0
    assert Deliverer(d.store, d.deliverer._sender, d.clock, d.settings).run_once().sent == 0
    assert d.texts() == []
    with d.store.write() as connection:
        assert flags.resume(connection, "messages")
    assert d.deliverer.run_once().sent == 1
    assert d.texts() == ["text one"]


def test_brakes_are_told_apart(sqlite_store: Store) -> None:
    """Pausing writes does not pause messages; the reason is kept."""
    with sqlite_store.write() as connection:
        flags.pause(connection, "writes", "audit")
        assert flags.paused(connection, "writes") == "audit"
        assert flags.paused(connection, "messages") is None
        assert flags.resume(connection, "writes")
        assert not flags.resume(connection, "writes")
