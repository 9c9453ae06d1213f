"""The rows behind an account's facts that a message names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from store.records.units import Instant


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
