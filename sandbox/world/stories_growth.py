"""Stories about customers who could do more: ready for an expansion, ready to speak for us."""

from __future__ import annotations

from functools import partial

from sandbox.world.casting import ALWAYS, Cast, only_as_planted, regular, steps
from sandbox.world.draft import Draft

EXPAND = "expansion-ready"
ADVOCATE = "advocate-ready"
SEATS = 200


def _well_known(cast: Cast, shares: list[tuple[int, float]], *, users: int = 2, execs: int = 2) -> Draft:
    """Strong relationships with so many executives and users, a mail every four days, no ticket, no expansion."""
    draft = cast.take("mid_market", execs=execs)
    only_as_planted(draft)
    for n, person in enumerate([*draft.execs()[:execs], *draft.users()[:users]]):
        regular(draft, person, "meeting", 15, first=-345 + 3 * n)
    regular(draft, draft.users()[0], "out", 4, first=-121)
    draft.seats, draft.life.curve = SEATS, steps(100, [])
    draft.life.curve.shares = shares
    return draft


def _use_rises(cast: Cast, day: int) -> None:
    draft = _well_known(cast, [(ALWAYS, 0.30), (day, 0.85)])
    cast.tell(EXPAND, draft, "fires", f"good relationships, and adoption rises from 30 % to 85 % on day {day}", day)
    cast.tell(
        ADVOCATE, draft, "unknown", f"healthy from day {day} on; nobody records who was asked for a reference", day
    )


def _offer_taken(cast: Cast) -> None:
    draft = _well_known(cast, [(ALWAYS, 0.85)], users=1, execs=1)
    draft.life.offers = [(-40, 11)]
    cast.tell(EXPAND, draft, "fires", "all is well; the open expansion is won on day 11", 12)


def _use_falls(cast: Cast) -> None:
    draft = _well_known(cast, [(ALWAYS, 0.70), (6, 0.82), (16, 0.70)], users=1, execs=1)
    cast.tell(EXPAND, draft, "clears", "adoption is 82 % from day 6 to day 15", 6, clear_day=16)


def _half_a_percent_less(cast: Cast) -> None:
    draft = _well_known(cast, [(ALWAYS, 0.795)], users=1, execs=1)
    cast.tell(EXPAND, draft, "decoy", "good relationships, but adoption stays at 79.5 %")


def _on_offer(cast: Cast) -> None:
    draft = _well_known(cast, [(ALWAYS, 0.88)], users=1, execs=1)
    draft.life.offers = [(-20, 40)]
    cast.tell(EXPAND, draft, "decoy", "all is well, and an expansion is open")


def _a_day_late(cast: Cast) -> None:
    draft = _well_known(cast, [(ALWAYS, 0.30), (30, 0.85)])
    cast.tell(EXPAND, draft, "decoy", "adoption rises on the day after the demo")
    cast.tell(ADVOCATE, draft, "decoy", "health passes 75 on the day after the demo")


def _almost_healthy(cast: Cast) -> None:
    draft = _well_known(cast, [(ALWAYS, 0.495)])
    cast.tell(
        ADVOCATE, draft, "decoy", "good relationships, but health stays below 75, by less than one point at its best"
    )


def _users_unknown(cast: Cast) -> None:
    draft = _well_known(cast, [(ALWAYS, 0.98)], users=0, execs=3)
    cast.tell(EXPAND, draft, "decoy", "strong use; no user has ever answered, so the relationship stays below 60")
    cast.tell(ADVOCATE, draft, "decoy", "healthy; no user has ever answered, so the relationship stays below 60")


def _seats_unknown(cast: Cast) -> None:
    draft = cast.take("mid_market", systems=("salesforce",))
    only_as_planted(draft)
    for person in (draft.life.sponsors[0], draft.life.champions[0]):
        regular(draft, person, "meeting", 15)
    draft.seats, draft.life.offers = None, [(-40, 6)]
    cast.tell(EXPAND, draft, "unknown", "no seats on file, so no adoption; the open expansion is won on day 6", 7)


GROWTH_ACTS = (
    partial(_use_rises, day=4),
    _a_day_late,
    _seats_unknown,
    partial(_use_rises, day=9),
    _half_a_percent_less,
    _users_unknown,
    _offer_taken,
    _on_offer,
    _almost_healthy,
    _use_falls,
)
