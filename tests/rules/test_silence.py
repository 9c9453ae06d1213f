"""The seven steps of silence, in their order, on the evaluator; the property test holds SQL to the same."""

from __future__ import annotations

import pytest

from rules.language import load
from rules.language.evaluate import evaluate
from rules.language.given import row_of
from store.records import DAY
from tests.rules.rows import AS_OF, TODAY

FIFTEEN = "no exec contact in 15 days"


def said(when: str, given: dict[str, str], **columns: object) -> tuple[bool | None, str | None]:
    """Truth and first reason of a condition on an account in good order with these facts and columns."""
    text = f"rules: [{{rule: r, class: churn, severity: low, when: {when}}}]"
    row = row_of(given, AS_OF, TODAY) | columns
    verdict = evaluate(load({"r": text}).rules[0], row, AS_OF, TODAY)
    return verdict.truth, verdict.reasons[0] if verdict.reasons else None


def exec_silence(given: dict[str, str], **columns: object) -> tuple[bool | None, str | None]:
    """What `no exec contact in 15 days` says."""
    return said(FIFTEEN, given, **columns)


def test_the_window_is_elapsed_time() -> None:
    """A touch exactly 15 x 24 h old lies outside the window; a microsecond younger lies inside."""
    assert exec_silence({}, last_exec_contact=AS_OF - 15 * DAY, last_exec_contact_state=None) == (True, None)
    assert exec_silence({}, last_exec_contact=AS_OF - 15 * DAY + 1, last_exec_contact_state=None) == (False, None)


def test_step_1_a_touch_decides_also_when_stale() -> None:
    """A touch in the window is false whatever else is unknown."""
    for trouble in ({"activity": "stale"}, {"captured": "no"}, {"exec contacts": "0"}, {"unclassified contacts": "2"}):
        assert exec_silence({"last exec contact": "14 days ago", **trouble}) == (False, None)


def test_step_2_a_booked_meeting_decides_before_the_unknown_steps() -> None:
    """A meeting within 14 days is false, also when data are stale; one on day 15 does not count."""
    base = {"last exec contact": "20 days ago"}
    assert exec_silence({**base, "next exec meeting": "in 14 days"}) == (False, None)
    assert exec_silence({**base, "next exec meeting": "in 14 days", "activity": "stale"}) == (False, None)
    assert exec_silence(base, next_exec_meeting=AS_OF + 14 * DAY + 1, next_exec_meeting_state=None) == (True, None)
    assert exec_silence({**base, "next user meeting": "in 5 days"}) == (True, None)


def test_a_booking_that_has_begun_is_none_any_more() -> None:
    """A meeting at or before `as_of` is not ahead: the silence is true again."""
    base = {"last exec contact": "20 days ago"}
    assert exec_silence(base, next_exec_meeting=AS_OF, next_exec_meeting_state=None) == (True, None)


def test_step_3_nobody_on_file_is_unknown() -> None:
    """Without exec and unclassified person the absence says nothing; with an unclassified one it is told by the rest."""
    assert exec_silence({"exec contacts": "0", "last exec contact": "never"}) == (
        None,
        "last exec contact: no exec on file",
    )
    only_unclassified = {"exec contacts": "0", "last exec contact": "never", "unclassified contacts": "1"}
    assert exec_silence(only_unclassified) == (True, None)


def test_step_3_a_touch_with_an_unclassified_person_may_hide_one() -> None:
    """A touch in the window with a person of unknown level makes it unknown; an older one does not."""
    base = {"last exec contact": "never", "unclassified contacts": "1"}
    assert exec_silence({**base, "last unclassified contact": "14 days ago"}) == (
        None,
        "last exec contact: levels not known",
    )
    assert exec_silence({**base, "last unclassified contact": "15 days ago"}) == (True, None)


def test_steps_3_to_6_are_asked_in_order() -> None:
    """With everything wrong the earliest step names the reason; mending it uncovers the next."""
    wrong = {
        "last exec contact": "never",
        "exec on file since": "3 days ago",
        "captured": "no",
        "activity": "stale",
        "unclassified contacts": "1",
        "unclassified on file since": "3 days ago",
        "last unclassified contact": "3 days ago",
    }
    reasons = []
    for mended in ("last unclassified contact", "activity", "captured", "exec on file since"):
        reasons.append(exec_silence(wrong)[1])
        del wrong[mended]
    assert reasons == [f"last exec contact: {why}" for why in ("levels not known", "stale", "not captured", "too new")]
    assert exec_silence(wrong) == (True, None)


def test_step_6_an_unclassified_person_may_be_the_old_one() -> None:
    """An exec on file since yesterday is too new, unless an unclassified person is on file since before the window."""
    new = {"last exec contact": "never", "exec on file since": "1 day ago"}
    assert exec_silence(new) == (None, "last exec contact: too new")
    assert exec_silence({**new, "unclassified contacts": "1"}) == (True, None)
    assert exec_silence({"last exec contact": "never", "exec on file since": "15 days ago"}) == (True, None)


def test_step_7_never_contacted_counts() -> None:
    """Never is silence."""
    assert exec_silence({"last exec contact": "never"}) == (True, None)


def test_any_contact_needs_anybody_on_file() -> None:
    """`no contact` asks for persons of any kind, and unclassified ones hide nothing."""
    assert said("no contact in 15 days", {"last contact": "never"}) == (True, None)
    nobody = {"last contact": "never", "exec contacts": "0", "user contacts": "0"}
    assert said("no contact in 15 days", nobody) == (None, "last contact: nobody on file")
    touched = {"last contact": "never", "unclassified contacts": "1", "last unclassified contact": "1 day ago"}
    assert said("no contact in 15 days", touched) == (True, None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"last exec contact": "14 days ago"}, (True, None)),
        ({"last exec contact": "15 days ago"}, (False, None)),
        ({"last exec contact": "15 days ago", "next exec meeting": "in 3 days"}, (False, None)),
        ({"last exec contact": "never", "activity": "stale"}, (None, "last exec contact: stale")),
        ({"last exec contact": "never", "captured": "no"}, (None, "last exec contact: not captured")),
        ({"last exec contact": "never", "exec contacts": "0"}, (None, "last exec contact: no exec on file")),
    ],
)
def test_happened(given: dict[str, str], expected: tuple[bool | None, str | None]) -> None:
    """`happened in the last` is true by a touch, unknown by steps 3 to 6, else false; bookings play no part."""
    assert said("exec contact happened in the last 15 days", given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"last exec contact": "900 days ago"}, (False, None)),
        ({"last exec contact": "never"}, (True, None)),
        ({"last exec contact": "never", "exec on file since": "1 day ago"}, (True, None)),
        ({"last exec contact": "never", "activity": "stale"}, (None, "last exec contact: stale")),
        (
            {"last exec contact": "never", "unclassified contacts": "1", "last unclassified contact": "400 days ago"},
            (None, "last exec contact: levels not known"),
        ),
    ],
)
def test_never_happened(given: dict[str, str], expected: tuple[bool | None, str | None]) -> None:
    """`never happened` is false once one is known; any touch with an unclassified person makes it unknown."""
    assert said("exec contact never happened", given) == expected


@pytest.mark.parametrize(
    ("when", "given", "expected"),
    [
        ("touch due in is less than -2 days", {"touch due in": "-2 days stale"}, (False, None)),
        ("touch due in is less than -2 days", {"touch due in": "-3 days stale"}, (None, "touch due in: stale")),
        ("touches 30d is at least 3", {"touches 30d": "3 stale"}, (True, None)),
        ("touches 30d is at least 3", {"touches 30d": "2 stale"}, (None, "touches 30d: stale")),
        ("touches 30d is less than 3", {"touches 30d": "3 stale"}, (False, None)),
        ("open tickets are at least 3", {"open tickets": "3 stale"}, (None, "open tickets: stale")),
        ("exec contacts are at least 2", {"exec contacts": "1 to 2"}, (None, "exec contacts: levels not known")),
        ("exec contacts are at least 2", {"exec contacts": "2 to 4"}, (True, None)),
        ("exec contacts are at least 2", {"exec contacts": "0 to 1"}, (False, None)),
        ("exec contacts are between 1 and 3", {"exec contacts": "1 to 3"}, (True, None)),
        ("no exec contacts", {"exec contacts": "0 to 1"}, (None, "exec contacts: levels not known")),
        ("no meeting is booked", {}, (True, None)),
        ("no meeting is booked", {"next meeting": "in 40 days"}, (False, None)),
        ("no meeting is booked", {"next meeting": "not captured"}, (None, "next meeting: not captured")),
        ("no meeting is booked", {"next meeting": "in 40 days stale"}, (None, "next meeting: stale")),
        ("adoption is unknown", {}, (True, None)),
        ("adoption is unknown", {"adoption": "80%"}, (False, None)),
        ("adoption is unknown", {"adoption": "80% stale"}, (None, "adoption: stale")),
        ("adoption is at least 75% and renewal is in the past", {"adoption": "74%"}, (False, None)),
        ("adoption is at least 75% or renewal is in the past", {"adoption": "75%"}, (True, None)),
        ("adoption is at least 75% and renewal is in the past", {"adoption": "75%"}, (None, "renewal: not on file")),
        ("{none: [adoption is at least 75%]}", {}, (None, "adoption: not on file")),
        ("active users are less than 80% of seats", {"active users": "79", "seats": "100"}, (True, None)),
        ("active users are less than 80% of seats", {"active users": "80", "seats": "100"}, (False, None)),
        ("active users are less than 80% of seats", {"active users": "80"}, (None, "active users: not on file")),
    ],
)
def test_other_phrases(when: str, given: dict[str, str], expected: tuple[bool | None, str | None]) -> None:
    """Intervals, partial values, bookings, knowledge and Kleene's all and any."""
    assert said(when, given) == expected


# ---------------------------------------------------------------- narrowed to a level or a function

NARROWED = "no contact with level c level in 15 days"


def narrowed_silence(of: dict[str, object], unclear: dict[str, object] | None = None, **columns: object) -> object:
    """What `no contact with level c level in 15 days` says of narrowed rows in good order but for these values."""
    good = {"contacts": 1, "since": AS_OF - 900 * DAY, "last_contact": AS_OF - 20 * DAY, "last_reply": None}
    good |= {"next_meeting": None, "not_covered": None}
    rows: dict[tuple[str, str], dict[str, object]] = {}
    if of:
        rows["level", "c_level"] = good | of
    if unclear is not None:
        rows["level", ""] = good | {"last_contact": None} | unclear
    return said(NARROWED, {"last contact": "1 days ago"}, narrowed=rows, **columns)


@pytest.mark.parametrize(("ahead", "truth"), [(0, True), (1, False), (14 * DAY, False), (14 * DAY + 1, True)], ids=str)
def test_a_meeting_with_that_level_breaks_its_silence(ahead: int, truth: bool) -> None:
    """Booked from the next instant to the 14th day, to the microsecond, also when data are stale."""
    booked: dict[str, object] = {"next_meeting": AS_OF + ahead}
    assert (truth, None) == narrowed_silence(booked)
    if truth is False:
        assert (False, None) == narrowed_silence(booked, activity_stale=1)


def test_a_meeting_with_somebody_else_is_nothing_to_that_level() -> None:
    """Neither an exec of another level, nor somebody whose level nobody knows, breaks the silence of c levels."""
    other = {"next_exec_meeting": AS_OF + DAY, "next_exec_meeting_state": None, "next_meeting": AS_OF + DAY}
    assert (True, None) == narrowed_silence({"contacts": 1}, {"next_meeting": AS_OF + DAY}, **other)


def test_a_level_has_its_own_coverage() -> None:
    """Who met others need not be captured; who met that level must be; of a level with nobody the other row says it."""
    others = {"not_covered": "Sam", "not_covered_exec": "Sam", "last_contact_state": "not_captured"}
    assert (True, None) == narrowed_silence({"contacts": 1}, {"not_covered": "Sam"}, **others)
    unknown = (None, "last contact: not captured")
    assert unknown == narrowed_silence({"not_covered": "Sam"}, {})
    assert unknown == narrowed_silence({}, {"not_covered": "the CSM"})
    assert (True, None) == narrowed_silence({}, {})
