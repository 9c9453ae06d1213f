"""The conditions of the rules on people, service, health and worth, read from domain.md section 9."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TypeVar

from sandbox.world.truth_case import Case
from sandbox.world.truth_contact import STRONG
from sandbox.world.truth_logic import Truth, Unknown, all_of, any_of, negation
from sandbox.world.truth_service import ANSWERED_DAYS
from sandbox.world.when import DAY

V = TypeVar("V", int, float, Fraction)

NOT_RECORDED = Unknown("not_recorded")
"""Nobody in this world has ever been asked for feedback or a reference, or looked a tier over."""
UNANSWERED = 2
SOON, LONG_SILENCE = 120, 60
MANY_STRONG = 2
DROP, OVER_DAYS = 15, 30
HIGH_ADOPTION, GOOD_RELATIONSHIP, GREEN = Fraction(4, 5), 60, 75
LOW_THIRD, TOP_TENTH = Fraction(1, 3), Fraction(9, 10)
MEETING_SILENCE = 90
EARLY_TIERS = (1, 2)
OUT_FOR = 60


def renewal_no_exec_on_file(case: Case) -> Truth:
    """Renewal due and no exec contacts."""
    return all_of(case.contract.due(), case.contact.none_on_file("exec"))


def sponsor_silence(case: Case) -> Truth:
    """Unanswered outreach is at least 2."""
    return _that(case.unanswered_outreach, lambda mails: mails >= UNANSWERED)


def first_word_is_commercial(case: Case) -> Truth:
    """Renewal is within the next 120 days and no contact in 60 days."""
    return all_of(case.contract.renewal_within(0, SOON), case.contact.silent("any", LONG_SILENCE))


def one_sided(case: Case) -> Truth:
    """Two strong relationships on one side, and 60 days of silence on the other."""
    return any_of(_strong_but_silent(case, "user", "exec"), _strong_but_silent(case, "exec", "user"))


def _strong_but_silent(case: Case, strong: str, silent: str) -> Truth:
    many = negation(case.contact.fewer_than(MANY_STRONG, strong, STRONG))
    return all_of(many, case.contact.silent(silent, LONG_SILENCE))


def reply_overdue(case: Case) -> Truth:
    """Awaiting reply is more than response time."""
    promised = case.response_time
    return promised if isinstance(promised, Unknown) else _that(case.awaiting_reply, lambda hours: hours > promised)


def champion_left(case: Case) -> Truth:
    """Champions lost is at least 1."""
    return _that(case.champions_lost, lambda people: people >= 1)


def health_drop(case: Case) -> Truth:
    """Health fell by 15 in 30 days."""
    before = case.health_before(OVER_DAYS)
    if isinstance(before, Unknown):
        return before
    return _that(case.health, lambda now: round(before * 100) - round(now * 100) >= DROP * 100)


def expansion_ready(case: Case) -> Truth:
    """Adoption is at least 80 %, relationship is at least 60, not open expansion."""
    return all_of(
        _that(case.adoption, lambda share: share >= HIGH_ADOPTION),
        _that(case.contact.relationship(), lambda points: points >= GOOD_RELATIONSHIP),
        not case.open_expansion,
    )


def newest_offering_not_shown(case: Case) -> Truth:
    """Tier is 1 or 2, newest offering is more than 60 days ago, and it was not shown."""
    early: Truth = NOT_RECORDED if case.tier is None else case.tier in EARLY_TIERS
    out_for_long = case.as_of // DAY - case.newest_offering > OUT_FOR
    return all_of(early, out_for_long, negation(case.newest_offering_shown))


def advocate_ready(case: Case) -> Truth:
    """Health is at least 75, relationship is at least 60, no reference asked in 180 days."""
    return all_of(
        _that(case.health, lambda points: points >= GREEN),
        _that(case.contact.relationship(), lambda points: points >= GOOD_RELATIONSHIP),
        NOT_RECORDED,
    )


def feedback_stale(case: Case) -> Truth:
    """No survey answered in 180 days and no feedback asked in 180 days."""
    # Where somebody of this world has answered, whoever has not never did; nobody records who was asked.
    answered = case.last_answer is not None and case.last_answer > case.as_of - ANSWERED_DAYS * DAY
    return all_of(not answered, NOT_RECORDED)


def high_maintenance_low_value(case: Case) -> Truth:
    """LTV is in the bottom third and load per ARR is in the top 10 %."""
    return all_of(
        case.ltv if isinstance(case.ltv, Unknown) else case.ranks["ltv"] <= LOW_THIRD,
        case.load_per_arr if isinstance(case.load_per_arr, Unknown) else case.ranks["load_per_arr"] >= TOP_TENTH,
    )


def forgotten_tier_2(case: Case) -> Truth:
    """Tier is 2, no meeting in 90 days and no tier review in 90 days."""
    second: Truth = NOT_RECORDED if case.tier is None else case.tier == 2
    return all_of(second, case.contact.silent("any", MEETING_SILENCE, "meeting"), NOT_RECORDED)


def _that(value: V | Unknown, test: Callable[[V], bool]) -> Truth:
    return value if isinstance(value, Unknown) else test(value)
