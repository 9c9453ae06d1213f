"""Who waits for whom, what support has to do, and who has left: read from the records of one customer at one instant."""

from __future__ import annotations

from fractions import Fraction

from sandbox.world.model import Company, Person
from sandbox.world.truth_book import Book, standing
from sandbox.world.truth_contact import NOT_CAPTURED, STRONG, Contact, strength
from sandbox.world.truth_logic import Unknown
from sandbox.world.when import DAY, HOUR

OUTREACH_DAYS, QUARTER, ANSWERED_DAYS = 30, 90, 180
URGENT = ("urgent", "critical", "high")
PER_ARR = 1_000 * 100
"""Load is counted per 1,000 of ARR, which is in cents."""


def awaiting_reply(contact: Contact) -> int | Unknown:
    """Whole hours since the oldest mail of theirs after which nobody of ours reached anybody who was on it; 0 = none."""
    if not contact.covered("any"):
        return NOT_CAPTURED
    waiting = [
        mail.at
        for mail in contact.touches
        if mail.kind == "email" and mail.inbound and not _answered(contact, {p.key for p in mail.persons}, mail.at)
    ]
    return (contact.as_of - min(waiting)) // HOUR if waiting else 0


def _answered(contact: Contact, who: set[str], since: int) -> bool:
    return any(t.outbound and t.at > since and any(p.key in who for p in t.persons) for t in contact.touches)


def unanswered_outreach(contact: Contact) -> int | Unknown:
    """Our mails of 30 days to one executive who has not replied since; the most over all executives on file."""
    if not contact.covered("exec"):
        return NOT_CAPTURED
    execs = [p for p in contact.persons if standing(p, contact.as_of) == "exec"]
    return max((_unanswered(contact, who) for who in execs), default=0)


def _unanswered(contact: Contact, who: Person) -> int:
    mine = contact.by_person[who.key]
    replied = max((t.at for t in mine if t.inbound), default=0)
    since = max(replied, contact.as_of - OUTREACH_DAYS * DAY)
    return sum(t.kind == "email" and t.outbound and t.at > since for t in mine)


def champions_lost(book: Book, company: Company, contact: Contact) -> int | Unknown:
    """People deleted in the last 90 days with whom somebody of ours was strong on any of the 90 days before."""
    gone = [p for p in book.removed(company, contact.as_of) if contact.as_of - QUARTER * DAY < (p.removed_at or 0)]
    if not contact.covered("any"):
        return NOT_CAPTURED
    return sum(_was_strong(book, company, who) for who in gone)


def _was_strong(book: Book, company: Company, who: Person) -> bool:
    assert who.removed_at is not None
    at_all = [t for t in book.touches(company, who.removed_at) if who in t.persons]
    days = (who.removed_at - n * DAY for n in range(QUARTER + 1))
    return any(strength([t for t in at_all if t.at <= day], day) >= STRONG for day in days)


def nps(book: Book, company: Company, as_of: int) -> int | None:
    """The latest answer of 180 days; of two at the same instant the lower."""
    recent = [a for a in book.answers(company, as_of) if a.at > as_of - ANSWERED_DAYS * DAY]
    return min((a.nps for a in recent if a.at == recent[-1].at), default=None)


def offering_shown(contact: Contact, released: int, word: str) -> bool | Unknown:
    """Has a meeting since the day of the release had the word in its title; nobody in this world clicks Yes or No."""
    met = [t for t in contact.touches if t.kind == "meeting" and t.at >= released * DAY]
    if any(word.lower() in t.title.lower() for t in met):
        return True
    return False if contact.covered("any") else NOT_CAPTURED


def open_tickets(book: Book, company: Company, as_of: int) -> tuple[int, int] | Unknown:
    """How many tickets are open, and how many of these are urgent; missing where no source of the account has any."""
    if not _has_tickets(book, company, as_of):
        return Unknown("no_source")
    still = [t for t in book.tickets(company, as_of) if t.closed_at is None or t.closed_at > as_of]
    return len(still), sum(t.priority.lower() in URGENT for t in still)


def load(book: Book, company: Company, contact: Contact) -> int | Unknown:
    """Tickets opened and touches of theirs in 90 days; nobody in this world records exceptions."""
    as_of = contact.as_of
    if not _has_tickets(book, company, as_of):
        return Unknown("no_source")
    if not contact.covered("any"):
        return NOT_CAPTURED
    since = as_of - QUARTER * DAY
    opened = sum(t.opened_at > since for t in book.tickets(company, as_of))
    return opened + sum(t.inbound and t.at > since for t in contact.touches)


def load_per_arr(work: int | Unknown, arr: object) -> Fraction | Unknown:
    """Load per 1,000 of ARR."""
    if isinstance(work, Unknown):
        return work
    return Fraction(work * PER_ARR, arr) if isinstance(arr, int) and arr else Unknown("not_on_file")


def _has_tickets(book: Book, company: Company, as_of: int) -> bool:
    return any(system in book.first_ticket and book.first_ticket[system] <= as_of for system in company.systems)
