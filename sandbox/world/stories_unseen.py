"""Customers that go to a CSM whose mailbox is not captured: of what stands on contact nothing can be said from then on."""

from __future__ import annotations

from functools import partial

from sandbox.world.casting import (
    ALWAYS,
    Cast,
    in_second_year,
    only_as_planted,
    regular,
    renews,
    silent_since,
    steps,
)
from sandbox.world.stories_growth import EXPAND
from sandbox.world.stories_health import DROP
from sandbox.world.stories_people_left import LEFT
from sandbox.world.stories_service import COSTLY, REPLY
from sandbox.world.stories_silence import FIRST_WORD, LONG, ONE_SIDED, SPONSOR


def _known_well(cast: Cast, day: int) -> None:
    """Two strong users, executives silent for 60 days, and strong use, all from this day on."""
    draft = cast.take("mid_market")
    only_as_planted(draft)
    for n, user in enumerate(draft.users()[:2]):
        regular(draft, user, "meeting", 15, first=-345 + 4 * n)
    silent_since(draft, "exec", day - LONG - 1, draft.life.sponsors[0])
    draft.seats, draft.life.curve = 200, steps(100, [])
    draft.life.curve.shares = [(ALWAYS, 0.70), (day, 0.85)]
    cast.hand_to_newcomer(draft, day)
    why = f"the day before day {day} it goes to a CSM whose mailbox is not captured"
    for rule in (SPONSOR, ONE_SIDED, REPLY, LEFT, EXPAND):
        cast.tell(rule, draft, "unknown", why, day)


def _hardly_known(cast: Cast, day: int) -> None:
    """A small customer with whom nobody was in touch for 60 days on this day; its seats are not on file."""
    draft = cast.take("smb", systems=("salesforce",), poorest=True)
    only_as_planted(draft)
    draft.life.pins = []
    silent_since(draft, "all", day - LONG - 1, draft.life.champions[0])
    renews(draft, day + 119, deal=False)
    in_second_year(draft)
    draft.seats = None
    cast.hand_to_newcomer(draft, day)
    why = f"the day before day {day} it goes to a CSM whose mailbox is not captured"
    for rule in (FIRST_WORD, COSTLY):
        cast.tell(rule, draft, "unknown", why, day)
    cast.tell(DROP, draft, "unknown", why + "; without seats and contact too little is known of its health", day)


UNSEEN_ACTS = (
    partial(_known_well, day=4),
    partial(_hardly_known, day=5),
    partial(_known_well, day=7),
    partial(_hardly_known, day=8),
)
