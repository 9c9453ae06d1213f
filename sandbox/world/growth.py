"""How the ARR of customers has moved: at some past anniversary, or while the demo lasts. Both CRMs keep its history."""

from __future__ import annotations

from random import Random

from sandbox.world.companies import Roster
from sandbox.world.draft import Draft

MOVED, MOVES = 0.25, 0.05
"""Shares of the customers whose ARR stands in a field of the account: moved during the last year, moves in the demo."""


def move_arr(roster: Roster, rng: Random) -> None:
    """Customers outside the stories that stay customers; in whole dollars."""
    for draft in roster.of_kind("customer"):
        if draft.cast or draft.churn_day is not None or draft.arr_in != "field" or draft.arr is None:
            continue
        chance = rng.random()
        if chance < MOVED:
            _step(roster, draft, rng.randint(-340, -20), _times(draft.arr, rng.uniform(0.7, 1.15)), draft.arr)
        elif chance < MOVED + MOVES:
            _step(roster, draft, rng.randint(2, 20), draft.arr, _times(draft.arr, rng.uniform(0.85, 1.4)))


def _step(roster: Roster, draft: Draft, day: int, before: int, after: int) -> None:
    at = roster.days.at(roster.days.working(day), 16 * 60)
    if at > draft.created_at:
        draft.arr_course = [(draft.created_at, before), (at, after)]


def _times(cents: int, factor: float) -> int:
    return round(cents * factor / 100) * 100
