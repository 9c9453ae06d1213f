"""One account in one run: step its alerts, decide who is told, write the rows of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from alerts.lifecycle import ACTIVE_STATES, CLOSED, FIRING, Outcome, Seen, Step, Transition, close, step
from alerts.telling import Action, Decision, Situation, Way, decide
from alerts.words import day_bounds
from daemon.alerting.talk import Place, Talk
from daemon.alerting.views import Backdrop, routed_to, waiting
from store import alerts as rows
from store.alertviews import CardRow
from store.records import AlertRow, Behind, ConversationRow, Instant, ToldRow

_FIRED = ("fired", "reopened")
_REMOVED = ("rule_removed", "the rule was removed")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the store has on one account."""

    card: CardRow
    crm: Sequence[tuple[str, str]]
    findings: Mapping[str, rows.FindingRow]
    alerts: Mapping[str, AlertRow]
    """Newest episode by rule."""
    told: Mapping[tuple[int, str], ToldRow]
    conversations: Mapping[str, ConversationRow]
    """Open ones by destination."""
    said: Mapping[int, tuple[str, Instant]]
    """What each conversation's parent shows, and since when."""
    behind: Behind


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What was decided for the whole run before its first account, and is kept for a repeated run."""

    baseline: bool
    storms: frozenset[str]


@dataclass(slots=True)
class Tally:
    """What one run did."""

    transitions: int = 0
    deliveries: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)

    def count(self, steps: Sequence[Transition]) -> None:
        """Add the transitions of one alert."""
        self.transitions += len(steps)
        for transition in steps:
            self.by_kind[transition.kind] = self.by_kind.get(transition.kind, 0) + 1


@dataclass(frozen=True, slots=True)
class Run:
    """One transaction of a run: its connection, what all messages share, the plan, and the count of what was done."""

    connection: Connection
    shared: Backdrop
    plan: RunPlan
    tally: Tally


@dataclass(frozen=True, slots=True)
class Change:
    """One alert that was stepped. `before` is None where it is new."""

    before: AlertRow | None
    alert: AlertRow
    transitions: tuple[Transition, ...]


def handle(run: Run, loaded: Loaded) -> None:
    """Everything about one account, inside the run's transaction."""
    changes = [_saved(run, change) for change in _steps(loaded, run.shared)]
    after = {**loaded.alerts, **{change.alert.rule: change.alert for change in changes}}
    present = [after[rule] for rule in sorted(after)]
    destinations = {_destination(change.alert, run.shared) for change in changes} | set(loaded.conversations)
    for destination in sorted(destinations):
        mine = [change for change in changes if _destination(change.alert, run.shared) == destination]
        _tell(run, loaded, mine, present, destination)


def _destination(alert: AlertRow, shared: Backdrop) -> str:
    rule = shared.book.get(alert.rule)
    return shared.policy.destination(rule.notify if rule else "owner")


def _steps(loaded: Loaded, shared: Backdrop) -> list[Change]:
    """Alerts that differ after this evaluation."""
    changes = []
    for rule in sorted({*loaded.findings, *loaded.alerts}):
        before = loaded.alerts.get(rule)
        after = _unsnoozed(_step(rule, before, loaded, shared), shared)
        if after.alert is not None and after.alert != before:
            changes.append(Change(before, after.alert, after.transitions))
    return changes


def _step(rule: str, before: AlertRow | None, loaded: Loaded, shared: Backdrop) -> Step:
    known = shared.book.get(rule)
    is_open = before is not None and before.state != CLOSED
    if not loaded.card.in_scope:
        return (
            close(before, "account_gone", "no longer a customer in scope", shared.as_of)
            if is_open and before
            else Step(before)
        )
    if known is None:
        ended = ("rule_shadowed", "the rule now runs in the shadow") if rule in shared.shadow else _REMOVED
        return close(before, *ended, shared.as_of) if is_open and before else Step(before)
    finding = loaded.findings.get(rule)
    seen = Seen(rule, loaded.card.account_id, Outcome.FALSE, known.version)
    if finding is not None and finding.outcome == "fires":
        seen = replace(seen, outcome=Outcome.TRUE, severity=finding.severity, evidence=finding.evidence)
    elif finding is not None:
        seen = replace(seen, outcome=Outcome.UNKNOWN, reason=finding.reason)
    return _unless_idle(before, step(before, seen, shared.as_of, shared.policy.hold(known)))


def _unless_idle(before: AlertRow | None, after: Step) -> Step:
    """A row that differs in its stamp alone is not written again: evaluations that change nothing write nothing."""
    if before is None or after.alert is None or after.transitions:
        return after
    return Step(before) if replace(after.alert, last_outcome_at=before.last_outcome_at) == before else after


def _unsnoozed(after: Step, shared: Backdrop) -> Step:
    alert = after.alert
    if alert is None or alert.state == CLOSED or alert.snoozed_until is None or alert.snoozed_until > shared.as_of:
        return after
    awake = replace(alert, snoozed_until=None, snoozed_by=None, snooze_reason=None)
    return Step(awake, (*after.transitions, Transition("unsnoozed", "the snooze is over")))


def _saved(run: Run, change: Change) -> Change:
    alert_id = rows.save_alert(run.connection, change.alert)
    changes = [(transition.kind, transition.reason) for transition in change.transitions]
    rows.add_transitions(run.connection, alert_id, run.shared.as_of, changes)
    run.tally.count(change.transitions)
    return replace(change, alert=replace(change.alert, id=alert_id))


def _tell(run: Run, loaded: Loaded, changes: Sequence[Change], present: Sequence[AlertRow], destination: str) -> None:
    """Decide for one destination and write what was decided. `present`: the account's alerts, wherever they speak."""
    conversation = loaded.conversations.get(destination)
    waits = waiting(present, loaded.card, run.shared)
    situation = _situation(run, loaded, conversation, waits)
    decided: list[tuple[Change, Decision]] = []
    for change in changes:
        rule = run.shared.book.get(change.alert.rule)
        told = loaded.told.get((change.alert.id or 0, destination))
        storm = change.alert.rule in run.plan.storms and any(t.kind in _FIRED for t in change.transitions)
        klass = rule.klass if rule else ""
        decision = decide(change.alert, change.transitions, klass, told, replace(situation, storm=storm))
        decided.append((change, _if_flipped(decision, change)))
    said = None if conversation is None else loaded.said.get(conversation.id)
    place = Place(run.connection, run.shared, loaded.card, loaded.crm, destination, loaded.behind, said, waits)
    talk = Talk(place, conversation, [alert for alert in present if routed_to(alert, destination, run.shared)])
    told_in = talk.say([(change.alert, decision) for change, decision in decided])
    run.tally.deliveries += talk.queued
    for change, decision in decided:
        _record(run, change, decision, destination, told_in)


def _if_flipped(decision: Decision, change: Change) -> Decision:
    """New numbers alone make no edit of their own: the parent is looked at once on each later day."""
    if decision.way is not Way.EDIT or change.transitions:
        return decision
    return Decision(decision.action, Way.NOTHING, "new numbers are shown on the next day")


def _situation(run: Run, loaded: Loaded, conversation: ConversationRow | None, waits: str | None) -> Situation:
    as_of, policy = run.shared.as_of, run.shared.policy
    settings, recipient = policy.settings, loaded.card.recipient
    start, end = day_bounds(as_of, policy.timezone)
    used = rows.opened_between(run.connection, recipient, start, end, ("high",))
    first = rows.accounts_opened_at(run.connection, recipient, as_of) if run.plan.baseline else 0
    return Situation(
        as_of=as_of,
        conversation=conversation,
        budget=settings.high_per_csm_day - used,
        daily_cap=settings.high_per_csm_day,
        baseline=run.plan.baseline,
        first_run_left=settings.first_run_per_csm - first,
        growth_waits=waits,
        parent_max_age_us=settings.parent_max_age,
        flap_window_us=settings.flap_window,
    )


def _record(run: Run, change: Change, decision: Decision, destination: str, told_in: int | None) -> None:
    """Keep the decision with its reason; and what the destination now knows."""
    alert, as_of = change.alert, run.shared.as_of
    assert alert.id is not None
    if change.transitions and alert.state in (*ACTIVE_STATES, CLOSED):
        said = decision.action if decision.way is not Way.NOTHING else Action.NONE
        rows.add_transitions(run.connection, alert.id, as_of, [(f"told:{said}:{decision.way}", decision.reason)])
    kind = None
    if decision.way in (Way.PARENT, Way.REPLY) or (decision.way is Way.EDIT and decision.action is not Action.NONE):
        kind = str(decision.action)
    elif decision.way is Way.HELD and alert.state == FIRING:
        kind = "held"
    if kind is not None:
        told = ToldRow(alert.id, destination, kind, alert.severity, as_of, decision.reason, told_in)
        rows.save_told(run.connection, told)
