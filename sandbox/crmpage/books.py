"""Where each CRM keeps what the page shows, and what its tier field held before: the page's own reading of both vendors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.desk import Desk
from sandbox.versions import Row


@dataclass(frozen=True, slots=True)
class Layout:
    """Field names of one CRM; the first of `csm` that holds something names the CSM."""

    title: str
    object: str
    name: str
    kind: tuple[str, ...]
    csm: tuple[str, ...]
    people: str
    person_name: tuple[str, ...]
    arr: str
    renewal: str
    tier: str
    tiers: Mapping[str, str]
    """Stored value -> what a person reads."""


LAYOUTS: Mapping[str, Layout] = {
    "salesforce": Layout(
        "Salesforce",
        "Account",
        "Name",
        ("Type",),
        ("CSM__c",),
        "User",
        ("Name",),
        "ARR__c",
        "Renewal_Date__c",
        "Customer_Tier__c",
        {f"Tier {n}": f"Tier {n}" for n in (1, 2, 3)},
    ),
    "hubspot": Layout(
        "HubSpot",
        "companies",
        "name",
        ("lifecyclestage", "customer_status"),
        ("csm", "hubspot_owner_id"),
        "owners",
        ("firstName", "lastName"),
        "arr",
        "renewal_date",
        "customer_tier",
        {f"tier_{n}": f"Tier {n}" for n in (1, 2, 3)},
    ),
}


@dataclass(frozen=True, slots=True)
class Turn:
    """The tier field changed: when (scenario time, microseconds), from what, to what, by whom."""

    at: int
    before: str
    after: str
    by: str


@dataclass(slots=True)
class Book:
    """One CRM on the page, with every change of its tier field since the sandbox began to apply them."""

    desk: Desk
    layout: Layout
    turns: dict[str, list[Turn]] = field(default_factory=dict)

    def watch(self) -> None:
        """Note each change of the tier field from now on."""
        self.desk.watch(self.layout.object, self._note)

    def _note(self, before: Row | None, after: Row) -> None:
        old = "" if before is None else self.tier_of(before.fields)
        new = self.tier_of(after.fields)
        if old != new:
            by = "" if before is None else self.desk.writer(after)
            self.turns.setdefault(after.id, []).append(Turn(after.modified_at, old, new, by))

    def tier_of(self, fields: Mapping[str, object]) -> str:
        """What a person reads in the tier field; empty where it is."""
        value = str(fields.get(self.layout.tier) or "")
        return self.layout.tiers.get(value, value)


def open_books(desks: Mapping[str, Desk]) -> dict[str, Book]:
    """One watched book per CRM."""
    books = {name: Book(desk, LAYOUTS[name]) for name, desk in desks.items()}
    for book in books.values():
        book.watch()
    return books
