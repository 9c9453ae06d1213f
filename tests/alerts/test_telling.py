"""Who is told what, and why: each rule of the noise budget as one decision."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerts.growth import growth_waits
from alerts.lifecycle import Transition
from alerts.telling import Action, Decision, Plan, Situation, Way, combine, decide, storm
from store.records import DAY, AlertRow, ConversationRow, ToldRow

FIRED = (Transition("fired", "true"),)
FIRING = AlertRow("rule", 1, 1, "firing", "high", 0, "{}", "v1", id=1, fired_at=0)
TALK = ConversationRow(1, "k", 1, "C1", "high", "ann", 0, None, None, "C1", "1.0")
TOLD = ToldRow(1, "C1", "opened", "high", 0, "fired", 1)
NOW = Situation(as_of=DAY)


def _way(decision: Decision) -> tuple[Action, Way]:
    assert decision.reason
    return decision.action, decision.way


@pytest.mark.parametrize(
    ("alert", "told", "at", "expected"),
    [
        (FIRING, None, NOW, (Action.OPENED, Way.PARENT)),
        (FIRING, None, replace(NOW, conversation=TALK), (Action.OPENED, Way.REPLY)),
        (FIRING, None, replace(NOW, conversation=TALK, as_of=8 * DAY), (Action.OPENED, Way.PARENT)),
        (FIRING, None, replace(NOW, conversation=TALK, as_of=8 * DAY, budget=0), (Action.OPENED, Way.REPLY)),
        (FIRING, None, replace(NOW, conversation=TALK, as_of=7 * DAY), (Action.OPENED, Way.REPLY)),
        (FIRING, None, replace(NOW, budget=0), (Action.OPENED, Way.HELD)),
        (replace(FIRING, severity="critical"), None, replace(NOW, budget=0), (Action.OPENED, Way.PARENT)),
        (FIRING, None, replace(NOW, baseline=True, first_run_left=1, budget=0), (Action.OPENED, Way.PARENT)),
        (FIRING, None, replace(NOW, baseline=True), (Action.OPENED, Way.HELD)),
        (FIRING, None, replace(NOW, storm=True), (Action.OPENED, Way.HELD)),
        (replace(FIRING, severity="medium"), None, NOW, (Action.OPENED, Way.DIGEST)),
        (replace(FIRING, snoozed_until=9 * DAY), None, NOW, (Action.NONE, Way.NOTHING)),
        (replace(FIRING, severity="critical"), TOLD, replace(NOW, conversation=TALK), (Action.ESCALATED, Way.REPLY)),
        (
            replace(FIRING, severity="critical", snoozed_until=9 * DAY),
            TOLD,
            replace(NOW, conversation=TALK),
            (Action.ESCALATED, Way.REPLY),
        ),
        (FIRING, TOLD, replace(NOW, conversation=TALK), (Action.NONE, Way.EDIT)),
        (replace(FIRING, state="pending"), None, NOW, (Action.NONE, Way.NOTHING)),
    ],
)
def test_decisions(alert: AlertRow, told: ToldRow | None, at: Situation, expected: tuple[Action, Way]) -> None:
    """What is told, and how, for an alert that has just changed."""
    assert expected == _way(decide(alert, FIRED, "churn", told, at))


@pytest.mark.parametrize(
    ("reason", "told", "conversation", "expected"),
    [
        ("resolved", TOLD, TALK, (Action.RESOLVED, Way.EDIT)),
        ("account_gone", TOLD, TALK, (Action.CLOSED, Way.EDIT)),
        ("resolved", None, TALK, (Action.NONE, Way.EDIT)),
        ("resolved", replace(TOLD, kind="listed"), None, (Action.RESOLVED, Way.DIGEST)),
        ("resolved", None, None, (Action.NONE, Way.NOTHING)),
        ("resolved", replace(TOLD, kind="resolved"), TALK, (Action.NONE, Way.EDIT)),
    ],
)
def test_ends(
    reason: str, told: ToldRow | None, conversation: ConversationRow | None, expected: tuple[Action, Way]
) -> None:
    """An end is told only where the beginning was, as an edit; only a cleared condition is 'resolved'."""
    ended = replace(FIRING, state="closed", close_reason=reason, closed_at=DAY)
    at = replace(NOW, conversation=conversation)
    assert expected == _way(decide(ended, (Transition("resolved", "clear"),), "churn", told, at))


@pytest.mark.parametrize(
    ("churn_open", "health", "csat", "why"),
    [
        (False, None, None, None),
        (True, 90.0, 0.9, "growth is held while a churn alert is open"),
        (False, 50.0, None, None),
        (False, 49.99, None, "growth is held while health is red: 49.99"),
        (False, None, 0.5, None),
        (False, 80.0, 0.49, "growth is held while the last satisfaction is below 50%: 49%"),
    ],
)
def test_when_growth_waits(churn_open: bool, health: float | None, csat: float | None, why: str | None) -> None:
    """A churn alert, red health or a poor last satisfaction holds growth; what is unknown, and the borders, do not."""
    assert why == growth_waits(churn_open, health, csat, red_below=50.0)


def test_red_is_what_the_configuration_says() -> None:
    """The lower bound of yellow, not a number of its own."""
    assert growth_waits(False, 55.0, None, red_below=60.0) == "growth is held while health is red: 55"


def test_growth_is_held_while_churn_is_open() -> None:
    """No praise while the house burns; churn rules are not held by themselves."""
    at = replace(NOW, growth_waits="growth is held while a churn alert is open")
    decision = decide(FIRING, FIRED, "growth", None, at)
    assert Decision(Action.NONE, Way.NOTHING, "growth is held while a churn alert is open") == decision
    assert (Action.OPENED, Way.PARENT) == _way(decide(FIRING, FIRED, "churn", None, at))


def test_the_end_of_a_snooze_reminds_once() -> None:
    """Still true when the snooze is over: a reminder in the thread."""
    at = replace(NOW, conversation=TALK)
    decision = decide(FIRING, (Transition("unsnoozed", "over"),), "churn", TOLD, at)
    assert (Action.REMINDER, Way.REPLY) == _way(decision)


def test_an_escalation_that_flutters_is_told_once_in_the_flap_window() -> None:
    """Critical, high, critical within a day is one telling; after the window it is told again."""
    alert, told = replace(FIRING, severity="critical"), replace(TOLD, severity="critical")
    up = (Transition("escalated", "high to critical"),)
    soon = replace(NOW, conversation=TALK)
    assert (Action.NONE, Way.EDIT) == _way(decide(alert, up, "churn", told, soon))
    later = replace(soon, as_of=3 * DAY)
    assert (Action.ESCALATED, Way.REPLY) == _way(decide(alert, up, "churn", told, later))


def test_several_decisions_make_one_message() -> None:
    """A parent covers replies and edits; a reply covers edits."""
    parent, reply, edit = (Decision(Action.OPENED, way, "x") for way in (Way.PARENT, Way.REPLY, Way.EDIT))
    assert Plan(Way.PARENT, (1, 2)) == combine([edit, reply, parent])
    assert Plan(Way.REPLY, (1,)) == combine([edit, reply])
    assert Plan(Way.EDIT) == combine([edit])
    assert Plan(Way.NOTHING) == combine([])


@pytest.mark.parametrize(
    ("firing", "portfolio", "expected"), [(16, 300, True), (15, 300, False), (9, 20, False), (10, 20, True)]
)
def test_storm(firing: int, portfolio: int, expected: bool) -> None:
    """More than 5 % and at least ten accounts."""
    assert expected is storm(firing, portfolio, 0.05, 10)
