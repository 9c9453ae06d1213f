"""A rule on the past: two clocks, the alerts on a weekly grid, and the arithmetic of what came of them."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from daemon.backtest import Asked, Backtest, backtest
from daemon.backtest.chart import ChartsMissing, spec, svg
from daemon.backtest.episodes import Customer, Episode
from daemon.backtest.judging import Terms, Week, judge, refusal, wilson
from daemon.backtest.sweep import NothingToSweep, variants
from daemon.backtest.text import as_data, rendered, verdict
from daemon.ruletry import rule_of
from rules.facts.settings import FactSettings
from rules.language import Rule, load
from store.engine import Store
from store.records import DAY, HOUR, Instant
from tests.daemon.test_ruletry import checksum
from tests.rules.derived_rows import NOW, TODAY, Rows, ago
from tests.rules.test_language import shipped

SETTINGS = FactSettings()
WEEKS = 24
SINCE: Instant = NOW - WEEKS * 7 * DAY
CHURN = ago(35)
TERMS = Terms(NOW, horizon=60 * DAY)


def customers() -> Rows:
    """Six customers whose executives are in touch every week until they fall silent; three are lost 35 days ago.

    1: silent for 15 days 64 days before the loss. 2: the same, but ARR is five times as large. 3: lost without any
    warning. 4: silent for five weeks four months ago and still a customer, a false alarm. 5: touches are entered three
    weeks late. 6: in touch throughout.
    """
    rows = Rows()
    rows.fresh(rows.source(), "tasks", NOW - HOUR)
    csm = rows.member()
    for day in range((WEEKS + 4) * 7):
        rows.capture(csm, ago(day))
    silent = {1: (CHURN - 80 * DAY, NOW), 2: (CHURN - 80 * DAY, NOW), 4: (ago(140), ago(105))}
    for number in range(1, 7):
        account = rows.account(csm="csm@us.example", arr=(50 if number == 2 else 10) * 1_000_000, renewal=TODAY + 400)
        rows.link(account)
        person = rows.person(account, "exec")
        quiet = silent.get(number, (NOW, NOW))
        for week in range(WEEKS + 4):
            at = ago(7 * week + 3)
            if not quiet[0] < at < quiet[1]:
                rows.touch(person, "call", at, logged=at + 21 * DAY if number == 5 else at)
    for lost in (1, 2, 3):
        rows.field(lost, "churned", 1, since=CHURN, history="crm")
    return rows


@pytest.fixture
def world(store: Store) -> Store:
    """The customers in either database."""
    with store.write() as connection:
        customers().save(connection)
    return store


@pytest.fixture(scope="module")
def lasting(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The customers in one SQLite store for all tests that only read."""
    path = tmp_path_factory.mktemp("backtest") / "tierd.db"
    shutil.copyfile(sqlite_template, path)
    opened = Store(f"sqlite:///{path}")
    with opened.write() as connection:
        customers().save(connection)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def two_clocks(lasting: Store) -> Backtest:
    """The silence of 15 days over all weeks, as it was on record, with a sweep."""
    return run(lasting, sweep="10..40 by 10")


def rule(words: str = "no exec contact in 15 days") -> Rule:
    """A rule of this phrase."""
    return rule_of(load(shipped()), words, load)


def run(store: Store, *, one_clock: bool = False, sweep: str | None = None) -> Backtest:
    """The backtest of the silence over all weeks."""
    moved = variants(rule(), sweep) if sweep else ()
    return backtest(store, SETTINGS, Asked(rule(), SINCE, TERMS, sweep=moved, one_clock=one_clock))


def test_alerts_outcomes_and_lead_times(two_clocks: Backtest) -> None:
    """Two losses are warned of at the first point after day 64 before, the third by nothing; 4 and 5 are false alarms."""
    found = two_clocks.judgement
    assert (2, 3) == (found.recall.hits, found.recall.of)
    assert found.leads is not None
    assert all(57 < lead <= 64 for lead in found.leads)
    assert {4, 5} == {episode.account for episode in found.wrong}
    assert 2 == found.precision.hits
    assert pytest.approx(60 / 70) == found.recall.by_arr


def test_the_second_clock_changes_the_numbers(lasting: Store, two_clocks: Backtest) -> None:
    """Seen with one clock, the touches that were entered late were there all the time, so 5 raises no false alarm."""
    two, one = two_clocks.judgement, run(lasting, one_clock=True).judgement
    assert {4, 5} == {episode.account for episode in two.wrong}
    assert {4} == {episode.account for episode in one.wrong}
    assert (2, 2, 2 / 3) == (two.precision.hits, one.precision.hits, one.precision.value)
    assert (two.precision.value or 1) < 2 / 3


def test_both_databases_say_the_same_and_are_left_as_they_were(world: Store, two_clocks: Backtest) -> None:
    """Alerts, shares and leads are those of the other store, with either clock nothing is written."""
    before = checksum(world)
    found = run(world)
    backtest(world, SETTINGS, Asked(rule(), NOW - 7 * DAY, TERMS, one_clock=True))
    assert before == checksum(world)
    assert replace(two_clocks.judgement, wrong=()) == replace(found.judgement, wrong=())
    assert (two_clocks.unknown, two_clocks.misses) == (found.unknown, found.misses)


def test_misses_and_false_alarms_come_with_what_the_rule_saw(two_clocks: Backtest) -> None:
    """The miss names the phrase that did not hold at the last moment for a warning, the false alarm what it stood on."""
    assert ["Account 3"] == [case.name for case in two_clocks.misses]
    assert "✘ no exec contact in 15 days (last exec contact: " in two_clocks.misses[0].evidence[0]
    assert {"Account 4", "Account 5"} == {case.name for case in two_clocks.false_alarms}
    assert "last exec contact: " in two_clocks.false_alarms[0].evidence[0]


def test_no_verdict_on_few_outcomes_or_a_short_time(two_clocks: Backtest) -> None:
    """Both are named with what is needed."""
    assert "3 outcomes, 30 are needed; 168 days of history, 365 are needed" == two_clocks.refusal
    assert refusal(30, SINCE, SINCE + 365 * DAY) is None
    assert "29 outcomes, 30 are needed" == refusal(29, SINCE, SINCE + 365 * DAY)


def test_a_sweep_moves_the_number_of_the_phrase(two_clocks: Backtest) -> None:
    """The longer the silence, the fewer alerts; the rule's own number is among them and says what the rule says."""
    assert ["10 days", "15 days", "20 days", "30 days", "40 days"] == [one.shown for one in two_clocks.swept]
    alerts = [one.judgement.alerts for one in two_clocks.swept]
    assert alerts == sorted(alerts, reverse=True)
    assert alerts[0] > alerts[-1]
    (own,) = [one for one in two_clocks.swept if one.own]
    assert two_clocks.judgement == own.judgement


def test_a_field_without_history_is_named_with_the_day(lasting: Store, two_clocks: Backtest) -> None:
    """The mapped fields of this world have none: a rule on ARR is told so, one on touches alone is not."""
    asked = Asked(rule("arr is at least 200k"), NOW - 7 * DAY, TERMS)
    (limit,) = backtest(lasting, SETTINGS, asked).limits
    assert limit.startswith("`arr` has no history on 6 of 6 accounts: before 2023-05-23 the value")
    assert () == two_clocks.limits


def test_another_outcome_is_a_condition_that_turns_true(lasting: Store) -> None:
    """Silence of 30 days as the outcome of silence of 15: every one is announced two weeks before."""
    terms = Terms(NOW - 35 * DAY, lead=14 * DAY)
    asked = Asked(rule(), SINCE, terms, outcome=rule("no exec contact in 30 days"))
    found = backtest(lasting, SETTINGS, asked).judgement
    assert found.recall.of >= 2
    assert found.recall.hits == found.recall.of


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"), [(0, 10, 0.0, 0.2775), (8, 10, 0.4902, 0.9433), (10, 10, 0.7225, 1.0)]
)
def test_the_interval_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    """Values of Newcombe 1998 and of any table."""
    assert (low, high) == pytest.approx(wilson(hits, of), abs=1e-4)


@pytest.mark.parametrize(
    ("phrase", "wanted", "shown"),
    [
        ("health is below 60", "40..60 by 10", ["40", "50", "60"]),
        ("adoption is at least 80%", "60%..90% by 15%", ["60%", "75%", "80%", "90%"]),
        ("renewal is within the next 90 days", None, ["45 days", "68 days", "90 days", "112 days", "135 days"]),
        ("arr is at least 50k", "50k..100k by 50k", ["$50,000", "$100,000"]),
        ("exec contacts are fewer than 2", None, ["1", "2", "3", "4"]),
        ("no contact in 10 business days", "5..15 by 5", ["5 business days", "10 business days", "15 business days"]),
        (
            "renewal is within the next 4 business days",
            "2..4",
            ["2 business days", "3 business days", "4 business days"],
        ),
        ("health fell by 15 in 30 days", "10..20 by 5", ["10", "15", "20"]),
        ("arr fell by 10% in 90 days", "5%..15% by 5%", ["5%", "10%", "15%"]),
        ("adoption fell by 20 points in 30 days", "10..20 by 10", ["10%", "20%"]),
        ("strategic and no contact in 30 days", None, ["15 days", "22 days", "30 days", "38 days", "45 days"]),
    ],
)
def test_the_numbers_of_a_sweep(phrase: str, wanted: str | None, shown: list[str]) -> None:
    """They are written as in a phrase, and hold the rule's own."""
    assert shown == [variant.shown for variant in variants(rule(phrase), wanted)]


def test_a_rule_without_a_number_cannot_be_swept() -> None:
    """It says so, and so does a range that is none."""
    with pytest.raises(NothingToSweep, match="no phrase with a number"):
        variants(rule("strategic"))
    with pytest.raises(NothingToSweep, match="is no range"):
        variants(rule(), "ten to thirty")


def test_the_report_has_the_verdict_and_every_part(two_clocks: Backtest) -> None:
    """Text of 100 columns and data say the same, and the text is not cut off."""
    console = Console(width=100, force_terminal=False)
    with console.capture() as captured:
        console.print(rendered(two_clocks, "USD"))
    text, data = captured.get(), as_data(two_clocks)
    assert "No verdict: 3 outcomes, 30 are needed; 168 days of history, 365 are needed." in text
    assert all(
        word in text for word in ("right alerts", "lift", "Account 3", "Account 4", "two clocks", "15 days (now)")
    )
    assert (2, 3, 2) == (data["recall"]["hits"], data["recall"]["of"], data["clocks"])
    assert data == json.loads(json.dumps(data))


def test_the_verdict_compares_with_chance(two_clocks: Backtest) -> None:
    """With enough behind it, the interval of precision is held against the base rate."""
    enough = replace(two_clocks, refusal=None)
    parts = [(0.3, 0.8, "Better"), (0.05, 0.15, "Not told from"), (0.01, 0.05, "Worse")]
    for low, high, words in parts:
        share = replace(two_clocks.judgement.precision, low=low, high=high)
        judged = replace(two_clocks.judgement, precision=share, base_rate=0.1)
        assert verdict(replace(enough, judgement=judged)).startswith(words)


def test_a_sweep_is_drawn_with_its_intervals(two_clocks: Backtest) -> None:
    """The chart has a point for each number and measure; without a sweep the outcomes by lead time."""
    drawn = spec(two_clocks)["data"]["values"]
    assert {"10 days", "15 days", "20 days", "30 days", "40 days"} == {row["number"] for row in drawn}
    assert all(row["low"] <= row["share"] <= row["high"] for row in drawn)
    leads = spec(replace(two_clocks, swept=()))["data"]["values"]
    assert ["no", "yes", "yes"] == sorted(row["in time"] for row in leads)


def test_the_chart_is_an_svg(two_clocks: Backtest) -> None:
    """Drawn without a network."""
    drawn = svg(two_clocks)
    assert drawn.startswith("<svg")
    assert "by the number in the phrase" in drawn


def test_without_the_extra_the_command_says_what_to_install(
    two_clocks: Backtest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package is not part of a plain installation."""
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(ChartsMissing, match=r"tierd\[charts\]"):
        svg(two_clocks)


def test_an_alert_is_judged_when_its_horizon_is_over() -> None:
    """Of two young alerts the one that came true early is not counted either: it would crowd out the other."""
    customer = Customer(100, "csm")
    fired = {1: NOW - 20 * DAY, 2: NOW - 20 * DAY, 3: NOW - 90 * DAY, 4: NOW - 90 * DAY}
    episodes = [Episode(account, at, "high", customer, {}) for account, at in fired.items()]
    outcomes = {1: NOW - 5 * DAY, 3: NOW - 50 * DAY}
    weeks = [Week(NOW - 90 * DAY, 4, 1, 400, frozenset({1, 3}))]
    found = judge(episodes, outcomes, weeks, {}, TERMS)
    assert (1, 2, 2) == (found.precision.hits, found.precision.of, found.young)
    assert (1, 2) == (found.recall.hits, found.recall.of)
    assert (1 / 4, 2.0) == (found.base_rate, found.lift)
