"""One customer at one instant: everything that the rules ask of it, with what the portfolio and the tiers add."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from sandbox.world.model import Company
from sandbox.world.offering import NAME, released
from sandbox.world.truth_book import Book
from sandbox.world.truth_contact import Contact
from sandbox.world.truth_contract import Contract
from sandbox.world.truth_health import Readings, health
from sandbox.world.truth_logic import Unknown
from sandbox.world.truth_money import ltv, open_expansion, percentile_ranks
from sandbox.world.truth_service import (
    awaiting_reply,
    champions_lost,
    load,
    load_per_arr,
    nps,
    offering_shown,
    open_tickets,
    unanswered_outreach,
)
from sandbox.world.truth_usage import adoption, adoption_change, portfolio_change
from sandbox.world.when import DAY

CADENCE = {1: 7, 2: 14, 3: 30}
ONBOARDING_CADENCE = 7
RESPONSE_HOURS = {1: 24, 2: 48, 3: 72}
SEGMENTS = (("enterprise", 10_000_000), ("mid_market", 2_000_000))
"""From so many cents of ARR on; below it is smb."""


@dataclass(frozen=True)
class Case:
    """One customer at one instant. `tier`: in force; `median`: of the portfolio's adoption changes."""

    book: Book
    company: Company
    as_of: int
    contract: Contract
    contact: Contact
    adoption: Fraction | Unknown
    change: Fraction | Unknown
    median: Fraction | Unknown
    tier: int | None
    ranks: dict[str, Fraction] = field(default_factory=dict)
    """Percentile rank in the portfolio, 0..1, of `ltv` and `load_per_arr` where they are known."""

    def segment(self) -> str | Unknown:
        """By ARR; no CRM of this world has a field for it."""
        arr = self.company.arr.at(self.as_of)
        if not isinstance(arr, int):
            return Unknown("not_on_file")
        return next((name for name, least in SEGMENTS if arr >= least), "smb")

    def touch_due_in(self) -> int | Unknown:
        """Whole days until somebody should be in touch, as far as the touches on file can tell."""
        if self.contract.onboarding():
            cadence = ONBOARDING_CADENCE
        elif self.tier is None:
            return Unknown("not_on_file")
        else:
            cadence = CADENCE[self.tier]
        last = self.contact.last()
        if last is not None:
            return cadence - (self.as_of - last) // DAY
        start = self.company.contract_start
        return Unknown("not_on_file") if start is None else cadence - (self.as_of // DAY - start)

    @cached_property
    def ltv(self) -> int | Unknown:
        """Paid so far, cents."""
        return ltv(self.book, self.company, self.as_of)

    @cached_property
    def open_expansion(self) -> bool:
        """Is an expansion on offer."""
        return open_expansion(self.book, self.company, self.as_of)

    @cached_property
    def load(self) -> int | Unknown:
        """What it asks of us in 90 days."""
        return load(self.book, self.company, self.contact)

    @cached_property
    def load_per_arr(self) -> Fraction | Unknown:
        """The same per 1,000 of ARR."""
        return load_per_arr(self.load, self.company.arr.at(self.as_of))

    @cached_property
    def tickets(self) -> tuple[int, int] | Unknown:
        """Open ones, and how many of them are urgent."""
        return open_tickets(self.book, self.company, self.as_of)

    @cached_property
    def awaiting_reply(self) -> int | Unknown:
        """Hours that they have waited for us."""
        return awaiting_reply(self.contact)

    @cached_property
    def unanswered_outreach(self) -> int | Unknown:
        """Mails of ours that an executive has not answered."""
        return unanswered_outreach(self.contact)

    @cached_property
    def champions_lost(self) -> int | Unknown:
        """Strong relationships that went with people who left."""
        return champions_lost(self.book, self.company, self.contact)

    @property
    def newest_offering(self) -> int:
        """The day of its release."""
        return released(self.book.world.start)

    @cached_property
    def newest_offering_shown(self) -> bool | Unknown:
        """Was it shown."""
        return offering_shown(self.contact, self.newest_offering, NAME)

    @property
    def response_time(self) -> int | Unknown:
        """Hours within which an answer is promised."""
        return Unknown("not_recorded") if self.tier is None else RESPONSE_HOURS[self.tier]

    @cached_property
    def health(self) -> float | Unknown:
        """Health now."""
        return health(Readings(self.change, self.adoption, self.contact, self.tickets, self.nps))

    @cached_property
    def nps(self) -> int | None:
        """0..10, None where nobody has answered lately."""
        return nps(self.book, self.company, self.as_of)

    @property
    def last_answer(self) -> int | None:
        """When a survey was last answered; None = never."""
        return max((a.at for a in self.book.answers(self.company, self.as_of)), default=None)

    def health_before(self, days: int) -> float | Unknown:
        """Health so many days ago, from what was known then."""
        return health_at(self.book, self.company, self.as_of - days * DAY)


def health_at(book: Book, company: Company, as_of: int) -> float | Unknown:
    """The health of a customer at any instant."""
    if (company.key, as_of) not in book.healths:
        readings = Readings(
            change=adoption_change(book, company, as_of),
            adoption=adoption(book, company, as_of),
            contact=Contact(book, company, as_of),
            tickets=open_tickets(book, company, as_of),
            nps=nps(book, company, as_of),
        )
        book.healths[company.key, as_of] = health(readings)
    return book.healths[company.key, as_of]


def cases(book: Book, as_of: int, tier: Callable[[Company], int | None]) -> list[Case]:
    """Every customer in scope at an instant. `tier` gives the one in force."""
    contracts = {c.key: Contract(book, c, as_of) for c in book.world.companies}
    inside = [c for c in book.world.companies if contracts[c.key].in_scope()]
    changes = {c.key: adoption_change(book, c, as_of) for c in inside}
    median = portfolio_change(changes.values())
    found = [
        Case(
            book=book,
            company=c,
            as_of=as_of,
            contract=contracts[c.key],
            contact=Contact(book, c, as_of),
            adoption=adoption(book, c, as_of),
            change=changes[c.key],
            median=median,
            tier=tier(c),
        )
        for c in inside
    ]
    for name in ("ltv", "load_per_arr"):
        for key, rank in percentile_ranks({case.company.key: getattr(case, name) for case in found}).items():
            next(case for case in found if case.company.key == key).ranks[name] = rank
    for case in found:
        book.healths[case.company.key, as_of] = case.health
    return found
