"""Who is not simply a contact with a title at one account: addresses in no CRM, roles, several accounts, late links.

Everything here comes after the rest of the world and from its own random numbers, so that nothing else changes by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from sandbox.world.companies import Roster
from sandbox.world.diary import Diary
from sandbox.world.draft import Draft, PersonDraft
from sandbox.world.model import Deal
from sandbox.world.names import FREE_MAIL
from sandbox.world.people import People
from sandbox.world.when import HOUR, outside_quiet_hour

SPONSOR, INFLUENCER = "Executive Sponsor", "Influencer"
"""The one role that says something of rank, and one that says nothing."""
STRANGERS, INBOXES, ADVISERS, ROLES, GUESTS, LATECOMERS = 0.25, 0.10, 0.05, 0.25, 0.10, 0.04
"""Shares of the customers outside the stories; of roles: of their contacts of unknown standing."""
SINCE = -150


@dataclass(slots=True)
class Acquaintances:
    """Adds them to the customers that no story needs."""

    roster: Roster
    people: People
    diary: Diary
    rng: Random
    days: int

    def add(self, deals: list[Deal]) -> None:
        """All of them. `deals`: everything that was sold."""
        first: dict[str, Deal] = {}
        for deal in deals:
            if deal.account not in first or deal.created_at < first[deal.account].created_at:
                first[deal.account] = deal
        calm = [d for d in self.roster.of_kind("customer") if not d.cast and d.churn_day is None]
        for draft in calm:
            self._unregistered(draft)
            self._roles(draft, first)
            if self.rng.random() < LATECOMERS:
                self._late(draft)
        for host, guest, person in self._guests(calm):
            person.also_at.append(guest.key)
            assert host is not guest
            self._writes(guest, person, 35, since=self.roster.days.day_of(person.on_file_at) + 3)

    def _unregistered(self, draft: Draft) -> None:
        """Somebody whom nobody has entered, billing@ and the like, an adviser from elsewhere: they write mails."""
        if draft.domain is None or draft.domain in FREE_MAIL:
            return
        for share, make in (
            (STRANGERS, self.people.stranger),
            (INBOXES, self.people.bare_inbox),
            (ADVISERS, self.people.adviser),
        ):
            if self.rng.random() < share and (person := make(draft)) is not None:
                self._writes(draft, person, 45)

    def _writes(self, draft: Draft, person: PersonDraft, every: float, since: int = SINCE) -> None:
        days = self.roster.days
        day = max(since, SINCE, days.day_of(draft.created_at) + 15) + self.rng.uniform(1, every)
        stamps = []
        while day < self.days + 1:
            on = days.working(int(day))
            who = draft.csm_on(days.at(on)) or draft.owner
            if who not in self.roster.team.uncaptured:
                self.diary.email(draft, on, who, [person], self.rng.choice(("in", "out")))
                stamps.append(self.diary.happenings[-1].logged_at)
            day += self.rng.uniform(0.5, 1.5) * every
        if not person.registered:
            person.on_file_at = min(stamps, default=days.at(self.days + 30))

    def _roles(self, draft: Draft, first: dict[str, Deal]) -> None:
        """From some day on a deal, or HubSpot's buying role, says what part somebody without a title plays."""
        for person in draft.unclassified():
            if not person.registered or not person.email or person.at_duplicate or self.rng.random() >= ROLES:
                continue
            since = person.on_file_at
            if "salesforce" in draft.systems:
                if draft.key not in first or "salesforce" not in first[draft.key].systems:
                    continue
                since = max(since, first[draft.key].created_at)
            person.role = SPONSOR if self.rng.random() < 0.5 else INFLUENCER
            person.role_at = outside_quiet_hour(since + HOUR)
            day = self.rng.randint(1, 25)
            if self.rng.random() < 0.25 and self.roster.days.at(day) > person.role_at:
                person.role_at = self.roster.days.at(day, 15 * 60)

    def _late(self, draft: Draft) -> None:
        """Entered without an account, given it five days later; a mail lies between."""
        day = self.rng.randint(6, 24)
        person = self.people.unplaced(draft, self.roster.days.at(day - 5, 10 * 60), self.roster.days.at(day, 15 * 60))
        on = self.roster.days.working(day - 3)
        who = draft.csm_on(self.roster.days.at(on)) or draft.owner
        if who not in self.roster.team.uncaptured:
            self.diary.email(draft, on, who, [person], "in")

    def _guests(self, calm: list[Draft]) -> Iterator[tuple[Draft, Draft, PersonDraft]]:
        """(account of the contact, the other account, the person)."""
        for guest in calm:
            if self.rng.random() >= GUESTS:
                continue
            for host in self.rng.sample(calm, min(len(calm), 8)):
                able = [p for p in host.people if _is_plain(p) and p.on_file_at >= guest.created_at]
                if host is not guest and host.systems[0] == guest.systems[0] and able:
                    yield host, guest, self.rng.choice(able)
                    break


def _is_plain(person: PersonDraft) -> bool:
    odd = person.role_address or person.at_duplicate or person.also_at or person.removed_at or person.linked_at
    return person.registered and person.email is not None and not odd
