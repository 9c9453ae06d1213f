"""The World's records by account and by teammate, and what of them is known at an instant.

A row is known from its stamp (`logged_at`, `on_file_at`, `created_at`); its age runs from when it happened. Persons are
contacts, and addresses at the account's domain that are seen on a touch: those are on file from the first such touch on.

Accounts form a tree. What carries no ARR itself belongs to the nearest account above that does: its people and its touches
are that account's. Nothing goes down, so a holding that carries nothing is nobody's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from sandbox.world.model import Answer, Company, Deal, Happening, Person, Ticket, UsagePoint, World
from sandbox.world.titles import EXEC_LEVELS
from sandbox.world.truth_logic import Unknown
from sandbox.world.when import DAY

MOST_RECIPIENTS = 5
"""A mail to more customer addresses than these is a circular."""
SPONSOR = "Executive Sponsor"
NOT_HELD = ("cancelled", "no_show")
Row = TypeVar("Row", Deal, UsagePoint)


@dataclass(frozen=True, slots=True)
class Touch:
    """A two-party activity that happened. Calls and meetings are both inbound and outbound."""

    at: int
    kind: str
    inbound: bool
    outbound: bool
    persons: tuple[Person, ...]
    teammates: tuple[str, ...]
    """Who of ours took part."""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Booking:
    """A meeting that lies ahead."""

    at: int
    persons: tuple[Person, ...]


def standing(person: Person, as_of: int) -> str:
    """Exec (director or above) | user (flagged, or known to be below) | unclassified.

    An executive sponsor is one from the day on which the CRM says so; other roles say nothing of rank.
    """
    if person.level in EXEC_LEVELS or (
        person.role == SPONSOR and person.role_at is not None and person.role_at <= as_of
    ):
        return "exec"
    return "user" if person.product_user or person.level is not None else "unclassified"


class Book:
    """Look-ups over one World. Instants are UTC microseconds."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._leaving = {t.key: t.leaves_at for t in world.teammates}
        self.companies: dict[str, Company] = {c.key: c for c in world.companies}
        self.people: dict[str, Person] = {p.key: p for p in world.persons}
        self._carriers = {key: self._carrier(key) for key in self.companies}
        """Account -> the one that is evaluated for it."""
        self._persons: dict[str, list[Person]] = defaultdict(list)
        for person in world.persons:
            for key in (person.account, *person.also_at):
                self._persons[self._carriers[key]].append(person)
        self._first_seen: dict[tuple[str, str], int] = {}
        """(account, person in no CRM) -> since when a touch has told of them."""
        self._deals = _by_account(world.deals)
        self._paid: dict[str, list[Deal]] = defaultdict(list)
        for deal in world.deals:
            self._paid[self._carriers[deal.account]].append(deal)
        self._tickets: dict[str, list[Ticket]] = defaultdict(list)
        for ticket in world.tickets:
            self._tickets[self._carriers[ticket.account]].append(ticket)
        self._answers: dict[str, list[Answer]] = defaultdict(list)
        for answer in world.answers:
            self._answers[self._carriers[answer.account]].append(answer)
        self._usage = self._added_up(world.usage)
        self._touches: dict[str, list[tuple[Happening, Touch]]] = defaultdict(list)
        """Per account what is a touch once it has happened, if it is not called off."""
        self._meetings: dict[str, list[tuple[Happening, Booking]]] = defaultdict(list)
        for happening in world.happenings:
            self._enter(happening)
        self.captured: dict[str, list[tuple[int, int]]] = defaultdict(list)
        """Per teammate the mails and meetings, whatever the account: (logged, happened)."""
        self.first_ticket: dict[str, int] = {}
        """When the first ticket of all was opened in a system."""
        for ticket in world.tickets:
            for system in ticket.systems:
                self.first_ticket[system] = min(ticket.opened_at, self.first_ticket.get(system, ticket.opened_at))
        self.covered: dict[tuple[str, int], bool] = {}
        """What was found out about a teammate at an instant, since all accounts that one of ours looks after ask the same."""
        self.healths: dict[tuple[str, int], float | Unknown] = {}
        """What was found out of a customer's health at an instant: the fall of 30 days asks for it again."""
        for happening in world.happenings:
            if happening.kind in ("email", "meeting") and not happening.automatic:
                for who in happening.teammates:
                    self.captured[who].append((happening.logged_at, happened_at(happening)))

    def day(self, day: int) -> int:
        """The instant of the evaluation on a demo day."""
        return self.world.start + day * DAY

    def is_active(self, who: str, as_of: int) -> bool:
        """Is somebody on the team, and has not left by an instant."""
        leaves_at = self._leaving.get(who, 0)
        return leaves_at is None or as_of < leaves_at

    def on_file(self, company: Company, as_of: int) -> list[Person]:
        """The account's persons at an instant."""
        return [p for p in self._persons.get(company.key, ()) if self._is_on_file(p, company, as_of)]

    def deals(self, company: Company, as_of: int) -> list[Deal]:
        """The account's deals that exist at an instant."""
        return [d for d in self._deals.get(company.key, ()) if d.created_at <= as_of]

    def paid(self, company: Company, as_of: int) -> list[Deal]:
        """The deals of the account, and of what lies below it, that exist at an instant."""
        return [d for d in self._paid.get(company.key, ()) if d.created_at <= as_of]

    def tickets(self, company: Company, as_of: int) -> list[Ticket]:
        """The tickets opened by an instant."""
        return [t for t in self._tickets.get(company.key, ()) if t.opened_at <= as_of]

    def answers(self, company: Company, as_of: int) -> list[Answer]:
        """The account's answers to surveys by an instant, oldest first."""
        return sorted((a for a in self._answers.get(company.key, ()) if a.at <= as_of), key=lambda a: a.at)

    def removed(self, company: Company, as_of: int) -> list[Person]:
        """The persons who were deleted from the account by an instant; who merely went with a merged duplicate is not."""
        return [
            p
            for p in self._persons.get(company.key, ())
            if p.removed_at is not None and p.removed_at <= as_of and not p.role_address and not p.at_duplicate
        ]

    def samples(self, company: Company, as_of: int) -> list[UsagePoint]:
        """The account's usage samples that the feed has given, oldest first."""
        known = [p for p in self._usage.get(company.key, ()) if p.logged_at <= as_of and p.day * DAY <= as_of]
        return sorted(known, key=lambda p: p.day)

    def touches(self, company: Company, as_of: int) -> list[Touch]:
        """Everything that is a touch and known at an instant, in no order."""
        return [
            touch
            for happening, touch in self._touches.get(company.key, ())
            if happening.logged_at <= as_of
            and touch.at <= as_of
            and counts(happening, as_of)
            and any(_has_account(p, as_of) for p in touch.persons)
        ]

    def bookings(self, company: Company, as_of: int) -> list[Booking]:
        """The meetings with somebody of the customer that lie ahead and are not called off."""
        return [
            booking
            for happening, booking in self._meetings.get(company.key, ())
            if happening.logged_at <= as_of < booking.at and counts(happening, as_of)
        ]

    def _enter(self, happening: Happening) -> None:
        account = self._carriers[happening.account]
        persons = tuple(p for key in happening.persons if self._is_person(p := self.people[key], happening.account))
        # Internal meetings and mails to a shared inbox reach nobody; notes and tasks are no touches, nor is what is sent
        # by a machine or to a crowd.
        if not persons or happening.kind in ("note", "task") or happening.automatic:
            return
        if self._recipients(happening) <= MOST_RECIPIENTS:
            self._touches[account].append((happening, _touch(happening, persons)))
            for person in persons:
                if not person.registered:
                    known = self._first_seen.get((account, person.key), happening.logged_at)
                    self._first_seen[account, person.key] = min(known, happening.logged_at)
        if happening.kind == "meeting":
            self._meetings[account].append((happening, Booking(happening.starts_at, persons)))

    def _added_up(self, points: Iterable[UsagePoint]) -> dict[str, list[UsagePoint]]:
        """Per evaluated account one sample a day: what is used below it counts as its own."""
        by_day: dict[tuple[str, int], UsagePoint] = {}
        for point in points:
            account = self._carriers[point.account]
            nothing = UsagePoint(account, point.day, 0, 0, 0)
            known = by_day.get((account, point.day), nothing)
            by_day[account, point.day] = UsagePoint(
                account=account,
                day=point.day,
                logged_at=max(point.logged_at, known.logged_at),
                active_users=point.active_users + known.active_users,
                active_users_28d=point.active_users_28d + known.active_users_28d,
            )
        return _by_account(by_day.values())

    def _carrier(self, key: str) -> str:
        """The nearest account from here upwards that carries ARR; itself where there is none."""
        company: Company | None = self.companies[key]
        while company is not None:
            if any(value for _, value in company.arr.changes):
                return company.key
            company = self.companies[company.parent] if company.parent else None
        return key

    def _is_person(self, person: Person, account: str) -> bool:
        """Role addresses are none; who is in no CRM is one by an address at the account's own domain only."""
        if person.role_address:
            return False
        domain = self.companies[account].domain
        return person.registered or (domain is not None and str(person.email).endswith(f"@{domain}"))

    def _is_on_file(self, person: Person, company: Company, as_of: int) -> bool:
        if not person.registered:
            seen = self._first_seen.get((company.key, person.key))
            return seen is not None and seen <= as_of
        if person.role_address or not (person.salesforce_id or person.hubspot_id) or not _has_account(person, as_of):
            return False
        if person.at_duplicate and (company.merged_at is None or as_of < company.merged_at):
            return False
        return person.on_file_at <= as_of and (person.removed_at is None or as_of < person.removed_at)

    def since(self, person: Person, company: Company) -> int:
        """The creation stamp of a person on file."""
        return person.on_file_at if person.registered else self._first_seen[company.key, person.key]

    def _recipients(self, happening: Happening) -> int:
        """Customer addresses in To; in a mail of theirs To has our addresses."""
        if happening.kind != "email" or happening.direction == "in":
            return 0
        return sum(self.people[key].email is not None for key in happening.persons) + happening.extra_to


def happened_at(happening: Happening) -> int:
    """The instant from which the age of an activity runs."""
    return happening.starts_at if happening.kind == "email" else happening.ends_at


def counts(happening: Happening, as_of: int) -> bool:
    """Is it not called off and not missed, by what is known at an instant. A call without a disposition counts when done."""
    if happening.kind == "call":
        done = happening.status.at(as_of) == "done"
        return happening.disposition == "connected" or (happening.disposition is None and done)
    return happening.status.at(as_of) not in NOT_HELD


def _touch(happening: Happening, persons: tuple[Person, ...]) -> Touch:
    mail = happening.kind == "email"
    return Touch(
        at=happened_at(happening),
        kind=happening.kind,
        inbound=not mail or happening.direction == "in",
        outbound=not mail or happening.direction == "out",
        persons=persons,
        teammates=happening.teammates,
        title=happening.subject,
    )


def _has_account(person: Person, as_of: int) -> bool:
    return person.linked_at is None or person.linked_at <= as_of


def _by_account(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.account, []).append(row)
    return found
