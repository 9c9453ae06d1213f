"""Stories about silence: of a sponsor who does not answer, of everybody before a renewal, of one side of the customer."""

from __future__ import annotations

from functools import partial

from sandbox.world.casting import Cast, regular, renews, silent_since
from sandbox.world.draft import FOREVER, Draft, Pin

SPONSOR = "sponsor-silence"
FIRST_WORD = "first-word-is-commercial"
ONE_SIDED = "one-sided"
SOON = 120
LONG = 60


def _written(cast: Cast, *days: int, since: int = -40) -> Draft:
    """The sponsor, met until `since`, gets a mail of ours on each of these days."""
    draft = cast.take("mid_market", "smb", execs=2)
    draft.life.quiet.append(("exec", since, FOREVER))
    draft.life.pins += [Pin(day, "out", draft.life.sponsors[0]) for day in days]
    return draft


def _unanswered(cast: Cast, day: int, before: int) -> None:
    draft = _written(cast, day - before, day - 1)
    cast.tell(
        SPONSOR, draft, "fires", f"the second mail to the sponsor in {before} days has no answer on day {day}", day
    )


def _answered(cast: Cast) -> None:
    draft = _written(cast, 2, 5)
    draft.life.pins.append(Pin(16, "in", draft.life.sponsors[0]))
    cast.tell(
        SPONSOR, draft, "clears", "two mails without an answer on day 6; the sponsor writes on day 16", 6, clear_day=17
    )


def _a_month_apart(cast: Cast) -> None:
    draft = _written(cast, -20, 10)
    cast.tell(SPONSOR, draft, "decoy", "two mails 30 days apart: the first is too old when the second is known")


def _two_executives(cast: Cast) -> None:
    draft = _written(cast, 3)
    draft.life.pins.append(Pin(6, "out", draft.execs()[1]))
    cast.tell(SPONSOR, draft, "decoy", "two mails without an answer, but to two executives")


def _answered_between(cast: Cast) -> None:
    draft = _written(cast, 4, 8)
    draft.life.pins.append(Pin(7, "in", draft.life.sponsors[0], waits=True))
    cast.tell(SPONSOR, draft, "decoy", "the sponsor answers the day before the second mail")


SPONSOR_ACTS = (
    partial(_unanswered, day=3, before=3),
    _a_month_apart,
    partial(_unanswered, day=8, before=7),
    _two_executives,
    _answered,
    partial(_unanswered, day=14, before=9),
    _answered_between,
)


def _speechless(cast: Cast, last: int, renewal: int, until: int = FOREVER) -> Draft:
    """The last word with anybody is a mail of ours on day `last`."""
    draft = cast.take("mid_market", "smb")
    renews(draft, renewal, deal=False)
    silent_since(draft, "all", last, draft.life.champions[0], until)
    return draft


def _nobody_spoken_to(cast: Cast, day: int) -> None:
    draft = _speechless(cast, day - LONG - 1, SOON + day - 1)
    cast.tell(FIRST_WORD, draft, "fires", f"nobody was in touch for 60 days on day {day}, and the renewal is near", day)


def _renewal_draws_near(cast: Cast) -> None:
    draft = _speechless(cast, -80, 9 + SOON)
    cast.tell(FIRST_WORD, draft, "fires", "long silence; the renewal is 120 days away on day 9", 9)


def _word_spoken(cast: Cast) -> None:
    draft = _speechless(cast, 6 - LONG - 1, 122, 18)
    draft.life.pins.append(Pin(17, "in", draft.life.champions[0]))
    cast.tell(FIRST_WORD, draft, "clears", "silence of 60 days on day 6; a user writes on day 17", 6, clear_day=18)


def _renewal_too_far(cast: Cast) -> None:
    draft = _speechless(cast, -80, 29 + SOON + 1)
    cast.tell(FIRST_WORD, draft, "decoy", "long silence, but on the last day the renewal is still 121 days away")


def _word_in_time(cast: Cast) -> None:
    draft = _speechless(cast, -45, SOON)
    draft.life.pins.append(Pin(15, "out", draft.life.champions[0]))
    cast.tell(FIRST_WORD, draft, "decoy", "a mail every 60 days: never more than 59 whole days of silence")


def _word_booked(cast: Cast) -> None:
    draft = _speechless(cast, 5 - LONG - 1, SOON)
    draft.life.pins.append(Pin(17, "meeting", draft.life.champions[0], booked=3))
    cast.tell(
        FIRST_WORD, draft, "decoy", "silence of 60 days on day 5, but a meeting is booked for day 17 and takes place"
    )


def _date_emptied(cast: Cast) -> None:
    draft = _speechless(cast, -80, 200)
    draft.renewal_moves.append((cast.roster.days.at(6, 15 * 60), None))
    cast.tell(FIRST_WORD, draft, "unknown", "long silence; the renewal date is emptied on day 6", 7)


FIRST_WORD_ACTS = (
    partial(_nobody_spoken_to, day=4),
    _renewal_too_far,
    _date_emptied,
    _renewal_draws_near,
    _word_in_time,
    _word_spoken,
    partial(_nobody_spoken_to, day=12),
    _word_booked,
)


def _users_only(cast: Cast, last: int, *, users: int = 2) -> Draft:
    """So many users are met all the time; the last contact with an executive is a mail of ours on day `last`."""
    draft = cast.take("mid_market", "smb")
    draft.life.quiet.append(("user", -FOREVER, FOREVER))
    for n, user in enumerate(draft.users()[:users]):
        regular(draft, user, "meeting", 15, first=-345 + 4 * n)
    silent_since(draft, "exec", last, draft.life.sponsors[0])
    return draft


def _executives_only(cast: Cast, day: int) -> None:
    draft = cast.take("mid_market", execs=2)
    for n, executive in enumerate(draft.execs()[:2]):
        regular(draft, executive, "meeting", 15, first=-345 + 4 * n)
    silent_since(draft, "user", day - LONG - 1, draft.life.champions[0])
    cast.tell(ONE_SIDED, draft, "fires", f"two strong executives; the users are silent for 60 days on day {day}", day)


def _executives_unheard(cast: Cast, day: int) -> None:
    draft = _users_only(cast, day - LONG - 1)
    cast.tell(ONE_SIDED, draft, "fires", f"two strong users; the executives are silent for 60 days on day {day}", day)


def _executive_heard(cast: Cast) -> None:
    draft = _users_only(cast, 7 - LONG - 1)
    draft.life.pins.append(Pin(18, "in", draft.life.sponsors[0]))
    cast.tell(
        ONE_SIDED,
        draft,
        "clears",
        "the executives are silent for 60 days on day 7; one writes on day 18",
        7,
        clear_day=19,
    )


def _executives_in_time(cast: Cast) -> None:
    draft = _users_only(cast, -45)
    draft.life.pins.append(Pin(15, "out", draft.life.sponsors[0]))
    cast.tell(ONE_SIDED, draft, "decoy", "two strong users, and a mail to an executive every 60 days: 59 whole days")


def _one_user(cast: Cast) -> None:
    draft = _users_only(cast, -70, users=1)
    cast.tell(ONE_SIDED, draft, "decoy", "the executives are silent for long, but only one user is strong")


def _executive_booked(cast: Cast) -> None:
    draft = _users_only(cast, 6 - LONG - 1)
    draft.life.pins.append(Pin(17, "meeting", draft.life.sponsors[0], booked=4))
    cast.tell(
        ONE_SIDED, draft, "decoy", "silent for 60 days on day 6, but a meeting is booked for day 17 and takes place"
    )


def _second_of_no_title(cast: Cast) -> None:
    draft = _users_only(cast, 9 - LONG - 1, users=1)
    regular(draft, draft.life.strangers[0], "meeting", 15, first=-341)
    why = "one strong user and one strong person without a title; the executives are silent for 60 days on day 9"
    cast.tell(ONE_SIDED, draft, "unknown", why, 9)


ONE_SIDED_ACTS = (
    partial(_executives_unheard, day=5),
    _executives_in_time,
    _second_of_no_title,
    partial(_executives_only, day=8),
    _one_user,
    _executive_heard,
    partial(_executives_unheard, day=12),
    _executive_booked,
)
