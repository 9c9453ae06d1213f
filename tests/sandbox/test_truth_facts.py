"""The ground truth of contracts, usage, tiers and alerts on hand-made worlds whose answers are known beforehand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from sandbox.world.model import Dated, World
from sandbox.world.truth import judge, truth
from sandbox.world.truth_alerts import life
from sandbox.world.truth_book import Book
from sandbox.world.truth_contact import Contact
from sandbox.world.truth_contract import Contract
from sandbox.world.truth_logic import Unknown
from sandbox.world.truth_rules import Outcome
from sandbox.world.truth_tiers import Tiers, crm_end, percentile, rank
from sandbox.world.truth_usage import adoption, adoption_change
from tests.sandbox.mini import (
    BOSS,
    CSM,
    LONG_AGO,
    SELLER,
    START,
    TODAY,
    USER,
    ago,
    booked,
    company,
    dated,
    deal,
    happening,
    said,
    usage,
    world,
)

SILENCE = "renewal-exec-silence"
DROP = "adoption-drop-user-silence"
SINGLE = "single-threaded"
STRONG = "strong-adoption-no-users"
OVERDUE = "touch-overdue"
LAPSED = "lapsed"


# ---------------------------------------------------------------- contract


@pytest.mark.parametrize(
    ("days", "due", "lapsed"),
    [(91, False, False), (90, True, False), (0, True, False), (-1, False, True), (-30, False, True)],
)
def test_renewal_in_days(days: int, due: bool, lapsed: bool) -> None:
    """Due within 0..90, lapsed at -30..-1."""
    contract = _contract(renewal=dated(TODAY + days))
    assert (contract.due(), contract.lapsed()) == (due, lapsed)


def test_renewal_that_says_nothing() -> None:
    """More than 30 days past and not renewed is outdated; none at all is not on file; an open renewal stands in."""
    assert _contract(renewal=dated(TODAY - 31)).lapsed() == Unknown("outdated")
    assert _contract(renewal=dated(TODAY - 31)).due() == Unknown("outdated")
    assert _contract(renewal=dated(None)).due() == Unknown("not_on_file")
    assert _contract(deal("Negotiation", -40), renewal=dated(None)).renewal_in() == 40
    assert _contract(deal("Closed Won", 5), renewal=dated(TODAY - 31)).lapsed() is False
    assert _contract(renewal=dated(TODAY - 31), term_days=30).due() is False


@pytest.mark.parametrize(("won", "renewed"), [(-60 + 119, True), (-60 + 120, False), (0, False), (1, True)])
def test_renewed(won: int, renewed: bool) -> None:
    """Won after the renewal date - 120 days; what is won at 14:00 is not known at 06:00."""
    assert _contract(deal("Closed Won", won)).renewed() is renewed
    assert _contract(deal("Closed Won", won, "Expansion")).renewed() is False


def test_auto_renewal() -> None:
    """Past its notice date it counts as renewed, on the day itself it does not."""
    assert _contract(auto_renews=True, renewal=dated(TODAY)).due() is True
    assert _contract(auto_renews=True, renewal=dated(TODAY - 1)).lapsed() is False


def test_rolling() -> None:
    """A term under 180 days; unmapped it is the renewal minus the later of the start and the last won renewal."""
    assert _contract(term_days=179).rolling() is True
    assert _contract(term_days=180).rolling() is False
    assert _contract(term_days=None, contract_start=TODAY - 119).rolling() is True
    assert _contract(term_days=None, contract_start=TODAY - 120).rolling() is False
    assert _contract(deal("Closed Won", 100), term_days=None).rolling() is True
    assert _contract(term_days=None, renewal=dated(None)).rolling() is False


def test_scope() -> None:
    """Customers by kind; a lost latest renewal ends it once the renewal date has passed."""
    assert _contract().in_scope()
    assert not _contract(kind=Dated(((LONG_AGO, "customer"), (START, "former")))).in_scope()
    assert _contract(deal("Closed Lost", 2), renewal=dated(TODAY)).in_scope()
    assert not _contract(deal("Closed Lost", 2), renewal=dated(TODAY - 1)).in_scope()
    assert not _contract(deal("Closed Lost", 2), renewal=dated(None)).in_scope()
    assert _contract(deal("Closed Lost", 400), deal("Closed Won", 35), renewal=dated(TODAY - 1)).in_scope()


def _contract(*deals: object, **changed: object) -> Contract:
    one = world(companies=(company(**changed),), deals=deals)  # type: ignore[arg-type]
    return Contract(Book(one), one.companies[0], START)


def test_severity_rises_near_the_renewal() -> None:
    """Critical within 30 days, high before; single-threaded is high when the renewal is due, lapsed always critical."""
    for days, renewal, single in ((31, "high", "high"), (30, "critical", "high"), (91, None, "medium")):
        one = world(companies=(company(renewal=dated(TODAY + days)),))
        assert said(one, SILENCE).severity == renewal
        assert said(one, SINGLE).severity == single
    assert said(world(companies=(company(renewal=dated(TODAY - 1)),)), LAPSED).severity == "critical"


@pytest.mark.parametrize(("arr", "expected"), [(10_000_000, True), (9_999_999, False), (100, False)])
def test_enterprises_need_two_strong_executives(arr: int, expected: bool) -> None:
    """One strong executive is enough below 100k."""
    meetings = [happening("meeting", days, BOSS) for days in (2, 30, 60, 330)]
    assert said(world(*meetings, companies=(company(arr=dated(arr)),)), SINGLE).truth is expected


# ---------------------------------------------------------------- usage


def _change(levels: list[int]) -> Fraction | Unknown:
    one = world(samples=usage(levels))
    return adoption_change(Book(one), one.companies[0], START)


def test_adoption_change() -> None:
    """30 days over the 90 before, by the samples' days; half of the samples are enough in each."""
    assert _change([100] * 90 + [70] * 30) == pytest.approx(-0.3)
    assert _change([1000] * 50 + [100] * 90 + [70] * 30) == pytest.approx(-0.3)
    assert _change([100] * 45 + [70] * 30) == pytest.approx(-0.3)
    assert _change([100] * 44 + [70] * 30) == Unknown("too_few_samples")
    assert _change([]) == Unknown("too_few_samples")
    assert _change([0] * 90 + [70] * 30) == Unknown("too_small")
    assert _change([9] * 90 + [6] * 30) == pytest.approx(-1 / 3)
    assert _change([9] * 90 + [7] * 30) == Unknown("too_small")
    assert _change([10] * 90 + [8] * 30) == pytest.approx(-0.2)


def test_adoption_change_of_a_weekly_feed() -> None:
    """The feed's own rhythm decides how many samples a window promises: 4.3 and 12.9 of a weekly one."""
    weekly = usage([100] * 90 + [70] * 30)[1::7]
    one = world(samples=weekly)
    assert adoption_change(Book(one), one.companies[0], START) == pytest.approx(-0.3, abs=0.01)
    two = world(samples=weekly[:-2])
    assert adoption_change(Book(two), one.companies[0], START) == Unknown("too_few_samples")


@pytest.mark.parametrize(
    ("missing", "seats", "expected"),
    [
        (0, 100, Fraction(4, 5)),
        (28, 100, Fraction(4, 5)),
        (29, 100, Unknown("outdated")),
        (0, None, Unknown("no_seats")),
    ],
)
def test_adoption(missing: int, seats: int | None, expected: object) -> None:
    """The latest sample of at most 28 days ago over the seats."""
    samples = usage([50] * 60, share=0.8)
    one = world(companies=(company(seats=seats),), samples=samples[: len(samples) - missing])
    assert adoption(Book(one), one.companies[0], START) == expected


def test_hubspot_seats_where_salesforce_has_none() -> None:
    """Salesforce wins per field, so an empty one lets the other CRM speak."""
    both = company(systems=("salesforce", "hubspot"), hubspot_differs=(("seats", 160),))
    for seats, expected in ((100, Fraction(4, 5)), (None, Fraction(1, 2))):
        one = world(companies=(replace(both, seats=seats),), samples=usage([50] * 60, share=0.8))
        assert adoption(Book(one), one.companies[0], START) == expected


@pytest.mark.parametrize(
    ("now", "others", "expected"), [(80, 100, True), (81, 100, False), (70, 81, True), (70, 79, False)]
)
def test_a_drop_counts_against_the_portfolio_too(now: int, others: int, expected: bool) -> None:
    """At most -20 %, and at most -10 points below the median of all."""
    samples = usage([100] * 90 + [now] * 30)
    for key in ("a-2", "a-3"):
        samples += usage([100] * 90 + [others] * 30, account=key)
    companies = (company(), company("a-2"), company("a-3"))
    assert said(world(companies=companies, samples=samples), DROP).truth is expected


def test_a_collapse_is_critical() -> None:
    """At -40 %."""
    for now, severity in ((60, "critical"), (61, "high")):
        samples = usage([100] * 90 + [now] * 30)
        for key in ("a-2", "a-3"):
            samples += usage([100] * 120, account=key)
        one = world(companies=(company(), company("a-2"), company("a-3")), samples=samples)
        assert said(one, DROP).severity == severity


def test_strong_adoption_without_users() -> None:
    """From 75 % on; one weak relationship is enough; an unknown adoption does not matter where users are known."""
    for share, expected in ((0.75, True), (0.74, False)):
        assert said(world(samples=usage([50] * 60, share=share)), STRONG).truth is expected
    meeting = happening("meeting", 2, USER)
    assert said(world(meeting, samples=usage([50] * 60, share=0.9)), STRONG).truth is False
    unlicensed = (company(seats=None),)
    assert said(world(companies=unlicensed), STRONG).truth == Unknown("no_seats")
    assert said(world(meeting, companies=unlicensed), STRONG).truth is False


# ---------------------------------------------------------------- tiers and cadence


def _portfolio(count: int, **changed: object) -> World:
    """`count` customers a-1 .. whose ARR, potential and fit rise with the number."""
    companies = tuple(
        company(f"a-{n}", arr=dated(n * 1_000_000), potential=n * 100, market_fit=float(n), **changed)
        for n in range(1, count + 1)
    )
    return world(companies=companies, days=40)


def test_scores_and_places() -> None:
    """Percentile ranks weighted; 15 % tier 1, half of all tiers 1 and 2, cuts between the last and the first outside."""
    ranking = rank(_portfolio(21).companies, START)
    assert ranking.scores["a-21"] == 1
    assert ranking.scores["a-11"] == 0.5
    assert ranking.scores["a-1"] == 0
    by_tier = [sum(t == tier for t in ranking.targets.values()) for tier in (1, 2, 3)]
    assert by_tier == [3, 8, 10]
    assert ranking.cuts == pytest.approx((0.875, 0.475))


def test_percentile_rank() -> None:
    """(below + half of the other equals) / (n - 1); alone it is 0.5."""
    assert percentile(5, [5]) == 0.5
    assert [percentile(v, [1, 2, 2, 4]) for v in (1, 2, 4)] == [0, pytest.approx(0.5), 1]


def test_a_missing_input_spreads_its_weight() -> None:
    """Without potential the score is 0.45 and 0.10 of 0.55; without anything there is none."""
    poor = company("a-3", arr=dated(300), potential=None, market_fit=2.0)
    nothing = company("a-4", arr=dated(None), potential=None, market_fit=None)
    others = (company("a-1", arr=dated(100), market_fit=1.0), company("a-2", arr=dated(200), market_fit=3.0))
    ranking = rank((*others, poor, nothing), START)
    assert ranking.scores["a-3"] == pytest.approx((0.45 * 1 + 0.10 * 0.5) / 0.55, abs=1e-6)
    assert "a-4" not in ranking.targets


def test_strategic_and_new_customers_are_tier_1() -> None:
    """They leave the ranking; onboarding ends after 90 days, and then tier 1 is only proposed to end."""
    new = company("a-0", arr=dated(1), potential=1, market_fit=0.0, contract_start=TODAY - 89)
    chosen = company("b-0", arr=dated(1), potential=1, market_fit=0.0, strategic=True)
    base = _portfolio(10)
    tiers = Tiers(Book(replace(base, companies=(*base.companies, new, chosen)))).run(40)
    assert "a-0" not in tiers.rankings[0].targets
    assert tiers.rankings[1].targets["a-0"] == 3
    assert tiers.applied[0]["a-0"] == tiers.applied[39]["a-0"] == tiers.applied[39]["b-0"] == 1
    assert tiers.proposed[30] == {}
    assert tiers.proposed[31] == {"a-0": 3}


def test_a_tier_changes_only_after_it_has_held() -> None:
    """Up after 14 days beyond the cut, down after 30; the evaluation of that day still sees the old tier."""
    base = _portfolio(20)
    risen = replace(base.companies[3], arr=Dated(((LONG_AGO, 4_000_000), (ago(-4.5), 90_000_000))))
    fallen = replace(base.companies[15], arr=Dated(((LONG_AGO, 16_000_000), (ago(-4.5), 1))))
    moved = {risen.key: risen, fallen.key: fallen}
    companies = tuple(replace(moved.get(c.key, c), potential=None, market_fit=None) for c in base.companies)
    tiers = Tiers(Book(replace(base, companies=companies))).run(40)
    assert [tiers.applied[day]["a-4"] for day in (4, 18, 19)] == [3, 3, 1]
    assert [tiers.applied[day]["a-16"] for day in (4, 34, 35)] == [2, 2, 3]
    assert [tiers.in_force(risen, day) for day in (0, 19, 20)] == [3, 3, 1]


def test_a_person_s_tier_pins() -> None:
    """From the evaluation after the edit until the field is emptied; the CRM keeps it, others keep what was applied."""
    base = _portfolio(20)
    edits = ((ago(-1.5), 3, CSM), (ago(-4.5), None, CSM))
    edited = replace(base.companies[-1], systems=("salesforce", "hubspot"), tier_edits=edits)
    tiers = Tiers(Book(base)).run(40)
    assert [tiers.in_force(edited, day) for day in (0, 1, 2, 4, 5)] == [1, 1, 3, 3, 1]
    assert crm_end(tiers, edited, 4) == {"salesforce": 3, "hubspot": 1}
    assert crm_end(tiers, edited, 6) == {"salesforce": 1, "hubspot": 1}


@pytest.mark.parametrize(("age", "tier", "expected"), [(9.9, 1, False), (10, 1, True), (16.9, 2, False), (17, 2, True)])
def test_overdue_by_more_than_two_days(age: float, tier: int, expected: bool) -> None:
    """Cadence 7 and 14: due in -3 days fires, -2 does not."""
    edits = ((ago(5), tier, CSM),)
    one = world(happening("email", age, USER), companies=(company(tier_edits=edits),))
    assert judge(one).at("a-1", OVERDUE, 0) is expected


def test_overdue_but_booked_or_unseen() -> None:
    """Any future meeting stops it; without capture a late touch is unknown and a fresh one decides."""
    edited = (company(tier_edits=((ago(5), 1, CSM),)),)
    old, fresh = happening("email", 30, USER), happening("email", 9, USER, teammates=(SELLER,))
    assert judge(world(old, booked(60, USER), companies=edited)).at("a-1", OVERDUE, 0) is False
    assert judge(world(old, companies=edited, captured=False)).at("a-1", OVERDUE, 0) == Unknown("not_captured")
    assert judge(world(fresh, companies=edited, captured=False)).at("a-1", OVERDUE, 0) is False


def test_never_touched_counts_from_the_contract() -> None:
    """A customer of 10 days without a touch is overdue by three at the cadence of onboarding."""
    for start, expected in ((9, False), (10, True)):
        one = world(companies=(company(contract_start=TODAY - start),))
        assert judge(one).at("a-1", OVERDUE, 0) is expected


# ---------------------------------------------------------------- life of an alert


def _life(text: str, holds_for: int = 0) -> list[tuple[int, int | None, str]]:
    """T true high, c true critical, f false, u unknown, - out of scope -> (opened, closed, highest)."""
    words: dict[str, Outcome | None] = {
        "t": Outcome(True, "high"),
        "c": Outcome(True, "critical"),
        "f": Outcome(False, None),
        "u": Outcome(Unknown("why"), None),
        "-": None,
    }
    return [(f.opened_day, f.closed_day, f.highest) for f in life([words[w] for w in text], holds_for)]


@pytest.mark.parametrize(
    ("text", "holds_for", "expected"),
    [
        ("fft", 0, [(2, None, "high")]),
        ("ttff", 0, [(0, 3, "high")]),
        ("tf", 0, [(0, None, "high")]),
        ("tftf", 0, [(0, None, "high")]),
        ("tffff", 0, [(0, 2, "high")]),
        ("tuuuu", 0, [(0, None, "high")]),
        ("tfuuf", 0, [(0, 4, "high")]),
        ("tfut", 0, [(0, None, "high")]),
        ("uuu", 0, []),
        ("ttttttt", 7, []),
        ("tttttttt", 7, [(7, None, "high")]),
        ("tttttttft", 7, []),
        ("tttuuuutttt", 7, []),
        ("tttuuuuttttt", 7, [(11, None, "high")]),
        ("ttctt", 0, [(0, None, "critical")]),
        ("tt-t", 0, [(0, 2, "high"), (3, None, "high")]),
        ("tffftff", 0, [(0, 2, "high"), (4, 6, "high")]),
    ],
)
def test_alerts_open_and_close(text: str, holds_for: int, expected: list[tuple[int, int | None, str]]) -> None:
    """`for` and `keep firing` held exactly count as held; unknown keeps the state and its time counts for nothing."""
    assert _life(text, holds_for) == expected


def test_the_end_of_a_customer_is_no_resolution() -> None:
    """The alert is closed as gone, and told so."""
    (fire,) = life([Outcome(True, "high"), None], 0)
    assert (fire.closed_day, fire.closed_why) == (1, "gone")


def test_escalation_is_noted_once() -> None:
    """High, then critical, then high again: one rise."""
    high, critical = Outcome(True, "high"), Outcome(True, "critical")
    (fire,) = life([high, critical, high, critical], 0)
    assert (fire.severity, fire.highest, fire.escalated) == ("high", "critical", ((1, "critical"),))


# ---------------------------------------------------------------- losses


def test_losses_and_their_warnings() -> None:
    """A silent renewal warns 60 days before the loss; a loss after the horizon is not in the list."""
    lost, kept = company(churns_on=TODAY + 60), company("a-2", churns_on=TODAY + 122)
    rows: Any = truth(world(companies=(lost, kept)))["churn"]
    (row,) = rows
    assert (row["account"], row["day"], row["told_30_days_before"]) == ("a-1", 60, True)
    assert {"day": 0, "rule": SILENCE, "severity": "high", "lead_days": 60} in row["warnings"]


def test_a_contact_knows_its_csm() -> None:
    """The mapped one, at that instant."""
    moved = company(csm=Dated(((LONG_AGO, CSM), (START + 1, SELLER))))
    book = Book(world(companies=(moved,), days=2))
    assert [Contact(book, moved, book.day(day)).csm for day in (0, 1)] == [CSM, SELLER]
