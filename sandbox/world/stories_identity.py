"""Stories about who belongs to an account: subsidiaries and holdings, people in no CRM, roles, several accounts, merges.

All of them are told on renewal-exec-silence, whose seven steps ask who is an executive of this customer.
"""

from __future__ import annotations

from sandbox.world.acquaintances import SPONSOR
from sandbox.world.casting import Cast
from sandbox.world.draft import Draft, PersonDraft, Pin
from sandbox.world.families import holding, partner, subsidiary
from sandbox.world.fate import set_rhythm
from sandbox.world.stories_renewal import SILENCE, silent_executive

EVERY = range(-6, 32, 9)


def identities(cast: Cast) -> None:
    """renewal-exec-silence. Relies on account trees, contact roles, and on who is a person at all."""
    _merges(cast)  # the one that asks most of its account comes first
    _families(cast)
    _strangers(cast)
    _roles(cast)
    _moves(cast)
    for draft in cast.roster.of_kind("customer"):
        set_rhythm(draft)


def _silent(cast: Cast, day: int, renewal: int, systems: tuple[str, ...] | None = None) -> Draft:
    draft = cast.take("mid_market", "smb", systems=systems)
    silent_executive(draft, day, renewal)
    return draft


def _in_touch(draft: Draft, person: PersonDraft) -> None:
    draft.life.pins += [Pin(day, "in", person) for day in EVERY]


def _families(cast: Cast) -> None:
    draft = _silent(cast, 4, 63)
    child = subsidiary(cast.roster, draft)
    _in_touch(child, cast.people.add(child, executive=True))
    cast.tell(SILENCE, draft, "decoy", "the sponsor is silent, but an executive of a subsidiary writes every nine days")
    draft = _silent(cast, 5, 64)
    top = holding(cast.roster, draft)
    _in_touch(top, cast.people.add(top, executive=True))
    cast.tell(SILENCE, draft, "fires", "only an executive of the holding above writes, which is another account", 5)


def _strangers(cast: Cast) -> None:
    draft = _silent(cast, 4, 65)
    _in_touch(draft, cast.people.stranger(draft))
    cast.tell(SILENCE, draft, "unknown", "only somebody who is in no CRM writes: levels not known", 4)
    draft = _silent(cast, 7, 66)
    inbox = cast.people.bare_inbox(draft)
    assert inbox is not None
    _in_touch(draft, inbox)
    _in_touch(draft, cast.people.adviser(draft))
    cast.tell(
        SILENCE, draft, "fires", "only billing@ and an adviser from elsewhere write: no persons of the customer", 7
    )


def _roles(cast: Cast) -> None:
    for since, why in ((-300, "since last year"), (12, "from day 12 on")):
        draft = _silent(cast, 4, 67)
        stranger = draft.life.strangers[0]
        stranger.role, stranger.role_at = SPONSOR, cast.roster.days.at(since, 15 * 60)
        _in_touch(draft, stranger)
        told = f"somebody without a title writes, the executive sponsor of a deal {why}"
        if since < 0:
            cast.tell(SILENCE, draft, "decoy", told)
        else:
            cast.tell(SILENCE, draft, "unknown", told, 4, clear_day=since + 1)
    draft = _silent(cast, 6, 68)
    other = partner(cast.roster, draft)
    person = cast.people.add(other, executive=True)
    person.also_at.append(draft.key)
    person.on_file_at = cast.roster.days.at(-400, 9 * 60)
    _in_touch(draft, person)
    cast.tell(
        SILENCE, draft, "decoy", "an executive whose contact is at a partner, and here too, writes every nine days"
    )


def _moves(cast: Cast) -> None:
    days = cast.roster.days
    draft = _silent(cast, 4, 69)
    person = cast.people.unplaced(draft, days.at(8, 9 * 60), days.at(12, 15 * 60))
    draft.life.pins += [Pin(day, "in", person) for day in (9, 18, 27)]
    why = "an executive who was entered without an account wrote on day 9; the contact is given its account on day 12"
    cast.tell(SILENCE, draft, "clears", why, 4, clear_day=13)


def _merges(cast: Cast) -> None:
    days = cast.roster.days
    draft = _silent(cast, 6, 70, systems=("hubspot",))
    draft.merged_at = days.at(12, 11 * 60)
    for _ in range(2):
        cast.people.add(draft, executive=False).at_duplicate = True
    cast.tell(SILENCE, draft, "fires", "stays true while a duplicate is merged into the company on day 12", 6)
