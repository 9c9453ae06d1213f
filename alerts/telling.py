"""Who is told what, and why: pure decisions over what flipped, what was told before, and the noise budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from alerts.lifecycle import ACTIVE_STATES, CLOSED, FIRING, Transition, rank
from store.records import DAY, AlertRow, ConversationRow, Instant, ToldRow

URGENT = rank("high")


class Action(StrEnum):
    """What the recipient learns."""

    NONE = "none"
    OPENED = "opened"
    ESCALATED = "escalated"
    REMINDER = "reminder"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Way(StrEnum):
    """How it reaches the recipient. An edit notifies nobody."""

    NOTHING = "nothing"
    PARENT = "parent"
    REPLY = "reply"
    EDIT = "edit"
    DIGEST = "digest"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision and its reason in plain words."""

    action: Action
    way: Way
    reason: str


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of the account's conversation and of the noise budget when an alert flips."""

    as_of: Instant
    conversation: ConversationRow | None = None
    budget: int = 5
    """New parents of severity high that this CSM may still get today."""
    daily_cap: int = 5
    baseline: bool = False
    """This is the first run."""
    first_run_left: int = 0
    """Accounts that this CSM may still be told about on the first run."""
    storm: bool = False
    """This rule newly fires on too much of the portfolio in this run."""
    growth_waits: str | None = None
    """Why news of growth are held on this account, see `alerts.growth`."""
    parent_max_age_us: int = 7 * DAY
    flap_window_us: int = 3 * DAY


def decide(
    alert: AlertRow, transitions: Sequence[Transition], klass: str, told: ToldRow | None, at: Situation
) -> Decision:
    """What one alert's change means for its destination."""
    if alert.state == CLOSED:
        return _ended(alert, transitions, told, at)
    if alert.state not in ACTIVE_STATES:
        return Decision(Action.NONE, Way.NOTHING, "pending: does not hold long enough yet")
    action, why = _news(alert, transitions, told, at)
    if action is Action.NONE:
        return Decision(action, _edit_if_open(at), why)
    if klass == "growth" and at.growth_waits:
        return Decision(Action.NONE, _edit_if_open(at), at.growth_waits)
    if rank(alert.severity) < URGENT:
        return Decision(action, Way.DIGEST, f"severity {alert.severity} lives in the daily digest")
    if at.storm:
        return Decision(action, Way.HELD, "the rule newly fires on too many accounts in one run")
    if at.conversation is not None:
        return _in_conversation(action, why, alert, at, at.conversation)
    return _new_conversation(action, why, alert, at)


def _ended(alert: AlertRow, transitions: Sequence[Transition], told: ToldRow | None, at: Situation) -> Decision:
    why = transitions[-1].reason if transitions else alert.close_reason or "closed"
    if told is None:
        return Decision(Action.NONE, _edit_if_open(at), "it was never told")
    if told.kind in (Action.RESOLVED, Action.CLOSED):
        return Decision(Action.NONE, _edit_if_open(at), "its end was told before")
    action = Action.RESOLVED if alert.close_reason == "resolved" else Action.CLOSED
    if at.conversation is None:
        return Decision(action, Way.DIGEST, why)
    return Decision(action, Way.EDIT, why)


def _news(
    alert: AlertRow, transitions: Sequence[Transition], told: ToldRow | None, at: Situation
) -> tuple[Action, str]:
    """Is there anything the recipient does not know yet, apart from whom and how."""
    kinds = {transition.kind for transition in transitions}
    snoozed = alert.snoozed_until is not None and alert.snoozed_until > at.as_of
    if told is None:
        if alert.state != FIRING:
            return Action.NONE, "it is clearing and was never told"
        return (Action.NONE, "snoozed") if snoozed else (Action.OPENED, _reason(transitions, "newly firing"))
    if rank(alert.severity) > rank(told.severity):
        return Action.ESCALATED, f"{told.severity} to {alert.severity}"
    if "escalated" in kinds and at.as_of - told.at >= at.flap_window_us:
        return Action.ESCALATED, _reason(transitions, "escalated")
    if "unsnoozed" in kinds and alert.state == FIRING:
        return Action.REMINDER, "the snooze is over and it is still true"
    if snoozed:
        return Action.NONE, "snoozed"
    if kinds & {"reopened", "refired"}:
        return Action.NONE, "it came back within the flap window: told before"
    return Action.NONE, _reason(transitions, "told before")


def _in_conversation(
    action: Action, why: str, alert: AlertRow, at: Situation, conversation: ConversationRow
) -> Decision:
    if at.as_of - conversation.opened_at <= at.parent_max_age_us:
        return Decision(action, Way.REPLY, why)
    if alert.severity == "critical" or at.budget > 0:
        return Decision(action, Way.PARENT, f"{why}; the parent message is older than {_days(at.parent_max_age_us)}")
    return Decision(action, Way.REPLY, f"{why}; no new parent: the day's {at.daily_cap} are used up")


def _new_conversation(action: Action, why: str, alert: AlertRow, at: Situation) -> Decision:
    if at.baseline and at.first_run_left <= 0:
        return Decision(action, Way.HELD, "first run: only the most urgent accounts get a message of their own")
    if not at.baseline and alert.severity != "critical" and at.budget <= 0:
        return Decision(action, Way.HELD, f"held back: at most {at.daily_cap} new high alerts per CSM and day")
    return Decision(action, Way.PARENT, why)


def _edit_if_open(at: Situation) -> Way:
    return Way.NOTHING if at.conversation is None else Way.EDIT


def _reason(transitions: Sequence[Transition], default: str) -> str:
    return f"{transitions[-1].kind}: {transitions[-1].reason}" if transitions else default


def _days(us: int) -> str:
    return f"{us / DAY:g} days"


@dataclass(frozen=True, slots=True)
class Plan:
    """The one message that an account's decisions of one run amount to."""

    way: Way
    news: tuple[int, ...] = ()
    """Positions of the decisions that the message announces."""


def combine(decisions: Sequence[Decision]) -> Plan:
    """Several rules that flip on one account in one run are one message: a new parent, else one reply, else one edit."""
    for way in (Way.PARENT, Way.REPLY):
        if any(decision.way is way for decision in decisions):
            told = tuple(i for i, decision in enumerate(decisions) if decision.way in (Way.PARENT, Way.REPLY))
            return Plan(way, told)
    if any(decision.way is Way.EDIT for decision in decisions):
        return Plan(Way.EDIT)
    return Plan(Way.NOTHING)


def storm(newly_firing: int, portfolio: int, share: float, at_least: int) -> bool:
    """Say whether a rule that newly fires on `newly_firing` of `portfolio` customers looks like broken data."""
    return newly_firing >= at_least and newly_firing > share * portfolio
