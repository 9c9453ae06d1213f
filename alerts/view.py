"""What a message shows, as plain data: the daemon fills it from the store and the rules, `alerts.message` renders it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from store.records import Day, Instant


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule's own words about one account."""

    sentence: str
    evidence: tuple[str, ...] = ()
    clears_when: str = ""
    play: str = ""


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One alert as its message shows it."""

    rule: str
    severity: str
    state: str
    """firing | recovering | closed"""
    text: RuleText
    fired_at: Instant
    clear_since: Instant | None = None
    closed_at: Instant | None = None
    close_reason: str | None = None
    unknown_reason: str | None = None
    unknown_since: Instant | None = None
    acked_by: str | None = None
    snoozed_until: Instant | None = None
    snooze_reason: str | None = None
    feedback: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """One of our people, by name and e-mail address."""

    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class AccountCard:
    """What stands on top of every message about an account. Money in minor units of `currency`."""

    name: str
    links: Sequence[tuple[str, str]] = ()
    """(label, address) of the account in each CRM."""
    tier: str | None = None
    arr: int | None = None
    renewal: Day | None = None
    currency: str = "USD"
    recipient: Person | None = None
    routing: str = ""
    """Why it goes to somebody else than the account's CSM; empty when it does not."""
    freshness: str = ""


@dataclass(frozen=True, slots=True)
class ConversationView:
    """One conversation: the account, the rules that fire, those that have cleared since it opened."""

    key: str
    card: AccountCard
    as_of: Instant
    active: Sequence[RuleLine]
    ended: Sequence[RuleLine] = ()
    earlier: str | None = None
    """Key of the conversation that this one continues."""
    moved_to: str | None = None
    """Key of the conversation that continues this one."""


@dataclass(frozen=True, slots=True)
class ReplyView:
    """News in an open conversation."""

    card: AccountCard
    as_of: Instant
    lines: Sequence[tuple[RuleLine, str]] = ()
    """(line, what is new about it: opened | escalated | reminder)"""
    note: str = ""
    """A sentence of its own instead of lines: the account has moved to somebody else."""


@dataclass(frozen=True, slots=True)
class DigestItem:
    """One alert in a list."""

    account: str
    url: str | None
    severity: str
    sentence: str
    renewal: Day | None = None
    arr: int | None = None
    why: str = ""
    """Why it is in the list instead of in a message of its own."""


@dataclass(frozen=True, slots=True)
class DigestNote:
    """One line that is not about an alert, and what to do about it."""

    sentence: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class DigestView:
    """One CSM's list: the daily digest, or everything but the most urgent accounts on the first run."""

    title: str
    recipient: Person | None
    day: Day
    sections: Sequence[tuple[str, Sequence[DigestItem]]]
    routing: str = ""
    currency: str = "USD"
    notes: Sequence[tuple[str, Sequence[DigestNote], str]] = ()
    """Heading, lines, and where those are listed that are too many; they stand after the alerts."""
