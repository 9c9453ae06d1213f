"""Frequency and trend of use, the state of each feature, the newest offering, tags and functions: at the edges."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, Select, Table, select

from rules.facts import FactSettings, UsageNames, customers_at, narrowed, sets
from rules.facts.moment import moment
from rules.facts.offerings import newest_offering
from rules.facts.settings import Feature, Offering
from store.engine import Store
from store.factsets import keep_rows
from store.records import DAY, HOUR
from store.tables import accounts as accounts_table
from store.tables import fact_sets, narrowed_facts
from tests.rules import reading
from tests.rules.derived_rows import NOW, TODAY, Rows, ago, orderly

DAILY = FactSettings(usage=UsageNames(interval=DAY))
RELEASED = TODAY - 60
SECURITY = FactSettings(
    features={"sso": Feature(offering="Security", released=date.fromordinal(RELEASED + date(1970, 1, 1).toordinal()))},
    offerings={"Security": Offering(words=("Zugänge", "sso"))},
)


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A connection whose transactions the tests roll back."""
    with store.engine.connect() as conn:
        yield conn


def facts_of(conn: Connection, rows: Rows, settings: FactSettings = DAILY) -> dict[int, dict[str, Any]]:
    """Account -> its row of facts."""
    return reading.facts_of(conn, rows, NOW, settings)


def values(found: dict[int, dict[str, Any]], name: str) -> list[tuple[Any, str | None]]:
    """(value, state) of one fact, by account."""
    return [(row[name], row[f"{name}_state"]) for _, row in sorted(found.items())]


def states(conn: Connection, rows: Rows, fact: str = "features") -> dict[tuple[int, str], str | None]:
    """(account, value) -> state, of one set."""
    with conn.begin() as transaction:
        rows.save(conn)
        found = conn.execute(_computed(NOW)[0][1]).all()
        transaction.rollback()
    return {(row.account_id, row.value): row.state for row in found if row.fact == fact}


@pytest.mark.parametrize(
    ("days", "word"),
    [(10, "daily"), (9, "daily"), (8, "weekly"), (5, "weekly"), (4, "occasional"), (2, "occasional"), (1, "inactive")],
)
def test_active_days_of_two_weeks_have_a_name(connection: Connection, days: int, word: str) -> None:
    """Two samples on a day are one day, 0 is none, and what is 14 whole days old is out."""
    rows = orderly()
    account = rows.account()
    for day in range(days):
        rows.sample(account, ago(day), 1)
        rows.sample(account, ago(day) - HOUR, 3)
    rows.sample(account, ago(13.5), 0)
    rows.sample(account, ago(14), 5)
    assert values(facts_of(connection, rows), "usage_frequency") == [(word, None)]


@pytest.mark.parametrize(("rhythm", "state"), [(36 * HOUR, None), (36 * HOUR + 1, "too_few_samples")])
def test_slow_samples_say_nothing_of_active_days(connection: Connection, rhythm: int, state: str | None) -> None:
    """A weekly feed would call everybody occasional."""
    rows = orderly()
    rows.sample(rows.account(), ago(1), 1)
    rows.account()
    found = facts_of(connection, rows, FactSettings(usage=UsageNames(interval=rhythm)))
    assert [why for _, why in values(found, "usage_frequency")] == [state, "no_source"]


def test_trend_is_the_slope_over_the_mean_per_30_days(connection: Connection) -> None:
    """From 145 down to 100.5 by half a user a day: the mean is 122.75, 15 users in 30 days are 12.22 % of it."""
    rows = orderly()
    falling, flat, nothing, few = (rows.account() for _ in range(4))
    for day in range(90):
        rows.sample(falling, ago(day), 100.5 + day / 2)
        rows.sample(flat, ago(day), 7)
        rows.sample(nothing, ago(day), 0)
    for day in range(44):
        rows.sample(few, ago(day), 7)
    rows.sample(flat, ago(90), 1_000)
    found = facts_of(connection, rows)
    assert values(found, "usage_trend") == [
        (-0.122199593, None),
        (0.0, None),
        (None, "too_small"),
        (None, "too_few_samples"),
    ]


def test_feature_states_turn_at_28_days_and_30_percent(connection: Connection) -> None:
    """Adopted, thriving from 3 of 10 active users, lapsed at 28 whole days, offered by default or by a feed's word."""
    rows = orderly()
    account = rows.account()
    rows.sample(account, ago(1), 10, "active_users_28d")
    for name in ("adopted", "thriving", "lapsed", "unused", "granted", "taken", "early"):
        rows.feature(name, released=TODAY + 1 if name == "early" else None, offered=int(name != "granted"))
    for user in ("a", "b"):
        rows.use(account, "adopted", ago(28) + 1, user=user)
    for user in ("a", "b", "c"):
        rows.use(account, "thriving", ago(1), user=user)
    rows.use(account, "lapsed", ago(28), user="a")
    rows.use(account, "granted", ago(3), 0, offered=1)
    rows.use(account, "taken", ago(40), offered=1)
    rows.use(account, "taken", ago(30), 0, offered=0)
    rows.use(account, "no feature", ago(1))
    found = {name: state for (_, name), state in states(connection, rows).items()}
    assert found == {
        "adopted": "adopted",
        "thriving": "thriving",
        "lapsed": "lapsed",
        "unused": "offered",
        "granted": "offered",
        "taken": "not_offered",
        "early": "not_offered",
    }
    row = facts_of(connection, rows)[account]
    assert (row["features_adopted"], row["features_offered"], row["whitespace_state"]) == (2, 5, "not_on_file")


def test_whitespace_is_the_price_of_what_is_offered_and_not_adopted(connection: Connection) -> None:
    """A name of a feed means the catalogue's feature; a customer that no feed knows is unknown, not empty."""
    rows = orderly()
    user, idle, unknown = rows.account(), rows.account(), rows.account()
    rows.feature("sso", "SSO Login", list_value=1_200)
    rows.feature("audit", list_value=500)
    rows.feature("chat")
    rows.use(user, "SSO Login", ago(1))
    rows.sample(idle, ago(1), 4)
    found = facts_of(connection, rows)
    assert values(found, "whitespace") == [(500, None), (1_700, None), (None, "no_source")]
    assert values(found, "features_adopted") == [(1, None), (0, None), (None, "no_source")]
    assert values(found, "features_offered") == [(3, None), (3, None), (None, "no_source")]
    assert states(connection, rows)[unknown, "sso"] == "unknown"


def test_stale_feed_of_features_knows_use_but_no_lack_of_it(connection: Connection) -> None:
    """What was used in time is adopted; whatever else is unknown, and the counts keep their last value."""
    rows = orderly()
    rows.source("usage", kind="usage")
    rows.fresh("usage", "features", ago(1))
    account = rows.account()
    rows.feature("sso")
    rows.feature("audit")
    rows.use(account, "sso", ago(3))
    assert states(connection, rows) == {(account, "sso"): "adopted", (account, "audit"): "unknown"}
    assert values(facts_of(connection, rows), "features_offered") == [(2, "stale")]


def test_newest_offering_is_the_one_released_last() -> None:
    """Its own date, else that of its first feature; one that is still to come is none; its name stands in for words."""
    day = date(2026, 1, 1)
    settings = FactSettings(
        timezone="Europe/Berlin",
        features={
            "sso": Feature(offering="Security", released=date(2025, 3, 1)),
            "audit": Feature(offering="Security", released=date(2026, 2, 1)),
            "chat": Feature(title="Team chat", released=day),
            "later": Feature(released=date(2027, 1, 1)),
        },
        offerings={"Security": Offering(words=("keys",))},
    )
    found = newest_offering(moment(NOW, "UTC"), settings)
    assert found is not None
    assert (found.name, found.released, found.features) == ("chat", (day - date(1970, 1, 1)).days, ("chat",))
    assert found.words == ("chat", "Team chat")
    assert found.since == found.released * DAY - HOUR
    dated = settings.model_copy(update={"offerings": {"Security": Offering(released=date(2026, 1, 9))}})
    newest = newest_offering(moment(NOW, "UTC"), dated)
    assert newest is not None
    assert (newest.name, newest.features, newest.words) == ("Security", ("audit", "sso"), ("Security",))
    assert newest_offering(moment(NOW, "UTC"), FactSettings()) is None


@pytest.mark.parametrize(
    ("title", "clicks", "used", "expected"),
    [
        (None, (), True, (1, None)),
        ("QBR and ZUGÄNGE", (), False, (1, None)),
        ("SSO demo", (), False, (1, None)),
        ("QBR", (), False, (0, None)),
        ("QBR", ((2, True),), False, (1, None)),
        ("QBR", ((3, True), (2, False)), False, (0, None)),
        (None, ((2, False),), False, (0, None)),
        (None, (), False, (None, "not_on_file")),
        ("SSO demo", ((2, False),), False, (1, None)),
    ],
    ids=[
        "used",
        "named in another case",
        "named",
        "other title",
        "yes",
        "no after yes",
        "no",
        "untitled",
        "named and no",
    ],
)
def test_newest_offering_was_shown_or_not(
    connection: Connection,
    title: str | None,
    clicks: tuple[tuple[int, bool], ...],
    used: bool,
    expected: tuple[int | None, str | None],
) -> None:
    """By use, a meeting's title or a Yes; not by a No, or when every meeting is on record and none has the words."""
    rows = orderly()
    account = rows.account()
    rows.feature("sso", offering="Security", released=RELEASED)
    rows.use(account, "sso", ago(1), int(used))
    person = rows.person(account)
    rows.touch(person, "meeting", ago(5))
    rows.title(title)
    rows.touch(person, "meeting", ago(80))
    rows.title("SSO, long before it came")
    for days, shown in clicks:
        rows.showing(account, ago(days), shown)
    found = facts_of(connection, rows, SECURITY)
    assert values(found, "newest_offering_shown") == [expected]
    assert values(found, "newest_offering") == [(RELEASED, None)]


def test_not_shown_needs_captured_meetings(connection: Connection) -> None:
    """Without any capture of the CSM a meeting may have gone unseen; use that nobody feeds is unknown."""
    rows = Rows()
    rows.source()
    rows.member()
    rows.feature("sso", offering="Security", released=RELEASED)
    rows.use(rows.account(), "sso", ago(1), 0)
    rows.account()
    found = facts_of(connection, rows, SECURITY)
    assert values(found, "newest_offering_shown") == [(None, "not_captured"), (None, "no_source")]


def test_tags_and_functions_are_sets(connection: Connection) -> None:
    """A tag that ended is gone, one of a stale source says so; a function counts for 180 days."""
    rows = orderly()
    account = rows.account()
    for name, until in (("beta", None), ("old", ago(1))):
        rows.field(account, f"tag:{name}", 1, since=ago(9), until=until)
    for function, age in (("it", 180 * DAY - 1), ("finance", 180 * DAY), ("unknown", 0), (None, 0)):
        person = rows.person(account)
        rows.tables["person_levels"][-1]["function"] = function
        rows.touch(person, at=NOW - age)
    assert states(connection, rows, "tags") == {(account, "beta"): None}
    assert states(connection, rows, "functions_reached") == {(account, "it"): None}
    rows.tables["freshness"].clear()
    rows.fresh("salesforce", "accounts", ago(1))
    assert states(connection, rows, "tags") == {(account, "beta"): "stale"}


def test_sets_are_written_by_difference(store: Store) -> None:
    """Once; what is gone is removed, of the given accounts alone; a second time nothing differs."""
    rows = orderly()
    first, second = rows.account(), rows.account()
    for account in (first, second):
        rows.field(account, "tag:beta", 1, since=ago(9), until=ago(-1))
        rows.touch(rows.person(account), at=ago(1))
    only = select(accounts_table.c.id).where(accounts_table.c.id == second)
    with store.write() as conn:
        rows.save(conn)
        assert [keep_rows(conn, table, rows) for table, rows in _computed(NOW)] == [2, 4]
        assert [keep_rows(conn, table, rows) for table, rows in _computed(NOW)] == [0, 0]
        assert [keep_rows(conn, table, rows, only) for table, rows in _computed(NOW + 2 * DAY, only)] == [1, 0]
        assert [tuple(row) for row in conn.execute(select(fact_sets))] == [(first, "tags", "beta", None)]
        assert len(conn.execute(select(narrowed_facts)).all()) == 4
        level = (narrowed_facts.c.account_id == first) & (narrowed_facts.c.by == "level")
        assert conn.scalar(select(narrowed_facts.c.last_contact).where(level)) == ago(1)


def _computed(as_of: int, only: Select[int] | None = None) -> list[tuple[Table, Select[Any]]]:
    among = customers_at(as_of, DAILY, only)
    events = narrowed(as_of, DAILY, among)
    return [(fact_sets, sets(as_of, DAILY, among, events.subquery("events"))), (narrowed_facts, events)]
