"""One alerting step: plan the run, walk the accounts that differ in bounded transactions, close the first run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from alerts import message
from alerts.lifecycle import rank
from alerts.telling import URGENT, storm
from alerts.words import day_of
from daemon.alerting.account import Loaded, Run, RunPlan, Tally, handle
from daemon.alerting.behind import rows_behind
from daemon.alerting.book import AlertPolicy, RuleBook, alert_rules, in_shadow
from daemon.alerting.digest import first_list
from daemon.alerting.outbox import operators_row
from daemon.alerting.views import Backdrop, backdrop
from rules.language.model import RuleSet
from store import alerts as rows
from store import deliveries
from store.alertviews import cards, crm_ids
from store.engine import Store
from store.records import Behind, ConversationRow, Instant

NOTHING = Behind()
LAST_RUN, PLAN, BASELINE = "alerting:as_of", "alerting:plan", "alerting:baseline_done"


@dataclass(frozen=True, slots=True)
class Advance:
    """What one alerting step did. `skipped` says why it did nothing at all."""

    accounts: int = 0
    transitions: int = 0
    deliveries: int = 0
    by_kind: Mapping[str, int] = field(default_factory=dict)
    baseline: bool = False
    storms: tuple[str, ...] = ()
    skipped: str = ""


def advance(store: Store, rules: RuleSet | RuleBook, policy: AlertPolicy, as_of: Instant) -> Advance:
    """Bring alerts in line with findings at `as_of`; a second call at the same instant changes nothing."""
    book = alert_rules(rules, policy) if isinstance(rules, RuleSet) else rules
    keys = [rule.key for _, rule in sorted(book.items())]
    today = day_of(as_of, policy.timezone)
    with store.read() as connection:
        last = int(rows.setting(connection, LAST_RUN) or 0)
        if as_of < last:
            return Advance(skipped=f"alerts stand at a later instant ({last}) and never go back")
        changed = rows.changed_accounts(connection, keys, as_of, policy.settings.flap_window, today)
        shadow = in_shadow(rules) if isinstance(rules, RuleSet) else frozenset()
        shared = replace(backdrop(connection, book, policy, as_of), shadow=shadow)
        if as_of == last and not changed:
            return Advance()
        # On a later day every open conversation is looked at: does its parent still say what is so?
        talking = rows.talking_accounts(connection) if day_of(last, policy.timezone) < today else []
    plan = _plan(store, keys, shared)
    tally = Tally()
    seen = set(changed)
    looked_at = [*changed, *(account for account in talking if account not in seen)]
    for start in range(0, len(looked_at), policy.chunk):
        with store.write() as connection:
            run = Run(connection, shared, plan, tally)
            for loaded in _load(connection, looked_at[start : start + policy.chunk], shared):
                handle(run, loaded)
    with store.write() as connection:
        tally.deliveries += _finish(connection, shared, plan)
    return Advance(
        len(changed), tally.transitions, tally.deliveries, tally.by_kind, plan.baseline, tuple(sorted(plan.storms))
    )


def _plan(store: Store, keys: Sequence[rows.RuleKey], shared: Backdrop) -> RunPlan:
    """The run's plan. A run that was cut short counted before its accounts changed, so its plan is kept and used again."""
    with store.write() as connection:
        kept: dict[str, Any] = json.loads(rows.setting(connection, PLAN) or "{}")
        if kept.get("as_of") != shared.as_of:
            kept = _new_plan(connection, keys, shared)
            rows.save_setting(connection, PLAN, json.dumps(kept, sort_keys=True))
    return RunPlan(bool(kept["baseline"]), frozenset(kept["storms"]))


def _new_plan(connection: Connection, keys: Sequence[rows.RuleKey], shared: Backdrop) -> dict[str, Any]:
    baseline = rows.setting(connection, BASELINE) is None
    customers = rows.portfolio(connection)
    settings = shared.policy.settings
    storms: dict[str, int] = {}
    for key in [] if baseline else keys:
        count = rows.newly_firing(connection, key, shared.as_of)
        if storm(count, customers, settings.storm_share, settings.storm_at_least):
            storms[key.name] = count
    return {"as_of": shared.as_of, "baseline": baseline, "storms": storms, "customers": customers}


def _load(connection: Connection, chunk: Sequence[int], shared: Backdrop) -> list[Loaded]:
    """The accounts of a chunk in its order, with everything the store has on them."""
    found = cards(connection, chunk)
    crm = crm_ids(connection, chunk)
    findings, alerts = rows.findings_of(connection, chunk), rows.newest_alerts(connection, chunk)
    told = rows.told_of(connection, [alert.id for alert in alerts if alert.id is not None])
    conversations = rows.open_conversations(connection, chunk)
    said = deliveries.last_said(connection, [row.id for row in conversations])
    behind = rows_behind(connection, shared.policy, shared.as_of, _speaking(findings, conversations))
    told_by_place = {(row.alert_id, row.destination): row for row in told}
    return [
        Loaded(
            card=found[account],
            crm=crm.get(account, ()),
            findings={row.rule: row for row in findings if row.account_id == account},
            alerts={row.rule: row for row in alerts if row.account_id == account},
            told=told_by_place,
            conversations={row.destination: row for row in conversations if row.account_id == account},
            said=said,
            behind=behind.get(account, NOTHING),
        )
        for account in chunk
    ]


def _speaking(findings: Sequence[rows.FindingRow], conversations: Sequence[ConversationRow]) -> list[int]:
    """Accounts that may get a message of their own: one is open, or a rule of such a severity fires."""
    loud = {row.account_id for row in findings if row.outcome == "fires" and rank(row.severity) >= URGENT}
    return sorted(loud | {row.account_id for row in conversations})


def _finish(connection: Connection, shared: Backdrop, plan: RunPlan) -> int:
    queued = 0
    if plan.baseline:
        queued += first_list(connection, shared)
        rows.save_setting(connection, BASELINE, str(shared.as_of))
    if plan.storms:
        queued += _tell_storm(connection, shared)
    rows.save_setting(connection, LAST_RUN, str(shared.as_of))
    return queued


def _tell_storm(connection: Connection, shared: Backdrop) -> int:
    kept = json.loads(rows.setting(connection, PLAN) or "{}")
    details = [f"{rule}: newly fires on {count:,} of {kept['customers']:,}" for rule, count in kept["storms"].items()]
    share = f"{shared.policy.settings.storm_share:.0%}"
    note = message.operators(
        f"Held back: a rule newly fires on more than {share} of the portfolio in one run",
        "see whether the data or the rule has changed; the accounts are in the CSMs' digests",
        details,
    )
    channel = shared.policy.operators_channel
    row = operators_row(note, cause=("storm", shared.as_of), destination=channel, at=shared.as_of)
    return deliveries.enqueue(connection, [row])
