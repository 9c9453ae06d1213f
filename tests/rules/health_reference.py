"""The slow, obvious reading of health, value at risk and ranks, row by row and in exact fractions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

from rules.facts.healthsettings import COMPONENTS, HealthSettings
from store.records import DAY

Row = Mapping[str, object]


def _known(row: Row, name: str) -> Fraction | None:
    value, state = row[name], row[f"{name}_state"]
    if state is not None or value is None:
        return None
    assert isinstance(value, int | float)
    # Ratios are stored with nine decimals: that decimal is meant, not the double beside it.
    return Fraction(round(value * 10**9), 10**9)


def _between(value: Fraction, worst: float, best: float) -> Fraction:
    low, high = Fraction(str(worst)), Fraction(str(best))
    return 100 * min(max((value - low) / (high - low), Fraction(0)), Fraction(1))


def score(row: Row, name: str, as_of: int, settings: HealthSettings) -> Fraction | None:
    """0 to 100 of one component, None = missing; `domain.md` section 5, a line at a time."""
    scales = settings.scales
    if name in ("adoption_change", "adoption"):
        value = _known(row, name)
        return None if value is None else _between(value, *getattr(scales, name))
    if name in ("user_relationships", "exec_relationships"):
        low = _known(row, f"strong_{name}")
        if low is None:
            return None
        more = row[f"strong_{name}_u"] or 0
        assert isinstance(more, int)
        ends = {_between(low + u, 0, scales.strong_relationships) for u in range(more + 1)}
        return ends.pop() if len(ends) == 1 else None
    if name == "engagement":
        if row["last_contact_state"] == "never":
            return Fraction(0)
        at = row["last_contact"]
        if row["last_contact_state"] is not None or not isinstance(at, int):
            return None
        return _between(Fraction((as_of - at) // DAY), scales.silent_days, 0)
    if name == "support":
        opened, urgent = _known(row, "open_tickets"), _known(row, "urgent_tickets")
        if opened is None or urgent is None:
            return None
        return min(
            max(100 - Fraction(scales.open_ticket) * opened - Fraction(scales.urgent_ticket) * urgent, Fraction(0)),
            Fraction(100),
        )
    points = [
        factor * (value + add)
        for fact, factor, add in (("csat", 100, 0), ("nps", 10, 0), ("pulse", 25, 2))
        if (value := _known(row, fact)) is not None
    ]
    return min(max(sum(points, Fraction(0)) / len(points), Fraction(0)), Fraction(100)) if points else None


def weight(row: Row, name: str, settings: HealthSettings) -> Fraction:
    segment = row["segment"]
    weights = settings.by_segment.get(str(segment), settings.weights)
    return Fraction(getattr(weights, name))


def half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


def health(row: Row, as_of: int, settings: HealthSettings) -> int | None:
    """Hundredths; None = too little known."""
    found = {name: score(row, name, as_of, settings) for name in COMPONENTS}
    whole = sum(weight(row, name, settings) for name in COMPONENTS)
    there = sum(weight(row, name, settings) for name in COMPONENTS if found[name] is not None)
    if not there or there * 2 < whole:
        return None
    points = sum((weight(row, n, settings) * s for n, s in found.items() if s is not None), Fraction(0))
    return half_up(points / there * 100)


def at_risk(ltv: int, hundredths: int) -> int:
    return half_up(Fraction(ltv) * (10_000 - hundredths) / 10_000)


def percentile_rank(values: Sequence[float], value: float) -> Fraction:
    """(below + half of the other equals) / (n - 1), 0.5 for one."""
    if len(values) == 1:
        return Fraction(1, 2)
    below, equal = sum(v < value for v in values), sum(v == value for v in values)
    return (below + Fraction(equal - 1, 2)) / (len(values) - 1)


def cut(values: Sequence[float], side: str, share: Fraction) -> float | None:
    """The least value in the top share, or the greatest in the bottom one."""
    ranks = {value: percentile_rank(values, value) for value in values}
    if side == "top":
        return min((v for v, rank in ranks.items() if rank >= 1 - share), default=None)
    return max((v for v, rank in ranks.items() if rank <= share), default=None)
