"""What connectors yield: the rows of each source, as it has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from store.records.units import Day, Instant, Scalar


class ActivityKind(StrEnum):
    """What an activity is in the CRM."""

    EMAIL = "email"
    CALL = "call"
    MEETING = "meeting"
    NOTE = "note"
    TASK = "task"


class ActivityStatus(StrEnum):
    """How far an activity has come; `UNKNOWN` where the CRM leaves it empty."""

    PLANNED = "planned"
    DONE = "done"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """One Salesforce Account or HubSpot company, as its source has it."""

    id: str
    name: str
    domain: str | None
    owner_id: str | None
    parent_id: str | None
    created_at: Instant
    modified_at: Instant
    customer: bool | None
    """Does the configured customer condition hold for this row; None = cannot say."""
    link_id: str | None = None
    """Id of the same account in another CRM, where this CRM has a property for it."""
    deleted_at: Instant | None = None
    merged_into: str | None = None
    person: bool = False
    """It is a person (Salesforce's person accounts): no company, so it has no people of its own."""
    fields: Mapping[str, Scalar] = field(default_factory=dict)
    """Raw values of every field that the mapping names, by the CRM's field name; one that is missing could not be read,
    and the value kept stays.
    """
    unread: tuple[str, ...] = ()
    """Names of attributes that could not be read this time (hidden from the user): the values kept stay."""


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """One CRM contact."""

    id: str
    account_ids: tuple[str, ...]
    name: str
    email: str | None
    title: str | None
    created_at: Instant
    modified_at: Instant
    deleted_at: Instant | None = None
    merged_into: str | None = None
    bounced: bool = False
    buying_role: str | None = None
    """What HubSpot says of the contact's part in buying, several parted by semicolons."""
    fields: Mapping[str, Scalar] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    """Names of attributes that could not be read this time (hidden from the user): the values kept stay."""


@dataclass(frozen=True, slots=True)
class TeamMemberRecord:
    """One CRM user or owner: our own people."""

    id: str
    name: str
    email: str | None
    active: bool
    modified_at: Instant
    manager_id: str | None = None


@dataclass(frozen=True, slots=True)
class ParticipantRecord:
    """One side of an activity. `id` is unique in its source (relation row id, or activity id + role + ref)."""

    id: str
    activity_id: str
    role: str
    """from | to | cc | bcc | organizer | attendee | who | owner"""
    contact_id: str | None = None
    team_member_id: str | None = None
    address: str | None = None
    modified_at: Instant = 0
    deleted_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class ActivityRecord:
    """One e-mail, call, meeting, note or task: metadata only, never a body."""

    id: str
    kind: ActivityKind
    status: ActivityStatus
    direction: str | None
    """in | out | None where the CRM does not say (meetings)."""
    subject: str | None
    starts_at: Instant
    ends_at: Instant
    created_at: Instant
    """When it was logged: the vendor's creation stamp (the second clock)."""
    modified_at: Instant
    owner_id: str | None
    account_ids: tuple[str, ...] = ()
    """Accounts the CRM itself names (AccountId, company associations)."""
    about_id: str | None = None
    """Where it names none: the opportunity, ticket or other row it is about, whose account it is."""
    disposition: str | None = None
    automatic: bool = False
    """Bulk, sequence, case, invoice or automatic mail."""
    message_id: str | None = None
    ical_uid: str | None = None
    same_as: str | None = None
    """Id of another activity of this source that is the same event (EmailMessage.ActivityId)."""
    deleted_at: Instant | None = None
    archived: bool = False
    participants: tuple[ParticipantRecord, ...] | None = None
    """Complete set of participants where it travels with the activity; None where relation rows come apart."""
    unread: tuple[str, ...] = ()
    """Names of attributes that could not be read this time (hidden from the user): the values kept stay."""


@dataclass(frozen=True, slots=True)
class OpportunityRecord:
    """One opportunity or deal."""

    id: str
    account_id: str | None
    name: str
    type: str | None
    stage: str | None
    amount: int | None
    """Minor units."""
    close_on: Day | None
    closed: bool
    won: bool
    created_at: Instant
    modified_at: Instant
    deleted_at: Instant | None = None
    fields: Mapping[str, Scalar] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    """Names of attributes that could not be read this time (hidden from the user): the values kept stay."""


@dataclass(frozen=True, slots=True)
class TicketRecord:
    """One support case or ticket."""

    id: str
    account_id: str | None
    priority: str | None
    status: str | None
    opened_at: Instant
    closed_at: Instant | None
    created_at: Instant
    modified_at: Instant
    deleted_at: Instant | None = None
    unread: tuple[str, ...] = ()
    """Names of attributes that could not be read this time (hidden from the user): the values kept stay."""


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """A row of any other object that the field mapping reads (account-team member, line item, ...)."""

    object: str
    id: str
    account_id: str | None
    created_at: Instant
    modified_at: Instant
    fields: Mapping[str, Scalar]
    deleted_at: Instant | None = None
    unread: tuple[str, ...] = ()
    """Names of attributes that could not be read this time (hidden from the user): the values kept stay."""


@dataclass(frozen=True, slots=True)
class FieldValues:
    """Values of some fields of a row that the store has, read apart from the row: its other values stay.

    A row that the store does not have is left alone.
    """

    object: str
    """accounts | contacts | opportunities | objects:<Name>"""
    id: str
    fields: Mapping[str, Scalar]
    """Raw values by the CRM's field name."""
    at: Instant
    """When they were read, by the server's clock: a formula's result has no stamp of its own."""
    attributes: Mapping[str, Scalar] = field(default_factory=dict)
    """Attributes of the record that these fields decide: `customer` of an account, `account_id` of any other object."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A row that its source no longer has (tombstone for rows whose last values cannot be read any more)."""

    object: str
    """accounts | contacts | activities | participants | opportunities | tickets | contact_roles | objects:<Name>"""
    id: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Links:
    """The complete set of rows of `object_to` that are associated with one row: what is not in it is unlinked."""

    object: str
    """accounts | contacts | activities | opportunities | tickets | objects:<Name>"""
    id: str
    object_to: str
    """accounts | contacts"""
    ids: tuple[str, ...]
    """The primary one first, where the CRM has such."""


@dataclass(frozen=True, slots=True)
class ContactRole:
    """Who a contact is on an opportunity, or on an account besides its own."""

    id: str
    contact_id: str
    account_id: str | None
    """An account the contact belongs to besides its own; None where the opportunity says which."""
    opportunity_id: str | None
    role: str | None
    """The CRM's word (Decision Maker, Economic Buyer, ...); several parted by semicolons."""
    created_at: Instant
    modified_at: Instant
    deleted_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """A row that a merge retired: whatever still names `id` means `into`."""

    object: str
    """accounts | contacts | opportunities | tickets"""
    id: str
    into: str
    at: Instant


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One line of the CRM's own history of a field: since `at` it has held `value`."""

    object: str
    """accounts | contacts | opportunities | objects:<Name>"""
    id: str
    field: str
    """The CRM's field name."""
    value: Scalar
    at: Instant
    """0: since the row was created."""
    author: str | None = None
    """Id of the CRM user or kind of source (import, workflow, integration) where the CRM says so."""
    until: Instant = 0
    """With `at` 0: when the line that tells of this value says that it changed; only the oldest such line is right."""


@dataclass(frozen=True, slots=True)
class KnownRow:
    """One live row that the store has, for sweeps that compare. `modified_at` 0: the row is damaged, read it again."""

    id: str
    modified_at: Instant
