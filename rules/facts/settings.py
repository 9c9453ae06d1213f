"""What an operator may set about the facts: names in the usage feed, segment borders, cadences, words of the CRMs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from store.records import Day, Instant

_FROZEN = ConfigDict(frozen=True, extra="forbid")

# Preset A is the default; each maps a tier to the days between two touches.
CADENCES: Mapping[str, Mapping[int, int]] = {"A": {1: 7, 2: 14, 3: 30}, "B": {1: 7, 2: 30, 3: 90}}
ONBOARDING_CADENCE: Day = 7


class UsageNames(BaseModel):
    """Which metrics of the usage feed mean what (section `usage` of the configuration)."""

    model_config = _FROZEN

    metric: str = "active_users"
    """The metric whose movement is the adoption change."""
    active_users: str = "active_users_28d"
    """The metric whose latest sample is the number of users active in 28 days."""
    interval: Annotated[Instant, Field(gt=0)] | None = None
    """Microseconds between two samples of one account; None: the median gap of all samples."""


class Segments(BaseModel):
    """Lower bounds of ARR, in minor units of the reporting currency; a mapped segment wins."""

    model_config = _FROZEN

    enterprise: int = 10_000_000
    mid_market: int = 2_000_000


class FactSettings(BaseModel):
    """Everything the fact definitions take besides the rows and `as_of`."""

    model_config = _FROZEN

    timezone: str = "UTC"
    """The zone in which dates (renewal) are compared with `as_of`."""
    usage: UsageNames = UsageNames()
    segments: Segments = Segments()
    cadence: Mapping[int, int] = CADENCES["A"]
    """Tier -> days between two touches."""
    onboarding_cadence: int = ONBOARDING_CADENCE
    tier_values: Mapping[str, Mapping[int, str]] = {}
    """Source -> tier -> the value of its tier field: where a person's value in the CRM is looked for."""
    renewal_types: tuple[str, ...] = ("renewal",)
    """Opportunity types that renew a contract, in lower case."""
    urgent_priorities: tuple[str, ...] = ("urgent", "critical", "high")
    """Ticket priorities that count as urgent, in lower case."""
