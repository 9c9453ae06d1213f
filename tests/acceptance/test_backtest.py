"""The backtest on the imitated company: it finds the losses that were planted in its past, with their lead times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from sqlalchemy import select

from daemon.backtest import Asked, Backtest, backtest
from daemon.backtest.judging import Terms
from daemon.ruletry import rule_of
from rules.facts import FactSettings
from rules.language import load
from sandbox import serve
from store.records import DAY
from store.tables import crm_accounts
from tests.acceptance.world import Stage, stage, unlimited
from tests.rules.test_language import shipped

pytestmark = pytest.mark.acceptance
_PATIENCE = 900.0  # real seconds for reading fourteen months of two CRMs
WEEK = 7
WEEKS = 30


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A company with fourteen months behind it, read once: nothing of its past was seen while it happened."""
    with stage(tmp_path_factory.mktemp("past") / "tierd", serve.Settings(accounts=60, days=2)) as opened:
        unlimited(opened)
        reading = opened.popen("sync", "--once")
        _, said = reading.communicate(timeout=_PATIENCE)
        assert reading.returncode == 0, said
        yield opened


def planted(company: Stage, rule: str) -> Mapping[int, tuple[int, int]]:
    """Account of the store -> (day on which the rule first held, day of the loss), of the losses planted for this rule."""
    companies = {one.key: one for one in company.sandbox.world.companies}
    ids = crm_accounts.c
    with company.store.read() as connection:
        known = {
            (row.source, row.id): row.account_id
            for row in connection.execute(select(ids.source, ids.id, ids.account_id))
        }
    found = {}
    for story in company.sandbox.world.stories:
        if story.kind == "former" and story.rule == rule:
            one = companies[story.account]
            refs = (("salesforce", one.salesforce_id), ("hubspot", one.hubspot_id))
            (account,) = {known[ref] for ref in refs if ref in known}
            assert story.first_day is not None
            assert story.clear_day is not None
            found[account] = (story.first_day, story.clear_day)
    assert found
    return found


def run(company: Stage, words: str, *, one_clock: bool = False, horizon: int = 180) -> Backtest:
    """The backtest of a rule, or a phrase, over the weeks before the scenario begins; `horizon` in days."""
    asked = Asked(
        rule_of(load(shipped()), words, load),
        company.start - WEEKS * WEEK * DAY,
        Terms(company.start, horizon=horizon * DAY),
        one_clock=one_clock,
    )
    return backtest(company.store, FactSettings(), asked)


@pytest.mark.parametrize("rule", ["renewal-exec-silence", "adoption-drop-user-silence"])
def test_the_planted_losses_are_found_with_their_lead_times(company: Stage, rule: str) -> None:
    """Each is dated to the day, and an alert came within the week in which the rule first held, as planted."""
    found = {one.account: one for one in run(company, rule).judgement.outcomes}
    for account, (first, lost) in planted(company, rule).items():
        one = found[account]
        assert lost == (one.at - company.start) // DAY
        fired = [(one.at - lead - company.start) // DAY for lead in one.leads]
        assert [day for day in fired if first <= day < first + WEEK], f"planted for day {first}, fired on {fired}"


def test_the_second_clock_changes_the_numbers(company: Stage) -> None:
    """Late entries: with one clock a silence that the team saw had never been, or was two short ones: other alerts.

    An alert of 30 days ago is old enough to be judged here: what was entered late lies in the last weeks.
    """
    two, one = (
        run(company, "no contact in 7 days", one_clock=single, horizon=30).judgement for single in (False, True)
    )
    assert two.alerts != one.alerts
    assert two.precision != one.precision
