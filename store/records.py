"""Plain frozen records that connectors yield, rules and alerts read, and store keeps.

Instants are UTC microseconds since 1970 (`int`), calendar dates are days since 1970-01-01 (`int`),
money is integer minor units of the portfolio's reporting currency.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

Instant = int
"""UTC microseconds since 1970-01-01."""
Day = int
"""Days since 1970-01-01."""
Scalar = str | int | float | bool | None
"""One raw field value as a CRM gives it (JSON scalar)."""

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


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
    fields: Mapping[str, Scalar] = field(default_factory=dict)
    """Raw values of every field that the mapping names, by the CRM's field name."""


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
    fields: Mapping[str, Scalar] = field(default_factory=dict)


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


@dataclass(frozen=True, slots=True)
class UsageSample:
    """One sample of product usage. `key` names the account the way the feed does (workspace key, CRM id or domain)."""

    key: str
    metric: str
    at: Instant
    value: float
    user: str | None = None
    """E-mail address of the user, where the feed is per user."""
    recorded_at: Instant | None = None
    """When the feed says it became known; None: when tierd read it."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A row that its source no longer has (tombstone for rows whose last values cannot be read any more)."""

    object: str
    """accounts | contacts | activities | participants | opportunities | tickets | objects:<Name>"""
    id: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Links:
    """The complete set of rows of `object_to` that are associated with one row: what is not in it is unlinked."""

    object: str
    """accounts | contacts | activities | opportunities | tickets"""
    id: str
    object_to: str
    """accounts | contacts"""
    ids: tuple[str, ...]


Record = (
    AccountRecord
    | ContactRecord
    | TeamMemberRecord
    | ParticipantRecord
    | ActivityRecord
    | OpportunityRecord
    | TicketRecord
    | ObjectRecord
    | UsageSample
    | Gone
    | Links
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one stream and the cursor that covers them: saved together, in one transaction."""

    stream: str
    records: tuple[Record, ...]
    cursor: str
    """JSON text; equal text = the cursor did not move."""
    fresh_at: Instant | None = None
    """Set on the last batch of a stream: the stream is complete up to this instant of the server's clock."""
    absent: bool = False
    """The source has no such rows and never will have: nothing is read, so nothing can become stale."""


@dataclass(frozen=True, slots=True)
class StreamTrouble:
    """One stream could not be (fully) read; the others go on."""

    stream: str
    kind: str
    """failed (permanent until something changes) | partial (some of it could be read) | retry (transient, retries used
    up) | deferred (quota)"""
    message: str
    """Says where, what and how to mend it; free of secrets."""
    retry_at: Instant | None = None


SyncEvent = Batch | StreamTrouble


@dataclass(frozen=True, slots=True)
class TierWrite:
    """One planned change of a CRM field. `expected` is the value read just before the write."""

    record_id: str
    value: str | None
    expected: str | None


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one write. `outcome`: written | parked (no retry until something changes) | retry | gone."""

    record_id: str
    outcome: str
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One episode of a rule on an account. `id` is None until the store has given one; the meaning of states is `alerts.lifecycle`'s."""

    rule: str
    account_id: int
    episode: int
    state: str
    """pending | firing | recovering | closed"""
    severity: str
    last_outcome_at: Instant
    evidence: str
    rule_version: str
    id: int | None = None
    true_since: Instant | None = None
    fired_at: Instant | None = None
    clear_since: Instant | None = None
    closed_at: Instant | None = None
    close_reason: str | None = None
    unknown_reason: str | None = None
    unknown_since: Instant | None = None
    acked_by: str | None = None
    acked_at: Instant | None = None
    snoozed_until: Instant | None = None
    snoozed_by: str | None = None
    snooze_reason: str | None = None
    feedback: str | None = None


@dataclass(frozen=True, slots=True)
class ToldRow:
    """What a destination was last told about one alert."""

    alert_id: int
    destination: str
    kind: str
    """opened | escalated | reminder | held | listed | resolved | closed"""
    severity: str
    at: Instant
    reason: str
    conversation_id: int | None = None


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """One parent message about one account in one destination."""

    id: int
    key: str
    account_id: int
    destination: str
    severity: str
    """The highest severity when it opened: what the daily cap counts."""
    csm: str | None
    """Member key of whom it was addressed to."""
    opened_at: Instant
    quiet_since: Instant | None
    closed_at: Instant | None
    channel: str | None
    ts: str | None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One message to be sent, edited or replied; `body` is JSON with `text` and `blocks`."""

    id: str
    lane: str
    destination: str
    op: str
    """post | reply | update"""
    kind: str
    """alert | reply | digest | baseline | operators"""
    body: str
    created_at: Instant
    not_before: Instant
    not_after: Instant
    """Given up when it could not be sent by then."""
    conversation_id: int | None = None
    seq: int = 0
    state: str = "pending"
    """pending | sending | uncertain | sent | superseded | dead | expired"""
    attempts: int = 0
    first_claim_at: Instant | None = None
    last_try_at: Instant | None = None
    lease_until: Instant | None = None
    claimed_by: str | None = None
    channel: str | None = None
    ts: str | None = None
    possible_duplicate: int = 0
    error: str | None = None
    sent_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """A customer's person on file, with the strength of the relationship in hundredths (0 to 10,000)."""

    name: str
    title: str | None
    standing: str
    """exec | user"""
    strength: int


@dataclass(frozen=True, slots=True)
class NamedTouch:
    """One person's part in a touch, or in a meeting that is booked; `at` is its end, of a booking its start."""

    name: str
    title: str | None
    standing: str
    """exec | user | unclassified"""
    kind: str
    """email | call | meeting"""
    at: Instant


@dataclass(frozen=True, slots=True)
class UsageMeans:
    """The means of the samples of `metric` in the last 30 days and in the 90 days before them; None = no samples."""

    metric: str
    later: float | None
    earlier: float | None


@dataclass(frozen=True, slots=True)
class Behind:
    """The rows behind an account's facts that a message names. Lists are cut short; `on_file` counts all of them."""

    people: tuple[NamedPerson, ...] = ()
    """The strongest first."""
    on_file: Mapping[str, int] = field(default_factory=dict)
    """Persons on file by standing."""
    touches: tuple[NamedTouch, ...] = ()
    bookings: tuple[NamedTouch, ...] = ()
    means: UsageMeans | None = None
    active_users: float | None = None
    seats: int | None = None
    tier: int | None = None
    cadence: float | None = None
    """Days between two touches."""


class Clock(Protocol):
    """The one clock, built in `daemon/wiring.py` and handed down; nobody else reads time or sleeps.

    A thread that waits for anything waits through the clock: on the demo's scenario clock time jumps when all wait.
    """

    def now(self) -> Instant:
        """The wall clock, UTC microseconds."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`."""
        ...

    def wait(self, event: threading.Event, timeout: float | None) -> bool:
        """Wait until `event` is set or `timeout` seconds have passed; True = it is set."""
        ...
