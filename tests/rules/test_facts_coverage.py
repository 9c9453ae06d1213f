"""Step 5 of silence: whose mail and calendar must be captured for an absence to be known, clause by clause."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from rules.facts import FactSettings, customers_at, narrowed
from rules.levels import DIRECTOR, VP
from store.engine import Store
from store.records import DAY, HOUR
from tests.rules import coverage_reference as reference
from tests.rules.derived_rows import LONG_AGO, NOW, Rows, ago, captured, orderly
from tests.rules.reading import facts_of

COLUMNS = {"any": "not_covered", "exec": "not_covered_exec", "user": "not_covered_user"}


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A connection whose transactions the tests roll back."""
    with store.engine.connect() as conn:
        yield conn


def uncovered(conn: Connection, rows: Rows) -> tuple[str | None, str | None, str | None]:
    """Of the only account: who is not captured, for contact with anybody, with execs, with users."""
    (row,) = facts_of(conn, rows).values()
    return row["not_covered"], row["not_covered_exec"], row["not_covered_user"]


def met(rows: Rows, member: int, person: int, at: int, *, active: int = 1) -> None:
    """The member telephoned with the person: a touch that no mailbox captures."""
    rows.touch(person, "call", at)
    ref = rows.tables["touches"][-1]["activity_id"]
    rows.add("touch_members", source="salesforce", activity_id=ref, member_id=member)
    rows.tables["members"][member - 1]["active"] = active


def away(rows: Rows, member: int, since: float, until: float, *, told: float | None = None) -> None:
    """The member was away from `since` to `until` days ago; known since then, or since `told` days ago."""
    known = ago(since if told is None else told)
    rows.add("absences", member_id=member, from_at=ago(since), until_at=ago(until), author="x", recorded_at=known)


def test_team_member_who_met_an_exec_lately_must_be_captured(connection: Connection) -> None:
    """The CSM is captured, the seller is not: silence of execs is not known, that of users is."""
    rows = orderly()
    account = rows.account()
    boss, _ = rows.person(account, "exec"), rows.person(account, "user")
    met(rows, rows.member("seller@us.example", "Sam Seller"), boss, ago(30))
    assert (uncovered(connection, rows)) == ("Sam Seller", "Sam Seller", None)


def narrowed_of(conn: Connection, rows: Rows) -> dict[tuple[str, str], tuple[str | None, int | None]]:
    """Level or function -> who is not captured, and the next meeting."""
    with conn.begin() as transaction:
        rows.save(conn)
        found = conn.execute(narrowed(NOW, FactSettings(), customers_at(NOW, FactSettings()))).all()
        transaction.rollback()
    return {(row.by, row.value): (row.not_covered, row.next_meeting) for row in found}


def test_each_level_and_function_has_its_own_coverage_and_its_own_meetings(connection: Connection) -> None:
    """The seller met the VP of finance and is not captured: of others the captured CSM alone decides; bookings likewise."""
    rows = orderly()
    account = rows.account()
    vp, director, stranger = rows.person(account, "exec"), rows.person(account, "exec"), rows.person(account, None)
    rows.tables["person_levels"][0] |= {"level": VP, "function": "finance"}
    rows.tables["person_levels"][1] |= {"level": DIRECTOR, "function": "it"}
    met(rows, rows.member("seller@us.example", "Sam Seller"), vp, ago(179))
    rows.booking(director, ago(-3), logged=ago(1))
    rows.booking(stranger, ago(-2), logged=ago(1))
    rows.booking(vp, ago(-1), logged=ago(1), withdrawn=ago(0.5))
    assert {
        ("level", "vp"): ("Sam Seller", None),
        ("level", "director"): (None, ago(-3)),
        ("level", ""): (None, ago(-2)),
        ("function", "finance"): ("Sam Seller", None),
        ("function", "it"): (None, ago(-3)),
        ("function", ""): (None, ago(-2)),
    } == narrowed_of(connection, rows)


def test_a_touch_of_180_days_asks_for_nobody_and_without_a_csm_the_team_must_be_there(connection: Connection) -> None:
    """180 whole days ago is outside; an account without a CSM is not covered for a level that nobody of us met."""
    rows = orderly()
    account = rows.account(csm=None)
    vp, director = rows.person(account, "exec"), rows.person(account, "exec")
    for row, level in zip(rows.tables["person_levels"], (VP, DIRECTOR), strict=True):
        row |= {"level": level, "function": "it"}
    seller = rows.member("seller@us.example", "Sam Seller")
    captured(rows, seller)
    met(rows, seller, vp, ago(30))
    met(rows, seller, director, ago(180))
    found = narrowed_of(connection, rows)
    assert (None, "no CSM", None) == tuple(
        found[key][0] for key in (("level", "vp"), ("level", "director"), ("function", "it"))
    )


def test_numbers_by_role_follow_the_coverage_of_that_role(connection: Connection) -> None:
    """Execs: missing as not captured; users: counted."""
    rows = orderly()
    account = rows.account()
    boss, _ = rows.person(account, "exec"), rows.person(account, "user")
    met(rows, rows.member("seller@us.example", "Sam Seller"), boss, ago(30))
    (row,) = facts_of(connection, rows).values()
    states = {name: row[f"{name}_state"] for name in ("last_exec_contact", "exec_relationships", "user_relationships")}
    expected = {"last_exec_contact": "not_captured", "exec_relationships": "not_captured", "user_relationships": None}
    assert states == expected
    assert (row["last_exec_contact"], row["user_relationships"]) == (ago(30), 0)
    assert (row["last_user_contact_state"], row["last_contact_state"]) == ("never", "not_captured")


@pytest.mark.parametrize(("age", "covered"), [(180 - 1 / 86_400, False), (180, True), (400, True)])
def test_only_the_last_180_days_make_a_team_member_count(connection: Connection, age: float, covered: bool) -> None:
    """A touch of 180 whole days ago is outside the window."""
    rows = orderly()
    account = rows.account()
    met(rows, rows.member("seller@us.example", "Sam Seller"), rows.person(account), ago(age))
    assert uncovered(connection, rows)[1] == (None if covered else "Sam Seller")


def test_team_member_who_left_does_not_count(connection: Connection) -> None:
    """Nobody who is inactive can be captured any more."""
    rows = orderly()
    account = rows.account()
    met(rows, rows.member("seller@us.example", "Sam Seller"), rows.person(account), ago(30), active=0)
    assert uncovered(connection, rows) == (None, None, None)


def test_touch_that_was_withdrawn_does_not_count(connection: Connection) -> None:
    """A cancelled meeting is no touch."""
    rows = orderly()
    account = rows.account()
    met(rows, rows.member("seller@us.example", "Sam Seller"), rows.person(account), ago(30))
    rows.tables["touches"][-1]["withdrawn_at"] = ago(31)
    assert uncovered(connection, rows) == (None, None, None)


def test_captured_team_member_covers(connection: Connection) -> None:
    """Whoever writes every day would have been seen."""
    rows = orderly()
    account = rows.account()
    seller = rows.member("seller@us.example", "Sam Seller")
    captured(rows, seller)
    met(rows, seller, rows.person(account), ago(30))
    assert uncovered(connection, rows) == (None, None, None)


def test_csm_is_named_before_the_team(connection: Connection) -> None:
    """Both are not captured: the CSM is whom to ask."""
    rows = Rows()
    rows.source()
    rows.member("csm@us.example", "Zoe Csm")
    account = rows.account()
    met(rows, rows.member("seller@us.example", "Sam Seller"), rows.person(account), ago(30))
    assert uncovered(connection, rows) == ("Zoe Csm", "Zoe Csm", "Zoe Csm")


def test_without_a_csm_the_team_alone_decides(connection: Connection) -> None:
    """One of us met an exec and is captured: execs are covered; nobody met a user: those are not."""
    rows = orderly()
    account = rows.account(csm=None)
    boss, _ = rows.person(account, "exec"), rows.person(account, "user")
    met(rows, 1, boss, ago(30))
    assert uncovered(connection, rows) == (None, None, "no CSM")
    met(rows, rows.member("seller@us.example", "Sam Seller"), boss, ago(30))
    assert uncovered(connection, rows) == ("Sam Seller", "Sam Seller", "no CSM")


def test_team_of_another_customer_does_not_count(connection: Connection) -> None:
    """Sam met somebody at the other account."""
    rows = orderly()
    mine, other = rows.account(), rows.account()
    rows.person(mine)
    met(rows, rows.member("seller@us.example", "Sam Seller"), rows.person(other), ago(30))
    found = facts_of(connection, rows)
    assert (found[mine]["not_covered_exec"], found[other]["not_covered_exec"]) == (None, "Sam Seller")


@pytest.mark.parametrize(("spell", "covered"), [((12, 2), True), ((12, 10), False), ((30, 14), False)])
def test_days_away_are_not_counted(connection: Connection, spell: tuple[float, float], covered: bool) -> None:
    """Nothing for 14 days: 10 of them away leave 4, 2 of them leave 12; what ended before the last mail leaves 14."""
    rows = Rows()
    rows.source()
    rows.account()
    member = rows.member()
    rows.capture(member, ago(14))
    away(rows, member, *spell)
    assert uncovered(connection, rows)[0] == (None if covered else "Carla Csm")


def test_absence_that_begins_in_the_future_changes_nothing(connection: Connection) -> None:
    """The holiday of next week does not excuse last week."""
    rows = Rows()
    rows.source()
    rows.account()
    member = rows.member()
    rows.capture(member, ago(8))
    away(rows, member, -1, -20, told=3)
    assert uncovered(connection, rows)[0] == "Carla Csm"


def test_absence_told_later_was_not_known_then(connection: Connection) -> None:
    """A past instant is judged by what was on record by then."""
    rows = Rows()
    rows.source()
    rows.account()
    member = rows.member()
    rows.capture(member, ago(14))
    away(rows, member, 12, 2, told=-1)
    assert uncovered(connection, rows)[0] == "Carla Csm"


def test_days_away_are_not_part_of_the_rhythm(connection: Connection) -> None:
    """Six mails two days apart but for holidays of 20 days twice: the median stays 2 days, so 8 days are too many."""
    rows = Rows()
    rows.source()
    rows.account()
    member = rows.member()
    at = 8.0
    for gap in (22, 2, 22, 22, 2, 22):
        rows.capture(member, ago(at))
        if gap == 22:
            away(rows, member, at + 21, at + 1, told=80)
        at += gap if at + gap < 88 else 1
    assert uncovered(connection, rows)[0] == "Carla Csm"


INSTANTS = st.one_of(
    st.integers(NOW - 200 * DAY, NOW),
    st.sampled_from([ago(n) for n in (0, 6, 7, 8, 15, 21, 89, 90, 179, 180, 181)]),
)
MEMBERS = ("csm@us.example", "a@us.example", "b@us.example")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    persons=st.lists(st.sampled_from(["exec", "user", "unclassified", None]), min_size=1, max_size=4),
    calls=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 2), INSTANTS, st.sampled_from([None, NOW - HOUR, NOW + HOUR])),
        max_size=8,
    ),
    captures=st.lists(st.tuples(st.integers(0, 2), INSTANTS), max_size=25),
    absences=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60), st.integers(1, 30)), max_size=3),
    active=st.tuples(*[st.integers(0, 1)] * 3),
    csm=st.sampled_from([*MEMBERS[:2], "nobody@us.example", None]),
)
def test_statement_equals_the_reference(  # noqa: PLR0917 - one argument per kind of row
    connection: Connection,
    persons: list[str | None],
    calls: list[tuple[int, int, int, int | None]],
    captures: list[tuple[int, int]],
    absences: list[tuple[int, int, int]],
    active: tuple[int, int, int],
    csm: str | None,
) -> None:
    """Random teams, calls, captures and absences give the same three answers as the record-by-record reading."""
    rows = Rows()
    rows.source()
    account = rows.account(csm=csm)
    members = [rows.member(key, f"Name {key}") for key in MEMBERS]
    ids = [rows.person(account, who, since=LONG_AGO) for who in persons]
    for who, member, at, gone in calls:
        met(rows, members[member], ids[who % len(ids)], at)
        rows.tables["touches"][-1]["withdrawn_at"] = gone
    for row, there in zip(rows.tables["members"], active, strict=True):
        row["active"] = there
    for member, at in captures:
        rows.capture(members[member], at)
    ends: dict[int, float] = {}
    for member, since, length in sorted(absences, key=lambda spell: -spell[1]):
        if since <= ends.get(member, 1_000):  # the spells of one member never overlap
            away(rows, members[member], since, since - length, told=since)
            ends[member] = since - length
    expected = {role: reference.not_covered(rows, account, csm, role, NOW) for role in COLUMNS}
    (row,) = facts_of(connection, rows).values()
    assert expected == {role: row[column] for role, column in COLUMNS.items()}
