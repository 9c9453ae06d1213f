"""Who waits for whom, and what a customer said: the edges at which these facts turn, to the microsecond."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection

from rules.facts import FactSettings
from store.engine import Store
from store.records import DAY, HOUR
from tests.rules import reading
from tests.rules.derived_rows import NOW, Rows, ago, orderly


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A connection whose transactions the tests roll back."""
    with store.engine.connect() as conn:
        yield conn


def facts_of(conn: Connection, rows: Rows, as_of: int = NOW, **settings: Any) -> dict[int, dict[str, Any]]:
    """Account -> its row of facts."""
    return reading.facts_of(conn, rows, as_of, FactSettings(**settings))


def values(found: dict[int, dict[str, Any]], name: str) -> list[tuple[Any, str | None]]:
    """(value, state) of one fact, by account."""
    return [(row[name], row[f"{name}_state"]) for _, row in sorted(found.items())]


def test_oldest_mail_without_an_answer_waits(connection: Connection) -> None:
    """Whole hours; what came at the very instant of our mail is not answered by it; none waiting is 0."""
    rows = orderly()
    late, answered, same, quiet = (rows.person(rows.account()) for _ in range(4))
    rows.touch(late, at=NOW - 25 * HOUR + 1, way="in")
    rows.touch(late, at=NOW - 2 * HOUR, way="in")
    rows.touch(answered, at=NOW - 25 * HOUR, way="in")
    rows.touch(answered, "call", NOW - HOUR)
    rows.touch(same, at=NOW - 3 * HOUR, way="in")
    rows.touch(same, at=NOW - 3 * HOUR, way="out")
    rows.touch(quiet, at=NOW - 9 * HOUR, way="out")
    found = facts_of(connection, rows)
    assert values(found, "awaiting_reply") == [(24, None), (0, None), (3, None), (0, None)]


def test_answer_to_anybody_on_the_mail_answers_it(connection: Connection) -> None:
    """A mail of Ann with Bob in copy, answered to Ann alone; a mail to somebody who was not on it answers nothing."""
    rows = orderly()
    first, second = rows.account(), rows.account()
    ann, bob, carl, dora = rows.person(first), rows.person(first), rows.person(second), rows.person(second)
    rows.touch([ann, bob], at=NOW - 5 * HOUR, way="in")
    rows.touch(ann, at=NOW - 4 * HOUR, way="out")
    rows.touch(carl, at=NOW - 5 * HOUR, way="in")
    rows.touch(dora, at=NOW - 4 * HOUR, way="out")
    assert values(facts_of(connection, rows), "awaiting_reply") == [(0, None), (5, None)]


def test_unanswered_outreach_is_the_largest_over_execs(connection: Connection) -> None:
    """30 days, the oldest instant left out; users do not count; a call that connected is a reply."""
    rows = orderly()
    account = rows.account()
    first, second, user, gone = (
        rows.person(account),
        rows.person(account),
        rows.person(account, "user"),
        rows.person(account, deleted=ago(1)),
    )
    for person in (first, user, user, user, gone, gone, gone):
        rows.touch(person, at=ago(2), way="out")
    rows.touch(first, at=ago(30), way="out")
    rows.touch(first, at=ago(30) + 1, way="out")
    rows.touch(second, at=ago(9), way="out")
    rows.touch(second, "call", ago(8))
    rows.touch(second, at=ago(7), way="out")
    assert values(facts_of(connection, rows), "unanswered_outreach") == [(2, None)]


def test_touches_that_cannot_be_trusted_leave_replies_missing(connection: Connection) -> None:
    """Nothing captured of the CSM: not captured."""
    rows = Rows()
    rows.source()
    rows.member()
    rows.touch(rows.person(rows.account()), at=ago(1), way="in")
    found = facts_of(connection, rows)
    assert [values(found, n)[0] for n in ("awaiting_reply", "unanswered_outreach", "load")] == [
        (None, "not_captured"),
        (None, "not_captured"),
        (None, "no_source"),
    ]


@pytest.mark.parametrize(("tier", "hours"), [(1, 24), (2, 48), (3, 72)])
def test_tier_in_force_promises_an_answer(connection: Connection, tier: int, hours: int) -> None:
    """24, 48 and 72 hours, or what is configured; missing without a tier."""
    rows = orderly()
    account = rows.account()
    rows.account()
    rows.add("tier_history", account_id=account, valid_from=ago(20), tier=tier, pinned=0)
    assert values(facts_of(connection, rows), "response_time") == [(hours, None), (None, "not_recorded")]
    assert values(facts_of(connection, rows, response={tier: 8}), "response_time")[0] == (8, None)


@pytest.mark.parametrize(
    ("age", "value"), [(180 * DAY, None), (180 * DAY - 1, 9), (0, 9), (-1, None)], ids=["out", "in", "now", "to come"]
)
def test_survey_counts_for_180_days(connection: Connection, age: int, value: int | None) -> None:
    """The latest answer; its instant stays known for good."""
    rows = orderly()
    account, other = rows.account(), rows.account()
    rows.answer(account, NOW - age, 9)
    rows.answer(account, ago(200), 3)
    rows.answer(other, ago(500), 1, "csat")
    found = facts_of(connection, rows)
    assert values(found, "nps") == [(value, None if value else "not_on_file"), (None, "not_on_file")]
    assert found[account]["last_survey_answer"] == (NOW - age if age >= 0 else ago(200))


def test_of_two_answers_at_once_the_lower_counts(connection: Connection) -> None:
    """CSAT as a ratio; an answer that became known later is not known yet."""
    rows = orderly()
    account = rows.account()
    for value in (8_000, 6_667, 9_000):
        rows.answer(account, ago(3), value, "csat")
    rows.answer(account, ago(2), 100, "csat", recorded_at=NOW + 1)
    assert values(facts_of(connection, rows), "csat") == [(0.6667, None)]


@pytest.mark.parametrize(("age", "value"), [(90 * DAY, None), (90 * DAY - 1, -2)])
def test_pulse_counts_for_90_days(connection: Connection, age: int, value: int | None) -> None:
    """A click of 90 whole days ago is out."""
    rows = orderly()
    rows.pulse(rows.account(), NOW - age, -2)
    assert values(facts_of(connection, rows), "pulse") == [(value, None if value else "not_on_file")]


def test_recorded_events_are_never_only_after_the_first_record(connection: Connection) -> None:
    """Before anybody's first row nobody keeps such records; afterwards who has none never had one."""
    rows = orderly()
    first, second = rows.account(), rows.account()
    rows.ask(first, ago(3))
    rows.review(first, ago(3))
    rows.answer(None, ago(3), 5)
    found = facts_of(connection, rows)
    names = ("last_feedback_ask", "last_reference_ask", "last_tier_review", "last_survey_answer")
    assert [found[second][f"{name}_state"] for name in names] == ["never"] * 4
    assert (found[first]["last_feedback_ask"], found[first]["last_feedback_ask_state"]) == (ago(3), None)
    before = facts_of(connection, rows, ago(3) - 1)
    assert [before[first][f"{name}_state"] for name in names] == ["not_recorded"] * 4
    assert (before[first]["nps"], before[first]["nps_state"]) == (None, "not_recorded")


def test_stale_feed_of_answers_decides_nothing(connection: Connection) -> None:
    """The last score stays beside its state; that nobody answered is not known."""
    rows = orderly()
    rows.source("surveys", kind="usage")
    rows.fresh("surveys", "surveys", ago(1))
    rows.answer(rows.account(), ago(2), 9)
    rows.account()
    found = facts_of(connection, rows)
    assert values(found, "nps") == [(9, "stale"), (None, "not_on_file")]
    assert values(found, "last_survey_answer") == [(ago(2), "stale"), (None, "stale")]


def test_load_adds_up_and_is_told_per_thousand(connection: Connection) -> None:
    """One ticket, one reply and one exception inside 90 days on 60,000 of ARR; the ratio is missing at ARR 0."""
    rows = orderly()
    busy, free = rows.account(arr=6_000_000), rows.account(arr=0)
    for account in (busy, free):
        rows.link(account)
    for at in (ago(90), ago(90) + 1):
        rows.ticket(busy, at)
        rows.touch(rows.person(busy), at=at, way="in")
        rows.exception(busy, at)
    found = facts_of(connection, rows)
    assert values(found, "load") == [(3, None), (0, None)]
    assert values(found, "load_per_arr") == [(0.05, None), (None, "no_arr")]


def test_tickets_need_a_source_that_had_one_by_then(connection: Connection) -> None:
    """Before the source's first ticket nobody knows whether it keeps any."""
    rows = orderly()
    rows.link(rows.account())
    rows.ticket(rows.account(), ago(3))
    assert values(facts_of(connection, rows), "tickets_90d")[0] == (0, None)
    assert values(facts_of(connection, rows, ago(3) - 1), "tickets_90d")[0] == (None, "no_source")


def test_open_expansion_is_an_open_deal_of_a_configured_type(connection: Connection) -> None:
    """In any case; won, lost and other types are none; a source without any deal knows nothing."""
    rows = orderly()
    rows.source("hubspot", kind="hubspot")
    accounts = [rows.account() for _ in range(4)]
    for account in accounts[:3]:
        rows.link(account)
    rows.link(accounts[3], "hubspot")
    rows.deal(accounts[0], 20_600, won=None, kind="UPSELL")
    rows.deal(accounts[1], 20_400, won=True, kind="Upsell")
    rows.deal(accounts[1], 20_600, won=None, kind="Renewal")
    found = values(facts_of(connection, rows), "open_expansion")
    assert found == [(1, None), (0, None), (0, None), (None, "no_source")]
    other = facts_of(connection, rows, expansion_types=("renewal",))
    assert [value for value, _ in values(other, "open_expansion")] == [0, 1, 0, None]


def test_team_size_is_mapped(connection: Connection) -> None:
    """Else not on file."""
    rows = orderly()
    rows.account(team_size=40)
    rows.account()
    assert values(facts_of(connection, rows), "team_size") == [(40, None), (None, "not_on_file")]
