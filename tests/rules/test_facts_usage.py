"""Adoption and its movement: rhythm, small accounts, the portfolio's median, and the reading sample by sample."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select

from rules.facts import MEDIAN_CHANGE, RHYTHM, FactSettings, UsageNames, portfolio, statistics
from store.engine import Store
from store.records import DAY, HOUR
from store.tables import accounts, portfolio_stats
from tests.rules import facts_reference as reference
from tests.rules import reading
from tests.rules.derived_rows import NOW, Rows, ago, orderly

DAILY = FactSettings(usage=UsageNames(interval=DAY))


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A connection whose transactions the tests roll back."""
    with store.engine.connect() as conn:
        yield conn


def facts_of(conn: Connection, rows: Rows, facts: FactSettings = DAILY) -> dict[int, dict[str, Any]]:
    """Account -> its row of facts."""
    return reading.facts_of(conn, rows, NOW, facts)


def feed(rows: Rows, account: int, earlier: float, later: float, *, every: int = 1) -> None:
    """A sample every so many days: `earlier` up to 30 days ago, `later` since."""
    for day in range(0, 120, every):
        rows.sample(account, NOW - HOUR - day * DAY, later if day < 30 else earlier)


def test_change_is_exact_at_the_threshold(connection: Connection) -> None:
    """A fall from 100 to 80 is -0.2 to the bit, so that `at most -20%` meets it."""
    rows = orderly()
    account = rows.account(seats=100)
    feed(rows, account, 100, 80)
    rows.sample(account, ago(1), 80, "active_users_28d")
    row = facts_of(connection, rows)[account]
    assert (row["adoption_change"], row["adoption"], row["active_users"]) == (-0.2, 0.8, 80)
    assert row["adoption_change_vs_portfolio"] == 0.0


def test_change_just_beside_the_threshold_stays_beside_it(connection: Connection) -> None:
    """A fall of 19.99997 % is none of 20 %: nothing coarser than nine decimals is rounded away."""
    rows = orderly()
    account = rows.account()
    feed(rows, account, 10_000_000, 8_000_003)
    assert facts_of(connection, rows)[account]["adoption_change"] == -0.1999997


def test_small_fall_is_measured_exactly(connection: Connection) -> None:
    """From 8.1 to 5.1 users is a fall of 3, although their difference in doubles is a little less."""
    rows = orderly()
    account = rows.account()
    feed(rows, account, 8.1, 5.1)
    row = facts_of(connection, rows)[account]
    assert (row["adoption_change"], row["adoption_change_state"]) == (-0.37037037, None)


@pytest.mark.parametrize(
    ("every", "value"), [(1, -0.5), (2, -0.5), (3, None)], ids=["every day", "half of them", "a third of them"]
)
def test_each_window_needs_half_of_its_rhythm(connection: Connection, every: int, value: float | None) -> None:
    """A daily feed promises 30 and 90 samples."""
    rows = orderly()
    account = rows.account()
    feed(rows, account, 100, 50, every=every)
    row = facts_of(connection, rows)[account]
    assert (row["adoption_change"], row["adoption_change_state"]) == (value, None if value else "too_few_samples")


def test_rhythm_without_setting_is_the_median_gap(connection: Connection) -> None:
    """A feed that comes every three days is judged by that."""
    rows = orderly()
    account = rows.account()
    feed(rows, account, 100, 50, every=3)
    assert facts_of(connection, rows, FactSettings())[account]["adoption_change"] == -0.5


@pytest.mark.parametrize(
    ("earlier", "later", "value"),
    [(9.5, 6.5, -0.315789474), (9.5, 7, None), (10, 9, -0.1), (0, 4, None), (9, 12, None)],
    ids=["fell by three", "fell by less", "ten is not small", "from nothing", "rose"],
)
def test_small_accounts_say_nothing(connection: Connection, earlier: float, later: float, value: float | None) -> None:
    """Under ten users a fall under three is noise; from nothing there is no ratio."""
    rows = orderly()
    account = rows.account()
    feed(rows, account, earlier, later)
    row = facts_of(connection, rows)[account]
    assert (row["adoption_change"], row["adoption_change_state"]) == (value, None if value else "too_small")


def test_everything_missing_names_its_reason(connection: Connection) -> None:
    """No feed, no seats, or a feed without a sample in 28 days."""
    rows = orderly()
    none, seatless, old = rows.account(seats=5), rows.account(), rows.account(seats=5)
    feed(rows, seatless, 100, 50)
    rows.sample(seatless, ago(1), 50, "active_users_28d")
    rows.sample(old, ago(28), 3, "active_users_28d")
    found = facts_of(connection, rows)
    assert [found[a]["adoption_state"] for a in (none, seatless, old)] == ["no_source", "no_seats", "too_few_samples"]
    assert found[none]["adoption_change_vs_portfolio_state"] == "no_source"


def test_stale_feed_keeps_its_last_value(connection: Connection) -> None:
    """The usage source was not read for longer than three intervals."""
    rows = orderly()
    rows.source("usage", kind="usage")
    rows.fresh("usage", "samples", ago(1))
    account = rows.account(seats=10)
    rows.sample(account, ago(2), 5, "active_users_28d")
    row = facts_of(connection, rows)[account]
    assert (row["adoption"], row["adoption_state"]) == (0.5, "stale")


def test_portfolio_median_is_the_mean_of_the_middle_two(connection: Connection) -> None:
    """Four accounts at -50, -20, 0 and +10 %: the median is -10 %."""
    rows = orderly()
    changed = {rows.account(): later for later in (50, 80, 100, 110)}
    for account, later in changed.items():
        feed(rows, account, 100, later)
    found = facts_of(connection, rows)
    assert [found[a]["adoption_change_vs_portfolio"] for a in changed] == [-0.4, -0.1, 0.1, 0.2]


def test_touched_accounts_use_the_stored_statistics(connection: Connection) -> None:
    """Between full evaluations median and rhythm are those of the last one."""
    rows = orderly()
    account = rows.account()
    feed(rows, account, 100, 50)
    with connection.begin() as transaction:
        rows.save(connection)
        stats = [(MEDIAN_CHANGE, -0.3), (RHYTHM, float(DAY))]
        for name, value in stats:
            connection.execute(insert(portfolio_stats).values(name=name, value=value, as_of=NOW))
        touched = connection.execute(portfolio(NOW, FactSettings(), select(accounts.c.id))).mappings().one()
        whole = {row.name: row.value for row in connection.execute(statistics(NOW, FactSettings()))}
        transaction.rollback()
    assert touched["adoption_change_vs_portfolio"] == -0.2
    assert whole == {MEDIAN_CHANGE: -0.5, RHYTHM: float(DAY)}


SAMPLES = st.dictionaries(st.integers(-2, 130), st.integers(0, 40), max_size=60)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(samples=SAMPLES, rhythm=st.integers(1, 8), dense=st.booleans())
def test_statement_equals_the_reference(
    connection: Connection, samples: dict[int, int], rhythm: int, dense: bool
) -> None:
    """Random feeds give the same change, or the same reason, read sample by sample."""
    rows = orderly()
    account = rows.account()
    if dense:
        samples = {day: samples.get(day, (day * 7) % 30) for day in range(0, 121, rhythm)} | samples
    for day, value in samples.items():
        rows.sample(account, ago(day), value)
    row = facts_of(connection, rows, FactSettings(usage=UsageNames(interval=rhythm * DAY)))[account]
    expected = reference.adoption_change([(ago(d), float(v)) for d, v in samples.items()], NOW, rhythm * DAY)
    within = any(0 <= day < 120 for day in samples)
    if isinstance(expected, str):
        assert (row["adoption_change"], row["adoption_change_state"]) == (None, expected if within else "no_source")
    else:
        assert (row["adoption_change"], row["adoption_change_state"]) == (expected, None)
