"""Relationship strength to the digit, and against a record-by-record reading of the definition."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from rules.facts import FactSettings
from rules.facts.contracts import scope
from rules.facts.moment import moment
from rules.facts.people import person_rows
from store.engine import Store
from store.records import DAY, HOUR
from tests.rules import facts_reference as reference
from tests.rules.derived_rows import NOW, Rows, ago, orderly


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A transaction that is rolled back: each example of a property starts from an empty store."""
    with store.engine.connect() as conn:
        yield conn


def strengths(conn: Connection, rows: Rows) -> dict[int, int]:
    """Person -> hundredths, as the statement computes them at NOW."""
    with conn.begin() as transaction:
        rows.save(conn)
        m = moment(NOW, "UTC")
        people = person_rows(m, scope(m, FactSettings(), None).contracts)
        found = {row.person_id: row.strength for row in conn.execute(select(people.c.person_id, people.c.strength))}
        transaction.rollback()
    return found


def test_worked_example_of_a_strong_relationship(connection: Connection) -> None:
    """Meetings 10, 130 and 200 days ago, e-mails out 40 and 41 and in 42 days ago: 64.86."""
    rows = orderly()
    person = rows.person(rows.account())
    for days in (10, 130, 200):
        rows.touch(person, "meeting", ago(days))
    for days, way in ((40, "out"), (41, "out"), (42, "in")):
        rows.touch(person, "email", ago(days), way=way)
    assert strengths(connection, rows) == {person: 6_486}
    assert reference.strength(rows.tables["touches"], NOW) == 6_486


def test_worked_example_without_reply_is_capped(connection: Connection) -> None:
    """One outbound e-mail today: 32.08, capped to 19."""
    rows = orderly()
    person = rows.person(rows.account())
    rows.touch(person, "email", NOW, way="out")
    assert strengths(connection, rows) == {person: 1_900}


def test_one_inbound_mail_today_is_not_capped(connection: Connection) -> None:
    """The same points as the outbound mail, but the person wrote: 32.08."""
    rows = orderly()
    person = rows.person(rows.account())
    rows.touch(person, "email", NOW, way="in")
    assert strengths(connection, rows) == {person: 3_208}


def test_touches_outside_the_year_leave_nothing(connection: Connection) -> None:
    """A touch exactly 365 days ago lies outside the window; one a second later lies inside."""
    rows = orderly()
    account = rows.account()
    old, young, untouched = (rows.person(account) for _ in range(3))
    rows.touch(old, "meeting", ago(365))
    rows.touch(young, "meeting", ago(365) + 1_000_000)
    found = strengths(connection, rows)
    assert found[old] == found[untouched] == 0
    assert found[young] == reference.hundredths(30.0 * 2 ** (-364 / 60) + 15.0) > 1_500


KINDS = st.sampled_from(["email", "call", "meeting"])
# Whole days as well as odd instants: windows and ages are decided at their edges.
AGES = st.one_of(
    st.integers(-2, 400).map(lambda d: d * DAY), st.integers(-3 * DAY, 400 * DAY), st.sampled_from([90 * DAY, HOUR])
)
TOUCHES = st.tuples(
    KINDS,
    AGES,
    st.sampled_from(["in", "out"]),
    st.one_of(st.just(0), st.integers(0, 60).map(lambda d: d * DAY)),
    st.one_of(st.none(), st.integers(0, 400).map(lambda d: d * DAY)),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=st.lists(st.lists(TOUCHES, max_size=12), min_size=1, max_size=4))
def test_statement_equals_the_reference(
    connection: Connection, people: list[list[tuple[str, int, str, int, int | None]]]
) -> None:
    """Every random history gives the same hundredths in SQL and read record by record, on both databases."""
    rows = orderly()
    account = rows.account()
    expected = {}
    for touches in people:
        person = rows.person(account)
        for kind, age, way, delay, withdrawn in touches:
            gone = None if withdrawn is None else NOW - withdrawn
            rows.touch(person, kind, NOW - age, way=way, logged=NOW - age + delay, withdrawn=gone)
        mine = [t for t in rows.tables["touches"] if t["person_id"] == person]
        expected[person] = reference.strength(mine, NOW)
    assert strengths(connection, rows) == expected
