"""The World by key, with the small decisions that both CRMs' projections share."""

from __future__ import annotations

from sandbox.world.model import DAY, Company, Happening, Person, Teammate, World
from sandbox.world.when import MINUTE

SECOND_COPY_LATER = 2 * MINUTE
"""What is logged in both CRMs reaches HubSpot two minutes after Salesforce."""


class Reading:
    """Look-ups over one World."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.companies: dict[str, Company] = {c.key: c for c in world.companies}
        self.persons: dict[str, Person] = {p.key: p for p in world.persons}
        self.teammates: dict[str, Teammate] = {t.key: t for t in world.teammates}
        self.founded = min(c.created_at for c in world.companies) - DAY
        """When our own people were entered: before everything else."""

    def people(self, happening: Happening) -> list[Person]:
        """The customer's people who take part."""
        return [self.persons[key] for key in happening.persons]

    def addresses(self, happening: Happening) -> tuple[str, list[str]]:
        """(sender, recipients in To) of a mail."""
        theirs = [p.email for p in self.people(happening) if p.email]
        theirs += self._readers(happening)
        if happening.direction == "in":
            return theirs[0], list(happening.teammates)
        return happening.teammates[0], theirs

    def _readers(self, happening: Happening) -> list[str]:
        """Further addresses at the customer that are nobody's contact."""
        domain = self.companies[happening.account].domain or "lists.example"
        return [f"reader{n + 1}@{domain}" for n in range(happening.extra_to)]


def number(key: str) -> int:
    """The running number in a key like `h-000123`."""
    return int(key.rpartition("-")[2])


def message_id(happening: Happening) -> str:
    """The Message-ID header of a mail."""
    return f"<{happening.key}.{happening.starts_at // MINUTE}@mail.example>"


def lacks_message_id(happening: Happening) -> bool:
    """Of mails logged in both CRMs, every fifth HubSpot copy has no Message-ID."""
    return len(happening.systems) == 2 and number(happening.key) % 5 == 0


def calendar_uid(happening: Happening) -> str:
    """The iCalUID of a meeting."""
    return f"{happening.key}@calendar.example"


def dollars(cents: object) -> float | None:
    """Money as the CRMs keep it."""
    return cents / 100 if isinstance(cents, int) else None
