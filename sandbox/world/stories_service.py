"""Stories about service: a mail that waits for an answer, and a customer that asks for more than it brings."""

from __future__ import annotations

from functools import partial

from sandbox.world.casting import Cast, in_second_year, only_as_planted, regular
from sandbox.world.draft import Draft, Pin

REPLY = "reply-overdue"
COSTLY = "high-maintenance-low-value"
FLOOD = 16
"""Tickets of a small customer that nobody else writes per ARR."""
LATE_AFTER = {1: 2, 2: 3, 3: 4}
"""Tier -> the first evaluation, in days, at which a mail of 10:00 has waited longer than 24, 48 or 72 hours."""


def _asking(cast: Cast, tier: int, day: int) -> Draft:
    """Somebody whom nobody else is in touch with writes at 10:00; the others are met, and write nothing."""
    draft = cast.take(attention=tier)
    only_as_planted(draft)
    for person in (draft.life.sponsors[0], draft.life.champions[0]):
        regular(draft, person, "meeting", 10, first=-205)
    user = cast.people.add(draft, executive=False)
    draft.life.pins.append(Pin(day, "in", user, waits=True))
    return draft


def _waits(cast: Cast, tier: int, day: int) -> None:
    draft = _asking(cast, tier, day - LATE_AFTER[tier])
    hours = 24 * LATE_AFTER[tier] - 4
    cast.tell(
        REPLY, draft, "fires", f"tier {tier}: a mail waits for {hours} hours on day {day} and is never answered", day
    )


def _answered_late(cast: Cast) -> None:
    draft = _asking(cast, 2, 9 - LATE_AFTER[2])
    draft.life.pins.append(Pin(17, "out", draft.people[-1]))
    cast.tell(
        REPLY, draft, "clears", "tier 2: a mail waits for 68 hours on day 9 and is answered on day 17", 9, clear_day=18
    )


def _answered_just_in_time(cast: Cast, tier: int, day: int, kind: str) -> None:
    answered = day + LATE_AFTER[tier] - 1
    draft = _asking(cast, tier, day)
    draft.life.pins.append(Pin(answered, kind, draft.people[-1], hour=9))
    hours = 24 * (LATE_AFTER[tier] - 1) - 4
    why = f"tier {tier}: a mail of day {day} waits for {hours} hours on day {answered} and is answered an hour before it is late"
    cast.tell(REPLY, draft, "decoy", why)


def _inbox_waits(cast: Cast) -> None:
    draft = cast.take("mid_market", "smb")
    inbox = next((p for p in draft.people if p.role_address), None)
    if inbox is None:
        cast.people.shared_inbox(draft)
        inbox = draft.people[-1]
    draft.life.pins.append(Pin(4, "in", inbox, waits=True))
    cast.tell(REPLY, draft, "decoy", "only a shared inbox has written, which is nobody")


REPLY_ACTS = (
    partial(_waits, tier=3, day=6),
    partial(_answered_just_in_time, tier=2, day=6, kind="call"),
    partial(_waits, tier=2, day=8),
    partial(_answered_just_in_time, tier=3, day=4, kind="out"),
    _answered_late,
    partial(_waits, tier=1, day=11),
    _inbox_waits,
    partial(_answered_just_in_time, tier=1, day=3, kind="out"),
)


def _flooding(cast: Cast, day: int, tickets: int, segment: str = "smb") -> Draft:
    """Nothing is heard but so many tickets, written and closed on one day."""
    draft = cast.take(segment, poorest=True)
    only_as_planted(draft)
    if segment == "smb":
        in_second_year(draft)
    regular(draft, draft.life.champions[0], "out", 10, first=-205)
    draft.life.tickets = [(day, day, "Low")] * tickets
    return draft


def _floods(cast: Cast, day: int) -> None:
    draft = _flooding(cast, day - 1, FLOOD)
    cast.tell(COSTLY, draft, "fires", f"has paid little, and {FLOOD} tickets are written the day before day {day}", day)


def _paid_more(cast: Cast) -> None:
    draft = _flooding(cast, 4, 60, "mid_market")
    cast.tell(COSTLY, draft, "decoy", "60 tickets, but it has paid more than a third of the customers have")


def _long_ago(cast: Cast) -> None:
    draft = _flooding(cast, -91, FLOOD)
    cast.tell(COSTLY, draft, "decoy", "has paid little, but its tickets are 90 days old when the demo begins")


def _one_question(cast: Cast) -> None:
    draft = _flooding(cast, 5, 1)
    cast.tell(COSTLY, draft, "decoy", "has paid little and writes one ticket")


COSTLY_ACTS = (
    partial(_floods, day=4),
    _paid_more,
    partial(_floods, day=8),
    _long_ago,
    partial(_floods, day=12),
    _one_question,
)
