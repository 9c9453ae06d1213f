"""Why the health of an account is what it is, and why it moved: its components now and 30 days ago, largest change first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, cast, literal, select

from rules.facts import FactSettings
from rules.facts.health import CHANGE_DAYS, health_parts, told_of
from rules.facts.healthsettings import COMPONENTS, Band
from rules.facts.moment import moment
from store.engine import Store
from store.records import DAY, Instant
from store.tables import facts

_NAMES: Mapping[str, str] = {
    "adoption_change": "adoption change",
    "adoption": "adoption",
    "user_relationships": "strong users",
    "exec_relationships": "strong execs",
    "engagement": "last contact",
    "support": "support",
    "satisfaction": "satisfaction",
}


@dataclass(frozen=True, slots=True)
class HealthPart:
    """One component: what it is now, and the points of health that it gives now and gave 30 days ago."""

    component: str
    raw: float | None
    """In the unit of the fact behind it: a ratio, persons, days, points."""
    why: str | None
    """Why it is missing now."""
    score: float | None
    weight: float
    contribution: float | None
    contribution_then: float | None
    raw_then: float | None

    @property
    def name(self) -> str:
        """As a person reads it."""
        return _NAMES[self.component]

    @property
    def change(self) -> float | None:
        """Points more than 30 days ago; None where it was, or is, missing."""
        if self.contribution is None or self.contribution_then is None:
            return None
        return round(self.contribution - self.contribution_then, 2)


@dataclass(frozen=True, slots=True)
class HealthWhy:
    """Health of one account with its components: those that moved most first, then by weight."""

    health: float | None
    health_then: float | None
    band: Band | None
    parts: tuple[HealthPart, ...]

    @property
    def change(self) -> float | None:
        """Points more than 30 days ago; the changes of the parts add up to it where none came or went."""
        if self.health is None or self.health_then is None:
            return None
        return round(self.health - self.health_then, 2)


def health_why(store: Store, settings: FactSettings, as_of: Instant, row: Mapping[str, Any]) -> HealthWhy:
    """Take the health of one row apart; `row` is what `facts_at` gives with needs, so that it has `health@30`."""
    past = {c.name: row.get(f"{c.name}@{CHANGE_DAYS}") for c in facts.columns}
    with store.read() as connection:
        now = _parts(connection, settings, as_of, row)
        then = _parts(connection, settings, as_of - CHANGE_DAYS * DAY, past)
    parts = [
        HealthPart(
            component=name,
            **told_of(name, now),
            contribution_then=told_of(name, then)["contribution"],
            raw_then=told_of(name, then)["raw"],
        )
        for name in COMPONENTS
    ]
    health = row.get("health")
    return HealthWhy(
        health=health,
        health_then=past["health"],
        band=None if health is None else settings.health.band(health),
        parts=tuple(sorted(parts, key=lambda part: (-abs(part.change or 0.0), -part.weight, part.component))),
    )


def _parts(connection: Connection, settings: FactSettings, at: Instant, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row of `health_parts` of one row of facts, which is bound."""
    bound = {c.name: cast(literal(row.get(c.name), c.type), c.type).label(c.name) for c in facts.columns}
    bound["account_id"] = literal(row.get("account_id") or 0, facts.c.account_id.type).label("account_id")
    query = health_parts(select(*bound.values()).subquery("bound"), moment(at, settings.timezone), settings.health, 0)
    return dict(connection.execute(query).mappings().one())
