"""The score of a demo run: what happened, against what should have, from the store, from Slack and from the vendors' logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, func, select

from daemon.demo import calls, identities, telling
from daemon.demo.seen import Accounts, Seen
from daemon.demo.truthtable import CAUGHT, FALSE, MISSED, table, verdicts
from rules.language.model import RuleSet
from store.engine import Store
from store.records import DAY, HOUR, Instant
from store.tables import (
    account_fields,
    accounts,
    crm_activities,
    crm_contacts,
    facts,
    members,
    slack_users,
    tier_ledger,
)

LEAD_DAYS = 30


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the score is computed from."""

    store: Store
    rules: RuleSet
    start: Instant
    """The first evaluation."""
    days: int
    truth: Mapping[str, Any]
    messages: Sequence[Mapping[str, Any]]
    """Of `GET /slack/messages`."""
    requests: Sequence[Mapping[str, Any]]
    """Of `GET /requests?bodies=1`."""
    changes: Iterable[calls.VendorChange]
    """What the world did to the vendors' records."""
    wrong_tiers: Sequence[Mapping[str, str]]
    """Of the CRMs themselves, see `crm.wrong`."""
    identity: Mapping[str, Any]
    """See `identities.compare`."""
    facts: Mapping[str, Any]
    """See `factcheck.compare`."""


def score(evidence: Evidence, alerts: Sequence[Seen], seconds: float) -> dict[str, Any]:
    """The machine-readable result; `truth_table` holds every (account, rule). `alerts` are what `seen` gives."""
    store = evidence.store
    by_id = Accounts(store)
    rows = table(evidence.truth, alerts, by_id)
    churn = _churn(evidence, alerts, by_id)
    classes = {rule.name: rule.klass for rule in evidence.rules.rules}
    gone = {by_id.of(entry) for entry in evidence.truth["churn"]}
    with store.read() as conn:
        sizes = _sizes(conn)
        written = _count(conn, tier_ledger, tier_ledger.c.state.in_(("written", "verified")))
    return {
        **sizes,
        "days": evidence.days,
        "rules": _judged(evidence),
        "alerts_by_rule": dict(sorted(Counter(alert.rule for alert in alerts).items())),
        "slack_messages": len(telling.posted(evidence.messages)),
        "duplicates": telling.duplicates(evidence.messages),
        "lost": len(telling.lost(store, evidence.messages)),
        "tiers_written": written,
        "tiers_wrong": list(evidence.wrong_tiers),
        "identity": evidence.identity,
        "facts": evidence.facts,
        "api_calls": calls.count(store, evidence.requests, evidence.changes),
        "ground_truth": verdicts(rows),
        "churn": churn,
        "churn_alerts_on_customers_who_stayed": sum(
            classes[alert.rule] == "churn" and alert.account_id not in gone for alert in alerts
        ),
        "messages_per_csm_day": _per_csm_day(evidence),
        "planted": _planted(evidence.truth, rows, by_id),
        "seconds": round(seconds, 1),
        "truth_table": rows,
    }


def passed(result: Mapping[str, Any]) -> bool:
    """Nothing missed, false, lost or doubled, and every fact, tier field, link and conflict as it should be."""
    ground = result["ground_truth"]
    amiss = ground[MISSED] or ground[FALSE] or result["tiers_wrong"]
    amiss = amiss or result["facts"]["different"]
    return not (amiss or result["lost"] or result["duplicates"]) and identities.right(result["identity"])


def _judged(evidence: Evidence) -> dict[str, list[str]]:
    """Which rules in force are scored, and of which the world's truth knows nothing."""
    known = frozenset(evidence.truth["rules"])
    names = sorted(rule.name for rule in evidence.rules.rules)
    return {"scored": [n for n in names if n in known], "not_scored": [n for n in names if n not in known]}


def _sizes(conn: Connection) -> dict[str, int]:
    return {
        "accounts": _count(conn, accounts, accounts.c.closed_at.is_(None)),
        "customers": _count(conn, facts),
        "contacts": _count(conn, crm_contacts, crm_contacts.c.deleted_at.is_(None)),
        "activities": _count(conn, crm_activities, crm_activities.c.deleted_at.is_(None)),
    }


def _count(conn: Connection, rows: FromClause, *where: ColumnElement[bool]) -> int:
    return int(conn.execute(select(func.count()).select_from(rows).where(*where)).scalar_one())


def _planted(truth: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], accounts_: Accounts) -> dict[str, int]:
    """Of the planted stories whose alert opens in time: how many there are, and how many were caught."""
    caught = {(row["account_id"], row["rule"]) for row in rows if row["verdict"] == CAUGHT}
    wanted = [(accounts_.of(story), story["rule"]) for story in truth["planted"] if story["should_be_caught"]]
    return {"stories": len(wanted), "caught": sum(story in caught for story in wanted)}


def _churn(evidence: Evidence, alerts: Sequence[Seen], accounts_: Accounts) -> dict[str, Any]:
    """Customers of the first day that are lost in the demo or the 120 days after it, by what their CSMs were told.

    `too_soon`: lost before anybody could be told 30 days ahead; part of `churned`, and no miss.
    """
    churn_rules = {rule.name for rule in evidence.rules.rules if rule.klass == "churn"}
    told: list[str] = []
    by_own_message: list[str] = []
    missed: list[dict[str, Any]] = []
    too_soon: list[str] = []
    for loss in evidence.truth["churn"]:
        account = accounts_.of(loss)
        warnings = [a for a in alerts if a.account_id == account and a.rule in churn_rules and a.told_day is not None]
        in_time = [a for a in warnings if a.told_day is not None and loss["day"] - a.told_day >= LEAD_DAYS]
        if in_time:
            told.append(loss["name"])
            by_own_message += [loss["name"]] * any(a.told_where in ("alert", "reply") for a in in_time)
        elif loss["day"] < LEAD_DAYS:
            too_soon.append(loss["name"])
        else:
            first = min((a.told_day for a in warnings if a.told_day is not None), default=None)
            missed.append({"name": loss["name"], "lost_on_day": loss["day"], "first_told_day": first})
    return {
        "churned": len(evidence.truth["churn"]),
        "told_30_days_before": len(told),
        "missed": missed,
        "too_soon": too_soon,
        "told_by_a_message_of_its_own": len(by_own_message),
    }


def _per_csm_day(evidence: Evidence) -> dict[str, float]:
    """Messages that mention a CSM, over every CSM and every day, days without one included."""
    with evidence.store.read() as conn:
        csms = select(account_fields.c.text).where(account_fields.c.field == "csm").distinct()
        query = select(slack_users.c.slack_id).where(slack_users.c.slack_id.is_not(None))
        users = set(conn.execute(query.where(slack_users.c.email.in_(csms))).scalars())
        everybody = _count(conn, members, members.c.key.in_(csms), members.c.active == 1)
    counts: Counter[tuple[str, int]] = Counter()
    for message in telling.posted(evidence.messages):
        said = " ".join((message["text"], *telling.texts(telling.first_blocks(message))))
        day = (message["at"] - evidence.start + HOUR) // DAY
        counts.update((user, day) for user in users if f"<@{user}>" in said)
    people = max(everybody, len(users))
    each = sorted(counts.values()) + [0] * (people * evidence.days - len(counts))
    return {"median": median(each) if each else 0, "max": max(each, default=0)}
