"""Stories about relationships with executives that stop being strong, and about tier and cadence."""

from __future__ import annotations

from sandbox.world.casting import Cast, fading, never_met, renews, silent_since
from sandbox.world.draft import FOREVER, Draft, Pin
from sandbox.world.ranks import CADENCE

SINGLE = "single-threaded"
OVERDUE = "touch-overdue"


def _fades(cast: Cast, day: int, *segments: str) -> Draft:
    """One executive relationship fades on `day`; in enterprises another one stays strong."""
    draft = cast.take(*segments, execs=3 if "enterprise" in segments else 1)
    first, *rest = draft.execs()
    draft.life.sponsors = rest[:1] if "enterprise" in segments else []
    draft.life.exec_every = 18
    draft.life.pins += fading(first, day)
    return draft


def single_threaded(cast: Cast) -> None:
    """single-threaded (for 7 days). Relies on the strength (60) of every executive, over 365 days of touches."""
    for day, segment in ((3, "enterprise"), (7, "mid_market"), (12, "smb")):
        draft = _fades(cast, day, segment)
        cast.tell(
            SINGLE, draft, "fires", f"a meeting leaves the 90 days: one strong executive too few from day {day} on", day
        )
    draft = _fades(cast, 9, "mid_market")
    renews(draft, 5 + 90)
    cast.tell(SINGLE, draft, "fires", "not strong from day 9 on, and the renewal is due: high", 9)
    cast.tell("renewal-exec-silence", draft, "fires", "the renewal becomes due on day 5; the executive is silent", 5)
    draft = _fades(cast, 4, "smb")
    draft.life.pins.append(Pin(20, "meeting", draft.execs()[0]))
    cast.tell(SINGLE, draft, "clears", "fades on day 4, the executive is met on day 20", 4, clear_day=21)
    _single_decoys(cast)
    _single_unknown(cast)


def _single_decoys(cast: Cast) -> None:
    draft = _fades(cast, 30, "mid_market")
    cast.tell(SINGLE, draft, "decoy", "the only strong relationship fades on the day after the demo")
    draft = _fades(cast, 6, "smb")
    draft.life.pins.append(Pin(12, "meeting", draft.execs()[0]))
    cast.tell(SINGLE, draft, "decoy", "true on days 6 to 12 only: held for six days, not for seven")
    draft = _fades(cast, 5, "enterprise")
    draft.life.sponsors = draft.execs()[1:3]
    cast.tell(SINGLE, draft, "decoy", "one of three executives fades, two stay strong")


def _single_unknown(cast: Cast) -> None:
    draft = _fades(cast, 6, "enterprise")
    stranger = draft.life.strangers[0]
    draft.life.pins += [Pin(day, "meeting", stranger) for day in range(-340, 30, 30)]
    cast.tell(
        SINGLE, draft, "unknown", "one strong executive and one strong person without a title: levels not known", 6
    )
    draft = _fades(cast, 8, "smb")
    stranger = draft.life.strangers[0]
    draft.life.pins += [Pin(day, "meeting", stranger) for day in range(-341, 30, 30)]
    cast.tell(SINGLE, draft, "unknown", "the only strong person has no title: levels not known", 8)
    draft = _fades(cast, 4, "mid_market")
    cast.hand_to_newcomer(draft, 4)
    cast.tell(SINGLE, draft, "unknown", "fades on day 4; since day 3 its CSM is one whose mailbox is not captured", 4)


def _overdue_from(cast: Cast, attention: int, day: int, until: int = FOREVER) -> Draft:
    """The cadence is exceeded by three whole days for the first time on `day`."""
    draft = cast.take(attention=attention)
    silent_since(draft, "all", day - CADENCE[attention] - 4, draft.life.champions[0], until)
    draft.life.exec_every = 12
    return draft


def touches_overdue(cast: Cast) -> None:
    """touch-overdue. Relies on the tier in force (cadence 7, 14 or 30 days), the last touch and booked meetings.

    Cast last, when the tiers are known; the accounts lie far from the cuts, so that their tier is beyond doubt.
    """
    for attention, day in ((1, 3), (2, 8), (3, 11)):
        draft = _overdue_from(cast, attention, day, day + 12)
        draft.life.pins.append(Pin(day + 11, "in", draft.life.champions[0]))
        why = f"tier {attention}: cadence of {CADENCE[attention]} days exceeded by 3 on day {day}, a user writes on day {day + 11}"
        cast.tell(OVERDUE, draft, "fires", why, day, clear_day=day + 12)
    draft = _overdue_from(cast, 2, 3, 22)
    draft.life.pins += [
        Pin(14, "meeting", draft.life.champions[0], booked=-8, cancelled=9),
        Pin(21, "out", draft.life.champions[0]),
    ]
    cast.tell(OVERDUE, draft, "fires", "the booked meeting is called off on day 9", 10, clear_day=22)
    draft = _overdue_from(cast, 1, 5, 13)
    draft.life.pins.append(Pin(12, "call", draft.life.champions[0]))
    cast.tell(OVERDUE, draft, "clears", "overdue on day 5, a call on day 12", 5, clear_day=13)
    _overdue_decoys(cast)
    _overdue_unknown(cast)


def _every(draft: Draft, first: int, step: int) -> None:
    never_met(draft, "all")
    draft.life.quiet[-1] = ("all", first, FOREVER)
    draft.life.pins += [Pin(day, "out", draft.life.champions[0]) for day in range(first, 45, step)]


def _overdue_decoys(cast: Cast) -> None:
    for attention, first in ((1, -9), (2, -14)):
        draft = cast.take(attention=attention)
        step = CADENCE[attention] + 3
        _every(draft, first, step)
        cast.tell(
            OVERDUE, draft, "decoy", f"tier {attention}: a touch every {step} days, due for 2 days at most, not more"
        )
    draft = _overdue_from(cast, 1, 4, 26)
    draft.life.pins.append(Pin(25, "meeting", draft.life.champions[0], booked=-3))
    cast.tell(OVERDUE, draft, "decoy", "overdue from day 4 on, but a meeting is booked for day 25 and takes place")
    draft = _overdue_from(cast, 2, 9, 22)
    person = draft.csm[0][1] or draft.owner
    draft.tier_edits.append((cast.roster.days.at(1, 9 * 60 + 30), 3, person))
    draft.life.pins.append(Pin(21, "out", draft.life.champions[0]))
    cast.tell(OVERDUE, draft, "decoy", "a person sets tier 3 on day 1, so 30 days of silence are allowed, not 14")


def _overdue_unknown(cast: Cast) -> None:
    for day in (5, 8):
        draft = _overdue_from(cast, 2, day)
        cast.hand_to_newcomer(draft, day)
        why = f"overdue on day {day}; the day before it went to a CSM whose mailbox is not captured"
        cast.tell(OVERDUE, draft, "unknown", why, day)
