"""The ground truth of step 5 of silence, clause by clause: whose mail and calendar must be captured, for which role."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.world.model import Company, Happening, World
from sandbox.world.truth_book import Book
from sandbox.world.truth_case import Case, cases
from sandbox.world.truth_contact import Contact
from sandbox.world.truth_facts import facts
from sandbox.world.truth_health import Readings, components
from sandbox.world.truth_logic import Unknown
from sandbox.world.when import DAY
from tests.sandbox.mini import (
    BOSS,
    CSM,
    SELLER,
    START,
    STRANGER,
    USER,
    booked,
    company,
    contact,
    dated,
    elsewhere,
    happening,
    person,
    world,
)

ROLES = ("any", "exec", "user")
NOTHING = Unknown("not_captured")
NOBODYS = company(csm=dated(None), owner=dated(None))
OTHER = company("a-2")
AT_OTHER = person("boss-2", "vp", account="a-2", email="boss-2@a-2.example")
WRITES = elsewhere(2, SELLER)


def calls(days_ago: float, *persons: object, **changed: object) -> Happening:
    """A call of the seller: a touch, but nothing that shows a captured mailbox."""
    return happening("call", days_ago, *persons, **{"teammates": (SELLER,), **changed})  # type: ignore[arg-type]


def seen(*happenings: Happening, customer: Company | None = None, captured: bool = True) -> dict[str, bool]:
    """By role, could silence be seen on day 0."""
    others = (OTHER, company("a-9", kind=dated("prospect")))
    people = (BOSS, USER, STRANGER, AT_OTHER)
    made = world(*happenings, companies=(customer or company(), *others), persons=people, captured=captured)
    return by_role(contact(made))


def by_role(found: Contact) -> dict[str, bool]:
    """The same of what is at hand."""
    return {role: found.covered(role) for role in ROLES}


def only(*roles: str) -> dict[str, bool]:
    """Silence of these roles can be seen, of the others not."""
    return {role: role in roles for role in ROLES}


@pytest.mark.parametrize(
    ("who", "roles"),
    [(BOSS, ("user",)), (USER, ("exec",)), (STRANGER, ("exec", "user"))],
)
def test_one_of_ours_whose_mailbox_is_closed_hides_whom_he_talks_to(who: object, roles: tuple[str, ...]) -> None:
    """A touch with an executive makes executives unknown and users not, and anybody is hidden by every touch."""
    assert only(*roles) == seen(calls(3, who))
    assert only(*ROLES) == seen(calls(3, who), WRITES)


@pytest.mark.parametrize(("days", "roles"), [(179.9, ("user",)), (180, ROLES)])
def test_who_was_in_touch_within_180_days(days: float, roles: tuple[str, ...]) -> None:
    """180 days ago is out: whoever has not been here for half a year is not waited for."""
    assert only(*roles) == seen(calls(days, BOSS))


def test_only_touches_of_this_account_that_are_known_tell_who_is_in_touch() -> None:
    """Not attempts, not what is entered later, not a booking, not another customer's people; a child's touches are."""
    assert only(*ROLES) == seen(calls(3, BOSS, disposition="no_answer"))
    assert only(*ROLES) == seen(calls(3, BOSS, logged_at=START + 1))
    assert only(*ROLES) == seen(booked(3, BOSS, teammates=(SELLER,)))
    assert only(*ROLES) == seen(calls(3, AT_OTHER, account="a-2"))
    child = company("a-3", parent="a-1", arr=dated(None))
    below = person("below", "vp", account="a-3")
    made = world(calls(3, below, account="a-3"), companies=(company(), child), persons=(BOSS, USER, below))
    assert only("user") == by_role(contact(made))


@pytest.mark.parametrize(
    ("leaves_at", "roles"),
    [(None, ("user",)), (START + 1, ("user",)), (START, ROLES), (START - 90 * DAY, ROLES)],
)
def test_who_has_left_is_not_waited_for(leaves_at: int | None, roles: tuple[str, ...]) -> None:
    """From the instant of leaving on; nor is anybody who never was on the team."""
    made = world(calls(3, BOSS))
    csm, seller = made.teammates
    assert only(*roles) == by_role(contact(replace(made, teammates=(csm, replace(seller, leaves_at=leaves_at)))))
    assert only(*ROLES) == by_role(contact(replace(made, teammates=(csm,))))


def test_the_csm_must_be_captured_whoever_else_is() -> None:
    """A seller who writes to everybody does not stand in; the CSM counts without a touch of their own."""
    mails = [happening("email", 2, who, teammates=(SELLER,)) for who in (BOSS, USER)]
    assert only() == seen(*mails, captured=False)
    assert only(*ROLES) == seen(*mails)


def test_a_csm_who_has_left_is_still_the_csm() -> None:
    """`Active` is asked of the team members; an account whose CSM went away is watched by nobody once they are quiet."""
    made = world(elsewhere(9), captured=False)
    csm, seller = made.teammates
    gone = replace(made, teammates=(replace(csm, leaves_at=START - 8 * DAY), seller))
    assert only() == by_role(contact(gone))


def test_without_a_csm_the_team_members_alone_count() -> None:
    """Those who were in touch with the role, all of them; where none was, nothing could be seen."""
    mail = happening("email", 2, BOSS, teammates=(SELLER,))
    assert only("any", "exec") == seen(mail, customer=NOBODYS)
    assert only("any", "exec", "user") == seen(mail, replace(mail, key="h", persons=(USER.key,)), customer=NOBODYS)
    assert only() == seen(WRITES, customer=NOBODYS)
    assert only() == seen(calls(3, BOSS), customer=NOBODYS)
    two = calls(3, BOSS, teammates=(SELLER, CSM))
    assert only() == seen(two, customer=NOBODYS)
    assert only("any", "exec") == seen(two, WRITES, customer=NOBODYS)


@pytest.mark.parametrize(("last", "roles"), [(6.9, ROLES), (7, ("user",))])
def test_a_team_member_may_be_quiet_for_a_week(last: float, roles: tuple[str, ...]) -> None:
    """Seven days, as for the CSM."""
    assert only(*roles) == seen(calls(3, BOSS), elsewhere(last, SELLER))


@pytest.mark.parametrize(("last", "roles"), [(11.9, ROLES), (12, ("user",))])
def test_a_team_member_is_measured_by_their_own_rhythm(last: float, roles: tuple[str, ...]) -> None:
    """Who writes every four days may be quiet for twelve, though the CSM writes every day."""
    mails = [elsewhere(last + n * 4, SELLER) for n in range(6)]
    assert only(*roles) == seen(calls(3, BOSS), *mails)


def silences(a_world: World) -> list[object]:
    """`no contact`, `no exec contact`, `no user contact` and `no meeting in 2 days`."""
    found = contact(a_world)
    return [*(found.silent(role, 2) for role in ROLES), found.silent("any", 2, "meeting")]


def test_silence_is_unknown_for_the_hidden_role_only() -> None:
    """Anybody, and meetings with anybody, stand on every touch."""
    assert [NOTHING, NOTHING, True, NOTHING] == silences(world(calls(3, BOSS)))
    assert [NOTHING, True, NOTHING, NOTHING] == silences(world(calls(3, USER)))
    assert [True, True, True, True] == silences(world(calls(3, BOSS), WRITES))
    assert [False, False, True, NOTHING] == silences(world(calls(1, BOSS)))


def case_of(*happenings: Happening) -> Case:
    """The customer on day 0, in tier 2."""
    book = Book(world(*happenings))
    return next(case for case in cases(book, book.day(0), lambda _: 2) if case.company.key == "a-1")


def test_numbers_that_stand_on_touches_are_missing_by_role() -> None:
    """Strong executives and outreach to them where executives are hidden, users where users are; the rest with both."""
    boss, user, nobody = case_of(calls(3, BOSS)), case_of(calls(3, USER)), case_of(calls(3, BOSS), WRITES)
    counts = [[case.contact.fewer_than(1, role, 60) for role in ("exec", "user")] for case in (boss, user, nobody)]
    assert [[NOTHING, True], [True, NOTHING], [True, True]] == counts
    assert [NOTHING, (0, 0)] == [boss.contact.strong("exec"), boss.contact.strong("user")]
    assert [NOTHING, 0, 0] == [case.unanswered_outreach for case in (boss, user, nobody)]
    assert [NOTHING, NOTHING, 0] == [case.awaiting_reply for case in (boss, user, nobody)]
    assert [NOTHING, NOTHING] == [case.contact.relationship() for case in (boss, user)]
    assert [NOTHING, NOTHING, 0] == [case.champions_lost for case in (boss, user, nobody)]


def test_a_relationship_stands_on_the_roles_that_are_on_file() -> None:
    """Where no executive is on file, what is hidden of somebody without a title does not matter."""
    made = world(happening("email", 2, USER), calls(3, STRANGER), persons=(USER, STRANGER))
    assert only("exec", "user") == by_role(contact(made))
    assert contact(made).relationship() == contact(made).strengths[USER.key] > 0


def test_components_of_health_are_missing_by_role() -> None:
    """Executives hidden: theirs and the recency are missing, that of users is not."""
    found = contact(world(calls(3, BOSS)))
    nothing = Unknown("not_on_file")
    scores = components(Readings(nothing, nothing, found, nothing))
    assert {"user relationships"} == {name for name, score in scores.items() if score is not None}


def test_facts_tell_what_is_covered_and_leave_out_what_is_not() -> None:
    """The demo compares coverage itself, and only those numbers that can be said."""
    told = facts(case_of(calls(3, BOSS)))
    assert [False, False, True] == [told[name] for name in ("covered", "covered_exec", "covered_user")]
    counts = {"strong_exec_relationships", "strong_user_relationships", "relationship", "unanswered_outreach"}
    assert {"strong_user_relationships"} == counts & set(told)
    assert counts <= set(facts(case_of(calls(3, BOSS), WRITES)))
