"""Statements that are kept: built once, right at every instant, never shared where they must not be."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import BigInteger, Select, Text, literal, select

from store import touched
from store.engine import Store
from store.records import DAY, HOUR, Day, Instant
from store.statements import TimedRows, When

NOON: Instant = 20_500 * DAY + 12 * HOUR


class Counted:
    """Builds a statement about an instant and counts how often it was asked to."""

    def __init__(self, build: Any) -> None:
        self.build, self.times = build, 0

    def __call__(self, at: Instant) -> Select[Any]:
        self.times += 1
        made: Select[Any] = self.build(at)
        return made


def _windows(at: Instant) -> Select[Any]:
    columns = (at, at - 30 * DAY, at // DAY, "rule")
    kinds = (BigInteger, BigInteger, BigInteger, Text)
    values: list[Any] = [literal(value, kind) for value, kind in zip(columns, kinds, strict=True)]
    return select(*values)


def _today(at: Instant) -> Day:
    return at // DAY


def _run(store: Store, build: Any, at: Instant, *owners: object, by_days: bool = True) -> tuple[Any, ...]:
    with store.read() as conn:
        return tuple(TimedRows("windows", owners, When(at, _today), build, by_days=by_days).read(conn).one())


@pytest.mark.parametrize("second", [NOON + 1, NOON + 11 * HOUR, NOON + 2 * DAY, NOON - 40 * DAY])
def test_kept_statement_is_right_at_every_instant(store: Store, second: Instant) -> None:
    """Instants and dates move along, words stay; after two runs, of one day or of two, it is not built again."""
    build, owner = Counted(_windows), object()
    for at in (NOON, second):
        assert (at, at - 30 * DAY, at // DAY, "rule") == _run(store, build, at, owner)
    built = build.times
    for at in range(20_400 * DAY, 20_600 * DAY, 9 * DAY + 5 * HOUR + 1):
        assert (at, at - 30 * DAY, at // DAY, "rule") == _run(store, build, at, owner)
    assert built == build.times


def test_what_runs_once_is_built_once(store: Store) -> None:
    """How a statement moves is only looked for where it runs again."""
    build = Counted(_windows)
    _run(store, build, NOON, object())
    assert 1 == build.times


def test_equal_owners_share_a_statement(store: Store) -> None:
    """The same rule, read again, is the same statement."""
    build = Counted(_windows)
    for at in (NOON, NOON + DAY, NOON + 2 * DAY, NOON + 3 * DAY):
        _run(store, build, at, ("equal", store.is_sqlite))
    assert 2 == build.times


def test_other_owners_have_statements_of_their_own(store: Store) -> None:
    """Another rule under the same name is another statement."""
    owners = [object(), object()]
    for at in (NOON, NOON + DAY, NOON + 2 * DAY):
        for word, owner in zip(("a", "b"), owners, strict=True):
            assert (word,) == _run(store, lambda _, word=word: select(literal(word, Text)), at, owner)


def _monday(at: Instant) -> Select[Any]:
    values: list[Any] = [literal(value, BigInteger) for value in (at // DAY - (at // DAY + 3) % 7, at)]
    return select(*values)


def test_what_moves_unevenly_is_kept_for_a_day(store: Store) -> None:
    """A date that stands still and then leaps is right on every day, where that is said; on one it is not built again."""
    build, owner = Counted(_monday), object()
    for at in range(NOON, NOON + 9 * DAY, 5 * HOUR):
        assert (at // DAY - (at // DAY + 3) % 7, at) == _run(store, build, at, owner, by_days=False)
    built = build.times
    for at in range(NOON + 9 * DAY, NOON + 9 * DAY + 5 * HOUR, HOUR):
        _run(store, build, at, owner, by_days=False)
    assert built + 3 >= build.times


def test_what_moves_in_another_way_is_built_each_time(store: Store) -> None:
    """A value at no fixed distance from the instant cannot be shared, and is right all the same."""
    build, owner = Counted(lambda at: select(literal(at // HOUR, BigInteger))), object()
    for at in (NOON, NOON + 3 * HOUR, NOON + 5 * HOUR, NOON + 3 * DAY):
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


def test_postgresql_knows_how_many_accounts_are_touched(both_stores: tuple[Store, Store]) -> None:
    """One or a thousand, also when others were touched before: else it reads whole tables for them."""
    with both_stores[1].write() as conn:
        for wanted in (range(1_000), range(7), range(2_000, 3_000)):
            text = touched.put(conn, wanted).compile(conn).string
            plan = "\n".join(conn.exec_driver_sql(f"EXPLAIN {text}").scalars())
            assert f"rows={len(wanted)} " in plan
