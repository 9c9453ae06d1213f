"""The store keeps what it committed, drops what it did not, and lets readers in while one thread writes."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from daemon.masking import without_private
from store.engine import Store
from store.tables import account_fields, crm_activities, settings


def _count(store: Store) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(settings)) or 0


def test_write_commits_when_the_block_ends(store: Store) -> None:
    """Rows of a finished block are there for the next reader."""
    with store.write() as connection:
        connection.execute(insert(settings).values(name="a", value="1"))
    assert _count(store) == 1


def test_write_rolls_back_when_the_block_raises(store: Store) -> None:
    """Nothing of a failed block is kept."""

    def fail_half_way() -> None:
        with store.write() as connection:
            connection.execute(insert(settings).values(name="a", value="1"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert _count(store) == 0


def test_reader_keeps_its_snapshot_while_another_thread_writes(store: Store) -> None:
    """A read transaction sees one state from its first statement to its last."""
    with store.read() as reader:
        before = reader.scalar(select(func.count()).select_from(settings))

        def write() -> None:
            with store.write() as connection:
                connection.execute(insert(settings).values(name="a", value="1"))

        writer = threading.Thread(target=write)
        writer.start()
        writer.join(20)
        assert reader.scalar(select(func.count()).select_from(settings)) == before == 0
    assert _count(store) == 1


def test_reading_keeps_nothing(store: Store) -> None:
    """What a read block writes by mistake is refused or rolled back."""

    def write_in_a_read_block() -> None:
        with store.read() as connection:
            connection.execute(insert(settings).values(name="a", value="1"))

    if store.is_sqlite:
        write_in_a_read_block()
    else:
        with pytest.raises(DBAPIError, match="read-only"):
            write_in_a_read_block()
    assert _count(store) == 0


def test_two_writers_wait_for_each_other(store: Store) -> None:
    """Concurrent writes all succeed: a writer waits, it does not fail as busy."""
    failures: list[BaseException] = []

    def write(name: str) -> None:
        try:
            for number in range(20):
                with store.write() as connection:
                    connection.execute(select(func.count()).select_from(settings)).scalar()
                    connection.execute(insert(settings).values(name=f"{name}{number}", value="1"))
        except DBAPIError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert _count(store) == 60


def test_what_a_writer_has_read_is_still_so_when_it_writes(store: Store) -> None:
    """Reading, adding one and writing back counts every time: no writer works on what another one is changing."""
    with store.write() as connection:
        connection.execute(insert(settings).values(name="count", value="0"))

    def count() -> None:
        for _ in range(20):
            with store.write() as connection:
                before = int(connection.execute(select(settings.c.value)).scalar_one())
                connection.execute(update(settings).values(value=str(before + 1)))

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with store.read() as connection:
        assert connection.scalar(select(settings.c.value)) == "60"


def test_foreign_keys_are_enforced(store: Store) -> None:
    """A row cannot point at an account that is not there."""
    row = {"account_id": 99, "field": "arr", "recorded_at": 1, "valid_from": 1, "history": "none"}

    def point_nowhere() -> None:
        with store.write() as connection:
            connection.execute(insert(account_fields).values(**row))

    with pytest.raises(IntegrityError):
        point_nowhere()


def test_errors_of_the_store_show_no_row(store: Store) -> None:
    """What a refused row holds is in no text that is logged or kept, whatever the database says of it."""
    row = {"source": "crm", "id": "1", "kind": None, "subject": "Project Falcon", "created_at": 1}

    def refused() -> None:
        with store.write() as connection:
            connection.execute(insert(crm_activities).values(**row))

    with pytest.raises(IntegrityError) as told:
        refused()
    assert "crm_activities" in str(told.value)
    assert "Falcon" not in without_private(str(told.value))


def test_sqlite_survives_a_power_cut(sqlite_store: Store) -> None:
    """The write-ahead log is on and every commit reaches the disk."""
    with sqlite_store.read() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2
        assert connection.scalar(text("PRAGMA busy_timeout")) == 30_000
