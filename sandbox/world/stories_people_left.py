"""Stories about who is on file: champions who leave, renewals without an executive, and tier 2 customers nobody meets."""

from __future__ import annotations

from functools import partial

from sandbox.world.casting import Cast, fading, only_as_planted, regular, renews, without_executives
from sandbox.world.draft import Draft, PersonDraft, Pin
from sandbox.world.stories_renewal import NOBODY

LEFT = "champion-left"
FORGOTTEN = "forgotten-tier-2"
DUE = 90
QUARTER = 90


def _leaves(cast: Cast, day: int, crm: str | None = None) -> tuple[Draft, PersonDraft]:
    """A user whom only planted activities concern is deleted in the afternoon of a day, in that CRM or in any."""
    draft = cast.take("mid_market", "smb", systems=(crm,) if crm else None)
    user = cast.people.add(draft, executive=False)
    user.removed_at = cast.roster.days.at(day, 14 * 60 + 5)
    return draft, user


def _champion_leaves(cast: Cast, day: int, crm: str | None = None) -> None:
    draft, user = _leaves(cast, day - 1, crm)
    regular(draft, user, "meeting", 15, first=-345, until=day - 3)
    cast.tell(LEFT, draft, "fires", f"a user with a strong relationship is deleted the day before day {day}", day)


def _weak_leaves(cast: Cast) -> None:
    draft, user = _leaves(cast, 5)
    draft.life.pins += [Pin(day, "call", user) for day in (-200, -110, -20)]
    cast.tell(LEFT, draft, "decoy", "a user leaves with whom the relationship was never strong")


def _faded_leaves(cast: Cast) -> None:
    draft, user = _leaves(cast, 7)
    draft.life.pins += fading(user, 7 - QUARTER)
    cast.tell(LEFT, draft, "decoy", "a user leaves whose relationship stopped being strong 91 days before")


def _left_long_ago(cast: Cast) -> None:
    # HubSpot tells nobody who took part, of a contact that was deleted before the first sync.
    draft, user = _leaves(cast, -QUARTER - 1, "salesforce")
    regular(draft, user, "meeting", 15, first=-345, until=-QUARTER - 3)
    cast.tell(LEFT, draft, "decoy", "a champion left 90 days before the demo begins")


LEFT_ACTS = (
    partial(_champion_leaves, day=5, crm="hubspot"),
    _faded_leaves,
    partial(_champion_leaves, day=9, crm="salesforce"),
    _left_long_ago,
    partial(_champion_leaves, day=13),
    _weak_leaves,
)


def _headless(cast: Cast, renewal: int, *, deal: bool = True) -> Draft:
    draft = cast.take("smb", "mid_market")
    without_executives(draft)
    renews(draft, renewal, deal=deal)
    return draft


def _falls_due(cast: Cast, day: int) -> None:
    draft = _headless(cast, day + DUE)
    cast.tell(NOBODY, draft, "fires", f"the renewal becomes due on day {day}, and no executive is on file", day)


def _not_due_yet(cast: Cast) -> None:
    draft = _headless(cast, 29 + DUE + 1, deal=False)
    cast.tell(NOBODY, draft, "decoy", "no executive is on file, but on the last day the renewal is still 91 days away")


def _monthly(cast: Cast) -> None:
    draft = _headless(cast, 40, deal=False)
    draft.term_days = 30
    cast.tell(NOBODY, draft, "decoy", "no executive is on file, but a monthly contract is rolling")


def _one_executive(cast: Cast) -> None:
    draft = _headless(cast, 7 + DUE)
    executive = cast.people.add(draft, executive=True)
    draft.life.sponsors = [executive]
    draft.life.exec_every = 8
    cast.tell(NOBODY, draft, "decoy", "due on day 7 with one executive on file")


def _one_of_no_title(cast: Cast, day: int) -> None:
    draft = _headless(cast, day + DUE)
    cast.people.add(draft, executive=None)
    cast.tell(NOBODY, draft, "unknown", f"due on day {day}; one person without a title may be an executive", day)


NOBODY_ACTS = (
    _not_due_yet,
    partial(_one_of_no_title, day=4),
    partial(_falls_due, day=9),
    _one_executive,
    partial(_one_of_no_title, day=7),
    partial(_falls_due, day=13),
    _monthly,
)


def _not_met(cast: Cast, tier: int, last: int) -> Draft:
    """Mails and calls all the time; the last meeting was on day `last`."""
    draft = cast.take(attention=tier)
    only_as_planted(draft)
    regular(draft, draft.life.champions[0], "out", 10, first=-200)
    regular(draft, draft.life.sponsors[0], "call", 15)
    draft.life.pins.append(Pin(last, "meeting", draft.life.champions[0]))
    return draft


def _review_unrecorded(cast: Cast, day: int) -> None:
    draft = _not_met(cast, 2, day - QUARTER - 1)
    why = f"tier 2 without a meeting for 90 days on day {day}; nobody records reviews of tiers"
    cast.tell(FORGOTTEN, draft, "unknown", why, day)


def _met_in_time(cast: Cast) -> None:
    draft = _not_met(cast, 2, 29 - QUARTER)
    cast.tell(FORGOTTEN, draft, "decoy", "tier 2; the last meeting is 89 days old on the last day")


def _met_soon(cast: Cast) -> None:
    draft = _not_met(cast, 2, -120)
    draft.life.pins.append(Pin(8, "meeting", draft.life.champions[0], booked=-5))
    cast.tell(FORGOTTEN, draft, "decoy", "tier 2 without a meeting for long; one is booked for day 8 and takes place")


def _lowest(cast: Cast) -> None:
    draft = _not_met(cast, 3, -120)
    cast.tell(FORGOTTEN, draft, "decoy", "no meeting for long, but in tier 3")


FORGOTTEN_ACTS = (
    partial(_review_unrecorded, day=5),
    _met_in_time,
    partial(_review_unrecorded, day=9),
    _met_soon,
    _lowest,
)
