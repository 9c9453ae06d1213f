"""Stories about renewals: executives silent before one, and contracts that ran out without an answer."""

from __future__ import annotations

from sandbox.world.casting import Cast, loses, renews, silent_since, steps, without_executives
from sandbox.world.companies import Roster
from sandbox.world.draft import Draft, Pin
from sandbox.world.team import LEAVES_ON

SILENCE = "renewal-exec-silence"
NOBODY = "renewal-no-exec-on-file"
LAPSED = "lapsed"
CSM_CHANGES = LEAVES_ON - 1


def silent_executive(draft: Draft, first_day: int, renewal: int, until: int | None = None) -> None:
    """Silent for 15 whole days for the first time on `first_day`; the mail was at 10:00 on the 16th day before."""
    renews(draft, renewal)
    draft.life.exec_every = 12
    last = first_day - 16
    if until is None:
        silent_since(draft, "exec", last, draft.life.sponsors[0])
    else:
        silent_since(draft, "exec", last, draft.life.sponsors[0], until)


def executives_silent(cast: Cast) -> None:
    """renewal-exec-silence. Relies on the mapped renewal date, the executives' last touches and booked meetings."""
    _fires(cast)
    _moves(cast)
    _clears(cast)
    _decoys(cast)
    _unknown(cast)


def _fires(cast: Cast) -> None:
    for day, renewal, why, lost in (
        (3, 62, "the sponsor has been silent for 15 days on day 3 and the renewal is due", True),
        (8, 34, "silent for 15 days on day 8 with less than 30 days to the renewal: critical", True),
        (14, 75, "silent for 15 days on day 14 and the renewal is due", False),
    ):
        draft = cast.take("mid_market", "smb", execs=2)
        silent_executive(draft, day, renewal)
        if lost:
            loses(draft, renewal)
        cast.tell(SILENCE, draft, "fires", why, day)
    draft = cast.take("enterprise")
    silent_executive(draft, 0, 9 + 90)
    draft.won_renewals.append((9 + 90 - 121 - 365, None))
    cast.tell(SILENCE, draft, "fires", "the renewal becomes due on day 9, after long silence", 9)
    draft = cast.take("mid_market")
    silent_executive(draft, 6, 70)
    draft.life.pins.append(Pin(12, "meeting", draft.life.sponsors[0], booked=1, cancelled=7))
    cast.tell(SILENCE, draft, "fires", "the booked meeting with the sponsor is called off on day 7", 8)


def _moves(cast: Cast) -> None:
    """The three accounts to which something happens in the CRM while the story runs."""
    roster: Roster = cast.roster
    days = roster.days
    draft = cast.take("smb", "mid_market")
    silent_executive(draft, 0, 200)
    draft.has_open_renewal = False
    draft.renewal_moves.append((days.at(5, 15 * 60), 62))
    cast.tell(SILENCE, draft, "fires", "the renewal date is moved from day 200 to day 62 on day 5", 6)
    draft = cast.take("mid_market", "smb", systems=("salesforce",))
    silent_executive(draft, 6, 80)
    draft.merged_at = days.at(12, 11 * 60)
    for _ in range(2):
        cast.people.add(draft, executive=False).at_duplicate = True
    cast.tell(SILENCE, draft, "fires", "stays true while a duplicate is merged into the account on day 12", 6)
    draft = cast.take("mid_market", "smb", systems=("salesforce",))
    silent_executive(draft, 5, 66)
    stays = str(draft.csm[0][1])
    draft.csm = [(draft.created_at, roster.team.leaver)]
    cast.hand_over(draft, stays, CSM_CHANGES)
    cast.tell(SILENCE, draft, "fires", f"its CSM leaves on day {LEAVES_ON}; another one has it since the day before", 5)


def _clears(cast: Cast) -> None:
    draft = cast.take("mid_market", "smb")
    silent_executive(draft, 4, 71, until=16)
    draft.life.pins.append(Pin(15, "in", draft.life.sponsors[0]))
    cast.tell(SILENCE, draft, "clears", "the sponsor writes on day 15", 4, clear_day=16)
    draft = cast.take("mid_market", "smb")
    silent_executive(draft, 5, 45)
    draft.won_renewals.append((18, None))
    cast.tell(SILENCE, draft, "clears", "the renewal is closed as won on day 18", 5, clear_day=19)
    draft = cast.take("mid_market")
    silent_executive(draft, 7, 68)
    draft.seats, draft.life.curve = 200, steps(100, [(-46, 1.0), (-45, 0.6)])
    silent_since(draft, "user", 11 - 31, draft.life.champions[0])
    loses(draft, 68)
    cast.tell(SILENCE, draft, "fires", "silent for 15 days on day 7; overlaps with a drop of adoption", 7)
    cast.tell(
        "adoption-drop-user-silence", draft, "fires", "down by 30 %; the users are silent for 30 days on day 11", 11
    )


def _decoys(cast: Cast) -> None:
    draft = cast.take("mid_market", "smb")
    renews(draft, 60)
    draft.life.quiet.append(("exec", -14, 10_000))
    draft.life.pins += [Pin(day, "out", draft.life.sponsors[0]) for day in (-14, 1, 16, 31)]
    cast.tell(SILENCE, draft, "decoy", "a mail every 15 days: never more than 14 whole days of silence")
    draft = cast.take("mid_market", "smb")
    silent_executive(draft, 2, 29 + 91)
    draft.has_open_renewal = False
    cast.tell(SILENCE, draft, "decoy", "silent, but on the last day the renewal is still 91 days away")
    draft = cast.take("mid_market", "smb")
    silent_executive(draft, 4, 65)
    draft.life.pins.append(Pin(15, "meeting", draft.life.sponsors[0], booked=2))
    cast.tell(SILENCE, draft, "decoy", "silent from day 4 on, but a meeting is booked for day 15 and takes place")
    draft = cast.take("mid_market")
    silent_executive(draft, 3, 60)
    draft.won_renewals.append((60 - 119, None))
    cast.tell(SILENCE, draft, "decoy", "renewed: the renewal was won 119 days before the date")
    draft = cast.take("smb")
    silent_executive(draft, 3, 40)
    draft.term_days, draft.has_open_renewal = 30, False
    cast.tell(SILENCE, draft, "decoy", "a monthly contract is rolling: no renewal is due")
    draft = cast.take("mid_market", "smb", execs=2)
    silent_executive(draft, 3, 58)
    other = draft.execs()[1]
    draft.life.pins += [Pin(day, "out", other) for day in range(-9, 32, 9)]
    cast.tell(SILENCE, draft, "decoy", "the sponsor is silent, but one other executive is in touch every nine days")


def _unknown(cast: Cast) -> None:
    draft = cast.take("smb")
    without_executives(draft)
    renews(draft, 5 + 90)
    cast.tell(SILENCE, draft, "unknown", "no executive and nobody of unknown level is on file", 5)
    cast.tell(NOBODY, draft, "fires", "the renewal becomes due on day 5, and no executive is on file", 5)
    draft = cast.take("mid_market")
    silent_executive(draft, 4, 70)
    draft.life.pins += [Pin(day, "in", draft.life.strangers[0]) for day in range(-6, 32, 9)]
    cast.tell(SILENCE, draft, "unknown", "only somebody without a title is in touch: levels not known", 4)
    draft = cast.take("mid_market")
    silent_executive(draft, 6, 72)
    cast.hand_to_newcomer(draft, 6)
    cast.tell(SILENCE, draft, "unknown", "on day 5 it goes to a CSM whose mailbox is not captured", 6)
    draft = cast.take("smb")
    without_executives(draft)
    cast.people.add(draft, executive=True, on_file_at=cast.roster.days.at(16, 10 * 60))
    renews(draft, 3 + 90)
    cast.tell(
        SILENCE, draft, "unknown", "no executive on file; the one who is added on day 16 is too new until day 31", 3
    )
    cast.tell(NOBODY, draft, "clears", "due on day 3 without an executive; one is added on day 16", 3, clear_day=17)


def contracts_lapsed(cast: Cast) -> None:
    """Lapsed (for 7 days). Relies on the renewal date having passed, and on won and lost renewals, not on contact."""
    _lapses(cast)
    _late_answers(cast)


def _lapsing(cast: Cast, renewal: int) -> Draft:
    draft = cast.take("smb", "mid_market")
    renews(draft, renewal)
    draft.life.exec_every = 12
    return draft


def _lapses(cast: Cast) -> None:
    for renewal, lost in ((2, 48), (6, None), (10, 70)):
        draft = _lapsing(cast, renewal)
        if lost:
            loses(draft, lost)
        cast.tell(LAPSED, draft, "fires", f"the contract ended on day {renewal} and nothing was signed", renewal + 1)
    draft = _lapsing(cast, 2)
    draft.won_renewals.append((16, None))
    cast.tell(LAPSED, draft, "clears", "ended on day 2, the renewal is won on day 16", 3, clear_day=17)


def _late_answers(cast: Cast) -> None:
    days = cast.roster.days
    draft = _lapsing(cast, 3)
    draft.won_renewals.append((10, None))
    cast.tell(LAPSED, draft, "decoy", "booked late: true on the evaluations of days 4 to 10, six days and no longer")
    draft = _lapsing(cast, 29)
    cast.tell(LAPSED, draft, "decoy", "the contract ends on the last day of the demo, which is not yet the past")
    draft = _lapsing(cast, 4)
    draft.auto_renews, draft.has_open_renewal = True, False
    cast.tell(LAPSED, draft, "decoy", "the contract renews itself: past its notice date it counts as renewed")
    draft = _lapsing(cast, 4)
    loses(draft, 5)
    draft.lost_renewal = 3
    cast.tell(LAPSED, draft, "decoy", "the renewal is lost on day 3: a former customer from day 5 on, not a lapsed one")
    draft = _lapsing(cast, 5)
    draft.renewal_moves.append((days.at(12, 15 * 60), 5 + 60))
    cast.tell(LAPSED, draft, "decoy", "extended on day 12, one day before the alert would open")
    draft = _lapsing(cast, -28)
    draft.has_open_renewal = False
    cast.tell(LAPSED, draft, "unknown", "a date more than 30 days past says nothing: outdated from day 3 on", 3)
    draft = _lapsing(cast, 10)
    draft.has_open_renewal = False
    draft.renewal_moves.append((days.at(6, 15 * 60), None))
    cast.tell(LAPSED, draft, "unknown", "the renewal date is emptied on day 6 and no renewal is open", 7)
