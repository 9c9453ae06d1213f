"""Accounts above and below customers: subsidiaries that carry no ARR and have people of their own, and holdings.

Everything here comes after the rest of the world and from its own random numbers, so that nothing else changes by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from sandbox.world.companies import Roster
from sandbox.world.diary import Diary
from sandbox.world.draft import Draft
from sandbox.world.money import Ledger
from sandbox.world.names import FREE_MAIL
from sandbox.world.people import People
from sandbox.world.when import DAY

SHARE = 0.15
"""Of the customers are in hierarchies."""
TYPED, USING = 0.6, 0.6
"""Of the subsidiaries with people are called customers; of those use the product in a workspace of their own."""
SPARED = 8
"""So many plain prospects are left in any case."""
SINCE = -200
"""Before this day nothing is on record of subsidiaries."""
_WORDS = ("Iberia", "Nordics", "Labs", "Services")


def subsidiary(roster: Roster, parent: Draft) -> Draft:
    """One more account below a customer, in its first CRM."""
    word = _WORDS[len(parent.children) % len(_WORDS)]
    child = _beside(roster, parent, f"{parent.name} {word}")
    child.parent, child.created_at = parent.key, parent.created_at + 3 * DAY
    parent.children.append(child.key)
    return child


def holding(roster: Roster, customer: Draft) -> Draft:
    """An account above a customer that carries nothing itself."""
    top = _beside(roster, customer, f"{customer.name} Holding")
    customer.parent = top.key
    top.children.append(customer.key)
    top.created_at = customer.created_at - 2 * DAY
    return top


def partner(roster: Roster, customer: Draft) -> Draft:
    """An account that has nothing to do with the customer but that people are at both."""
    other = _beside(roster, customer, f"{customer.name} Partners")
    other.created_at = customer.created_at - 2 * DAY
    other.children.append("")  # nobody else writes to it
    return other


def _beside(roster: Roster, draft: Draft, name: str) -> Draft:
    """One of the prospects becomes an account of that name in the same CRM, without the contacts that it had."""
    made = spare(roster)[-1]
    made.people = []
    made.name, made.systems, made.linked_by, made.owner = name, draft.systems[:1], None, draft.owner
    return made


def spare(roster: Roster) -> list[Draft]:
    """Prospects that are nothing else yet: no trap, nobody's child or holding."""
    names = {d.name for d in roster.drafts if d.kind == "customer"}
    odd = (None, "shared-campus.example", *FREE_MAIL)
    return [
        d
        for d in roster.of_kind("prospect")
        if d.parent is None and not d.children and d.domain not in odd and d.name not in names
    ]


@dataclass(slots=True)
class Families:
    """The life of the accounts above and below customers."""

    roster: Roster
    people: People
    rng: Random

    def adopt(self) -> None:
        """Gives customers outside the stories a subsidiary until so many are in hierarchies as there should be."""
        customers = self.roster.of_kind("customer")
        parents = {d.parent for d in self.roster.drafts if d.parent}
        calm = [d for d in customers if not d.cast and d.key not in parents]
        missing = round(SHARE * len(customers)) - sum(d.key in parents or d.parent is not None for d in customers)
        self.rng.shuffle(calm)
        for draft in calm[: max(0, min(missing, len(spare(self.roster)) - SPARED))]:
            subsidiary(self.roster, draft)

    def staff(self) -> None:
        """People at the subsidiaries of customers outside the stories that stay customers."""
        for child, parent in self._below():
            if parent.kind != "customer" or parent.cast or parent.churn_day is not None:
                continue
            child.created_at = max(child.created_at, parent.created_at + 3 * DAY)
            kinds: list[bool | None] = [self.rng.random() < 0.5, False]
            if self.rng.random() < 0.4:
                kinds.append(None)
            for executive in kinds:
                self.people.add(child, executive=executive)
            # Whoever uses the product is called a customer, though it is the parent that pays.
            child.typed_customer = self.rng.random() < TYPED
            if child.typed_customer and self.rng.random() < USING:
                child.workspace = f"ws-{child.key}"
                child.life.curve.level = self.rng.randint(4, 30)

    def live(self, diary: Diary, ledger: Ledger, days: int) -> None:
        """Mails, calls, meetings and tickets at them; what stories have planted comes as planted."""
        customers = {d.key: d for d in self.roster.drafts if d.kind == "customer"}
        for draft in self.roster.drafts:
            near = [customers[key] for key in (draft.parent, *draft.children) if key in customers]
            if draft.kind != "prospect" or not near:
                continue
            for pin in draft.life.pins:
                diary.email(draft, pin.day, self._who(near[0], pin.day), [pin.person], pin.kind, hour=pin.hour)
            if draft.parent is not None and draft.people and not draft.life.pins:
                self._busy(draft, near[0], diary, ledger, days)

    def _below(self) -> Iterator[tuple[Draft, Draft]]:
        by_key = {d.key: d for d in self.roster.drafts}
        for draft in list(self.roster.drafts):
            if draft.parent is not None and draft.kind == "prospect" and not draft.people:
                yield draft, by_key[draft.parent]

    def _busy(self, child: Draft, parent: Draft, diary: Diary, ledger: Ledger, days: int) -> None:
        rng = self.rng
        since = max(SINCE, self.roster.days.day_of(child.created_at) + 15)
        day = since + rng.uniform(2, 50)
        while day < days + 1:
            on, person = self.roster.days.working(int(day)), rng.choice(child.people)
            who, chance = self._who(parent, on), rng.random()
            if who in self.roster.team.uncaptured or chance < 0.2:
                diary.call(child, on, who, [person])
            elif chance < 0.75:
                diary.email(child, on, who, [person], rng.choice(("in", "out")))
            else:
                diary.meeting(child, on, [who], [person])
            day += rng.uniform(18, 60)
        ledger.support(child, since, days + 1)

    def _who(self, customer: Draft, day: int) -> str:
        return customer.csm_on(self.roster.days.at(day)) or customer.owner
