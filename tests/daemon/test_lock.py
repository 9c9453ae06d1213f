"""One writer per store; the second is told who the first is, and gets in when the first is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from daemon.lock import StoreHeld, holder, writer
from store.engine import Store

_HOLD = """
import sys
from daemon.lock import writer
from store.engine import Store
with writer(Store(sys.argv[1]), "run"):
    print("held", flush=True)
    sys.stdin.read()
"""


def _second_store(store: Store) -> Store:
    return Store(store.url)


def test_second_writer_is_refused_and_told_the_holder(store: Store) -> None:
    """The message names the command and process that hold the store, and the remedy."""
    other = _second_store(store)
    with (
        writer(store, "run"),
        pytest.raises(StoreHeld, match=rf"tierd run pid {os.getpid()} on .* writes this store: stop it"),
        writer(other, "sync"),
    ):
        pass
    other.close()


def test_lock_is_free_after_the_block(store: Store) -> None:
    """A writer that ends lets the next one in; nobody is named as holder then."""
    with writer(store, "sync"):
        pass
    assert holder(store) is None
    with writer(store, "run"):
        pass


def test_reading_needs_no_lock(store: Store) -> None:
    """While a daemon writes, a read-only command can read and can name the holder."""
    other = _second_store(store)
    with writer(store, "run"):
        with other.read() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
        assert holder(other) == holder(store)
        assert "tierd run pid" in (holder(other) or "")
    other.close()


def test_killed_holder_leaves_the_store_free(store: Store) -> None:
    """SIGKILL leaves no lock behind."""
    child = subprocess.Popen(
        [sys.executable, "-c", _HOLD, store.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdin is not None
    assert child.stdout.readline() == "held\n"
    assert f"pid {child.pid} " in (holder(store) or "")
    child.send_signal(signal.SIGKILL)
    child.wait(20)
    child.stdin.close()
    child.stdout.close()
    freed = False
    for _ in range(1000):  # PostgreSQL needs a moment to see that the connection is gone
        freed = freed or holder(store) is None
    assert freed
