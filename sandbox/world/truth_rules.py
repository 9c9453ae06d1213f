"""The six rules, each read once more from domain.md section 9: what holds for one customer at one instant, and how bad it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from sandbox.world.model import Company
from sandbox.world.truth_book import Book
from sandbox.world.truth_contact import STRONG, WEAK, Contact
from sandbox.world.truth_contract import CRITICAL_WITHIN, Contract
from sandbox.world.truth_logic import Truth, Unknown, all_of, any_of
from sandbox.world.truth_usage import adoption, adoption_change, portfolio_change
from sandbox.world.when import DAY

CADENCE = {1: 7, 2: 14, 3: 30}
ONBOARDING_CADENCE = 7
EXEC_SILENCE, USER_SILENCE = 15, 30
FALL, FALL_AGAINST_PORTFOLIO, COLLAPSE = Fraction(-1, 5), Fraction(-1, 10), Fraction(-2, 5)
STRONG_ADOPTION = Fraction(3, 4)
OVERDUE_UNDER = -2
SEGMENTS = (("enterprise", 10_000_000), ("mid_market", 2_000_000))
"""From so many cents of ARR on; below it is smb."""


@dataclass(frozen=True, slots=True)
class Case:
    """One customer at one instant, with what the portfolio and the tiers add to it."""

    company: Company
    as_of: int
    contract: Contract
    contact: Contact
    adoption: Fraction | Unknown
    change: Fraction | Unknown
    median: Fraction | Unknown
    tier: int | None

    def segment(self) -> str | Unknown:
        """By ARR; no CRM of this world has a field for it."""
        arr = self.company.arr.at(self.as_of)
        if not isinstance(arr, int):
            return Unknown("not_on_file")
        return next((name for name, least in SEGMENTS if arr >= least), "smb")

    def touch_due_in(self) -> int | Unknown:
        """Whole days until somebody should be in touch, as far as the touches on file can tell."""
        if self.contract.onboarding():
            cadence = ONBOARDING_CADENCE
        elif self.tier is None:
            return Unknown("not_on_file")
        else:
            cadence = CADENCE[self.tier]
        last = self.contact.last()
        if last is not None:
            return cadence - (self.as_of - last) // DAY
        start = self.company.contract_start
        return Unknown("not_on_file") if start is None else cadence - (self.as_of // DAY - start)


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
    if late is True and not case.contact.covered:
        late = Unknown("not_captured")
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


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its condition, how severe it is, for how many days it must hold before it fires."""

    condition: Callable[[Case], Truth]
    severity: Callable[[Case], str]
    holds_for: int = 0
    churn: bool = False
    """Warns of a loss."""


RULES: Mapping[str, Rule] = {
    "renewal-exec-silence": Rule(renewal_exec_silence, _renewal_severity, churn=True),
    "adoption-drop-user-silence": Rule(adoption_drop_user_silence, _drop_severity, churn=True),
    "single-threaded": Rule(single_threaded, _thread_severity, 7, churn=True),
    "strong-adoption-no-users": Rule(strong_adoption_no_users, lambda _: "medium"),
    "touch-overdue": Rule(touch_overdue, lambda _: "low"),
    "lapsed": Rule(lapsed, lambda _: "critical", 7, churn=True),
}


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


def cases(book: Book, as_of: int, tier: Callable[[Company], int | None]) -> list[Case]:
    """Every customer in scope at an instant. `tier` gives the one in force."""
    contracts = {c.key: Contract(book, c, as_of) for c in book.world.companies}
    inside = [c for c in book.world.companies if contracts[c.key].in_scope()]
    changes = {c.key: adoption_change(book, c, as_of) for c in inside}
    median = portfolio_change(changes.values())
    return [
        Case(
            company=c,
            as_of=as_of,
            contract=contracts[c.key],
            contact=Contact(book, c, as_of),
            adoption=adoption(book, c, as_of),
            change=changes[c.key],
            median=median,
            tier=tier(c),
        )
        for c in inside
    ]


def _at_most(value: Fraction | Unknown, limit: Fraction) -> Truth:
    return value if isinstance(value, Unknown) else value <= limit


def _minus(value: Fraction | Unknown, other: Fraction | Unknown) -> Fraction | Unknown:
    if isinstance(value, Unknown):
        return value
    return other if isinstance(other, Unknown) else value - other
