"""Explaining one account from the store's rows: why it fires, does not, or cannot be told, and what time will change."""

from __future__ import annotations

import pytest
from rich.console import Console

from daemon.evaluate import evaluate
from daemon.explain import AccountAmbiguous, AccountNotFound, Explanation, explain, find
from daemon.explaintext import rendered
from rules.facts.settings import FactSettings
from rules.language import RuleSet, load
from rules.language.catalogue import FACTS
from store.engine import Store
from store.records import DAY, HOUR, Instant
from store.tables import metadata
from tests.rules.derived_rows import NOW, TODAY, Rows, ago
from tests.rules.test_language import shipped

RULE = "renewal-exec-silence"
SETTINGS = FactSettings()


@pytest.fixture
def world(store: Store) -> Store:
    """Four customers with a renewal ahead: 1 fires, 2 will in three days, 3 cannot be told, 4 has a meeting booked."""
    rows = Rows()
    rows.fresh(rows.source(), "tasks", NOW - HOUR)
    csm = rows.member()
    rows.capture(csm, ago(1))
    for number, renewal in enumerate((40, 60, 40, 40), 1):
        account = rows.account(renewal=TODAY + renewal, arr=5_000_000, csm="csm@us.example")
        rows.link(account, row=f"001{number}")
    for account, days in ((1, 20), (2, 12), (4, 20)):
        person = rows.person(account, "exec")
        rows.tables["persons"][-1] |= {"name": f"Erin {account}", "title": "VP Finance"}
        rows.touch(person, "call", ago(days))
        rows.add(
            "crm_activities",
            source="salesforce",
            id=rows.tables["touches"][-1]["activity_id"],
            kind="call",
            status="done",
            subject=f"Check-in {account}",
            starts_at=ago(days),
            ends_at=ago(days),
            created_at=ago(days),
            modified_at=ago(days),
            payload="",
        )
    rows.person(3, None)
    rows.touch(4, "email", ago(2))
    rows.touch(3, "meeting", NOW + 5 * DAY, starts=NOW + 5 * DAY, logged=ago(1))
    with store.write() as connection:
        rows.save(connection)
    return store


@pytest.fixture(scope="module")
def ruleset() -> RuleSet:
    """The rules that ship."""
    return load(shipped())


def told(store: Store, ruleset: RuleSet, account: str, as_of: Instant = NOW) -> Explanation:
    """The explanation of one account."""
    return explain(store, ruleset, SETTINGS, account, as_of)


def shown(explanation: Explanation) -> str:
    """What the terminal shows."""
    console = Console(width=300, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as captured:
        console.print(rendered(explanation))
    return captured.get()


def test_an_account_that_fires(world: Store, ruleset: RuleSet) -> None:
    """The tree shows each phrase with its value, what would clear it, and the day it turns critical."""
    line = told(world, ruleset, "Account 1").rule(RULE)
    assert (line.verdict.truth, line.verdict.severity) == (True, "high")
    assert line.sentence == "Renews in 40 days (2026-03-28); last exec contact 20 days ago (2026-01-27)."
    assert line.change is not None
    assert (line.change.days, line.change.severity) == (10, "critical")
    text = shown(told(world, ruleset, "Account 1"))
    assert "✔ renewal-exec-silence holds (high)" in text
    assert "✔ no exec contact in 15 days   — last exec contact: 20 days ago (2026-01-27)" in text
    assert "✔ not renewed" in text
    assert (
        "clears when renewal is no longer within the next 90 days or it is renewed or there is an exec contact" in text
    )


def test_the_rows_behind_a_fact(world: Store, ruleset: RuleSet) -> None:
    """A fact names the activity, the person and the CRM's row, or the field it comes from."""
    facts = {fact.column: fact for fact in told(world, ruleset, "Account 1").facts}
    (row,) = facts["last_exec_contact"].rows
    assert row == "call with Erin 1, VP Finance, 2026-01-27 06:00 “Check-in 1” (salesforce t0)"
    assert facts["exec_contacts"].rows == ("Erin 1, VP Finance (last touch 2026-01-27)",)
    assert facts["renewal"].rows == ("renewal from salesforce, no history of earlier values",)
    assert facts["arr"].value == "$50,000"
    assert (facts["health"].state, facts["health"].value) == ("too_little_known", "unknown: too little known")
    assert len(facts) == len(FACTS)


def test_an_account_that_will_fire_later(world: Store, ruleset: RuleSet) -> None:
    """One that is silent names the day on which time alone makes it fire."""
    line = told(world, ruleset, "Account 2").rule(RULE)
    assert line.verdict.truth is False
    assert line.fires_at == NOW + 3 * DAY
    assert "by time alone: turns true in 3 days (2026-02-19)" in shown(told(world, ruleset, "Account 2"))


def test_the_forecast_is_what_happens(world: Store, ruleset: RuleSet) -> None:
    """With sources that stay fresh, explaining at the forecast instant says what was forecast, a day before not yet."""
    with world.write() as connection:
        connection.execute(metadata.tables["freshness"].update().values(fresh_at=NOW + 30 * DAY))
    assert told(world, ruleset, "Account 2", NOW + 2 * DAY).rule(RULE).verdict.truth is False
    assert told(world, ruleset, "Account 2", NOW + 3 * DAY).rule(RULE).verdict.truth is True


def test_an_account_that_cannot_be_told(world: Store, ruleset: RuleSet) -> None:
    """Unknown names its reason."""
    line = told(world, ruleset, "Account 3").rule(RULE)
    assert line.verdict.truth is None
    assert line.verdict.reasons == ("last exec contact: levels not known",)
    text = shown(told(world, ruleset, "Account 3"))
    assert "? no exec contact in 15 days   — last exec contact: never; last exec contact: levels not known" in text
    assert "level not known: Person 4" in text


def test_a_booked_meeting_silences_until_it_has_passed(world: Store, ruleset: RuleSet) -> None:
    """The booking shows among the rows, and the rule comes back on the day of the meeting if nobody logs it."""
    explanation = told(world, ruleset, "Account 4")
    line = explanation.rule(RULE)
    assert line.verdict.truth is False
    assert line.change is not None
    assert line.change.days == 5
    booked = next(fact for fact in explanation.facts if fact.column == "next_exec_meeting")
    assert booked.value == "in 5 days (2026-02-21)"
    assert booked.rows[0].startswith("meeting with Erin 4, VP Finance, 2026-02-21 06:00")
    assert "meeting (booked)" in shown(explanation)


def test_a_past_instant_is_explained_as_it_was_known(world: Store, ruleset: RuleSet) -> None:
    """Eight days ago the last contact was younger, and the touches of later days are not there."""
    explanation = told(world, ruleset, "Account 1", ago(8))
    assert explanation.rule(RULE).verdict.truth is False
    assert explanation.row["last_exec_contact"] == ago(20)
    assert told(world, ruleset, "Account 1", ago(21)).touches == ()


def test_the_explanation_agrees_with_the_findings(world: Store, ruleset: RuleSet) -> None:
    """For every account and rule the explanation says what a stored evaluation finds, and a second one changes nothing."""
    first = evaluate(world, ruleset, SETTINGS, NOW)
    assert first.customers == 4
    assert evaluate(world, ruleset, SETTINGS, NOW).changed == 0
    findings = metadata.tables["findings"]
    with world.read() as connection:
        stored = {(row.rule, row.account_id): row.outcome for row in connection.execute(findings.select())}
    said = {}
    for number in range(1, 5):
        for line in told(world, ruleset, f"Account {number}").rules:
            if line.verdict.truth is not False:
                said[line.rule.name, number] = line.verdict.outcome
    assert said == stored
    assert set(said.values()) == {"fires", "unknown"}


def test_accounts_are_found_by_name_key_and_crm_id(world: Store) -> None:
    """Name in any case, store key, and the CRM's id find the same account."""
    assert {find(world, text).id for text in ("account 2", "salesforce:2", "0012")} == {2}


def test_an_ambiguous_name_lists_the_candidates(world: Store) -> None:
    """Part of several names is refused with their ids; what nobody is called is not found."""
    with pytest.raises(AccountAmbiguous, match="Account 3: 0013") as caught:
        find(world, "Account")
    assert len(caught.value.candidates) == 4
    with pytest.raises(AccountNotFound, match="`Nobody`"):
        find(world, "Nobody")


def test_no_customer_is_not_evaluated(world: Store, ruleset: RuleSet) -> None:
    """An account outside the customer condition is shown as such, without rules."""
    with world.write() as connection:
        fields = metadata.tables["account_fields"]
        connection.execute(fields.update().where(fields.c.account_id == 1, fields.c.field == "customer").values(num=0))
    explanation = told(world, ruleset, "Account 1")
    assert (explanation.in_scope, explanation.rules) == (False, ())
    assert "No customer at that time" in shown(explanation)
