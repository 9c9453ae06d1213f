"""Statements that are kept: built once a day, right at every instant of it, never shared where they must not be."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import BigInteger, Executable, Select, Text, literal, select

from store import touched
from store.engine import Store
from store.records import DAY, HOUR, Instant

NOON: Instant = 20_500 * DAY + 12 * HOUR


class Counted:
    """Builds a statement about an instant and counts how often it was asked to."""

    def __init__(self, build: Any) -> None:
        self.build, self.times = build, 0

    def __call__(self, at: Instant) -> Executable:
        self.times += 1
        made: Executable = self.build(at)
        return made


def _windows(at: Instant) -> Select[Any]:
    columns = (at, at - 30 * DAY, at // DAY, "rule")
    kinds = (BigInteger, BigInteger, BigInteger, Text)
    values: list[Any] = [literal(value, kind) for value, kind in zip(columns, kinds, strict=True)]
    return select(*values)


def _run(store: Store, build: Any, at: Instant, *owners: object) -> tuple[Any, ...]:
    with store.read() as conn:
        return tuple(store.statements.run(conn, "windows", owners, at, day=at // DAY, build=build).one())


@pytest.mark.parametrize("start", [NOON, NOON - 11 * HOUR, NOON + 11 * HOUR], ids=["noon", "morning", "evening"])
def test_kept_statement_is_right_at_every_instant_of_the_day(store: Store, start: Instant) -> None:
    """Instants move along, days and words stay; it is not built again."""
    build, owner = Counted(_windows), object()
    _run(store, build, start, owner)
    built = build.times
    for at in range(20_500 * DAY, 20_501 * DAY, 5 * HOUR + 1):
        assert (at, at - 30 * DAY, 20_500, "rule") == _run(store, build, at, owner)
    assert built == build.times


def test_the_next_day_it_is_built_again(store: Store) -> None:
    """What depends on the date is that of the new day."""
    build, owner = Counted(_windows), object()
    _run(store, build, NOON, owner)
    built = build.times
    assert (NOON + DAY, NOON - 29 * DAY, 20_501, "rule") == _run(store, build, NOON + DAY, owner)
    assert built < build.times


def test_other_owners_have_statements_of_their_own(store: Store) -> None:
    """Another rule under the same name is another statement."""
    owners = [object(), object()]
    for word, owner in zip(("a", "b"), owners, strict=True):
        assert (word,) == _run(store, lambda _, word=word: select(literal(word, Text)), NOON, owner)


def test_what_moves_in_another_way_is_built_each_time(store: Store) -> None:
    """A value at no fixed distance from the instant cannot be shared, and is right all the same."""
    build, owner = Counted(lambda at: select(literal(at // HOUR, BigInteger))), object()
    for at in (NOON, NOON + 3 * HOUR, NOON + 5 * HOUR):
        assert (at // HOUR,) == _run(store, build, at, owner)


def test_touched_accounts_are_the_ones_put_last(store: Store) -> None:
    """Also after a transaction that was rolled back, and for more accounts than a statement binds parameters."""

    class Undone(Exception):
        pass

    def ids(*wanted: int) -> list[int]:
        with store.write() as conn:
            return sorted(conn.execute(touched.put(conn, wanted)).scalars())

    def undone(*wanted: int) -> None:
        with store.write() as conn:
            touched.put(conn, wanted)
            raise Undone

    assert [1, 2] == ids(1, 2)
    with pytest.raises(Undone):
        undone(7)
    assert [7] == ids(7)
    assert [] == ids()
    assert list(range(40_000)) == ids(*range(40_000))
