"""The evidence of a rule in a message: persons, activities and dates instead of what its sentence says anyway."""

from __future__ import annotations

from dataclasses import replace

from rules.language import load
from rules.language.evidence import bullets
from rules.language.given import row_of
from rules.language.wording import sentence
from store.records import DAY, Behind, NamedPerson, NamedTouch, UsageMeans
from tests.rules.rows import AS_OF, TODAY
from tests.rules.test_language import shipped

ANN = NamedPerson("Ann Lee", "CFO", "exec", 6_499)
BO = NamedPerson("Bo Tan", "VP Sales", "exec", 2_250)
BEHIND = Behind(
    people=(ANN, BO),
    on_file={"exec": 2},
    touches=(
        NamedTouch("Bo Tan", "VP Sales", "exec", "email", AS_OF - 40 * DAY),
        NamedTouch("Ann Lee", "CFO", "exec", "meeting", AS_OF - 20 * DAY),
        NamedTouch("Una Ito", None, "user", "call", AS_OF - 31 * DAY),
    ),
    bookings=(NamedTouch("Ann Lee", "CFO", "exec", "meeting", AS_OF + 20 * DAY),),
    means=UsageMeans("active_users", 22.14, 41.0),
    active_users=33.0,
    seats=40,
    tier=3,
    cadence=30,
)


def told(rule: str, given: dict[str, str], behind: Behind = BEHIND) -> tuple[str, ...]:
    """The lines of a shipped rule."""
    return bullets(load(shipped()).rule(rule), row_of(given, AS_OF, TODAY), behind, AS_OF, TODAY)


def said(rule: str, given: dict[str, str]) -> str:
    """The sentence of a shipped rule, as a message has it."""
    return sentence(load(shipped()).rule(rule), row_of(given, AS_OF, TODAY), AS_OF, TODAY, lasting=True)


def test_silence_names_the_last_contact_and_the_booking() -> None:
    """Who, by what, when; and the meeting that is booked too late to break the silence. The renewal is not repeated."""
    given = {"renewal": "in 40 days", "last exec contact": "20 days ago", "next exec meeting": "in 20 days"}
    assert told("renewal-exec-silence", given) == (
        "last exec contact: Ann Lee (CFO), meeting, 2026-05-12",
        "next exec meeting: Ann Lee (CFO), 2026-06-21",
    )
    assert said("renewal-exec-silence", given) == "Renews 2026-07-11; last exec contact 2026-05-12."


def test_never_names_who_is_on_file() -> None:
    """Nobody was ever reached: who could be."""
    given = {"renewal": "in 40 days", "last exec contact": "never"}
    assert told("renewal-exec-silence", given) == (
        "last exec contact: never; 2 execs on file: Ann Lee (CFO), Bo Tan (VP Sales)",
    )


def test_a_meeting_of_many_is_told_by_two() -> None:
    """Three persons in one meeting: two names and that there were others; a long title is cut."""
    at = AS_OF - 20 * DAY
    many = tuple(NamedTouch(name, "Chief " * 10, "exec", "meeting", at) for name in ("Ann", "Bo", "Cy"))
    (line,) = told(
        "renewal-exec-silence",
        {"renewal": "in 40 days", "last exec contact": "20 days ago"},
        replace(BEHIND, touches=many),
    )
    assert line.startswith("last exec contact: Ann (Chief Chief")
    assert line.endswith("…) and others, meeting, 2026-05-12")
    assert len(line) < 140


def test_relationships_are_named_with_their_strength_on_a_day() -> None:
    """The strength moves by itself, so it is bound to the day; the persons beyond the named ones are counted."""
    given = {"segment": "smb", "strong exec relationships": "0"}
    assert told("single-threaded", given) == (
        "exec relationships on 2026-06-01: Ann Lee (CFO) 64, Bo Tan (VP Sales) 22 (strong from 60)",
    )
    (line,) = told("single-threaded", given, replace(BEHIND, on_file={"exec": 9}))
    assert "22 and 7 more" in line
    assert told("single-threaded", given, replace(BEHIND, people=(), on_file={"user": 3})) == ("no execs on file",)


def test_adoption_is_told_by_both_means_and_their_windows() -> None:
    """What it was, what it is, and what the whole portfolio did in the same time."""
    given = {
        "adoption change": "-46%",
        "adoption change vs portfolio": "-48 points",
        "last user contact": "31 days ago",
    }
    assert told("adoption-drop-user-silence", given) == (
        (
            "active users on 2026-06-01: on average 22.1 since 2026-05-03, "
            "41 from 2026-02-02 to 2026-05-02 (-46.0%, portfolio +2.0%)"
        ),
        "last user contact: Una Ito, call, 2026-05-01",
    )
    words = "Usage moved by -46% as of 2026-06-01; last user contact 2026-05-01."
    assert said("adoption-drop-user-silence", given) == words


def test_a_growth_rule_names_seats_and_users() -> None:
    """How many seats are in use, and with whom of them there is how much of a relationship."""
    users = replace(BEHIND, people=(NamedPerson("Una Ito", None, "user", 1_900),), on_file={"user": 1})
    assert told("strong-adoption-no-users", {"adoption": "82.5%", "user relationships": "0"}, users) == (
        "33 of 40 seats are in use",
        "user relationships on 2026-06-01: Una Ito 19 (counts from 20)",
    )


def test_an_overdue_touch_names_cadence_tier_and_last_contact() -> None:
    """Due on a date, how often it was promised, and who was met last."""
    given = {"touch due in": "-3 days", "cadence": "30 days", "last contact": "20 days ago"}
    assert told("touch-overdue", given) == (
        "one touch every 30 days (tier 3); last contact: Ann Lee (CFO), meeting, 2026-05-12",
    )
    assert said("touch-overdue", given) == "Next touch due 2026-06-11 (one every 30 days); last contact 2026-05-12."


def test_without_rows_only_what_the_sentence_leaves_out_is_said() -> None:
    """Nothing is read: no line repeats the sentence, and none is made up."""
    given = {"renewal": "in 40 days", "last exec contact": "20 days ago"}
    assert told("renewal-exec-silence", given, Behind()) == ()
    text = 'rules: [{rule: big, class: fit, severity: low, when: arr is at least 50k, say: "Big."}]'
    rule = load({"r": text}).rules[0]
    assert bullets(rule, row_of({"arr": "60k"}, AS_OF, TODAY), Behind(), AS_OF, TODAY) == ("ARR: $60,000",)
