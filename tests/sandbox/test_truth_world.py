"""The demo's world against its ground truth: stories as planted, decoys silent, unknown unknown, losses warned of."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from sandbox.world.generate import generate
from sandbox.world.model import Story, World
from sandbox.world.truth import Judgement, disagreements, judge, report
from sandbox.world.truth_contact import is_covered
from sandbox.world.truth_logic import Unknown
from sandbox.world.truth_rules import RULES
from sandbox.world.truth_tiers import pinned

SAID_AT_ONCE = ("high", "critical")


@pytest.fixture(scope="module")
def found() -> Judgement:
    """The demo's world, judged."""
    return judge(generate())


@pytest.fixture(scope="module")
def told(found: Judgement) -> dict[str, Any]:
    """The same as the control server gives it."""
    whole: dict[str, Any] = json.loads(json.dumps(report(found)))
    return whole


def stories(world: World, *kinds: str) -> list[Story]:
    """The stories of these kinds."""
    return [s for s in world.stories if s.kind in kinds]


def test_every_story_is_as_planted(found: Judgement) -> None:
    """First days, clear days, decoys, unknowns and lost customers are what the records say."""
    assert disagreements(found) == []


@pytest.mark.parametrize("seed", [23])
def test_every_story_is_as_planted_in_other_worlds(seed: int) -> None:
    """Not by the luck of one seed."""
    assert disagreements(judge(generate(seed=seed, accounts=60))) == []


def test_planted_alerts_open_on_their_day(found: Judgement) -> None:
    """Once the rule's `for` is over, and once; they close a day after the condition has cleared."""
    for story in stories(found.world, "fires", "clears"):
        fires = found.fires[story.account, story.rule]
        assert story.first_day is not None
        assert [f.opened_day for f in fires] == [story.first_day + RULES[story.rule].holds_for]
        assert fires[0].closed_day == (None if story.clear_day is None else story.clear_day + 1)


def test_decoys_and_unknowns_never_fire(found: Judgement) -> None:
    """No alert of the story's rule on a decoy or where nothing can be said."""
    quiet = stories(found.world, "decoy", "unknown")
    assert len(quiet) >= 30
    assert [s for s in quiet if found.fires[s.account, s.rule]] == []


def test_decoys_are_known(found: Judgement) -> None:
    """Nothing hides behind not knowing: the condition of a decoy is known on every day of the demo."""
    for story in stories(found.world, "decoy"):
        outcomes = [o for o in found.outcomes[story.account, story.rule] if o is not None]
        assert outcomes
        assert not any(isinstance(o.truth, Unknown) for o in outcomes)


def test_every_reason_for_not_knowing_is_planted(found: Judgement) -> None:
    """The unknown stories cover levels, capture, nobody on file, too new, outdated, empty, few and small samples, seats."""
    reasons = {
        outcome.truth.reason
        for story in stories(found.world, "unknown")
        for outcome in found.outcomes[story.account, story.rule]
        if outcome is not None and isinstance(outcome.truth, Unknown)
    }
    assert reasons >= {
        "levels_not_known",
        "not_captured",
        "no_exec_on_file",
        "too_new",
        "outdated",
        "not_on_file",
        "too_few_samples",
        "too_small",
        "no_seats",
    }


def test_captured_teammates_are_covered(found: Judgement) -> None:
    """Every CSM who is there is covered on every day, so that only uncaptured ones make something unknown."""
    for mate in found.world.teammates:
        if mate.role == "lead":
            continue
        for day in range(found.world.days):
            as_of = found.book.day(day)
            if mate.leaves_at is None or as_of < mate.leaves_at:
                assert is_covered(found.book, mate.key, as_of) is mate.captured


def test_the_demo_is_quiet_enough(told: dict[str, Any]) -> None:
    """After the first run no CSM is told more than five high or critical things a day, and few beside the stories."""
    later = [f for f in told["fires"] if f["opened_day"] > 0 and f["severity"] in SAID_AT_ONCE]
    assert max(Counter((f["csm"], f["opened_day"]) for f in later).values()) <= 5
    customers = len(told["accounts"])
    for rule in RULES:
        assert sum(f["rule"] == rule for f in told["fires"]) <= 0.2 * customers


def test_most_losses_are_seen_coming_and_some_are_not(told: dict[str, Any]) -> None:
    """Between half and nine tenths of the lost customers are told of 30 days before: the hidden state decides."""
    share = sum(row["told_30_days_before"] for row in told["churn"]) / len(told["churn"])
    assert 0.5 <= share <= 0.9
    for row in told["churn"]:
        leads = [w["lead_days"] for w in row["warnings"] if w["severity"] in SAID_AT_ONCE]
        assert row["told_30_days_before"] == any(lead >= 30 for lead in leads)


def test_tiers_move_only_by_hand(found: Judgement, told: dict[str, Any]) -> None:
    """In 30 days no score holds long enough for a change; each edit sets another tier than the one that was applied."""
    edited = {c.key: c for c in found.world.companies if c.tier_edits}
    assert len(edited) == 4
    for row in told["tiers"]:
        company = edited.get(row["account"])
        if company is None:
            assert len(row["in_force"]) == 1
            continue
        at, tier, _ = company.tier_edits[0]
        assert tier != found.tiers.applied[0][company.key]
        day = next(d for d in range(found.world.days) if found.book.day(d) >= at)
        assert row["pinned_days"][0] == day
        assert {"day": day, "tier": tier} in row["in_force"]
        assert pinned(company, at - 1) is None


def test_every_customer_gets_a_tier_in_every_crm(told: dict[str, Any]) -> None:
    """All customers in scope at the start have a tier in force on day 0 and at the end in each CRM that has them."""
    for row in told["tiers"]:
        assert row["in_force"][0]["tier"] in (1, 2, 3)
        assert sorted(row["crm_end"]) == sorted(told["accounts"][row["account"]]["systems"])


def test_what_control_gives_is_consistent(told: dict[str, Any]) -> None:
    """Conditions, undecidable days and alerts say the same; every row names its account in the CRMs."""
    unknown = Counter[tuple[str, str]]()
    for row in told["undecidable"]:
        unknown[row["account"], row["rule"]] += len(row["days"])
        for day in row["days"]:
            assert told["conditions"][row["account"]][row["rule"]][day] == row["reason"]
    for account, rules in told["conditions"].items():
        for rule, days in rules.items():
            assert len(days) == told["days"]
            assert sum(isinstance(said, str) for said in days) == unknown[account, rule]
    for fire in told["fires"]:
        assert told["conditions"][fire["account"]][fire["rule"]][fire["opened_day"]] is True
        assert fire["salesforce_id"] or fire["hubspot_id"]
    caught = [row for row in told["planted"] if row["should_be_caught"]]
    assert len(caught) == sum(s["kind"] in ("fires", "clears") for s in told["stories"])
