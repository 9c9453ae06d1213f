"""Which cadence each customer is kept at: the score of domain.md section 7, once, before the demo begins."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from sandbox.world.draft import Draft

CADENCE = {1: 7, 2: 14, 3: 30}
ONBOARDING_DAYS = 90
_WEIGHTS = {"arr": 0.45, "potential": 0.30, "growth": 0.15, "market_fit": 0.10}
_ON_FILE_SINCE = -335
"""Day of the contract's start from which on the CRM knows an ARR of a year ago: accounts are entered a month before."""


def assign_attention(customers: Sequence[Draft]) -> None:
    """Sets `attention` and `attention_margin`. Strategic and onboarding customers are tier 1 and leave the ranking."""
    for draft in customers:
        if draft.strategic or is_onboarding(draft):
            draft.attention, draft.attention_margin = 1, 1.0
    ranked = [d for d in customers if not (d.strategic or is_onboarding(d))]
    percentiles = {name: _percentiles(ranked, name) for name in _WEIGHTS}
    scores = {d.key: _score(d, percentiles) for d in ranked}
    order = sorted(ranked, key=lambda d: (-scores[d.key], -(d.arr or 0), d.key))
    cuts = [floor(share * len(order) + 0.5) for share in (0.15, 0.50)]
    levels = [(scores[order[c - 1].key] + scores[order[c].key]) / 2 for c in cuts if 0 < c < len(order)]
    for place, draft in enumerate(order):
        draft.attention = 1 if place < cuts[0] else 2 if place < cuts[1] else 3
        draft.attention_margin = min((abs(scores[draft.key] - level) for level in levels), default=1.0)


def is_onboarding(draft: Draft) -> bool:
    """Is it younger than 90 days on day 0."""
    return draft.contract_start is not None and draft.contract_start > -ONBOARDING_DAYS


def cadence(draft: Draft) -> int:
    """Days within which somebody should be in touch with the account."""
    return CADENCE[draft.attention]


def _input(draft: Draft, name: str) -> float | None:
    """One input; ARR hardly ever moves in this world, so its growth is 0 where a CRM tells what it was."""
    if name != "growth":
        value: float | None = getattr(draft, name)
        return value
    told = draft.arr_in in ("deals", "items") or "salesforce" not in draft.systems
    old = draft.contract_start is not None and draft.contract_start <= _ON_FILE_SINCE
    return 0.0 if told and old and draft.arr else None


def _percentiles(ranked: Sequence[Draft], name: str) -> dict[str, float]:
    """(below + half of the other equals) / (n - 1) among those that have the input, by account key."""
    known = sorted((float(value), d.key) for d in ranked if (value := _input(d, name)) is not None)
    values = [value for value, _ in known]
    if len(known) < 2:
        return {key: 0.5 for _, key in known}
    first: dict[float, int] = {}
    equals: dict[float, int] = {}
    for place, value in enumerate(values):
        first.setdefault(value, place)
        equals[value] = equals.get(value, 0) + 1
    return {key: (first[value] + (equals[value] - 1) / 2) / (len(known) - 1) for value, key in known}


def _score(draft: Draft, percentiles: dict[str, dict[str, float]]) -> float:
    weight = total = 0.0
    for name, share in _WEIGHTS.items():
        found = percentiles[name].get(draft.key)
        if found is not None:
            weight += share
            total += share * found
    return total / weight if weight else 0.0
