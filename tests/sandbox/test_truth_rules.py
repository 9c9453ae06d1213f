"""The ground truth of the rules on people, service, health and worth at their borders, on hand-made worlds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from sandbox.world.answers import answer
from sandbox.world.model import Dated, Happening, Ticket, World
from sandbox.world.truth import Judgement, judge, report
from sandbox.world.truth_book import Book
from sandbox.world.truth_case import Case, cases
from sandbox.world.truth_health import Readings, health
from sandbox.world.truth_logic import Truth, Unknown
from sandbox.world.truth_money import percentile_ranks
from sandbox.world.truth_rules import RULES
from sandbox.world.when import DAY, HOUR
from tests.sandbox.mini import (
    BOSS,
    START,
    STRANGER,
    TODAY,
    USER,
    ago,
    booked,
    company,
    contact,
    dated,
    deal,
    happening,
    person,
    said,
    usage,
    world,
)

BOSS_2, USER_2 = person("boss2", "vp"), person("user2", "individual")


def truth_of(a_world: World, rule: str) -> Truth:
    """What the rule says on day 0."""
    return said(a_world, rule).truth


def case_of(a_world: World, tier: int | None = 2) -> Case:
    """The customer on day 0."""
    book = Book(a_world)
    return next(case for case in cases(book, book.day(0), lambda _: tier) if case.company.key == "a-1")


@pytest.mark.parametrize(
    ("persons", "renews_in", "expected"),
    [
        ((USER,), 90, True),
        ((USER,), 91, False),
        ((USER, BOSS), 90, False),
        ((USER, STRANGER), 90, Unknown("levels_not_known")),
        ((), 90, True),
    ],
)
def test_renewal_without_an_executive(persons: tuple[object, ...], renews_in: int, expected: Truth) -> None:
    """Due, and surely nobody who could be an executive."""
    customer = company(renewal=dated(TODAY + renews_in))
    made = world(companies=(customer, company("a-9", kind=dated("prospect"))), persons=persons)  # type: ignore[arg-type]
    assert expected == truth_of(made, "renewal-no-exec-on-file")


@pytest.mark.parametrize(
    ("happenings", "expected"),
    [
        ([happening("email", 29.9, BOSS), happening("email", 3, BOSS)], True),
        ([happening("email", 30, BOSS), happening("email", 3, BOSS)], False),
        ([happening("email", 9, BOSS), happening("email", 3, BOSS_2)], False),
        (
            [happening("email", 9, BOSS), happening("email", 3, BOSS), happening("email", 2, BOSS, direction="in")],
            False,
        ),
        ([happening("email", 9, BOSS), happening("email", 3, BOSS), happening("call", 5, BOSS)], False),
        ([happening("email", 9, USER), happening("email", 3, USER)], False),
    ],
)
def test_sponsor_silence(happenings: list[Happening], expected: Truth) -> None:
    """Two mails in 30 days to the same executive with no reply after the first of them."""
    assert expected is truth_of(world(*happenings, persons=(BOSS, BOSS_2, USER)), "sponsor-silence")


def test_outreach_is_unknown_where_nobody_is_captured() -> None:
    """A reply could be in the mailbox that nobody reads."""
    made = world(happening("email", 9, BOSS), happening("email", 8.9, BOSS), captured=False)
    assert Unknown("not_captured") == truth_of(made, "sponsor-silence")


@pytest.mark.parametrize(
    ("happenings", "renews_in", "expected"),
    [
        ([happening("email", 60, USER)], 120, True),
        ([happening("email", 60, USER)], 121, False),
        ([happening("email", 59.9, USER)], 120, False),
        ([happening("email", 3, STRANGER)], 120, False),
        ([], 120, True),
        ([booked(13.9, USER)], 120, False),
        ([booked(14.1, USER)], 120, True),
    ],
)
def test_first_word_is_commercial(happenings: list[Happening], renews_in: int, expected: Truth) -> None:
    """Anybody counts, of whatever level."""
    customer = company(renewal=dated(TODAY + renews_in))
    others = (customer, company("a-9", kind=dated("prospect")))
    made = world(*happenings, companies=others, persons=(BOSS, USER, STRANGER))
    assert expected is truth_of(made, "first-word-is-commercial")


def test_nobody_on_file_is_unknown() -> None:
    """With whom should one have been in touch."""
    assert Unknown("nobody_on_file") == truth_of(world(persons=()), "first-word-is-commercial")


def test_one_sided() -> None:
    """Two strong users and 60 days without an executive, or the reverse; 59 days are not enough."""
    people = (BOSS, USER, USER_2, BOSS_2)
    users = [h for who in (USER, USER_2) for n in range(9) for h in [happening("meeting", 1 + n * 20, who)]]
    execs = [h for who in (BOSS, BOSS_2) for n in range(9) for h in [happening("meeting", 1 + n * 20, who)]]
    assert truth_of(world(*users, persons=people), "one-sided") is True
    assert truth_of(world(*users, happening("email", 60, BOSS), persons=people), "one-sided") is True
    assert truth_of(world(*users, happening("email", 59.9, BOSS), persons=people), "one-sided") is False
    assert truth_of(world(*execs, persons=people), "one-sided") is True
    assert truth_of(world(*execs[:9], persons=people), "one-sided") is False


@pytest.mark.parametrize(
    ("happenings", "hours"),
    [
        ([happening("email", 2, USER, direction="in")], 48),
        ([happening("email", 2, USER, direction="in"), happening("email", 1, USER)], 0),
        ([happening("email", 2, USER, direction="in"), happening("email", 3, USER)], 48),
        ([happening("email", 2, USER, direction="in"), happening("email", 1, BOSS)], 48),
        ([happening("email", 2, USER, direction="in"), happening("call", 1, USER)], 0),
        ([happening("email", 2, USER, BOSS, direction="in"), happening("email", 1, BOSS)], 0),
        ([happening("email", 2, USER, direction="in", automatic=True)], 0),
        ([], 0),
    ],
)
def test_whoever_waits_for_us(happenings: list[Happening], hours: int) -> None:
    """An answer is anything of ours, later, that reaches somebody who was on the mail."""
    assert hours == case_of(world(*happenings)).awaiting_reply


@pytest.mark.parametrize(("tier", "waited", "expected"), [(1, 24, False), (1, 25, True), (2, 48, False), (3, 73, True)])
def test_reply_overdue(tier: int, waited: int, expected: bool) -> None:
    """More than the tier promises; exactly as much is in time."""
    case = case_of(world(happening("email", waited / 24, USER, direction="in")), tier)
    assert (waited, expected) == (case.awaiting_reply, _reply_overdue(case))


def _reply_overdue(case: Case) -> Truth:
    return RULES["reply-overdue"].condition(case)


def test_a_champion_who_was_deleted() -> None:
    """Strong within 90 days before, and gone for less than 90 days; who was never strong is no champion."""
    for days_ago, meetings, expected in ((5, 9, True), (90, 9, False), (5, 1, False)):
        gone = replace(USER, removed_at=ago(days_ago))
        met = [happening("meeting", 100 + n * 20, gone) for n in range(meetings)]
        met += [happening("meeting", 91 + n, gone) for n in range(3)] if meetings > 1 else []
        assert truth_of(world(*met, persons=(BOSS, gone)), "champion-left") is expected


def test_health_adds_up_as_in_the_domain() -> None:
    """Adoption change -15 %, adoption 80 %, one strong exec, 12 days, 2 open tickets; no users, no satisfaction."""
    met = [happening("meeting", 12 + n * 20, BOSS) for n in range(9)]
    found = contact(world(*met, persons=(BOSS,)))
    readings = Readings(Fraction(-15, 100), Fraction(4, 5), found, (2, 0))
    # 12.5 + 12 + 0 + 5 + 8 + 8 of 90
    assert round(45.5 / 0.9, 2) == health(readings)
    nothing = Unknown("not_on_file")
    assert isinstance(health(Readings(nothing, nothing, contact(world(captured=False)), (0, 0))), Unknown)


def test_health_drop_of_exactly_fifteen() -> None:
    """The fall counts from what was known 30 days ago."""
    made = world(samples=usage([50] * 130), persons=(BOSS, USER))
    case = case_of(made)
    before = case.health_before(30)
    assert not isinstance(before, Unknown)
    assert not isinstance(case.health, Unknown)
    for fall, expected in ((15.0, True), (14.99, False)):
        case.book.healths["a-1", START - 30 * DAY] = round(case.health + fall, 2)
        assert RULES["health-drop"].condition(case) is expected


def test_expansion_waits_for_the_open_one() -> None:
    """High use and good relationships, and no expansion on offer; at 79 % it is too early."""
    met = [happening("meeting", 1 + n * 20, who) for who in (BOSS, USER) for n in range(9)]
    used, less = usage([50] * 130, share=0.8), usage([50] * 130, share=0.79)
    assert truth_of(world(*met, samples=used), "expansion-ready") is True
    assert truth_of(world(*met, samples=less), "expansion-ready") is False
    assert (
        truth_of(world(*met, samples=used, deals=(deal("Negotiation", -20, "Expansion"),)), "expansion-ready") is False
    )
    assert truth_of(world(*met, samples=used, deals=(deal("Closed Won", 20, "Expansion"),)), "expansion-ready") is True


def test_what_is_not_recorded_is_unknown() -> None:
    """Nobody has been asked for anything: neither true nor false, but where another part decides."""
    made = world()
    assert Unknown("not_recorded") == truth_of(made, "feedback-stale")
    assert truth_of(made, "advocate-ready") is False
    forgotten = RULES["forgotten-tier-2"].condition
    assert Unknown("not_recorded") == forgotten(case_of(made, 2))
    assert forgotten(case_of(world(happening("meeting", 89.9, USER)), 2)) is False
    assert forgotten(case_of(made, 1)) is False


def _unshown(a_world: World, day: int, tier: int = 2) -> Truth:
    """The rule on the newest offering, which came 57 days before day 0."""
    book = Book(a_world)
    case = next(case for case in cases(book, book.day(day), lambda _: tier) if case.company.key == "a-1")
    return RULES["newest-offering-not-shown"].condition(case)


def test_the_newest_offering_is_shown_by_a_meeting_since_its_release() -> None:
    """Out for more than 60 days, tier 1 or 2, and in no title of a meeting from the day of its release on."""
    often = [happening("email", -days, USER) for days in range(6)]
    named = {"subject": "a word on INSIGHTS"}
    assert [False, True] == [_unshown(world(*often, days=6), day) for day in (3, 4)]
    assert [True, True, False] == [_unshown(world(*often, days=6), 4, tier) for tier in (1, 2, 3)]
    assert _unshown(world(*often, happening("meeting", 57, USER, **named), days=6), 4) is False
    assert _unshown(world(*often, happening("meeting", 58, USER, **named), days=6), 4) is True
    assert _unshown(world(*often, happening("email", 5, USER, **named), days=6), 4) is True
    assert Unknown("not_captured") == _unshown(world(days=6, captured=False), 4)


def test_ranks_are_percentiles_of_who_is_known() -> None:
    """(below + half of the other equals) / (n - 1); alone 0.5."""
    ranks = percentile_ranks({"a": 1, "b": 2, "c": 2, "d": 3, "e": Unknown("x")})
    assert {"a": Fraction(0), "b": Fraction(1, 2), "c": Fraction(1, 2), "d": Fraction(1)} == ranks
    assert {"a": Fraction(1, 2)} == percentile_ranks({"a": 7})


def test_load_counts_tickets_and_what_they_wrote() -> None:
    """In 90 days; per 1,000 of ARR."""
    tickets = tuple(Ticket(f"t-{n}", "a-1", "High", ago(n), None, ("salesforce",)) for n in (89, 90, 91))
    made = replace(world(happening("email", 3, USER, direction="in"), happening("email", 2, USER)), tickets=tickets)
    case = case_of(made)
    assert (2, (3, 3)) == (case.load, case.tickets)
    assert Fraction(2, 50) == case.load_per_arr


def test_growth_is_held_while_the_customer_is_red_or_leaving() -> None:
    """The days of an alert of growth on which nobody is told are named."""
    met = [happening("meeting", 1 + n * 20, who) for who in (BOSS, USER) for n in range(9)]
    calm = judge(world(*met, samples=usage([50] * 131, share=0.9), days=2))
    assert [[]] == _held(calm)
    lost = replace(USER, removed_at=ago(5))
    champion = [happening("meeting", 6 + n * 20, lost) for n in range(9)]
    people = (BOSS, replace(USER, key="other@a-1.example"), lost)
    others = [happening("meeting", 1 + n * 20, who) for who in people[:2] for n in range(9)]
    troubled = judge(world(*others, *champion, samples=usage([50] * 131, share=0.9), persons=people, days=2))
    assert troubled.fires["a-1", "champion-left"]
    assert [[0, 1]] == _held(troubled)


def _held(found: Judgement) -> list[list[int]]:
    rows: Any = report(found)["fires"]
    return [row["held"] for row in rows if row["rule"] == "expansion-ready"]


def test_a_customers_mail_is_answered_the_same_day() -> None:
    """What nothing of ours follows within 20 hours gets an answer, in the CRM after the mail; old ones only if never."""

    class Never:
        """Forgets nothing."""

        def random(self) -> float:
            return 1.0

        def randint(self, low: int, _high: int) -> int:
            return low

    fresh = happening("email", 2, USER, direction="in", logged_at=ago(1))
    followed = happening("email", 2, BOSS, direction="in")
    old = happening("email", 40, USER_2, direction="in")
    later = [happening("email", 1.5, BOSS), happening("email", 20, USER_2)]
    found = answer([fresh, followed, old, *later], START, Never())  # type: ignore[arg-type]
    answers = found[5:]
    assert [fresh.persons] == [one.persons for one in answers]
    assert answers[0].starts_at - fresh.starts_at < 20 * HOUR
    assert answers[0].logged_at > fresh.logged_at
    assert Dated(((answers[0].logged_at, "done"),)) == answers[0].status
