"""Show on a terminal what health is made of, and what moved it."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from daemon.healthwhy import HealthPart, HealthWhy


def rendered(told: HealthWhy) -> RenderableType:
    """Health in a line, then a table of its components; those that moved most come first."""
    table = Table("component", "is", "score", "weight", "points", "30 days ago", "change", box=None, pad_edge=False)
    for part in told.parts:
        is_ = _raw(part) if part.why is None else (part.why or "").replace("_", " ")
        numbers = (part.score, part.weight, part.contribution, part.contribution_then)
        table.add_row(part.name, is_, *("" if n is None else f"{n:.2f}" for n in numbers), _signed(part.change))
    return Group(Text(_head(told), style="bold"), table)


def _head(told: HealthWhy) -> str:
    if told.health is None:
        return "\nhealth: too little known"
    moved = "" if told.change is None else f", {_signed(told.change)} in 30 days"
    return f"\nhealth: {told.health:.2f}, {told.band}{moved}"


def _raw(part: HealthPart) -> str:
    if part.raw is None:
        return "never"
    if part.component in ("adoption_change", "adoption"):
        return f"{part.raw:.1%}"
    unit = {"engagement": " days ago", "support": " points", "satisfaction": " points"}.get(part.component, "")
    return f"{part.raw:g}{unit}"


def _signed(points: float | None) -> str:
    return "" if points is None else f"{points:+.2f}"
