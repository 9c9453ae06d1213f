"""The score policy: who ranks where, where the cuts lie, and when a customer may change tier. Plain numbers in and out."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator

from store.records import DAY, Instant

MILLION = 1_000_000
"""Scores and cuts are integers: millionths of the score 0..1."""
INPUTS = ("arr", "potential", "arr_growth", "market_fit")


class Weights(BaseModel):
    """How much each input counts, in percent; a missing input's weight is spread over the others in proportion."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    arr: int = Field(default=45, ge=0)
    potential: int = Field(default=30, ge=0)
    arr_growth: int = Field(default=15, ge=0)
    market_fit: int = Field(default=10, ge=0)


class TierSettings(BaseModel):
    """The tier policy (section `tiers` of the configuration)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: Literal["score"] = "score"
    names: tuple[str, str, str] = ("1", "2", "3")
    cadence: Literal["A", "B"] = "A"
    """Days between two touches per tier: A is 7, 14, 30; B is 7, 30, 90."""
    response: tuple[PositiveInt, PositiveInt, PositiveInt] = (24, 48, 72)
    """Hours within which tier 1, 2 and 3 are promised an answer."""
    weights: Weights = Weights()
    tier_1_percent: int = Field(default=15, ge=0, le=100)
    tier_2_percent: int = Field(default=50, ge=0, le=100)
    """The share of the ranked customers that is in tier 1 or 2."""
    margin: float = Field(default=0.02, ge=0)
    """How far beyond a cut a score must be, all the time, before the tier changes."""
    up_days: int = Field(default=14, ge=0)
    down_days: int = Field(default=30, ge=0)

    @field_validator("names", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return tuple(map(str, value)) if isinstance(value, list | tuple) else value


@dataclass(frozen=True, slots=True)
class Customer:
    """What the policy reads of one customer; None = missing. Money in minor units."""

    account_id: int
    key: str
    """Never changes and is the same in every store that read the same CRMs: the last tie-breaker."""
    arr: int | None = None
    potential: int | None = None
    arr_growth: float | None = None
    market_fit: float | None = None
    strategic: bool = False
    onboarding: bool = False


@dataclass(frozen=True, slots=True)
class Ranked:
    """What the score says of one customer. `forced`: strategic or onboarding, tier 1 outside the ranking."""

    score: int | None
    computed: int | None
    forced: str | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """The whole portfolio at one evaluation."""

    customers: Mapping[int, Ranked]
    ranked: int
    cut_1: int | None
    cut_2: int | None
    """Millionths; None when nobody is ranked."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One earlier evaluation of one customer."""

    as_of: Instant
    score: int | None
    cut_1: int | None
    cut_2: int | None


@dataclass(frozen=True, slots=True)
class Decision:
    """The tier to record. `proposed`: a downgrade of tier 1 that waits for a person."""

    tier: int | None
    proposed: int | None
    reason: str


def rank(customers: Sequence[Customer], policy: TierSettings) -> Ranking:
    """Score and cut: strategic and onboarding customers leave the ranking first, those without any input after them."""
    found: dict[int, Ranked] = {}
    inside: list[Customer] = []
    for customer in customers:
        forced = "strategic" if customer.strategic else "onboarding" if customer.onboarding else None
        if forced:
            found[customer.account_id] = Ranked(None, 1, forced)
        elif all(getattr(customer, name) is None for name in INPUTS):
            found[customer.account_id] = Ranked(None, None)
        else:
            inside.append(customer)
    scores = _scores(inside, policy.weights)
    order = sorted(inside, key=lambda c: (-scores[c.account_id], -(c.arr if c.arr is not None else -1), c.key))
    first, second = (_share(percent, len(order)) for percent in (policy.tier_1_percent, policy.tier_2_percent))
    for place, customer in enumerate(order):
        tier = 1 if place < first else 2 if place < second else 3
        found[customer.account_id] = Ranked(scores[customer.account_id], tier)
    line = [scores[customer.account_id] for customer in order]
    return Ranking(found, len(order), _cut(line, first, policy), _cut(line, second, policy))


def _share(percent: int, n: int) -> int:
    """floor(percent/100 * n + 0.5), in integers."""
    return (percent * n + 50) // 100


def _cut(line: Sequence[int], size: int, policy: TierSettings) -> int | None:
    """The mean of the last score inside and the first outside; beyond every score when one side is empty."""
    if not line:
        return None
    if size == 0:
        return MILLION + 1 + _millionths(policy.margin)
    if size == len(line):
        return -1 - _millionths(policy.margin)
    return (line[size - 1] + line[size] + 1) // 2


def _millionths(ratio: float) -> int:
    return round(ratio * MILLION)


def _scores(customers: Sequence[Customer], weights: Weights) -> dict[int, int]:
    """Account -> weighted mean of its percentile ranks, rounded half up to a millionth; exact in integers."""
    values = {name: sorted(v for c in customers if (v := getattr(c, name)) is not None) for name in INPUTS}
    # The percentile rank of an input is p / (2 (n - 1)) with an integer p; all are brought to one denominator.
    scale = 1
    for line in values.values():
        scale *= 2 * max(len(line) - 1, 1)
    found: dict[int, int] = {}
    for customer in customers:
        points = total = 0
        for name, line in values.items():
            value, weight = getattr(customer, name), getattr(weights, name)
            if value is None:
                continue
            total += weight
            points += weight * _twice_below(line, value) * (scale // (2 * max(len(line) - 1, 1)))
        # All present inputs weighing nothing is as good as no opinion: the middle.
        top, bottom = (points, scale * total) if total else (1, 2)
        found[customer.account_id] = (2 * top * MILLION + bottom) // (2 * bottom)
    return found


def _twice_below(line: Sequence[float], value: float) -> int:
    """2 x (values below + half of the other equal ones); a lone value is in the middle."""
    if len(line) == 1:
        return 1
    below, upto = bisect_left(line, value), bisect_right(line, value)
    return 2 * below + (upto - below - 1)


def decide(
    current: int | None, ranked: Ranked, history: Sequence[Scored], as_of: Instant, policy: TierSettings
) -> Decision:
    """The tier to record for one customer. `history`: its evaluations in ascending order, this one included."""
    if ranked.computed is None:
        return Decision(current, None, "nothing to rank it by")
    if ranked.forced:
        return Decision(1, None, ranked.forced)
    if current is None:
        return Decision(ranked.computed, None, f"first assignment, {_place(ranked)}")
    margin = _millionths(policy.margin)
    for tier in range(ranked.computed, current):
        if _held(history, as_of - policy.up_days * DAY, tier, margin, up=True):
            return Decision(tier, None, f"{_place(ranked)}, above the cut for {policy.up_days} days")
    for tier in range(ranked.computed, current, -1):
        if _held(history, as_of - policy.down_days * DAY, tier - 1, margin, up=False):
            reason = f"{_place(ranked)}, below the cut for {policy.down_days} days"
            return Decision(current, tier, reason) if current == 1 else Decision(tier, None, reason)
    return Decision(current, None, _place(ranked) if ranked.computed == current else "not for long enough")


def _place(ranked: Ranked) -> str:
    score = 0 if ranked.score is None else ranked.score
    return f"score {score / MILLION:.2f} is tier {ranked.computed}"


def _held(history: Sequence[Scored], begin: Instant, tier: int, margin: int, *, up: bool) -> bool:
    """True when every score since `begin` was `margin` beyond the lower cut of `tier`, above (`up`) or below it.

    The evaluation that was the latest at `begin` is one of them: without it the period is not covered.
    """
    for scored in reversed(history):
        cut = scored.cut_1 if tier == 1 else scored.cut_2
        if scored.score is None or cut is None:
            return False
        beyond = scored.score - cut if up else cut - scored.score
        if beyond < margin:
            return False
        if scored.as_of <= begin:
            return True
    return False
