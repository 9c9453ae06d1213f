"""Stories about health that falls by fifteen points, planted part by part: use, change of use, tickets."""

from __future__ import annotations

from sandbox.world.casting import ALWAYS, Cast, only_as_planted, regular, steps
from sandbox.world.draft import Draft

DROP = "health-drop"
RHYTHM = 10
"""Days between two meetings: so many go into 30 that the recency of contact is the same now and 30 days ago."""


def _measured(cast: Cast, shares: list[tuple[int, float]], bends: list[tuple[int, float]] | None = None) -> Draft:
    """Everything that health is made of stands still but what is planted. Adoption weighs 15 of 90, its change 25,
    support 10.
    """
    draft = cast.take("mid_market")
    only_as_planted(draft)
    for person in (draft.life.sponsors[0], draft.life.champions[0]):
        regular(draft, person, "meeting", RHYTHM, first=-205)
    draft.seats, draft.life.curve = 200, steps(100, bends or [])
    draft.life.curve.shares = shares
    # An expansion is on offer, so that strong use is no news.
    draft.life.offers = [(-60, 90)]
    return draft


def _use_collapses(cast: Cast) -> None:
    draft = _measured(cast, [(ALWAYS, 0.98), (5, 0.05)])
    cast.tell(DROP, draft, "fires", "adoption falls from 98 % to 5 % on day 5: 15.5 points", 5)


def _use_and_tickets(cast: Cast) -> None:
    draft = _measured(cast, [(ALWAYS, 0.90), (7, 0.50)])
    draft.life.tickets = [(9, None, "High"), (9, None, "High")]
    cast.tell(
        DROP, draft, "fires", "adoption falls by 40 points on day 7, two urgent tickets on day 9: 15.6 points", 10
    )


def _use_slides(cast: Cast) -> None:
    draft = _measured(cast, [(ALWAYS, 0.6)], [(-5, 1.0), (-4, 0.4)])
    cast.tell(DROP, draft, "fires", "daily use falls by 60 %; its change costs 15.6 points with the 14th sample", 9)


def _tickets_closed(cast: Cast) -> None:
    draft = _measured(cast, [(ALWAYS, 0.90), (4, 0.50)])
    draft.life.tickets = [(5, 16, "High"), (5, 16, "High")]
    cast.tell(DROP, draft, "clears", "15.6 points on day 6; both tickets are closed on day 16", 6, clear_day=17)


def _a_point_less(cast: Cast) -> None:
    draft = _measured(cast, [(ALWAYS, 0.98), (6, 0.10)])
    cast.tell(DROP, draft, "decoy", "adoption falls from 98 % to 10 % on day 6: 14.7 points")


def _slides_less(cast: Cast) -> None:
    draft = _measured(cast, [(ALWAYS, 0.6)], [(-16, 1.0), (-15, 0.74)])
    cast.tell(DROP, draft, "decoy", "daily use falls by 26 %, which never costs more than 14.4 points")


def _in_two_steps(cast: Cast) -> None:
    draft = _measured(cast, [(ALWAYS, 0.98), (-20, 0.52), (11, 0.06)])
    cast.tell(DROP, draft, "decoy", "15.3 points in two steps that are 31 days apart")


DROP_ACTS = (
    _use_collapses,
    _a_point_less,
    _use_and_tickets,
    _in_two_steps,
    _tickets_closed,
    _use_slides,
    _slides_less,
)
