"""What the seven steps of silence stand on, in SQL and read record by record, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from store.engine import Store
from store.records import DAY, HOUR
from tests.rules import facts_reference as reference
from tests.rules.derived_rows import LONG_AGO, NOW, Rows, ago, captured, orderly
from tests.rules.reading import facts_of


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A connection whose transactions the tests roll back."""
    with store.engine.connect() as conn:
        yield conn


def one(conn: Connection, rows: Rows) -> dict[str, Any]:
    """The facts of the only account."""
    (row,) = facts_of(conn, rows).values()
    return row


def test_account_in_good_order_is_fresh_and_covered(connection: Connection) -> None:
    """Never contacted, source fresh, CSM captured: a known absence."""
    rows = orderly()
    account = rows.account()
    rows.link(account)
    rows.person(account)
    row = one(connection, rows)
    assert (row["activity_stale"], row["not_covered"]) == (0, None)
    assert (row["last_exec_contact"], row["last_exec_contact_state"]) == (None, "never")
    assert (row["exec_contacts"], row["exec_since"]) == (1, LONG_AGO)


@pytest.mark.parametrize(
    ("age", "covered"), [(7 * DAY - 1, True), (7 * DAY, False), (8 * DAY, False)], ids=["within", "seven", "eight"]
)
def test_seven_days_without_capture_are_not_covered(connection: Connection, age: int, covered: bool) -> None:
    """Fewer than five gaps: 7 days alone decide, and 7 whole days are outside the window."""
    rows = Rows()
    rows.source()
    rows.account()
    member = rows.member()
    for n in range(5):
        rows.capture(member, NOW - age - n * HOUR)
    assert one(connection, rows)["not_covered"] == (None if covered else "Carla Csm")


@pytest.mark.parametrize(("age", "covered"), [(14.9, True), (15, False)])
def test_rhythm_of_the_person_is_the_patience(connection: Connection, age: float, covered: bool) -> None:
    """Five gaps of 5 days: 3 x the median are 15 days."""
    rows = Rows()
    rows.source()
    rows.account()
    member = rows.member()
    for n in range(6):
        rows.capture(member, ago(age + 5 * n))
    assert one(connection, rows)["not_covered"] == (None if covered else "Carla Csm")


def test_nothing_ever_captured_and_no_csm_are_not_covered(connection: Connection) -> None:
    """The reason names the CSM, or says that there is none."""
    rows = Rows()
    rows.source()
    rows.member()
    with_csm, without = rows.account(), rows.account(csm=None)
    found = facts_of(connection, rows)
    assert (found[with_csm]["not_covered"], found[without]["not_covered"]) == ("Carla Csm", "no CSM")
    assert found[without]["csm_state"] == "not_on_file"
    assert found[with_csm]["last_contact_state"] == "not_captured"


@pytest.mark.parametrize(
    ("interval", "age", "stale"),
    [
        (HOUR, 3 * HOUR, 0),
        (HOUR, 3 * HOUR + 1, 1),
        (HOUR // 12, HOUR, 0),
        (HOUR // 12, HOUR + 1, 1),
        (DAY, 72 * HOUR, 0),
    ],
)
def test_source_is_stale_after_three_intervals(connection: Connection, interval: int, age: int, stale: int) -> None:
    """3 x the interval, at least an hour."""
    rows = Rows()
    source = rows.source(interval=interval)
    rows.fresh(source, "events", NOW - age)
    rows.fresh(source, "emails", NOW)
    rows.link(rows.account())
    assert one(connection, rows)["activity_stale"] == stale


@pytest.mark.parametrize(
    ("stream", "status", "stale"),
    [
        ("events", "ok", 1),
        ("events", "failed", 1),
        ("accounts", "ok", 1),
        ("contacts", "ok", 1),
        ("sweep:associations", "ok", 0),
        ("sweep:removed-participants", "failed", 0),
        ("task_relations", "absent", 0),
        ("opportunities", "ok", 0),
        ("notes", "ok", 0),
    ],
)
def test_only_what_says_who_met_whom_makes_activity_stale(
    connection: Connection, stream: str, status: str, stale: int
) -> None:
    """A day old with an interval of an hour: increments of activities, accounts and contacts count, nothing else."""
    rows = orderly()
    rows.tables["freshness"].clear()
    rows.fresh("salesforce", stream, ago(1), status)
    rows.link(rows.account())
    assert one(connection, rows)["activity_stale"] == stale


@pytest.mark.parametrize(("hours", "stale"), [(3, 0), (4, 1)])
def test_stream_that_never_was_complete_is_as_old_as_the_first_try(
    connection: Connection, hours: int, stale: int
) -> None:
    """A first sync that was not allowed to read events leaves silence unknown, however well the rest was read."""
    rows = Rows()
    rows.source()
    rows.tables["sources"][0]["first_synced_at"] = None
    rows.fresh("salesforce", "events", None, "failed")
    run = {"source": "salesforce", "kind": "increment", "status": "partial", "started_at": NOW - hours * HOUR}
    rows.add("sync_runs", **run)
    rows.link(rows.account())
    assert one(connection, rows)["activity_stale"] == stale


def test_source_before_its_first_sync_counts_as_fresh(connection: Connection) -> None:
    """A past instant is compared only with what was synced before it."""
    rows = Rows()
    rows.source()
    rows.fresh("salesforce", "events", NOW + 10 * DAY)
    rows.link(rows.account())
    assert one(connection, rows)["activity_stale"] == 0


def test_stale_activity_takes_the_numbers_and_keeps_the_instants(connection: Connection) -> None:
    """Step 1 still sees the last touch; strength and its counts are missing, touch counts stay beside their state."""
    rows = orderly()
    rows.fresh("salesforce", "meetings", ago(2))
    account = rows.account()
    rows.link(account)
    person = rows.person(account)
    rows.touch(person, "meeting", ago(3))
    row = one(connection, rows)
    assert (row["activity_stale"], row["last_exec_contact"]) == (1, ago(3))
    assert row["last_exec_contact_state"] == row["relationship_state"] == row["touches_30d_state"] == "stale"
    assert (row["relationship"], row["exec_relationships"], row["touches_30d"]) == (None, None, 1)


def test_touch_counts_once_however_many_took_part(connection: Connection) -> None:
    """A meeting with three persons is one touch of the account."""
    rows = orderly()
    account = rows.account()
    everyone = [rows.person(account, who) for who in ("exec", "user", None)]
    rows.touch(everyone, "meeting", ago(5))
    rows.touch(everyone[:2], "email", ago(40), way="out")
    row = one(connection, rows)
    counts = [row[name] for name in ("touches_30d", "touches_90d", "inbound_90d", "meetings_90d")]
    assert counts == [1, 2, 1, 1]


def test_booking_shows_until_it_is_cancelled(connection: Connection) -> None:
    """A meeting in the future is no touch; a past instant still sees what was cancelled later."""
    rows = orderly()
    account = rows.account()
    person = rows.person(account)
    rows.booking(person, NOW + 5 * DAY, logged=ago(10), withdrawn=NOW + DAY)
    rows.booking(person, NOW + 3 * DAY, logged=ago(10), withdrawn=ago(1))
    row = one(connection, rows)
    assert (row["next_exec_meeting"], row["last_contact"]) == (NOW + 5 * DAY, None)


def test_person_who_left_is_off_file_and_the_touch_remains(connection: Connection) -> None:
    """A deleted contact counts for no relationship; what happened with that person happened."""
    rows = orderly()
    account = rows.account()
    gone = rows.person(account, "exec", deleted=ago(1))
    rows.touch(gone, "meeting", ago(4))
    row = one(connection, rows)
    assert (row["exec_contacts"], row["exec_relationships"], row["last_exec_contact"]) == (0, 0, ago(4))
    assert row["relationship_state"] == "not_on_file"


STANDINGS = st.sampled_from(["exec", "user", "unclassified", None])
INSTANTS = st.one_of(st.integers(-5, 200).map(lambda d: NOW - d * DAY), st.integers(NOW - 200 * DAY, NOW + 5 * DAY))
LATER = st.one_of(st.just(0), st.integers(0, 60 * DAY))
PERSONS = st.tuples(STANDINGS, INSTANTS, st.one_of(st.none(), INSTANTS))
TOUCHES = st.tuples(
    st.integers(0, 5),
    st.sampled_from(["email", "call", "meeting"]),
    INSTANTS,
    st.sampled_from(["in", "out"]),
    LATER,
    st.one_of(st.none(), INSTANTS),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    persons=st.lists(PERSONS, max_size=6),
    touches=st.lists(TOUCHES, max_size=15),
    captures=st.lists(st.tuples(INSTANTS, LATER), max_size=12),
    freshness=st.lists(st.tuples(st.sampled_from(["emails", "calls", "accounts"]), INSTANTS), max_size=3),
    csm=st.sampled_from(["csm@us.example", "nobody@us.example", None]),
)
def test_statement_equals_the_reference(  # noqa: PLR0917 - one argument per kind of row
    connection: Connection,
    persons: list[tuple[str | None, int, int | None]],
    touches: list[tuple[int, str, int, str, int, int | None]],
    captures: list[tuple[int, int]],
    freshness: list[tuple[str, int]],
    csm: str | None,
) -> None:
    """Random rows give the same silence inputs, counts and relationship as the record-by-record reading."""
    rows = Rows()
    rows.source(interval=DAY)
    for stream, at in dict(freshness).items():
        rows.fresh("salesforce", stream, at)
    account = rows.account(csm=csm)
    rows.link(account)
    member = rows.member()
    for at, delay in captures:
        rows.capture(member, at, logged=at + delay)
    ids = [rows.person(account, who, since=since, deleted=gone) for who, since, gone in persons]
    for index, kind, at, way, delay, gone in touches:
        if index < len(ids):
            rows.touch(ids[index], kind, at, way=way, logged=at + delay, withdrawn=gone)
    row = one(connection, rows)
    expected = reference.people(rows, account, NOW)
    not_covered = reference.not_covered(rows, csm, NOW)
    stale = reference.activity_stale(rows, account, NOW)
    assert (bool(row["activity_stale"]), row["not_covered"]) == (stale, not_covered)
    blind = stale or not_covered is not None
    standing_on_touches = {"relationship"}
    for who in ("exec", "user"):
        standing_on_touches |= {f"strong_{who}_relationships", f"{who}_relationships"}
        assert row[f"{who}_contacts_u"] == expected["unclassified_contacts"]
        if not blind:
            assert row[f"strong_{who}_relationships_u"] == expected["strong_unclassified_relationships"]
            assert row[f"{who}_relationships_u"] == expected["unclassified_relationships"]
    columns = {name for name in expected if name in row}
    assert len(columns) >= 20
    for name in sorted(columns):
        assert (name, row[name]) == (name, None if blind and name in standing_on_touches else expected[name])


def test_captured_helper_covers(connection: Connection) -> None:
    """Daily captured mail of the CSM covers every account of that CSM."""
    rows = orderly()
    captured(rows, rows.member("other@us.example", "Other"), days=3)
    mine, theirs = rows.account(), rows.account(csm="other@us.example")
    found = facts_of(connection, rows)
    assert (found[mine]["not_covered"], found[theirs]["not_covered"]) == (None, None)
