"""What counts as a touch: a two-party activity between one of our people and one of theirs (docs/domain.md, section 1)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from store.records import MINUTE, ActivityKind, ActivityStatus, Instant

MOST_RECIPIENTS = 5
"""An e-mail to more customer addresses than this is a circular, not a touch."""


@dataclass(frozen=True, slots=True)
class Side:
    """One participant, resolved: a person at an account, one of ours, or just an address."""

    role: str
    person_ids: tuple[int, ...] = ()
    """The person at each account the contact is on."""
    member_id: int | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """One CRM's copy of an activity."""

    source: str
    id: str
    kind: str
    status: str
    direction: str | None
    starts_at: Instant
    ends_at: Instant
    created_at: Instant
    modified_at: Instant
    deleted_at: Instant | None
    automatic: bool
    disposition: str | None
    owner_member_id: int | None
    sides: tuple[Side, ...]
    ours: tuple[str, ...] = ()
    """Addresses among the sides that belong to our own domains."""


@dataclass(frozen=True, slots=True)
class Touch:
    """One activity as it touches one person; a planned meeting is a booking until it has ended."""

    source: str
    activity_id: str
    person_id: int
    kind: str
    inbound: int
    outbound: int
    starts_at: Instant
    occurred_at: Instant
    recorded_at: Instant
    withdrawn_at: Instant | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a group of copies of one activity comes to."""

    touches: tuple[Touch, ...]
    member_ids: tuple[int, ...]
    """Who of ours took part."""
    captured: bool
    """It came out of a mailbox or a calendar, so it shows that those are captured."""


def signature(kind: str, starts_at: Instant, addresses: Collection[str]) -> str | None:
    """Equal for the copies of one activity that two CRMs logged without a common id: same minute (a mail) or same start
    (a meeting), same addresses. None where too little is known to say so.
    """
    known = sorted({a.casefold() for a in addresses if a})
    if len(known) < 2 or kind not in (ActivityKind.EMAIL, ActivityKind.MEETING):
        return None
    when = starts_at // MINUTE if kind == ActivityKind.EMAIL else starts_at
    return f"{kind}|{when}|{'|'.join(known)}"


def touchable(copies: Sequence[Copy]) -> bool:
    """True for what is a touch as soon as a person of theirs took part: `copies` are ordered as for `read`."""
    return any(_members(copy) for copy in copies) and _is_touch(_first(copies))


def _first(copies: Sequence[Copy]) -> Copy:
    return next((c for c in copies if c.deleted_at is None), copies[0])


def read(copies: Sequence[Copy]) -> Reading:
    """Touches of one activity. `copies` are ordered by precedence; the first live one speaks for all."""
    first = _first(copies)
    members = sorted({m for copy in copies for m in _members(copy)})
    persons = sorted({p for copy in copies for side in copy.sides for p in side.person_ids})
    recorded_at = min(copy.created_at for copy in copies)
    mailbox = first.kind in (ActivityKind.EMAIL, ActivityKind.MEETING) and not first.automatic
    captured = mailbox and first.deleted_at is None
    if not members or not persons or not _is_touch(first):
        return Reading((), tuple(members), captured)
    inbound, outbound = _directions(first)
    touches = tuple(
        Touch(
            source=first.source,
            activity_id=first.id,
            person_id=person,
            kind=first.kind,
            inbound=inbound,
            outbound=outbound,
            starts_at=first.starts_at,
            occurred_at=first.starts_at if first.kind == ActivityKind.EMAIL else first.ends_at,
            recorded_at=recorded_at,
            withdrawn_at=_withdrawn(first),
        )
        for person in persons
    )
    return Reading(touches, tuple(members), captured)


def _members(copy: Copy) -> set[int]:
    found = {side.member_id for side in copy.sides if side.member_id is not None}
    # A mail's owner is the record's owner, who need not have written it; for a call or a meeting the owner took part.
    addressed = any(side.address for side in copy.sides if side.role in ("from", "to"))
    if copy.owner_member_id is not None and not (copy.kind == ActivityKind.EMAIL and addressed):
        found.add(copy.owner_member_id)
    return found


def _is_touch(copy: Copy) -> bool:
    if copy.automatic or copy.kind in (ActivityKind.NOTE, ActivityKind.TASK):
        return False
    if copy.kind == ActivityKind.EMAIL:
        to = {s.address.casefold() for s in copy.sides if s.role == "to" and s.address} - set(copy.ours)
        return len(to) <= MOST_RECIPIENTS
    if copy.kind == ActivityKind.CALL:
        connected = copy.disposition == "connected"
        return connected or (copy.disposition is None and copy.status in (ActivityStatus.DONE, ActivityStatus.UNKNOWN))
    return True


def _directions(copy: Copy) -> tuple[int, int]:
    if copy.kind != ActivityKind.EMAIL:
        return 1, 1  # meetings and connected calls count on both sides
    return (1, 0) if copy.direction == "in" else (0, 1)


def _withdrawn(copy: Copy) -> Instant | None:
    if copy.deleted_at is not None:
        return copy.deleted_at
    return copy.modified_at if copy.status in (ActivityStatus.CANCELLED, ActivityStatus.NO_SHOW) else None
