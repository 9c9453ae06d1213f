"""Trying and comparing rules on the portfolio: who matches and why, who changes, and that nothing is written."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import inspect, select

from daemon.evaluate import evaluate
from daemon.rulediff import Diff, NoRuleFiles, diff, proposed_files
from daemon.ruletry import attempt, rule_of
from rules.facts.settings import FactSettings
from rules.language import RuleErrors, RuleSet, load
from store.engine import Store
from store.records import DAY, HOUR
from store.tables import metadata
from tests.rules.derived_rows import NOW, TODAY, Rows, ago
from tests.rules.test_language import shipped

SETTINGS = FactSettings()
RULE = "renewal-exec-silence"


def checksum(store: Store) -> str:
    """A hash of every row of every table, and of the names of all that is in the database."""
    told = hashlib.sha256()
    with store.read() as connection:
        told.update(repr(sorted(inspect(connection).get_table_names())).encode())
        for table in metadata.sorted_tables:
            rows = connection.execute(select(table).order_by(*table.primary_key)).all()
            told.update(f"{table.name}{rows}".encode())
    return told.hexdigest()


@pytest.fixture
def world(store: Store) -> Store:
    """Four customers, evaluated: 1 and 2 have a silent executive, 3 cannot be told, 4 had a meeting five days ago."""
    rows = Rows()
    rows.fresh(rows.source(), "tasks", NOW - HOUR)
    csm = rows.member()
    rows.capture(csm, ago(1))
    for number, (renewal, arr) in enumerate(((40, 50_000), (80, 90_000), (40, 10_000), (40, 70_000)), 1):
        account = rows.account(renewal=TODAY + renewal, arr=arr * 100, csm="csm@us.example")
        rows.link(account, row=f"001{number}")
        rows.touch(rows.person(account, None if number == 3 else "exec"), "call", ago(3 if number == 3 else 20))
    rows.touch(4, "meeting", ago(5))
    with store.write() as connection:
        rows.save(connection)
    evaluate(store, running(), SETTINGS, NOW)
    return store


def running() -> RuleSet:
    """The rules that ship."""
    return load(shipped())


def test_a_phrase_is_tried_with_evidence_and_reasons(world: Store) -> None:
    """The largest come first, each with the facts that decide; what cannot be told is counted by reason."""
    rule = rule_of(running(), "renewal due and no exec contact in 15 days", load)
    tried = attempt(world, SETTINGS, rule, now=NOW)
    assert [("Account 2", 9_000_000), ("Account 1", 5_000_000)] == [(m.name, m.arr) for m in tried.matches]
    assert "last exec contact: 20 days ago (2026-01-27)" in tried.matches[0].evidence
    assert (4, 2, 14_000_000, 1) == (tried.totals.customers, tried.totals.fires, tried.totals.arr, tried.silent)
    assert {"last exec contact: levels not known": 1} == dict(tried.totals.unknown)
    assert (NOW, False) == (tried.as_of, tried.computed)


def test_a_rule_is_tried_by_its_name_and_the_limit_shortens_only_the_list(world: Store) -> None:
    """The rule's own severities; the sums are those of all."""
    tried = attempt(world, SETTINGS, rule_of(running(), RULE, load), now=NOW, limit=1)
    assert (["Account 2"], 2) == ([m.name for m in tried.matches], tried.totals.fires)
    assert RULE == tried.rule.name


def test_a_past_instant_is_tried_as_it_was_known(world: Store) -> None:
    """Ten days ago nobody was silent for 15 days."""
    rule = rule_of(running(), "all:\n  - renewal due\n  - no exec contact in 15 days", load)
    then = attempt(world, SETTINGS, rule, now=NOW, as_of=NOW - 10 * DAY)
    assert (0, True, 4) == (then.totals.fires, then.computed, then.totals.customers)


def test_a_wrong_phrase_is_shown_with_its_fix() -> None:
    """A phrase gets the same errors as a file."""
    with pytest.raises(RuleErrors, match="did you mean `exec contact`"):
        rule_of(running(), "no exec contct in 15 days", load)


def test_trying_and_comparing_change_nothing(world: Store) -> None:
    """Every row and every table is as before, whether the facts are those of the last evaluation or computed."""
    before = checksum(world)
    rule = rule_of(running(), "no contact in 3 days", load)
    for as_of in (None, NOW - 10 * DAY):
        attempt(world, SETTINGS, rule, now=NOW, as_of=as_of)
        diff(world, SETTINGS, running(), changed(), now=NOW, as_of=as_of)
    assert before == checksum(world)


def changed() -> RuleSet:
    """The rules that ship, but: exec silence of 4 days, critical within 45; three rules are gone, two are new."""
    files = dict(shipped())
    churn = without(files["churn.yaml"], "adoption-drop-user-silence", "single-threaded", "lapsed")
    churn = churn.replace("no exec contact in 15 days", "no exec contact in 4 days")
    churn = churn.replace("within the next 30 days", "within the next 45 days")
    files["churn.yaml"] = churn + (
        "  - rule: big\n    class: fit\n    severity: low\n    when: arr is at least 60k and no exec contacts\n"
        "  - rule: quiet-users\n    class: fit\n    severity: low\n    when: no user contact in 10 days\n"
    )
    return load(files)


def without(text: str, *names: str) -> str:
    """A rule file without these rules, and without any tests: what they expect does not hold any more."""
    head, *blocks = text.split("\n  - rule: ")
    kept = [block.split("\n    tests:")[0] for block in blocks if block.split("\n")[0] not in names]
    return "\n  - rule: ".join([head, *kept]) + "\n"


def told(found: Diff) -> dict[str, dict[str, list[str]]]:
    """Rule -> kind -> names."""
    return {
        change.rule: {kind: [row.name for row in rows] for kind, rows in change.accounts.items()}
        for change in found.changes
    }


def test_a_diff_names_exactly_the_accounts_that_change(world: Store) -> None:
    """4 is added, 1 becomes critical; new rules name those that become unknown; what is the same is only counted."""
    found = diff(world, SETTINGS, running(), changed(), now=NOW)
    assert {
        RULE: {"added": ["Account 4"], "severity": ["Account 1"]},
        "adoption-drop-user-silence": {"known": [f"Account {n}" for n in range(1, 5)]},
        "single-threaded": {"dropped": [f"Account {n}" for n in range(1, 5)]},
        "lapsed": {},
        "big": {},
        "quiet-users": {"unknown": [f"Account {n}" for n in range(1, 5)]},
    } == told(found)
    whats = {change.rule: change.what for change in found.changes}
    assert ("changed", "removed", "new") == (whats[RULE], whats["lapsed"], whats["big"])
    assert len(running().rules) - 4 == found.same


def test_the_same_rules_change_nothing(world: Store) -> None:
    """Other wording is no change."""
    files = dict(shipped())
    files["churn.yaml"] = files["churn.yaml"].replace("Escalate. Find out", "Ask at once. Find out")
    found = diff(world, SETTINGS, running(), load(files), now=NOW)
    assert ((), len(running().rules)) == (found.changes, found.same)


def test_one_file_stands_in_for_that_of_its_name(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A file replaces the running one of its name, a folder all of them; a path with no rules is refused."""
    folder = tmp_path_factory.mktemp("proposed")
    (folder / "churn.yaml").write_text("rules: []")
    files = {"rules/churn.yaml": "old", "rules/growth.yaml": "kept"}
    assert {"rules/churn.yaml": "rules: []", "rules/growth.yaml": "kept"} == proposed_files(
        files, folder / "churn.yaml"
    )
    assert {"churn.yaml": "rules: []"} == proposed_files(files, folder)
    with pytest.raises(NoRuleFiles, match="is no rule file"):
        proposed_files(files, folder / "nothing.yaml")
