"""The daily digest per CSM with what is his or hers to mend, and the one list of everything but the most urgent accounts on the first run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from alerts import digest as rendering
from alerts.growth import growth_waits
from alerts.lifecycle import ACTIVE_STATES
from alerts.message import Message
from alerts.view import DigestItem, DigestView
from alerts.words import date_words, day_of
from daemon.alerting.book import AlertPolicy, RuleBook, alert_rules
from daemon.alerting.outbox import row
from daemon.alerting.owned import Owned, owned
from daemon.alerting.views import Backdrop, backdrop, person
from rules.language.model import RuleSet
from store import alerts as rows
from store import deliveries, roster
from store.alertviews import ListedRow, churn_accounts, crm_ids, listed, member, recipients_with_alerts
from store.engine import Store
from store.records import Behind, Instant, ToldRow

BASELINE = "alerting:baseline_done"
FIRST = "First run"
NO_NEWS = Owned()


def digest(store: Store, rules: RuleSet | RuleBook, policy: AlertPolicy, as_of: Instant) -> int:
    """Queue the digest of every CSM who has news; returns the messages queued. A second call at `as_of` adds none.

    News are alerts, and, told once, gaps in the data and relationships that are his or hers to mend.
    """
    book = alert_rules(rules, policy) if isinstance(rules, RuleSet) else rules
    with store.write() as connection:
        if rows.setting(connection, BASELINE) is None:
            return 0
        roster.back_again(connection)
        # The words are those of the evaluation that the alerts stand at: what moves with time has one date per message.
        shared = backdrop(connection, book, policy, int(rows.setting(connection, "alerting:as_of") or as_of))
        recipients = recipients_with_alerts(connection)
        mine = owned(connection, as_of, policy.timezone)
    queued = 0
    for recipient in (*recipients, *sorted(mine.keys() - set(recipients))):
        with store.write() as connection:
            issue = _Issue(as_of, "Daily digest", mine.get(recipient or "", NO_NEWS))
            queued += _one(connection, shared, recipient, issue)
    return queued


def first_list(connection: Connection, shared: Backdrop) -> int:
    """The first run's list per CSM: everything that did not get a message of its own."""
    recipients = recipients_with_alerts(connection)
    return sum(_one(connection, shared, to, _Issue(shared.as_of, FIRST)) for to in recipients)


@dataclass(frozen=True, slots=True)
class _Issue:
    """One digest: when, what it is called, and what its recipient was not told yet besides alerts."""

    at: Instant
    title: str
    news: Owned = NO_NEWS


def _one(connection: Connection, shared: Backdrop, recipient: str | None, issue: _Issue) -> int:
    policy, at, news = shared.policy, issue.at, issue.news
    today = day_of(at, policy.timezone)
    found = listed(connection, recipient, today)
    churn = churn_accounts(connection, [rule.name for rule in shared.book.values() if rule.klass == "churn"])
    held = [row for row in found if row.told_kind == "held" and row.state in ACTIVE_STATES]
    new = [row for row in found if _is_new(row, shared, churn, at)]
    if not held and not new and not news:
        return 0
    cleared = [row for row in found if row.state == "closed"]
    still = [row for row in found if row.told_kind == "listed" and row.state in ACTIVE_STATES]
    sections = [("Held back, and why", held, True), ("New", new, False), ("Cleared", cleared, False)]
    sections.append(("Still open", still, False))
    links = crm_ids(connection, [row.account_id for row in found])
    to = member(connection, recipient)
    view = DigestView(
        title=f"{issue.title}, {date_words(today)}" + (f", {to.name}" if to else ", accounts without an active CSM"),
        recipient=person(to),
        day=today,
        sections=[(name, [_item(row, shared, links, why) for row in part]) for name, part, why in sections if part],
        notes=news.notes,
        routing="" if to else "No active CSM and no lead is known for these accounts",
        currency=policy.currency,
    )
    for listed_row in (*held, *new, *cleared):
        _mark(connection, listed_row, policy.alerts_channel, at)
    news.keep_told(connection, at)
    kind = "baseline" if issue.title == FIRST else "digest"
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
