"""The rules, each read once more from domain.md section 9: what holds for one customer at one instant, and how bad it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from sandbox.world import truth_rules_more as more
from sandbox.world.truth_case import Case
from sandbox.world.truth_contact import NOT_CAPTURED, STRONG, WEAK
from sandbox.world.truth_contract import CRITICAL_WITHIN
from sandbox.world.truth_logic import Truth, Unknown, all_of, any_of

EXEC_SILENCE, USER_SILENCE = 15, 30
FALL, FALL_AGAINST_PORTFOLIO, COLLAPSE = Fraction(-1, 5), Fraction(-1, 10), Fraction(-2, 5)
STRONG_ADOPTION = Fraction(3, 4)
OVERDUE_UNDER = -2


def renewal_exec_silence(case: Case) -> Truth:
    """Renewal due and no exec contact in 15 days."""
    return all_of(case.contract.due(), case.contact.silent("exec", EXEC_SILENCE))


def adoption_drop_user_silence(case: Case) -> Truth:
    """Adoption down, against itself and against the portfolio, and no user contact in 30 days."""
    return all_of(
        _at_most(case.change, FALL),
        _at_most(_minus(case.change, case.median), FALL_AGAINST_PORTFOLIO),
        case.contact.silent("user", USER_SILENCE),
    )


def single_threaded(case: Case) -> Truth:
    """Fewer than two strong executive relationships in an enterprise, none elsewhere."""
    segment = case.segment()
    if isinstance(segment, Unknown):
        big: Truth = segment
        small: Truth = segment
    else:
        big, small = segment == "enterprise", segment != "enterprise"
    return any_of(
        all_of(big, case.contact.fewer_than(2, "exec", STRONG)),
        all_of(small, case.contact.fewer_than(1, "exec", STRONG)),
    )


def strong_adoption_no_users(case: Case) -> Truth:
    """Adoption of at least 75 % and no user relationship."""
    strong: Truth = case.adoption if isinstance(case.adoption, Unknown) else case.adoption >= STRONG_ADOPTION
    return all_of(strong, case.contact.fewer_than(1, "user", WEAK))


def touch_overdue(case: Case) -> Truth:
    """Touch due in is less than -2 days and no meeting is booked.

    What is not captured could only make the last touch later, so a number that is high enough decides in any case.
    """
    due = case.touch_due_in()
    late: Truth = due if isinstance(due, Unknown) else due < OVERDUE_UNDER
    if late is True and not case.contact.covered("any"):
        late = NOT_CAPTURED
    return all_of(late, not case.contact.bookings)


def lapsed(case: Case) -> Truth:
    """The contract ended 1 to 30 days ago and was not renewed."""
    return case.contract.lapsed()


def _renewal_severity(case: Case) -> str:
    return "critical" if case.contract.renewal_within(0, CRITICAL_WITHIN) is True else "high"


def _drop_severity(case: Case) -> str:
    return "critical" if _at_most(case.change, COLLAPSE) is True else "high"


def _thread_severity(case: Case) -> str:
    return "high" if case.contract.due() is True else "medium"


def _always(severity: str) -> Callable[[Case], str]:
    return lambda _: severity


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its condition, how severe it is, for how many days it must hold before it fires."""

    condition: Callable[[Case], Truth]
    severity: Callable[[Case], str]
    holds_for: int = 0
    churn: bool = False
    """Warns of a loss."""
    growth: bool = False
    """Waits while the customer is at risk or unhappy."""


RULES: Mapping[str, Rule] = {
    "renewal-exec-silence": Rule(renewal_exec_silence, _renewal_severity, churn=True),
    "adoption-drop-user-silence": Rule(adoption_drop_user_silence, _drop_severity, churn=True),
    "single-threaded": Rule(single_threaded, _thread_severity, 7, churn=True),
    "strong-adoption-no-users": Rule(strong_adoption_no_users, _always("medium"), growth=True),
    "touch-overdue": Rule(touch_overdue, _always("low")),
    "lapsed": Rule(lapsed, _always("critical"), 7, churn=True),
    "renewal-no-exec-on-file": Rule(more.renewal_no_exec_on_file, _always("high"), churn=True),
    "sponsor-silence": Rule(more.sponsor_silence, _always("high"), churn=True),
    "first-word-is-commercial": Rule(more.first_word_is_commercial, _always("medium"), churn=True),
    "one-sided": Rule(more.one_sided, _always("medium"), churn=True),
    "reply-overdue": Rule(more.reply_overdue, _always("high")),
    "champion-left": Rule(more.champion_left, _always("high"), churn=True),
    "health-drop": Rule(more.health_drop, _always("high"), churn=True),
    "expansion-ready": Rule(more.expansion_ready, _always("medium"), growth=True),
    "newest-offering-not-shown": Rule(more.newest_offering_not_shown, _always("low"), growth=True),
    "advocate-ready": Rule(more.advocate_ready, _always("low"), growth=True),
    "feedback-stale": Rule(more.feedback_stale, _always("low")),
    "high-maintenance-low-value": Rule(more.high_maintenance_low_value, _always("low")),
    "forgotten-tier-2": Rule(more.forgotten_tier_2, _always("low")),
}
"""A rule that is not here is not judged."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule says of one customer on one day; `severity` where the condition is true."""

    truth: Truth
    severity: str | None


def outcomes(case: Case) -> dict[str, Outcome]:
    """All rules for one case."""
    found = {}
    for name, rule in RULES.items():
        truth = rule.condition(case)
        found[name] = Outcome(truth, rule.severity(case) if truth is True else None)
    return found


def _at_most(value: Fraction | Unknown, limit: Fraction) -> Truth:
    return value if isinstance(value, Unknown) else value <= limit


def _minus(value: Fraction | Unknown, other: Fraction | Unknown) -> Fraction | Unknown:
    if isinstance(value, Unknown):
        return value
    return other if isinstance(other, Unknown) else value - other
