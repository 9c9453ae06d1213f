"""What is true in the sandbox's world, as plain data: accounts, people, what happened and when it was logged.

Instants are UTC microseconds since 1970, days are days since 1970, money is integer cents (USD).
The world is generated whole, future included; a vendor shows a change once the scenario clock has passed its stamp.
"""

from __future__ import annotations

from dataclasses import dataclass, field

DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Dated:
    """A value that changes over time: (from, value) pairs, ascending; before the first it is None."""

    changes: tuple[tuple[int, object], ...] = ()

    def at(self, t: int) -> object:
        """The value in force at an instant."""
        value: object = None
        for since, candidate in self.changes:
            if since > t:
                break
            value = candidate
        return value


@dataclass(frozen=True, slots=True)
class Teammate:
    """One of our people."""

    key: str
    """E-mail address in lower case."""
    name: str
    role: str
    """csm | lead | sales | support"""
    manager: str | None
    captured: bool
    """Is the mailbox and calendar captured into the CRM."""
    leaves_at: int | None = None
    salesforce_id: str | None = None
    hubspot_id: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A person at an account: a contact in at least one CRM, or an address that is seen on mails only."""

    key: str
    """E-mail in lower case, else a made-up unique word (contacts without e-mail)."""
    account: str
    name: str
    email: str | None
    title: str | None
    """None: the CRM has no title (40 % of contacts)."""
    level: str | None
    """c_level | vp | director | manager | individual by the fixed title list; None = unknown (no title)."""
    function: str | None
    product_user: bool
    """Flagged as a user by a field of the CRM."""
    on_file_at: int
    """Creation stamp of the contact."""
    removed_at: int | None = None
    role_address: bool = False
    """support@, billing@, info@: no person; counts for nothing."""
    salesforce_id: str | None = None
    hubspot_id: str | None = None
    at_duplicate: bool = False
    """Sits on the account's duplicate until that is merged; takes part in nothing that counts."""
    registered: bool = True
    """False: in no CRM, only an address in mails."""
    role: str | None = None
    """Executive Sponsor | Influencer: what a deal, or HubSpot's buying role, says of somebody without a title."""
    role_at: int | None = None
    """Since when; None with a role: since the contact is there."""
    also_at: tuple[str, ...] = ()
    """Keys of other accounts where the same contact is on file too."""
    linked_at: int | None = None
    """Entered without an account, and given it at this instant; None = from the beginning."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One activity: what happened, who took part, when it was logged, and what became of it."""

    key: str
    account: str
    kind: str
    """email | call | meeting | note | task"""
    direction: str | None
    """in | out for e-mail and call, None for meetings."""
    starts_at: int
    ends_at: int
    logged_at: int
    """Creation stamp in the CRM; later than ends_at for what is logged late, earlier for booked meetings."""
    persons: tuple[str, ...]
    """Keys of the customer's people who take part."""
    teammates: tuple[str, ...]
    systems: tuple[str, ...]
    """salesforce | hubspot | both (the same activity copied)."""
    subject: str = ""
    status: Dated = field(default_factory=Dated)
    """planned | done | cancelled | no_show | '' (empty outcome counts as held), as known from each instant."""
    disposition: str | None = None
    """Calls: connected | no_answer | left_voicemail | None (not recorded)."""
    automatic: bool = False
    """Newsletter, sequence, auto-reply, case or invoice mail: never a touch."""
    extra_to: int = 0
    """How many more customer addresses are in To (a touch has at most 5)."""


@dataclass(frozen=True, slots=True)
class Deal:
    """One opportunity."""

    key: str
    account: str
    name: str
    type: str
    """New Business | Renewal | Expansion"""
    amount: int | None
    close_on: Dated
    """Day."""
    stage: Dated
    """Open stages, 'Closed Won', 'Closed Lost'."""
    created_at: int
    systems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ticket:
    """One support case."""

    key: str
    account: str
    priority: str
    opened_at: int
    closed_at: int | None
    systems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to a survey that asks how likely it is that they recommend us."""

    key: str
    account: str
    at: int
    """Midnight of the day; it is known at once."""
    nps: int
    """0..10"""


@dataclass(frozen=True, slots=True)
class UsagePoint:
    """One day of one workspace's usage, as the feed gives it."""

    account: str
    day: int
    logged_at: int
    active_users: int
    active_users_28d: int


@dataclass(frozen=True, slots=True)
class Company:
    """One account of the real world, in one CRM or in both."""

    key: str
    name: str
    domain: str | None
    systems: tuple[str, ...]
    salesforce_id: str | None
    hubspot_id: str | None
    linked_by: str | None
    """How the two rows can be known to be one: property | domain | None (in one CRM only, or cannot be known)."""
    created_at: int
    kind: Dated
    """customer | prospect | former"""
    csm: Dated
    """Teammate key or None."""
    csm_in: str
    """Where the CRM keeps the CSM: field | team | property | none (then the record owner stands in)."""
    owner: Dated
    arr: Dated
    """Cents or None; what the mapping must find."""
    arr_in: str
    """field | deals (the latest one won) | items (the line items of the first sale, added up; deals hold more than it)"""
    renewal: Dated
    """Day or None: the CRM's renewal date field."""
    contract_start: int | None
    """Day."""
    auto_renews: bool
    term_days: int | None
    seats: int | None
    potential: int | None
    market_fit: float | None
    strategic: bool
    segment: str
    """enterprise | mid_market | smb: what domain.md makes of ARR (no mapped field in this world)."""
    workspace: str | None
    """Key of its usage feed."""
    inherited_tier: int | None
    """What the CRM's tier field held before tierd came."""
    tier_edits: tuple[tuple[int, int | None, str], ...] = ()
    """(when, tier, by whom): people who set the tier field by hand during the demo."""
    merged_at: int | None = None
    """A duplicate of this account (with some of its contacts) is merged into it at this instant: in Salesforce where the
    account is there, else in HubSpot."""
    churns_on: int | None = None
    """Day on which the customer is lost, from the hidden state; None = stays."""
    parent: str | None = None
    typed_customer: bool = False
    """A subsidiary that its CRM calls a customer. It carries no ARR, so the account above is evaluated in its place."""
    duplicate_id: str | None = None
    """Id of the duplicate that `merged_at` is about; it is a prospect until then."""
    hubspot_differs: tuple[tuple[str, object], ...] = ()
    """(HubSpot property, value) where HubSpot contradicts; Salesforce wins, so these never count. Owners are keys of
    teammates, dates days, tiers numbers."""
    state: str = "healthy"
    """Hidden state at the start: onboarding | healthy | growing | drifting | at_risk."""


@dataclass(frozen=True, slots=True)
class Story:
    """A planted case: what should happen to one account under one rule."""

    rule: str
    account: str
    kind: str
    """fires | decoy | unknown | clears (fires, then clears) | former (a customer lost in the history)"""
    why: str
    first_day: int | None = None
    """Demo day index (0 = first evaluation) on which the condition is first true (fires, clears, former) or first
    unknown; where a rule has `for 7 days` the alert opens seven days later."""
    clear_day: int | None = None
    """Demo day index from which it is no longer true; for `former` the day of the loss."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything, past and future."""

    seed: int
    start: int
    """The first evaluation's as_of: 06:00:00 UTC of demo day 0."""
    days: int
    """How many evaluations the demo lets pass (day 0 .. days - 1)."""
    history_days: int
    teammates: tuple[Teammate, ...]
    companies: tuple[Company, ...]
    persons: tuple[Person, ...]
    happenings: tuple[Happening, ...]
    deals: tuple[Deal, ...]
    tickets: tuple[Ticket, ...]
    usage: tuple[UsagePoint, ...]
    stories: tuple[Story, ...]
    mess: tuple[tuple[str, float], ...]
    """The measured shares of mess, printed at the start: (what, share)."""
    answers: tuple[Answer, ...] = ()
