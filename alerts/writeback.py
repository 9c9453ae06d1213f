"""Plan the changes of the CRM's tier field on plain records: what to write where, and whose value is left alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from store.records import Instant

FOUND, PERSON = "found", "person"


class WritebackSettings(BaseModel):
    """Section `writeback` of the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = False
    max_per_run: int = Field(default=500, ge=1)
    """Above this many changes a run writes none of them and says so."""


@dataclass(frozen=True, slots=True)
class Target:
    """The field of one CRM that holds the tier, and its value for each tier."""

    field: str
    values: Mapping[int, str]

    def tier_of(self, value: str | None) -> int | None:
        """The tier that a value of the CRM means; None = none that we know."""
        return next((tier for tier, name in self.values.items() if clean(name) == clean(value)), None)


@dataclass(frozen=True, slots=True)
class FieldState:
    """What tierd knows of the tier field of one account in one CRM."""

    account_id: int
    source: str
    known: str | None
    """The value last seen there, or written by tierd."""
    seen_at: Instant
    """When that value came to be."""
    pin_origin: str | None = None
    """found | person: somebody else's value, never overwritten; None = tierd's own, empty, or released."""
    pinned_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A value of the tier field that a sync brought and nobody has looked at yet."""

    account_id: int
    source: str
    value: str | None
    at: Instant
    state: FieldState | None
    """What was known before; None = this field is seen for the first time."""
    first_synced_at: Instant | None
    """When the source was first read; None = it still is being."""
    sending: str | None = None
    """The value of a write whose outcome was never recorded."""
    by_machine: bool = False
    """The field's own history says that no person set the value: a workflow, an import, an integration."""


@dataclass(frozen=True, slots=True)
class Pin:
    """The human tier of an account. `tier` is None where the value means none of ours: it is respected all the same."""

    account_id: int
    tier: int | None
    origin: str
    at: Instant
    source: str
    value: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """The tier that an account should show in every CRM, and why."""

    tier: int
    reason: str


@dataclass(frozen=True, slots=True)
class CrmRow:
    """A row of a CRM that is an account."""

    account_id: int
    source: str
    crm_id: str


@dataclass(frozen=True, slots=True)
class Change:
    """One planned change of one field of one CRM row."""

    account_id: int
    source: str
    crm_id: str
    field: str
    old: str | None
    new: str
    reason: str


def clean(value: str | None) -> str | None:
    """A field's value without stray blanks; empty is None."""
    return (value or "").strip() or None


def understand(sighting: Sighting) -> FieldState:
    """What a new value means: our own write coming back, an emptied field (releases the pin), or a pin."""
    value, before = clean(sighting.value), sighting.state
    if before is not None and value == before.known:
        return FieldState(before.account_id, before.source, value, sighting.at, before.pin_origin, before.pinned_at)
    ours = value is not None and value == clean(sighting.sending)
    if value is None or ours:
        return FieldState(sighting.account_id, sighting.source, value, sighting.at)
    if sighting.by_machine and before is not None:  # what the first sync finds is a pin, whoever had set it
        return FieldState(sighting.account_id, sighting.source, value, sighting.at)
    first = sighting.first_synced_at
    inherited = before is None and (first is None or sighting.at <= first)
    return pinned(sighting.account_id, sighting.source, value, sighting.at, FOUND if inherited else PERSON)


def pinned(account_id: int, source: str, value: str, at: Instant, origin: str = PERSON) -> FieldState:
    """The state of a field that somebody else has set."""
    return FieldState(account_id, source, value, at, origin, at)


def pin_of(states: Iterable[FieldState], targets: Mapping[str, Target]) -> Pin | None:
    """The pin in force of one account: a pin in either CRM pins it, the latest wins, then the first source."""
    order = {source: n for n, source in enumerate(targets)}
    pins = [
        Pin(s.account_id, targets[s.source].tier_of(s.known), s.pin_origin, s.pinned_at, s.source, s.known)
        for s in states
        if s.pin_origin is not None and s.pinned_at is not None and s.known is not None and s.source in targets
    ]
    return max(pins, key=lambda pin: (pin.at, -order[pin.source]), default=None)


def plan(
    wanted: Mapping[int, Wanted],
    rows: Sequence[CrmRow],
    states: Mapping[tuple[int, str], FieldState],
    targets: Mapping[str, Target],
) -> list[Change]:
    """Every difference between the tier wanted and what each CRM shows, but for fields that hold a pin."""
    changes = []
    for row in sorted(rows, key=lambda r: (r.source, r.crm_id)):
        target, want = targets.get(row.source), wanted.get(row.account_id)
        if target is None or want is None:
            continue
        state, new = states.get((row.account_id, row.source)), target.values[want.tier]
        old = state.known if state else None
        if (state is not None and state.pin_origin) or old == new:
            continue
        changes.append(Change(row.account_id, row.source, row.crm_id, target.field, old, new, want.reason))
    return changes


def guard(change_old: str | None, new: str, current: str | None, *, sent: bool) -> str:
    """What to do with a row whose value was read just before the write: write | arrived | person.

    `arrived`: a write of ours (`sent`) whose outcome was not recorded is there. `person`: somebody set a value that
    tierd did not write, even if it is the one that was to be written: it is left alone.
    """
    now = clean(current)
    if now == new:
        return "arrived" if sent else "person"
    return "write" if now is None or now == change_old else "person"
