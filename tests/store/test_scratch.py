"""A snapshot with tables of its own: the portfolio is computed into it, the store stays as it is, whatever happens."""

from __future__ import annotations

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import DBAPIError

from store.engine import Store
from store.scratch import scratch
from store.tables import accounts, facts, touches
from tests.rules.derived_rows import NOW, Rows, ago


@pytest.fixture
def world(store: Store) -> Store:
    """One customer with a row of facts, and a touch that was entered ten days late."""
    rows = Rows()
    rows.source()
    person = rows.person(rows.account())
    rows.touch(person, "call", ago(20), logged=ago(10))
    with store.write() as connection:
        rows.save(connection)
        connection.execute(insert(facts).values(account_id=1, as_of=NOW, arr=5))
    return store


def arrs(store: Store) -> list[int]:
    """ARR of every customer."""
    with store.read() as connection:
        return list(connection.scalars(select(facts.c.arr)))


def test_the_portfolio_of_the_snapshot_is_its_own(world: Store) -> None:
    """It begins empty, can be filled and emptied, and the store's is as it was, meanwhile and afterwards."""
    with scratch(world) as apart:
        assert [] == arrs(apart)
        with apart.write() as connection:
            connection.execute(insert(facts).values(account_id=1, as_of=NOW, arr=7))
        assert [7] == arrs(apart)
        assert [5] == arrs(world)
        apart.clear()
        assert [] == arrs(apart)
    assert [5] == arrs(world)
    with scratch(world) as again:
        assert [] == arrs(again)


@pytest.mark.parametrize("cleared", [False, True])
def test_everything_else_can_only_be_read(world: Store, cleared: bool) -> None:
    """A change of another table is refused by the database, at the second instant too, and leaves no trace."""
    with scratch(world) as apart:
        if cleared:
            apart.clear()
        with pytest.raises(DBAPIError):
            apart.connection.execute(insert(accounts).values(id=98, key="x", name="x", created_at=0))
    with world.write() as connection:
        assert 1 == connection.scalar(select(func.count()).select_from(accounts))
        connection.execute(insert(accounts).values(id=99, key="y", name="y", created_at=0))


def test_with_one_clock_a_late_entry_counts_as_made_at_once(world: Store) -> None:
    """The stamp of recording is that of the event; with two clocks it stays."""
    stamps = select(touches.c.occurred_at, touches.c.recorded_at)
    with scratch(world, one_clock=True) as apart:
        assert [(ago(20), ago(20))] == [tuple(row) for row in apart.connection.execute(stamps)]
    with scratch(world) as apart:
        assert [(ago(20), ago(10))] == [tuple(row) for row in apart.connection.execute(stamps)]
