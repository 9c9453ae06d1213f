"""The daily digest per CSM, and the one list of everything but the most urgent accounts on the first run."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection

from alerts import digest as rendering
from alerts.growth import growth_waits
from alerts.lifecycle import ACTIVE_STATES
from alerts.message import Message
from alerts.view import DigestItem, DigestView
from alerts.words import date_words, day_of
from daemon.alerting.book import AlertPolicy, RuleBook, alert_rules
from daemon.alerting.outbox import row
from daemon.alerting.views import Backdrop, backdrop, person
from rules.language.model import RuleSet
from store import alerts as rows
from store import deliveries
from store.alertviews import ListedRow, churn_accounts, crm_ids, listed, member, recipients_with_alerts
from store.engine import Store
from store.records import Behind, Instant, ToldRow

BASELINE = "alerting:baseline_done"


def digest(store: Store, rules: RuleSet | RuleBook, policy: AlertPolicy, as_of: Instant) -> int:
    """Queue the digest of every CSM who has news; returns the messages queued. A second call at `as_of` adds none."""
    book = alert_rules(rules, policy) if isinstance(rules, RuleSet) else rules
    with store.read() as connection:
        if rows.setting(connection, BASELINE) is None:
            return 0
        # The words are those of the evaluation that the alerts stand at: what moves with time has one date per message.
        shared = backdrop(connection, book, policy, int(rows.setting(connection, "alerting:as_of") or as_of))
        recipients = recipients_with_alerts(connection)
    queued = 0
    for recipient in recipients:
        with store.write() as connection:
            queued += _one(connection, shared, recipient, as_of, "Daily digest")
    return queued


def first_list(connection: Connection, shared: Backdrop) -> int:
    """The first run's list per CSM: everything that did not get a message of its own."""
    recipients = recipients_with_alerts(connection)
    return sum(_one(connection, shared, to, shared.as_of, "First run") for to in recipients)


def _one(connection: Connection, shared: Backdrop, recipient: str | None, at: Instant, what: str) -> int:
    policy = shared.policy
    today = day_of(at, policy.timezone)
    found = listed(connection, recipient, today)
    churn = churn_accounts(connection, [rule.name for rule in shared.book.values() if rule.klass == "churn"])
    held = [row for row in found if row.told_kind == "held" and row.state in ACTIVE_STATES]
    new = [row for row in found if _is_new(row, shared, churn, at)]
    if not held and not new:
        return 0
    cleared = [row for row in found if row.state == "closed"]
    still = [row for row in found if row.told_kind == "listed" and row.state in ACTIVE_STATES]
    sections = [("Held back, and why", held, True), ("New", new, False), ("Cleared", cleared, False)]
    sections.append(("Still open", still, False))
    links = crm_ids(connection, [row.account_id for row in found])
    to = member(connection, recipient)
    view = DigestView(
        title=f"{what}, {date_words(today)}" + (f", {to.name}" if to else ", accounts without an active CSM"),
        recipient=person(to),
        day=today,
        sections=[(name, [_item(row, shared, links, why) for row in part]) for name, part, why in sections if part],
        routing="" if to else "No active CSM and no lead is known for these accounts",
        currency=policy.currency,
    )
    for listed_row in (*held, *new, *cleared):
        _mark(connection, listed_row, policy.alerts_channel, at)
    kind = "baseline" if what == "First run" else "digest"
    return _queue(connection, shared, view, (kind, recipient, at))


def _is_new(row: ListedRow, shared: Backdrop, churn: set[int], at: Instant) -> bool:
    rule = shared.book.get(row.rule)
    if row.told_kind is not None or row.state != "firing" or rule is None:
        return False
    if row.snoozed_until is not None and row.snoozed_until > at:
        return False
    held = growth_waits(row.account_id in churn, row.health, row.csat, shared.policy.red_below)
    return rule.klass != "growth" or held is None


def _item(row: ListedRow, shared: Backdrop, links: dict[int, list[tuple[str, str]]], why: bool) -> DigestItem:
    rule = shared.book.get(row.rule)
    sentence = rule.words(json.loads(row.evidence), shared.as_of, Behind()).sentence if rule else row.rule
    templates = shared.policy.links
    ids = dict(reversed(links.get(row.account_id, ())))
    urls = [address.replace("{id}", ids[source]) for source, address in templates.items() if source in ids]
    reason = (row.told_reason or "") if why else ""
    return DigestItem(row.account, urls[0] if urls else None, row.severity, sentence, row.renewal, row.arr, reason)


def _mark(connection: Connection, row: ListedRow, destination: str, at: Instant) -> None:
    kind, reason = "listed", row.told_reason or "in the digest"
    if row.state == "closed":
        kind, reason = ("resolved" if row.close_reason == "resolved" else "closed"), "in the digest"
    rows.save_told(connection, ToldRow(row.alert_id, destination, kind, row.severity, at, reason))


def _queue(connection: Connection, shared: Backdrop, view: DigestView, cause: tuple[str, str | None, Instant]) -> int:
    kind, recipient, at = cause
    pages: Sequence[Message] = rendering.render(view)
    queued = [
        row(
            page,
            cause=(*cause, number),
            lane=f"digest|{recipient}",
            destination=shared.policy.alerts_channel,
            op="post",
            kind=kind,
            at=at,
            expire_after=shared.policy.settings.expire_after,
        )
        for number, page in enumerate(pages)
    ]
    return deliveries.enqueue(connection, queued)
