"""Champions lost: who counts, from which day, and that the strongest of the 90 days before is found."""

from __future__ import annotations

import random
from typing import Any

import pytest
from sqlalchemy import select

from rules.facts.champions import champions_lost
from rules.facts.moment import moment
from store.engine import Store
from store.records import DAY, HOUR
from store.tables import accounts
from tests.rules import facts_reference as slow
from tests.rules.derived_rows import NOW, Rows, ago, orderly
from tests.rules.reading import portfolio_at


def lost(store: Store, rows: Rows) -> dict[int, int]:
    """Account -> champions lost; no entry: nobody left."""
    with store.write() as conn:
        rows.save(conn)
        scope = select(accounts.c.id.label("account_id")).cte("scope")
        found = champions_lost(moment(NOW, "UTC"), scope)
        return {row.account_id: row.champions_lost for row in conn.execute(select(found))}


def befriend(rows: Rows, person: int, until: float) -> None:
    """A strong relationship: five meetings in the weeks before."""
    for week in range(5):
        rows.touch(person, "meeting", ago(until + 7 * week))


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"deleted": ago(10)}, 1),
        ({"deleted": ago(10), "left_as": "moved"}, 1),
        ({"deleted": ago(10), "left_as": "merged"}, 0),
        ({"deleted": ago(10), "left_as": "readdressed"}, 0),
        ({"bounced": ago(10)}, 1),
        ({"bounced": ago(12), "deleted": ago(10)}, 1),
        ({"deleted": ago(90)}, 0),
        ({"deleted": NOW + 1}, 0),
        ({}, 0),
    ],
    ids=["deleted", "moved", "merged", "readdressed", "bounced", "both", "long ago", "later", "there"],
)
def test_who_is_lost(store: Store, how: dict[str, Any], expected: int) -> None:
    """Deleted, moved or bounced within 90 days; one person once; merged is not lost."""
    rows = orderly()
    person = rows.person(rows.account(), **how)
    befriend(rows, person, 15)
    assert expected == lost(store, rows).get(1, 0)


def test_touches_of_somebody_who_moved_are_those_of_the_new_place(store: Store) -> None:
    """The contact took its history along; what happened there after the move does not count."""
    rows = orderly()
    old, new = rows.account(), rows.account()
    rows.person(old, deleted=ago(20), left_as="moved", key="ann@x.example")
    late = rows.person(old, deleted=ago(20), left_as="moved", key="bob@x.example")
    befriend(rows, rows.person(new, key="ann@x.example"), 21)
    befriend(rows, rows.person(new, key="bob@x.example"), -15)
    assert {old: 1} == lost(store, rows)
    assert late == 2


def test_touches_elsewhere_are_no_strength_here(store: Store) -> None:
    """Somebody who is at two accounts, and was deleted, is judged by the touches at each."""
    rows = orderly()
    known, hardly = rows.account(), rows.account()
    befriend(rows, rows.person(known, deleted=ago(20), key="ann@x.example"), 21)
    rows.touch(rows.person(hardly, deleted=ago(20), key="ann@x.example"), "email", ago(30))
    assert {known: 1, hardly: 0} == lost(store, rows)


def test_the_row_has_it_and_says_when_it_cannot(store: Store) -> None:
    """0 is known where nobody left; where capture fails the number is missing, as every number of touches is."""
    rows = orderly()
    kept, left, unseen = rows.account(), rows.account(), rows.account(csm=None)
    for account in (left, unseen):
        befriend(rows, rows.person(account, deleted=ago(10)), 11)
    with store.write() as conn:
        rows.save(conn)
        found = {
            row["account_id"]: (row["champions_lost"], row["champions_lost_state"]) for row in portfolio_at(conn, NOW)
        }
    assert {kept: (0, None), left: (1, None), unseen: (None, "not_captured")} == found


def test_the_strongest_instant_is_found(store: Store) -> None:
    """Against strength at every hour of the 90 days before; random touches over two years, one way or the other."""
    rng = random.Random(3)
    rows = orderly()
    left = ago(5)
    for _ in range(40):
        person = rows.person(rows.account(), deleted=left)
        for _ in range(rng.choice((3, 6, 9, 14))):
            at = left - rng.randrange(1, 24 * rng.choice((60, 200, 500))) * HOUR
            kind = rng.choice(("email", "email", "call", "meeting"))
            rows.touch(person, kind, at, way=rng.choice(("in", "out")))
    expected = {}
    for row in rows.tables["persons"]:
        mine = [t for t in rows.tables["touches"] if t["person_id"] == row["id"]]
        # Between two whole hours nothing happens: every touch is on one.
        best = max(slow.strength(mine, left - hours * HOUR) for hours in range(90 * 24 + 1))
        expected[row["account_id"]] = int(best >= 6_000)
    assert expected == lost(store, rows)
    assert 3 <= sum(expected.values()) <= 37
    assert left > NOW - 90 * DAY
