"""The ground truth of touches, silence and strength on hand-made worlds whose answers are known beforehand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.world.model import Dated, Happening, Person
from sandbox.world.truth_logic import Truth, Unknown, all_of, any_of
from sandbox.world.when import DAY, HOUR
from tests.sandbox.mini import (
    BOSS,
    CSM,
    SELLER,
    START,
    STRANGER,
    USER,
    ago,
    booked,
    company,
    contact,
    dated,
    elsewhere,
    happening,
    person,
    world,
)

SILENCE = "renewal-exec-silence"
DROP = "adoption-drop-user-silence"
SINGLE = "single-threaded"
STRONG = "strong-adoption-no-users"
OVERDUE = "touch-overdue"
LAPSED = "lapsed"


def silent(*happenings: Happening, persons: tuple[Person, ...] = (BOSS, USER), captured: bool = True) -> Truth:
    """`no exec contact in 15 days` on day 0."""
    return contact(world(*happenings, persons=persons, captured=captured)).silent("exec", 15)


# ---------------------------------------------------------------- logic


def test_unknown_is_the_third_truth() -> None:
    """False decides `and`, true decides `or`, else unknown wins with its first reason."""
    a, b = Unknown("a"), Unknown("b")
    assert all_of(a, False, b) is False
    assert all_of(True, a, b) == a
    assert any_of(a, True) is True
    assert any_of(False, b, a) == b
    assert all_of() is True
    assert any_of() is False


# ---------------------------------------------------------------- touches


@pytest.mark.parametrize(
    ("activity", "counts"),
    [
        (happening("email", 3, BOSS), True),
        (happening("email", 3, BOSS, direction="in"), True),
        (happening("email", 3, BOSS, automatic=True), False),
        (happening("email", 3, BOSS, extra_to=4), True),
        (happening("email", 3, BOSS, extra_to=5), False),
        (happening("email", 3, BOSS, extra_to=5, direction="in"), True),
        (happening("call", 3, BOSS), True),
        (happening("call", 3, BOSS, disposition=None), True),
        (happening("call", 3, BOSS, disposition=None, status=dated("planned")), False),
        (happening("call", 3, BOSS, disposition="no_answer"), False),
        (happening("meeting", 3, BOSS), True),
        (happening("meeting", 3, BOSS, status=dated("")), True),
        (happening("meeting", 3, BOSS, status=dated("planned")), True),
        (happening("meeting", 3, BOSS, status=dated("no_show")), False),
        (happening("meeting", 3, BOSS, status=Dated(((ago(9), "planned"), (ago(-1), "cancelled")))), True),
        (happening("meeting", 3), False),
        (happening("meeting", 3, replace(BOSS, key="inbox@a-1.example")), False),
        (happening("note", 3, BOSS), False),
        (happening("task", 3, BOSS), False),
        (happening("email", 3, BOSS, logged_at=START + 1), False),
        (happening("email", 0, BOSS, logged_at=START), True),
    ],
)
def test_what_is_a_touch(activity: Happening, counts: bool) -> None:
    """Two-party, not automatic, at most five in To, connected, held, known by then."""
    inbox = person("inbox", None, role_address=True)
    found = contact(world(activity, persons=(BOSS, USER, inbox)))
    assert bool(found.touches) is counts


def test_age_runs_from_the_end_and_knowledge_from_the_log() -> None:
    """A meeting that was logged late is unknown before and as old as it is afterwards."""
    late = happening("meeting", 10, BOSS, logged_at=ago(-2) + HOUR)
    assert contact(world(late, days=5), 2).last() is None
    assert contact(world(late, days=5), 3).last() == ago(10)


def test_who_is_on_file() -> None:
    """Not role addresses, not who is in no CRM, not before the stamp, not after the removal, not before the merge."""
    people = (
        BOSS,
        person("inbox", None, role_address=True),
        person("nowhere", "vp", salesforce_id=None),
        person("later", "vp", on_file_at=START + 1),
        person("gone", "vp", removed_at=START),
        person("leaving", "vp", removed_at=START + 1),
        person("other", "vp", at_duplicate=True),
    )
    merging = company(merged_at=START + DAY, duplicate_id="001x")
    one = world(persons=people, companies=(merging,), days=2)
    assert [p.name for p in contact(one).persons] == ["boss", "leaving"]
    assert [p.name for p in contact(one, 1).persons] == ["boss", "later", "other"]


# ---------------------------------------------------------------- silence, step by step


@pytest.mark.parametrize(("days", "expected"), [(14, False), (14.9999, False), (15, True), (16, True)])
def test_fifteen_whole_days_are_silence(days: float, expected: bool) -> None:
    """The window is (as_of - 15 x 24 h, as_of]: exactly 15 days old lies outside."""
    assert silent(happening("email", days, BOSS)) is expected


def test_step_1_a_touch_decides_though_nothing_is_captured() -> None:
    """A touch in the window: false, whatever else is missing."""
    assert silent(happening("call", 3, BOSS, teammates=(SELLER,)), captured=False) is False


@pytest.mark.parametrize(("days", "expected"), [(1, False), (14, False), (14.1, True)])
def test_step_2_a_booking_within_14_days(days: float, expected: bool) -> None:
    """A meeting with an executive that starts in the next 14 days: false."""
    assert silent(booked(days, BOSS)) is expected


def test_step_2_only_what_is_booked_with_an_executive() -> None:
    """A user's meeting, one that is called off by now and one that is not entered yet do not count; later ones do."""
    assert silent(booked(3, USER)) is True
    assert silent(booked(3, BOSS, status=Dated(((ago(20), "planned"), (ago(1), "cancelled"))))) is True
    assert silent(booked(3, BOSS, status=Dated(((ago(20), "planned"), (ago(-1), "cancelled"))))) is False
    assert silent(booked(3, BOSS, logged_at=START + 1)) is True
    assert silent(booked(3, BOSS), captured=False) is False


def test_step_3_nobody_to_be_silent() -> None:
    """No executive and nobody who might be one: unknown; an old stranger may be one and is silent too."""
    assert silent(persons=(USER,)) == Unknown("no_exec_on_file")
    assert silent(persons=(USER, STRANGER)) is True
    assert contact(world(persons=(BOSS,))).silent("user", 30) == Unknown("no_user_on_file")


def test_step_3_somebody_of_unknown_level_was_in_touch() -> None:
    """In the window: unknown, before it: no matter; it comes before the question of capture."""
    people = (BOSS, USER, STRANGER)
    assert silent(happening("email", 14, STRANGER), persons=people) == Unknown("levels_not_known")
    assert silent(happening("email", 15, STRANGER), persons=people) is True
    assert silent(happening("email", 14, STRANGER), persons=people, captured=False) == Unknown("levels_not_known")
    flagged = replace(STRANGER, product_user=True)
    assert silent(happening("email", 14, flagged), persons=(BOSS, flagged)) is True


@pytest.mark.parametrize(
    ("seen", "covered"),
    [
        ([], False),
        ([6.9], True),
        ([7], False),
        # Five gaps of two days: thrice two is less than seven.
        ([6, 8, 10, 12, 14, 16], True),
        # Five gaps of four days allow twelve.
        ([11, 15, 19, 23, 27, 31], True),
        ([12, 16, 20, 24, 28, 32], False),
        # Four gaps are too few to know a rhythm.
        ([11, 15, 19, 23, 27], False),
        # Gaps older than 90 days are no rhythm.
        ([11, 15, 19, 23, 91, 95, 99], False),
        ([11, 15, 19, 23, 89, 90], False),
    ],
)
def test_step_5_is_the_csm_captured(seen: list[float], covered: bool) -> None:
    """Within 7 days or thrice the median gap of the trailing 90, whichever is longer."""
    mails = [elsewhere(days) for days in seen]
    assert silent(*mails, captured=False) == (True if covered else Unknown("not_captured"))


def test_step_5_what_shows_a_captured_mailbox() -> None:
    """Mails and meetings on any account; not calls, automatic mails, what is logged later or somebody else's."""
    nothing = Unknown("not_captured")
    assert silent(happening("meeting", 2, account="a-9"), captured=False) is True
    assert silent(happening("call", 2, account="a-9"), captured=False) == nothing
    assert silent(happening("email", 2, account="a-9", automatic=True), captured=False) == nothing
    assert silent(happening("email", 2, account="a-9", logged_at=START + 1), captured=False) == nothing
    assert silent(elsewhere(2, SELLER), captured=False) == nothing
    assert silent(happening("meeting", 2, account="a-9", teammates=(SELLER, CSM)), captured=False) is True


def test_step_5_the_owner_stands_in_for_a_csm() -> None:
    """Where no CSM is mapped the record owner's mailbox counts."""
    for mapped, expected in ((company(csm_in="none"), True), (company(csm=dated(None)), True), (company(), False)):
        one = world(elsewhere(2, SELLER, mapped.key), companies=(mapped,), captured=False)
        assert (contact(one).silent("exec", 15) is True) is expected


@pytest.mark.parametrize(("since", "expected"), [(15, True), (14.9, Unknown("too_new"))])
def test_step_6_on_file_since_before_the_window(since: float, expected: Truth) -> None:
    """Who was entered within the window may have been met before that."""
    assert silent(persons=(USER, replace(BOSS, on_file_at=ago(since)))) == expected
    assert silent(persons=(replace(BOSS, on_file_at=ago(3)), STRANGER)) is True


def test_step_7_never_contacted_counts() -> None:
    """No touch at all is silence."""
    assert silent() is True


# ---------------------------------------------------------------- strength


def test_strength_examples() -> None:
    """domain.md section 4: 64.86, strong; one outbound mail today would be 32.08 and is capped to 19."""
    strong = contact(
        world(
            *(happening("meeting", days, BOSS) for days in (10, 130, 200)),
            *(happening("email", days, BOSS) for days in (40, 41)),
            happening("email", 42, BOSS, direction="in"),
            happening("email", 0, USER),
        )
    )
    assert strong.strengths == {BOSS.key: 64.86, USER.key: 19.0}


def test_strength_windows() -> None:
    """A touch of exactly 365 days is out of the year, a meeting of exactly 90 days out of frequency and depth."""
    assert contact(world(happening("meeting", 365, BOSS))).strengths[BOSS.key] == 0
    # 30 / 2^(89/60) + 6.25 + 15 + 5, and with 90 days 30 / 2^1.5 + 15
    assert contact(world(happening("meeting", 89.9, BOSS))).strengths[BOSS.key] == 36.98
    assert contact(world(happening("meeting", 90, BOSS))).strengths[BOSS.key] == 25.61


def test_strength_of_calls_and_replies() -> None:
    """A counted call is two-sided and weighs 2; mails out alone are capped, one in lifts the cap."""
    # 30 + 25 x 2/12 + 15
    assert contact(world(happening("call", 0, BOSS, disposition=None))).strengths[BOSS.key] == 49.17
    out = [happening("email", days, BOSS) for days in (1, 2)]
    assert contact(world(*out)).strengths[BOSS.key] == 19.0
    # 30 / 2^(1/60) + 25 x 3/12 + 15 x 1/2, the span of two days is 15 x 2/330
    assert contact(world(*out, happening("email", 3, BOSS, direction="in"))).strengths[BOSS.key] == 43.5


def test_counts_are_intervals() -> None:
    """An unclassified person of the strength makes a count of too few unknown, not one that is high enough."""
    meetings = [happening("meeting", days, STRANGER) for days in (2, 30, 60, 330)]
    people = (BOSS, USER, STRANGER)
    found = contact(world(*meetings, persons=people))
    assert found.strengths[STRANGER.key] >= 60
    assert found.fewer_than(1, "exec", 60) == Unknown("levels_not_known")
    assert found.fewer_than(2, "exec", 60) is True
    both = contact(world(*meetings, *(replace(m, persons=(BOSS.key,)) for m in meetings), persons=people))
    assert both.fewer_than(1, "exec", 60) is False
    assert both.fewer_than(2, "exec", 60) == Unknown("levels_not_known")


def test_counts_are_missing_without_capture() -> None:
    """Whatever the strengths are, the number is not known."""
    meetings = [happening("meeting", days, BOSS, teammates=(SELLER,)) for days in (2, 30, 60, 330)]
    assert contact(world(*meetings)).fewer_than(1, "exec", 60) is False
    assert contact(world(*meetings, captured=False)).fewer_than(1, "exec", 60) == Unknown("not_captured")
