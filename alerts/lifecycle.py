"""The condition of one rule on one account: OK -> PENDING -> FIRING -> RECOVERING -> OK, as a pure function of time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from store.records import DAY, AlertRow, Instant

PENDING, FIRING, RECOVERING, CLOSED = "pending", "firing", "recovering", "closed"
OPEN_STATES = (PENDING, FIRING, RECOVERING)
ACTIVE_STATES = (FIRING, RECOVERING)
SEVERITIES = ("low", "medium", "high", "critical")


def rank(severity: str) -> int:
    """0 for low .. 3 for critical."""
    return SEVERITIES.index(severity)


class Outcome(StrEnum):
    """What the rule said of the account."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Seen:
    """One evaluation of one rule on one account. `severity` and `evidence` mean something only where it is true."""

    rule: str
    account_id: int
    outcome: Outcome
    rule_version: str
    severity: str = "low"
    evidence: str = "{}"
    reason: str | None = None
    """Why it is unknown."""


@dataclass(frozen=True, slots=True)
class Hold:
    """The rule's durations, in microseconds. A duration held exactly counts as held."""

    for_us: int = 0
    keep_firing_us: int = DAY
    flap_window_us: int = 3 * DAY


@dataclass(frozen=True, slots=True)
class Transition:
    """What flipped and why.

    Kinds: pended, dropped, fired, refired, reopened, escalated, deescalated, recovering, resolved, closed, unknown, known.
    """

    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """The alert after one evaluation (None: there is still nothing to remember) and what changed on the way."""

    alert: AlertRow | None
    transitions: tuple[Transition, ...] = ()


def step(alert: AlertRow | None, seen: Seen, as_of: Instant, hold: Hold) -> Step:
    """One evaluation: `alert` is the rule's newest episode on the account, if there is one.

    Unknown keeps the state, and the time from the first unknown evaluation to the next known one counts for nothing.
    """
    if seen.outcome is Outcome.UNKNOWN:
        return _unknown(alert, seen, as_of)
    if alert is None or alert.state == CLOSED:
        return _begin(alert, seen, as_of, hold) if seen.outcome is Outcome.TRUE else Step(alert)
    known, transitions = _settle(alert, as_of)
    after = _true(known, seen, as_of, hold) if seen.outcome is Outcome.TRUE else _false(known, seen, as_of, hold)
    assert after.alert is not None
    return Step(replace(after.alert, rule_version=seen.rule_version), transitions + after.transitions)


def close(alert: AlertRow, reason: str, why: str, as_of: Instant) -> Step:
    """End an open alert for another reason than its condition: never "resolved"."""
    if alert.fired_at is None:
        return Step(_closed(alert, "not_held", as_of), (Transition("dropped", why),))
    return Step(_closed(alert, reason, as_of), (Transition("closed", why),))


def _unknown(alert: AlertRow | None, seen: Seen, as_of: Instant) -> Step:
    if alert is None or alert.state == CLOSED:
        return Step(alert)
    reason = seen.reason or "unknown"
    if alert.unknown_since is not None:
        return Step(replace(alert, unknown_reason=reason))
    held = replace(alert, unknown_reason=reason, unknown_since=as_of)
    return Step(held, (Transition("unknown", f"kept {alert.state}: {reason}"),))


def _settle(alert: AlertRow, as_of: Instant) -> tuple[AlertRow, tuple[Transition, ...]]:
    """Take the unknown time out of the duration that was running."""
    if alert.unknown_since is None:
        return alert, ()
    lost = as_of - alert.unknown_since
    known = replace(alert, unknown_reason=None, unknown_since=None)
    if alert.state == PENDING and alert.true_since is not None:
        known = replace(known, true_since=alert.true_since + lost)
    if alert.state == RECOVERING and alert.clear_since is not None:
        known = replace(known, clear_since=alert.clear_since + lost)
    return known, (Transition("known", f"after {alert.unknown_reason}"),)


def _begin(alert: AlertRow | None, seen: Seen, as_of: Instant, hold: Hold) -> Step:
    episode = 1 if alert is None else alert.episode
    fresh = AlertRow(
        rule=seen.rule,
        account_id=seen.account_id,
        episode=episode,
        state=PENDING,
        severity=seen.severity,
        last_outcome_at=as_of,
        evidence=seen.evidence,
        rule_version=seen.rule_version,
    )
    if alert is not None:
        same = alert.fired_at is None or as_of - (alert.closed_at or as_of) < hold.flap_window_us
        fresh = alert if same else replace(fresh, episode=alert.episode + 1)
    begun = replace(fresh, state=PENDING, true_since=as_of, rule_version=seen.rule_version, unknown_since=None)
    after = _pending(begun, seen, as_of, hold)
    if after.transitions:
        return after
    return Step(after.alert, (Transition("pended", f"must hold {_days(hold.for_us)}"),))


def _true(alert: AlertRow, seen: Seen, as_of: Instant, hold: Hold) -> Step:
    if alert.state == PENDING:
        return _pending(alert, seen, as_of, hold)
    transitions: tuple[Transition, ...] = ()
    if alert.state == RECOVERING:
        transitions = (Transition("refired", "true again before it had been clear long enough"),)
    if rank(seen.severity) > rank(alert.severity):
        transitions += (Transition("escalated", f"{alert.severity} to {seen.severity}"),)
    elif rank(seen.severity) < rank(alert.severity):
        transitions += (Transition("deescalated", f"{alert.severity} to {seen.severity}"),)
    firing = replace(alert, state=FIRING, clear_since=None, severity=seen.severity, evidence=seen.evidence)
    return Step(replace(firing, last_outcome_at=as_of), transitions)


def _pending(alert: AlertRow, seen: Seen, as_of: Instant, hold: Hold) -> Step:
    now = replace(alert, severity=seen.severity, evidence=seen.evidence, last_outcome_at=as_of)
    since = as_of if alert.true_since is None else alert.true_since
    if as_of - since < hold.for_us:
        return Step(now)
    again = alert.fired_at is not None
    fired = replace(now, state=FIRING, fired_at=alert.fired_at if again else as_of, clear_since=None)
    fired = replace(fired, closed_at=None, close_reason=None)
    reason = f"true for {_days(as_of - since)}" if hold.for_us else "true"
    return Step(fired, (Transition("reopened" if again else "fired", reason),))


def _false(alert: AlertRow, seen: Seen, as_of: Instant, hold: Hold) -> Step:
    if alert.state == PENDING:
        return _dropped(alert, as_of)
    if alert.rule_version != seen.rule_version:
        return close(alert, "rule_changed", "the changed rule does not match", as_of)
    since = as_of if alert.clear_since is None else alert.clear_since
    if as_of - since >= hold.keep_firing_us:
        return Step(_closed(alert, "resolved", as_of), (Transition("resolved", f"clear for {_days(as_of - since)}"),))
    recovering = replace(alert, state=RECOVERING, clear_since=since, last_outcome_at=as_of)
    if alert.state == RECOVERING:
        return Step(recovering)
    return Step(recovering, (Transition("recovering", f"clear; resolves after {_days(hold.keep_firing_us)}"),))


def _dropped(alert: AlertRow, as_of: Instant) -> Step:
    """A pending alert that turns false leaves no trace but its row; a re-opened one keeps when it had closed."""
    transition = Transition("dropped", "did not hold long enough")
    if alert.fired_at is not None:
        return Step(replace(alert, state=CLOSED, last_outcome_at=as_of), (transition,))
    return Step(_closed(alert, "not_held", as_of), (transition,))


def _closed(alert: AlertRow, reason: str, as_of: Instant) -> AlertRow:
    closed = replace(alert, state=CLOSED, closed_at=as_of, close_reason=reason, clear_since=None)
    return replace(closed, unknown_since=None, unknown_reason=None, last_outcome_at=as_of)


def _days(us: int) -> str:
    days = us / DAY
    return f"{days:g} day" + ("" if days == 1 else "s")
