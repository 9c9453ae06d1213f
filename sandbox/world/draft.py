"""What the generator works on: accounts and people that can still change, and the plan of an account's life."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.world.titles import EXEC_LEVELS

FOREVER = 100_000
"""A day after every other day."""


@dataclass(slots=True)
class PersonDraft:
    """A person before the world is frozen; the fields mean what `model.Person` says."""

    key: str
    name: str
    email: str | None
    title: str | None
    level: str | None
    function: str | None
    product_user: bool
    on_file_at: int
    role_address: bool = False
    at_duplicate: bool = False
    removed_at: int | None = None
    registered: bool = True
    role: str | None = None
    role_at: int | None = None
    also_at: list[str] = field(default_factory=list)
    linked_at: int | None = None

    @property
    def standing(self) -> str:
        """What the CRM lets one know: exec | user | unclassified | nobody (a role address)."""
        if self.role_address:
            return "nobody"
        if self.level in EXEC_LEVELS:
            return "exec"
        # A role says it from some day on only; stories are planned by what is known in the beginning.
        return "user" if self.product_user or self.level is not None else "unclassified"


@dataclass(slots=True)
class Curve:
    """How an account uses the product. Days are demo days; shares and factors are ratios."""

    level: int
    """Active users on a working day while the factor is 1."""
    weekend: float = 0.25
    noise: float = 0.04
    bends: list[tuple[int, float]] = field(default_factory=list)
    """(day, factor of the level): linear between two, constant outside."""
    shares: list[tuple[int, float]] = field(default_factory=lambda: [(0, 0.6)])
    """(day, active users in 28 days as a share of the seats): constant until the next."""
    stops: int = FOREVER
    """First day without a sample."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One activity at an exact day that a story stands on; `kind`: out | in | meeting | call."""

    day: int
    kind: str
    person: PersonDraft
    booked: int | None = None
    """Meetings: the day of booking; None: logged once it was held."""
    cancelled: int | None = None
    """Meetings: the day on which it was called off."""
    hour: int = 10
    title: str | None = None
    """Of a meeting."""
    late: int = 0
    """Days until it is logged by hand; 0 = at once."""
    waits: bool = False
    """A mail of theirs that gets no answer but a planted one."""


@dataclass(slots=True)
class Life:
    """How an account is looked after: who is met how often, when nobody is, and what is planted."""

    exec_every: float | None = None
    """Days between two meetings with each sponsor; None = as usual for the segment."""
    user_every: float | None = None
    """Days between two contacts with the champions; None = as the cadence asks."""
    exec_kinds: str = "mixed"
    """mixed (mostly meetings) | light (mostly mail, for the weeks around a renewal)."""
    sponsors: list[PersonDraft] = field(default_factory=list)
    champions: list[PersonDraft] = field(default_factory=list)
    strangers: list[PersonDraft] = field(default_factory=list)
    """People of unknown level who are met now and then."""
    quiet: list[tuple[str, int, int]] = field(default_factory=list)
    """(exec | user | unclassified | all, from day, until day): none of these is in touch on these days."""
    pins: list[Pin] = field(default_factory=list)
    tickets: list[tuple[int, int | None, str]] | None = None
    """(day of opening, day of closing, priority) of a story that counts them; None: as they come."""
    offers: list[tuple[int, int]] | None = None
    """(day of opening, day of winning) of expansions, where a story asks for them; None: as they come."""
    answers: list[tuple[int, int]] = field(default_factory=list)
    """(day, NPS 0..10) of surveys that they answered."""
    unshown: bool = False
    """A story says when the newest offering was shown."""
    planned: bool = False
    """Part of a story: logged at once, no bookings but planted ones, by the CSM alone, no strangers."""
    state: str = "healthy"
    """onboarding | healthy | growing | drifting | at_risk"""
    drift_from: int = FOREVER
    drift_until: int = FOREVER
    curve: Curve = field(default_factory=lambda: Curve(10))

    def is_quiet(self, persons: list[PersonDraft], day: int) -> bool:
        """Does a quiet spell forbid an activity with these people on that day."""
        standings = {p.standing for p in persons}
        return any(since <= day < until and (role == "all" or role in standings) for role, since, until in self.quiet)


@dataclass(slots=True)
class Draft:
    """An account before the world is frozen. Days are demo days, instants microseconds, money cents."""

    key: str
    name: str
    domain: str | None
    systems: tuple[str, ...]
    kind: str
    """customer | prospect | former"""
    created_at: int
    owner: str
    linked_by: str | None = None
    csm: list[tuple[int, str | None]] = field(default_factory=list)
    csm_in: str = "none"
    segment: str = "smb"
    arr: int | None = None
    arr_in: str = "field"
    arr_course: list[tuple[int, int]] = field(default_factory=list)
    """(instant, ARR from then on) where it moves; empty: it has always been `arr`."""
    renewal_day: int | None = None
    """The renewal date as the CRM's field has it at the start."""
    renewal_moves: list[tuple[int, int | None]] = field(default_factory=list)
    """(instant, new renewal day) of later changes of the field."""
    has_open_renewal: bool = True
    contract_start: int | None = None
    auto_renews: bool = False
    term_days: int | None = None
    seats: int | None = None
    potential: int | None = None
    market_fit: float | None = None
    strategic: bool = False
    workspace: str | None = None
    inherited_tier: int | None = None
    tier_edits: list[tuple[int, int | None, str]] = field(default_factory=list)
    merged_at: int | None = None
    churn_day: int | None = None
    parent: str | None = None
    typed_customer: bool = False
    """A subsidiary that the CRMs call a customer, though it carries no ARR."""
    children: list[str] = field(default_factory=list)
    """Keys of accounts below it that came after everything else: subsidiaries, or what a holding holds."""
    hubspot_differs: list[tuple[str, object]] = field(default_factory=list)
    people: list[PersonDraft] = field(default_factory=list)
    life: Life = field(default_factory=Life)
    attention: int = 3
    """The tier by which its cadence is kept: 1, 2 or 3."""
    attention_margin: float = 0.0
    """Distance of its tier score from the nearest cut."""
    won_renewals: list[tuple[int, int | None]] = field(default_factory=list)
    """(day of closing won, amount or None = ARR) of renewals that a story plants."""
    lost_renewal: int | None = None
    """Day on which the open renewal is closed as lost."""
    cast: bool = False
    """Taken by a story."""

    def csm_on(self, instant: int) -> str | None:
        """Who looks after it at an instant."""
        found: str | None = None
        for since, who in self.csm:
            if since <= instant:
                found = who
        return found

    def execs(self) -> list[PersonDraft]:
        """The people at director level or above."""
        return [p for p in self.people if p.standing == "exec"]

    def users(self) -> list[PersonDraft]:
        """Users by the flag or by a known lower level."""
        return [p for p in self.people if p.standing == "user"]

    def unclassified(self) -> list[PersonDraft]:
        """People of unknown level who are not flagged."""
        return [p for p in self.people if p.standing == "unclassified"]
