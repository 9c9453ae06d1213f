"""Stories about the newest offering, which is out for more than 60 days from day 4 on: who has not been shown it."""

from __future__ import annotations

from functools import partial

from sandbox.world.casting import Cast, never_met
from sandbox.world.draft import Draft, Pin
from sandbox.world.offering import BEFORE_START, TITLE

UNSHOWN = "newest-offering-not-shown"
OUT_LONG = 4


def _in_touch(cast: Cast, tier: int) -> Draft:
    """Mails and meetings all the time; the newest offering is in none of their titles."""
    draft = cast.take(attention=tier)
    draft.life.unshown = True
    return draft


def _shows(draft: Draft, day: int) -> None:
    draft.life.pins.append(Pin(day, "meeting", draft.life.champions[0], title=TITLE))


def _never(cast: Cast, tier: int) -> None:
    draft = _in_touch(cast, tier)
    cast.tell(
        UNSHOWN, draft, "fires", f"tier {tier}; on day 4 the offering is out for 61 days, and was not shown", OUT_LONG
    )


def _too_early(cast: Cast) -> None:
    draft = _in_touch(cast, 2)
    _shows(draft, -BEFORE_START - 1)
    cast.tell(UNSHOWN, draft, "fires", "tier 2; a meeting showed it on the day before its release only", OUT_LONG)


def _shown_late(cast: Cast) -> None:
    draft = _in_touch(cast, 2)
    _shows(draft, 15)
    cast.tell(UNSHOWN, draft, "clears", "tier 2; not shown before the meeting of day 15", OUT_LONG, clear_day=16)


def _shown(cast: Cast, day: int, when: str) -> None:
    draft = _in_touch(cast, 2)
    _shows(draft, day)
    cast.tell(UNSHOWN, draft, "decoy", f"tier 2; a meeting shows it on {when}")


def _lowest(cast: Cast) -> None:
    draft = _in_touch(cast, 3)
    cast.tell(UNSHOWN, draft, "decoy", "never shown, but in tier 3")


def _unseen(cast: Cast, tier: int) -> None:
    draft = _in_touch(cast, tier)
    never_met(draft, "exec")
    cast.hand_to_newcomer(draft, OUT_LONG - 1)
    why = f"tier {tier}; before day 4 it goes to a CSM whose calendar is not captured"
    cast.tell(UNSHOWN, draft, "unknown", why, OUT_LONG)


OFFERING_ACTS = (
    partial(_never, tier=2),
    partial(_shown, day=OUT_LONG - 1, when="the day before it is out for more than 60 days"),
    partial(_unseen, tier=2),
    _too_early,
    partial(_shown, day=-BEFORE_START, when="the day of its release"),
    partial(_unseen, tier=1),
    _shown_late,
    partial(_never, tier=1),
    _lowest,
)
