"""Stories about product usage: adoption falls and the users are silent, or it is strong and we know no user."""

from __future__ import annotations

from sandbox.world.casting import ALWAYS, Cast, drop, loses, never_met, silent_since, steps
from sandbox.world.draft import FOREVER, Draft, Pin

DROP = "adoption-drop-user-silence"
STRONG = "strong-adoption-no-users"
LEVEL = 100
SEATS = 260


def _dropping(cast: Cast, bends: list[tuple[int, float]], *segments: str) -> Draft:
    """An account with big enough usage and executives in touch within its cadence."""
    draft = cast.take(*(segments or ("mid_market",)))
    draft.seats, draft.life.curve = SEATS, steps(LEVEL, bends)
    draft.life.exec_every = 6
    return draft


def adoption_drops(cast: Cast) -> None:
    """adoption-drop-user-silence. Relies on daily samples (30 days over the 90 before) and the users' last touches.

    A fall to the factor f is -(1 - f) x n/30 after n days, so f = 0.52 passes -20 % with the 13th sample; it is counted
    whole for 30 days and then fades, as the earlier window takes it in.
    """
    _drop_fires(cast)
    _drop_decoys(cast)
    _drop_unknown(cast)


def _drop_fires(cast: Cast) -> None:
    draft = _dropping(cast, drop(-42, 0.6))
    silent_since(draft, "user", 4 - 31, draft.life.champions[0])
    loses(draft, 95)
    cast.tell(DROP, draft, "fires", "down by a third since January, users silent for 30 days on day 4", 4)
    draft = _dropping(cast, drop(9 - 12, 0.52))
    silent_since(draft, "user", -40, draft.life.champions[0])
    cast.tell(DROP, draft, "fires", "silent users; the fall passes 20 % on day 9", 9)
    draft = _dropping(cast, drop(12 - 25, 0.35), "enterprise", "mid_market")
    silent_since(draft, "user", 12 - 31, draft.life.champions[0])
    loses(draft, 120)
    cast.tell(DROP, draft, "fires", "a collapse of more than 40 %: critical; users silent on day 12", 12)
    draft = _dropping(cast, drop(-40, 0.6))
    silent_since(draft, "user", 6 - 31, draft.life.champions[0], until=18)
    draft.life.pins.append(Pin(17, "in", draft.life.champions[0]))
    cast.tell(DROP, draft, "clears", "a user writes on day 17", 6, clear_day=18)


def _drop_decoys(cast: Cast) -> None:
    draft = _dropping(cast, drop(-20, 0.81))
    silent_since(draft, "user", -45, draft.life.champions[0])
    cast.tell(DROP, draft, "decoy", "silent users, but adoption never falls by more than 19 %")
    draft = _dropping(cast, drop(-40, 0.6))
    draft.life.quiet.append(("user", -45, FOREVER))
    draft.life.pins += [Pin(day, "out", draft.life.champions[0]) for day in (-45, -15, 15)]
    cast.tell(DROP, draft, "decoy", "adoption is down; a mail every 30 days: never more than 29 whole days of silence")
    draft = _dropping(cast, drop(-38, 0.6))
    silent_since(draft, "user", -29, draft.life.champions[0])
    draft.life.pins.append(Pin(13, "meeting", draft.life.champions[0], booked=0))
    cast.tell(
        DROP, draft, "decoy", "adoption is down; a meeting with a user is booked on day 0 for day 13 and takes place"
    )


def _drop_unknown(cast: Cast) -> None:
    draft = _dropping(cast, drop(-60, 0.6))
    draft.life.curve.stops = 5 - 15
    silent_since(draft, "user", 5 - 31, draft.life.champions[0])
    cast.tell(
        DROP,
        draft,
        "unknown",
        "the feed of this workspace stopped: from day 5 on, when the users are silent, too few samples",
        5,
    )
    draft = _dropping(cast, drop(-40, 0.6))
    silent_since(draft, "user", 8 - 31, draft.life.champions[0])
    draft.life.pins += [Pin(day, "in", draft.life.strangers[0]) for day in (-30, -5, 20)]
    cast.tell(DROP, draft, "unknown", "only somebody without a title is in touch: levels not known", 8)
    draft = cast.take("smb")
    draft.seats, draft.life.curve = 12, steps(6, drop(-40, 0.65))
    draft.life.exec_every = 20
    silent_since(draft, "user", 7 - 31, draft.life.champions[0])
    cast.tell(DROP, draft, "unknown", "too small to say: six users became four", 7)


def _unmet(cast: Cast, share: float, *segments: str) -> Draft:
    """Strong adoption, and no user was ever met; the executives are in touch within the cadence."""
    draft = cast.take(*(segments or ("mid_market", "smb")))
    draft.seats, draft.life.curve = 200, steps(LEVEL, [], share)
    draft.life.exec_every = 6
    never_met(draft, "user")
    return draft


def _rises(draft: Draft, day: int) -> None:
    draft.life.curve.shares = [(ALWAYS, 0.70), (day, 0.78)]


def _last_year(draft: Draft, falls_on: int) -> None:
    """One meeting that is older than 365 days on that day, and mails of ours since: a relationship until then."""
    user = draft.life.champions[0]
    draft.life.pins.append(Pin(falls_on - 366, "meeting", user))
    draft.life.pins += [Pin(falls_on - back, "out", user) for back in (300, 200, 100, 35)]


def strong_without_users(cast: Cast) -> None:
    """strong-adoption-no-users. Relies on active users over seats (75 %) and the strength (20) of the best user."""
    for day, why in (
        (4, "adoption rises from 70 % to 78 % on day 4"),
        (10, "adoption rises from 70 % to 78 % on day 10"),
    ):
        draft = _unmet(cast, 0.7)
        _rises(draft, day)
        cast.tell(STRONG, draft, "fires", why + " and no user is known", day)
    draft = _unmet(cast, 0.82)
    _last_year(draft, 7)
    cast.tell(STRONG, draft, "fires", "the only reply of a user falls out of the year on day 7: capped at 19", 7)
    draft = _unmet(cast, 0.7)
    _rises(draft, 5)
    draft.life.pins.append(Pin(17, "meeting", draft.life.champions[0]))
    cast.tell(STRONG, draft, "clears", "a user is met on day 17", 5, clear_day=18)
    _strong_decoys(cast)
    _strong_unknown(cast)


def _strong_decoys(cast: Cast) -> None:
    draft = _unmet(cast, 0.745)
    cast.tell(STRONG, draft, "decoy", "no user is known, but adoption stays at 74.5 %")
    draft = _unmet(cast, 0.82)
    _last_year(draft, 30)
    cast.tell(STRONG, draft, "decoy", "the only reply of a user falls out of the year on the day after the demo")
    draft = _unmet(cast, 0.85)
    draft.life.pins += [Pin(-100, "meeting", draft.life.champions[1]), Pin(-320, "meeting", draft.life.champions[1])]
    cast.tell(STRONG, draft, "decoy", "strong adoption and one weak user relationship, no more")


def _strong_unknown(cast: Cast) -> None:
    draft = _unmet(cast, 0.7)
    _rises(draft, 6)
    draft.life.pins += [Pin(day, "meeting", draft.life.strangers[0]) for day in (-90, -50, -12)]
    cast.tell(STRONG, draft, "unknown", "the one person we know has no title: levels not known", 6)
    draft = _unmet(cast, 0.82)
    _rises(draft, 3)
    cast.hand_to_newcomer(draft, 3)
    cast.tell(STRONG, draft, "unknown", "on day 2 it goes to a CSM whose mailbox is not captured", 3)
    draft = _unmet(cast, 0.82)
    draft.seats = None
    _last_year(draft, 8)
    cast.tell(STRONG, draft, "unknown", "no seats on file, so no adoption; the last user relationship ends on day 8", 8)
