"""Movement, ranks, features and narrowed contact in trying, comparing and backtesting rules: each finds its one account."""

from __future__ import annotations

import pytest

from daemon.backtest import Asked, backtest
from daemon.backtest.judging import Terms
from daemon.evaluate import evaluate
from daemon.rulediff import diff
from daemon.ruletry import attempt, rule_of
from rules.facts.settings import FactSettings
from rules.language import RuleSet, load
from store.engine import Store
from store.records import DAY, HOUR
from tests.daemon.test_ruletry import checksum, told
from tests.rules.derived_rows import NOW, TODAY, Rows, ago, orderly

SETTINGS = FactSettings()
PHRASES = {
    "arr fell by 10% in 60 days": "Account 1",
    "health fell by 10 in 30 days": "Account 2",
    'feature "sso" is adopted': "Account 3",
    "no contact with level c level in 15 days": "Account 4",
    "arr is in the top 20%": "Account 5",
}
RULE = "  - {{rule: {name}, class: churn, severity: high, when: '{phrase}', say: Q., play: Call.}}\n"


def customers() -> Rows:
    """Five customers; to each one of the phrases applies, by what happened between 40 and 10 days ago."""
    rows = orderly()
    rows.feature("sso")
    for number in range(1, 6):
        account = rows.account(contract_start=TODAY - 400, seats=20)
        rows.link(account)
        fell = ago(40) if number == 1 else None
        rows.field(account, "arr", 40_000_00 + number * 10_000_00, until=fell, history="crm")
        if fell:
            rows.field(account, "arr", 30_000_00, since=fell, history="crm")
        chief, user = rows.person(account), rows.person(account, "user")
        rows.tables["person_levels"][-2]["level"], rows.tables["person_levels"][-1]["level"] = 5, 1
        for week in range(30):
            if number != 4 or week >= 4:
                rows.touch(chief, "meeting", ago(7 * week + 2))
            rows.touch(user, "meeting", ago(7 * week + 2))
        for day in range(200):
            active = 3 if number == 2 and day < 20 else 18
            for metric in ("active_users", "active_users_28d"):
                rows.sample(account, NOW - HOUR - day * DAY, active, metric)
            if number == 3 and day < 10:
                rows.use(account, "sso", NOW - HOUR - day * DAY)
    return rows


def ruleset(*phrases: str) -> RuleSet:
    """A rule of each phrase, named after its place, and one that never fires."""
    lines = [RULE.format(name=f"rule-{number}", phrase=phrase) for number, phrase in enumerate(phrases)]
    return load({"r.yaml": "rules:\n" + RULE.format(name="none", phrase="arr is at least 10m") + "".join(lines)})


@pytest.fixture
def world(store: Store) -> Store:
    """The customers, evaluated by a rule that asks for nothing."""
    with store.write() as connection:
        customers().save(connection)
    evaluate(store, ruleset(), SETTINGS, NOW)
    return store


def test_phrases_are_tried_before_any_rule_has_them(world: Store) -> None:
    """What the last evaluation had no use for is computed; afterwards, evaluated, the store's own says the same."""
    before = checksum(world)
    rules = ruleset()
    found = {
        phrase: [match.name for match in attempt(world, SETTINGS, rule_of(rules, phrase, load), now=NOW).matches]
        for phrase in PHRASES
    }
    assert {phrase: [name] for phrase, name in PHRASES.items()} == found
    assert before == checksum(world)
    evaluate(world, ruleset(*PHRASES), SETTINGS, NOW)
    for phrase, name in PHRASES.items():
        stored = attempt(world, SETTINGS, rule_of(rules, phrase, load), now=NOW)
        assert ([name], False) == ([match.name for match in stored.matches], stored.computed), phrase


def test_a_diff_of_such_rules_names_their_accounts(world: Store) -> None:
    """New rules add their one account each; without them it is dropped."""
    with_all, without = ruleset(*PHRASES), ruleset()
    expected = dict(enumerate(PHRASES.values()))
    found = told(diff(world, SETTINGS, without, with_all, now=NOW))
    assert {f"rule-{number}": {"added": [name]} for number, name in expected.items()} == found
    found = told(diff(world, SETTINGS, with_all, without, now=NOW))
    assert {f"rule-{number}": {"dropped": [name]} for number, name in expected.items()} == found


def test_such_rules_are_backtested_as_of_every_week(world: Store) -> None:
    """Each would have warned of its account, within the week in which its condition came true."""
    since = {"Account 1": 40, "Account 2": 20, "Account 3": 10, "Account 4": 15}
    for phrase, name in PHRASES.items():
        terms = Terms(NOW, lead=DAY, horizon=DAY)
        found = backtest(world, SETTINGS, Asked(rule_of(ruleset(), phrase, load), ago(56), terms))
        (episode,) = found.judgement.wrong
        assert (name, 1) == (f"Account {episode.account}", found.judgement.alerts), phrase
        held = since.get(name, 56)
        assert held - 7 <= (NOW - episode.fired_at) / DAY <= held, phrase
