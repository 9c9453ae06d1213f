"""Fill what messages show from the store's rows and the rules' words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from alerts import words
from alerts.growth import growth_waits
from alerts.lifecycle import ACTIVE_STATES, CLOSED, rank
from alerts.view import AccountCard, ConversationView, Person, RuleLine, RuleText
from daemon.alerting.book import AlertPolicy, RuleBook
from store.alerts import continued_by
from store.alertviews import CardRow, MemberRow, member, source_ages
from store.records import DAY, AlertRow, Behind, ConversationRow, Instant


@dataclass(frozen=True, slots=True)
class Backdrop:
    """What all messages of one run share."""

    book: RuleBook
    policy: AlertPolicy
    as_of: Instant
    freshness: str
    shadow: frozenset[str] = frozenset()
    """Rules that are evaluated and of which nobody is told: what they had open is closed, and says so."""


def backdrop(connection: Connection, book: RuleBook, policy: AlertPolicy, as_of: Instant) -> Backdrop:
    """Read what all messages of one run share."""
    # By the date only: an age would be another one at every evaluation.
    ages = source_ages(connection, as_of)
    read = {source: words.date_words(words.day_of(as_of - age)) for source, age in ages.items() if age >= DAY}
    old = [f"{source} was last read on {day}" for source, day in read.items()]
    fresh = "all data less than a day old" if ages else ""
    return Backdrop(book, policy, as_of, "; ".join(old) or fresh)


def account_card(
    connection: Connection, row: CardRow, crm: Sequence[tuple[str, str]], shared: Backdrop, recipient: str | None
) -> AccountCard:
    """The head of an account's messages, addressed to `recipient` (a member key)."""
    policy = shared.policy
    to = member(connection, recipient)
    order = list(policy.links)
    here = sorted((pair for pair in crm if pair[0] in policy.links), key=lambda pair: order.index(pair[0]))
    links = [(source, policy.links[source].replace("{id}", crm_id)) for source, crm_id in here]
    return AccountCard(
        name=row.name,
        links=tuple(_once_per_source(links)),
        tier=None if row.tier is None else tier_name(row.tier, policy.tier_names),
        arr=row.arr,
        renewal=row.renewal,
        currency=policy.currency,
        recipient=person(to),
        routing=routing(connection, row.csm, to),
        freshness=shared.freshness,
    )


def _once_per_source(links: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return list({source: (source, url) for source, url in reversed(links)}.values())[::-1]


def tier_name(tier: int, names: Sequence[str]) -> str:
    """The configured name of a tier; its number where there is none."""
    return names[tier - 1] if 0 < tier <= len(names) else str(tier)


def person(row: MemberRow | None) -> Person | None:
    """One of our people as messages name them."""
    return None if row is None else Person(row.name, row.email)


def routing(connection: Connection, csm: str | None, to: MemberRow | None) -> str:
    """Why a message goes to somebody else than the account's CSM; empty when it does not."""
    if csm is None:
        return "No CSM is on file for this account"
    if to is not None and to.key == csm:
        return ""
    absent = member(connection, csm)
    who = f"The CSM on file, {absent.name}, is not active" if absent else "The CSM on file is not known"
    return f"{who}: sent to their lead" if to is not None else f"{who}, and no lead is known"


def text_of(alert: AlertRow, shared: Backdrop, behind: Behind) -> RuleText:
    """The rule's words for an alert; its name where the rule is gone."""
    rule = shared.book.get(alert.rule)
    if rule is None:
        return RuleText(alert.rule.replace("-", " "))
    return rule.words(json.loads(alert.evidence), shared.as_of, behind)


def line_of(alert: AlertRow, shared: Backdrop, names: Mapping[str, str], behind: Behind) -> RuleLine:
    """One alert as its message shows it. `names`: member key -> name, for who acknowledged."""
    return RuleLine(
        rule=alert.rule,
        severity=alert.severity,
        state=alert.state,
        text=text_of(alert, shared, behind),
        fired_at=alert.fired_at or alert.last_outcome_at,
        clear_since=alert.clear_since,
        closed_at=alert.closed_at,
        close_reason=alert.close_reason,
        unknown_reason=alert.unknown_reason,
        unknown_since=alert.unknown_since,
        acked_by=None if alert.acked_by is None else names.get(alert.acked_by, alert.acked_by),
        snoozed_until=alert.snoozed_until,
        snooze_reason=alert.snooze_reason,
        feedback=alert.feedback,
    )


def conversation_view(
    connection: Connection,
    conversation: ConversationRow,
    card: AccountCard,
    alerts: Sequence[AlertRow],
    shared: Backdrop,
    *,
    behind: Behind,
    growth: bool = True,
) -> ConversationView:
    """A conversation as it stands: `alerts` are the newest episodes of the account's rules. `growth`: shown, not held."""
    keys = {alert.acked_by for alert in alerts if alert.acked_by}
    found = {key: member(connection, key) for key in keys}
    names = {key: row.name for key, row in found.items() if row is not None}
    mine = [alert for alert in alerts if routed_to(alert, conversation.destination, shared)]
    return ConversationView(
        key=conversation.key,
        card=card,
        as_of=shared.as_of,
        active=tuple(line_of(alert, shared, names, behind) for alert in mine if _shown(alert, shared, growth)),
        ended=tuple(line_of(alert, shared, names, behind) for alert in mine if _ended_here(alert, conversation)),
        earlier=continued_by(connection, conversation),
    )


def routed_to(alert: AlertRow, destination: str, shared: Backdrop) -> bool:
    """Does the alert's rule speak in this destination? A rule that is gone speaks where all do."""
    rule = shared.book.get(alert.rule)
    return shared.policy.destination(rule.notify if rule else "owner") == destination


def _shown(alert: AlertRow, shared: Backdrop, growth: bool) -> bool:
    """Say whether an alert is one of those a conversation shows as open."""
    rule = shared.book.get(alert.rule)
    return alert.state in ACTIVE_STATES and (growth or rule is None or rule.klass != "growth")


def waiting(alerts: Sequence[AlertRow], card: CardRow, shared: Backdrop) -> str | None:
    """Why news of growth are held on an account, None = they are not. `alerts`: all of its rules, wherever they speak."""
    return growth_waits(_churn_open(alerts, shared), card.health, card.csat, shared.policy.red_below)


def _churn_open(alerts: Sequence[AlertRow], shared: Backdrop) -> bool:
    """Say whether a churn alert of severity high or critical is active among them."""
    return any(
        alert.state in ACTIVE_STATES and rank(alert.severity) >= rank("high") and rule.klass == "churn"
        for alert in alerts
        if (rule := shared.book.get(alert.rule)) is not None
    )


def _ended_here(alert: AlertRow, conversation: ConversationRow) -> bool:
    ended = alert.state == CLOSED and alert.fired_at is not None and alert.closed_at is not None
    return ended and (alert.closed_at or 0) >= conversation.opened_at


def moved(view: ConversationView, to: str) -> ConversationView:
    """The old parent when a new one continues it."""
    return replace(view, moved_to=to)
