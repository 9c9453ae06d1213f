"""The sorted set behind the imitation CRMs' tables, against Python's own sorting."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from sandbox import sortedkeys
from sandbox.sortedkeys import SortedKeys

keys = st.tuples(st.integers(0, 20), st.integers(0, 20))


@given(st.lists(st.tuples(st.booleans(), keys)), keys, keys)
def test_same_as_a_sorted_set(
    steps: list[tuple[bool, tuple[int, int]]], low: tuple[int, int], high: tuple[int, int]
) -> None:
    """Whatever is added and taken out: the order, the counts and the walks of any range are a set's."""
    ours = SortedKeys()
    plain: set[tuple[int, int]] = set()
    for adds, key in steps:
        (ours.add if adds else ours.discard)(key)
        (plain.add if adds else plain.discard)(key)
    assert list(ours.walk()) == sorted(plain)
    within = sorted(k for k in plain if low <= k < high)
    assert list(ours.walk(low, high)) == within
    assert list(ours.walk_back(low, high)) == within[::-1]
    assert ours.count(low, high) == len(within)
    assert (len(ours), ours.last()) == (len(plain), max(plain, default=None))


def test_many_keys_in_any_order() -> None:
    """Ten thousand keys, put in shuffled and half of them taken out again, stay in order over many blocks."""
    dice = random.Random(5)
    every = [(n, str(n)) for n in range(10 * sortedkeys._BLOCK)]
    dice.shuffle(every)
    ours = SortedKeys()
    for key in every:
        ours.add(key)
    gone = set(every[::2])
    for key in gone:
        ours.discard(key)
    left = sorted(set(every) - gone)
    assert list(ours.walk()) == left
    assert list(ours.walk((4_000,), (9_000,))) == [k for k in left if 4_000 <= k[0] < 9_000]
    assert list(ours.walk_back((4_000,), (9_000,))) == [k for k in reversed(left) if 4_000 <= k[0] < 9_000]
    assert ours.count((4_000,), (9_000,)) == sum(4_000 <= k[0] < 9_000 for k in left)
    assert all(key in ours for key in left[:50])
    assert not any(key in ours for key in list(gone)[:50])
