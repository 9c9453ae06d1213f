"""What an operator may set about the facts: names in the usage feed, segment borders, cadences, words of the CRMs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from rules.facts.healthsettings import HealthSettings
from rules.language.values import quantity
from store.records import DAY, HOUR, MINUTE, Day, Instant

_FROZEN = ConfigDict(frozen=True, extra="forbid")

# Preset A is the default; each maps a tier to the days between two touches.
CADENCES: Mapping[str, Mapping[int, int]] = {"A": {1: 7, 2: 14, 3: 30}, "B": {1: 7, 2: 30, 3: 90}}
ONBOARDING_CADENCE: Day = 7
RESPONSE: Mapping[int, int] = {1: 24, 2: 48, 3: 72}
"""Tier -> hours within which an answer is promised."""


_UNITS: Mapping[str, Instant] = {"w": 7 * DAY, "d": DAY, "h": HOUR, "m": MINUTE}
_CENTS = 100


def _amount(value: object) -> int:
    """`100k`, `2.5m`, `250000` -> minor units."""
    found = None if isinstance(value, bool) else quantity(str(value))
    if found is None or found.unit or found.number < 0:
        raise ValueError(f"{value!r} is no amount; write for example 100k or 250000, in whole units of `currency`")
    return int(found.number * _CENTS)


def _amount_text(minor: int) -> str:
    thousands, rest = divmod(minor, 1_000 * _CENTS)
    return f"{minor / _CENTS:.2f}" if rest else f"{thousands}k"


def _spell(value: object) -> Instant:
    """`1d`, `12h` -> microseconds; microseconds stay."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= MINUTE:
        return value
    return spell(value)


def spell(value: object) -> Instant:
    """`1d`, `12h`, `1w` -> microseconds; ValueError for anything else."""
    match = re.fullmatch(r"\s*(\d+)\s*([mhdw])\s*", str(value))
    if not match:
        raise ValueError(f"{value!r} is no interval; write for example 1d, 12h or 1w")
    return int(match.group(1)) * _UNITS[match.group(2)]


def _spell_text(length: Instant | None) -> str | None:
    fitting = (f"{length // size}{unit}" for unit, size in _UNITS.items() if length % size == 0) if length else iter(())
    return next(fitting, None)


Amount = Annotated[int, BeforeValidator(_amount), PlainSerializer(_amount_text)]
"""Minor units of the reporting currency; written in whole ones: `100k`, `250000`."""
Spell = Annotated[Instant, BeforeValidator(_spell), Field(gt=0), PlainSerializer(_spell_text)]
"""Microseconds; written `1d`, `12h`, `1w`."""


class UsageNames(BaseModel):
    """Which metrics of the usage feed mean what (section `usage` of the configuration)."""

    model_config = _FROZEN

    metric: str = "active_users"
    """The metric whose movement is the adoption change."""
    active_users: str = "active_users_28d"
    """The metric whose latest sample is the number of users active in 28 days."""
    interval: Spell | None = None
    """Between two samples of one account; None: the median gap of all samples."""


class Segments(BaseModel):
    """Lower bounds of ARR; a mapped segment wins."""

    model_config = _FROZEN

    enterprise: Amount = 100_000 * _CENTS
    mid_market: Amount = 20_000 * _CENTS

    @model_validator(mode="after")
    def _in_order(self) -> Segments:
        if self.mid_market >= self.enterprise:
            raise ValueError("`mid_market` must be less than `enterprise`: both are lower bounds of ARR")
        return self


class Feature(BaseModel):
    """One feature of the product: a line under `features`, by the name that everything else uses."""

    model_config = _FROZEN

    title: str | None = None
    """How people call it; none: its name."""
    names: tuple[str, ...] = ()
    """How usage feeds call it, or the events that show its use; its own name counts too."""
    offering: str | None = None
    """The package or add-on that it is sold in."""
    list_value: Amount | None = None
    """List price a year."""
    released: date | None = None
    offered: bool = True
    """Every customer may use it, unless a feed says otherwise; false: only those of whom a feed says so."""


class Offering(BaseModel):
    """One package or add-on: a line under `offerings`, by the name that the features' `offering` has."""

    model_config = _FROZEN

    released: date | None = None
    """None: the earliest `released` of its features."""
    words: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """A meeting whose title has one of them showed the offering; none: its name."""


class OpportunityTypes(BaseModel):
    """What the CRMs call the types of opportunities that facts ask for, in any case (section `opportunities`)."""

    model_config = _FROZEN

    renewal: tuple[str, ...] = ("renewal",)
    expansion: tuple[str, ...] = ("expansion", "upsell", "cross-sell", "add-on")
    """Those that sell a customer more."""


class FactSettings(BaseModel):
    """Everything the fact definitions take besides the rows and `as_of`."""

    model_config = _FROZEN

    timezone: str = "UTC"
    """The zone in which dates (renewal) are compared with `as_of`."""
    usage: UsageNames = UsageNames()
    rhythms: Mapping[str, Spell] = {}
    """Feed -> microseconds between two samples of one account, where the feed says so itself."""
    segments: Segments = Segments()
    cadence: Mapping[int, int] = CADENCES["A"]
    """Tier -> days between two touches."""
    onboarding_cadence: int = ONBOARDING_CADENCE
    response: Mapping[int, int] = RESPONSE
    """Tier -> hours within which an answer is promised."""
    health: HealthSettings = HealthSettings()
    tier_values: Mapping[str, Mapping[int, str]] = {}
    """Source -> tier -> the value of its tier field: where a person's value in the CRM is looked for."""
    renewal_types: tuple[str, ...] = OpportunityTypes().renewal
    """Opportunity types that renew a contract, in lower case."""
    expansion_types: tuple[str, ...] = OpportunityTypes().expansion
    """Opportunity types that sell a customer more, in lower case."""
    urgent_priorities: tuple[str, ...] = ("urgent", "critical", "high")
    """Ticket priorities that count as urgent, in lower case."""
    features: Mapping[str, Feature] = {}
    """What can be used in the product, by name."""
    offerings: Mapping[str, Offering] = {}
    """Packages and add-ons, by the name that features give."""
