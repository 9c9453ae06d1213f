"""The score policy: percentile ranks, spread weights, cuts, and how long a score must hold before a tier changes."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rules.tiers import INPUTS, Customer, Ranked, Scored, TierSettings, decide, rank
from store.records import DAY

NOW = 20_500 * DAY
POLICY = TierSettings()


def book(*arr: int | None) -> list[Customer]:
    """Customers 1, 2, 3 ... with these ARRs and nothing else."""
    return [Customer(n, f"salesforce:{n:04}", arr=value) for n, value in enumerate(arr, start=1)]


def tiers_of(customers: list[Customer]) -> list[int | None]:
    """The computed tiers in the order of the customers."""
    ranking = rank(customers, POLICY)
    return [ranking.customers[c.account_id].computed for c in customers]


def test_shares_are_rounded_half_up() -> None:
    """Of ten, floor(2.0) are tier 1 and the first five tiers 1 and 2; of three, none and two."""
    assert tiers_of(book(*range(10, 0, -1))) == [1, 1, 2, 2, 2, 3, 3, 3, 3, 3]
    assert tiers_of(book(30, 20, 10)) == [2, 2, 3]
    assert tiers_of(book(5)) == [2]
    assert tiers_of([]) == []


def test_score_is_the_weighted_percentile_rank() -> None:
    """Below + half of the other equals, over n - 1; here 0.45 x 0.5 + 0.30 x 1 + 0.10 x 0.25 over 0.85."""
    customers = [
        Customer(1, "a", arr=20, potential=9, market_fit=50.0),
        Customer(2, "b", arr=10, potential=5, market_fit=50.0),
        Customer(3, "c", arr=30, potential=1, market_fit=80.0),
    ]
    scores = {account: ranked.score for account, ranked in rank(customers, POLICY).customers.items()}
    assert scores[1] == floor(
        (Fraction(45, 100) / 2 + Fraction(30, 100) + Fraction(10, 100) / 4) / Fraction(85, 100) * 10**6 + Fraction(1, 2)
    )


def test_missing_inputs_spread_their_weight() -> None:
    """With ARR alone the rank by ARR is the score; a lone value is in the middle."""
    customers = [*book(30, 20, 10), Customer(4, "salesforce:0004", potential=7)]
    found = rank(customers, POLICY).customers
    assert [found[n].score for n in (1, 2, 3, 4)] == [1_000_000, 500_000, 0, 500_000]


def test_ties_are_broken_by_arr_then_key() -> None:
    """Equal scores: the larger ARR first, a missing ARR last, then the key."""
    same = [Customer(n, key, market_fit=50.0) for n, key in ((1, "d"), (2, "b"), (3, "c"), (4, "a"))]
    assert tiers_of(same) == [3, 2, 3, 1]


def test_forced_and_unknown_customers_leave_the_ranking() -> None:
    """Strategic and onboarding customers are tier 1 and do not count for N; without any input there is no tier."""
    customers = [
        *book(30, 20, 10),
        Customer(8, "x", arr=1, strategic=True),
        Customer(9, "y", onboarding=True),
        Customer(10, "z"),
    ]
    ranking = rank(customers, POLICY)
    assert ranking.ranked == 3
    assert [ranking.customers[n].forced for n in (8, 9, 10)] == ["strategic", "onboarding", None]
    assert [ranking.customers[n].computed for n in (1, 2, 3, 8, 9, 10)] == [2, 2, 3, 1, 1, None]


def test_cut_lies_between_the_last_inside_and_the_first_outside() -> None:
    """Ten customers: cuts between the second and third, and the fifth and sixth."""
    ranking = rank(book(*range(10, 0, -1)), POLICY)
    by_place = sorted((r.score or 0 for r in ranking.customers.values()), reverse=True)
    assert ranking.cut_1 == (by_place[1] + by_place[2] + 1) // 2
    assert ranking.cut_2 == (by_place[4] + by_place[5] + 1) // 2


@given(st.lists(st.tuples(*(st.one_of(st.none(), st.integers(0, 5)) for _ in INPUTS)), min_size=1, max_size=25))
def test_integer_scores_equal_exact_fractions(rows: list[tuple[int | None, ...]]) -> None:
    """The integer arithmetic is the definition, computed with fractions."""
    customers = [Customer(n, f"{n:03}", **dict(zip(INPUTS, row, strict=True))) for n, row in enumerate(rows)]  # type: ignore[arg-type]
    found = rank(customers, POLICY).customers
    for customer in customers:
        top, total = Fraction(0), 0
        for name in INPUTS:
            line = [v for c in customers if (v := getattr(c, name)) is not None]
            value, weight = getattr(customer, name), getattr(POLICY.weights, name)
            if value is None:
                continue
            below, equal = sum(v < value for v in line), sum(v == value for v in line) - 1
            place = Fraction(1, 2) if len(line) == 1 else (below + Fraction(equal, 2)) / (len(line) - 1)
            top, total = top + weight * place, total + weight
        expected = floor(top / total * 1_000_000 + Fraction(1, 2)) if total else None
        assert found[customer.account_id].score == expected


def history(days: int, score: int, *, cut_1: int = 800_000, cut_2: int = 500_000, every: int = 1) -> list[Scored]:
    """Evaluations from `days` ago up to now."""
    return [Scored(NOW - age * DAY, score, cut_1, cut_2) for age in range(days, -1, -every)]


def tier_after(current: int | None, computed: int | None, scored: list[Scored]) -> tuple[int | None, int | None]:
    """(tier, proposed) for a customer in `current` whose score is that of the last evaluation."""
    decision = decide(current, Ranked(scored[-1].score, computed), scored, NOW, POLICY)
    return decision.tier, decision.proposed


@pytest.mark.parametrize(
    ("days", "score", "tier"),
    [(14, 520_000, 2), (13, 520_000, 3), (14, 519_999, 3)],
    ids=["held", "a day short", "too close to the cut"],
)
def test_rise_needs_the_margin_for_fourteen_days(days: int, score: int, tier: int) -> None:
    """At every evaluation of 14 days, at least 0.02 above the cut."""
    assert tier_after(3, 2, history(days, score)) == (tier, None)


@pytest.mark.parametrize(
    ("days", "score", "tier"),
    [(30, 480_000, 3), (29, 480_000, 2), (30, 480_001, 2)],
    ids=["held", "a day short", "too close to the cut"],
)
def test_fall_needs_the_margin_for_thirty_days(days: int, score: int, tier: int) -> None:
    """At every evaluation of 30 days, at least 0.02 below the cut."""
    assert tier_after(2, 3, history(days, score)) == (tier, None)


def test_one_evaluation_on_the_wrong_side_starts_the_count_again() -> None:
    """A single weak day among fourteen keeps the tier."""
    scored = history(20, 600_000)
    scored[10] = Scored(scored[10].as_of, 510_000, 800_000, 500_000)
    assert tier_after(3, 2, scored) == (3, None)


def test_day_outside_the_ranking_starts_the_count_again() -> None:
    """An evaluation at which the customer was not ranked is no evaluation above the cut."""
    scored = history(20, 600_000)
    scored[15] = Scored(scored[15].as_of, None, 800_000, 500_000)
    assert tier_after(3, 2, scored) == (3, None)


def test_sparse_evaluations_cover_the_period_by_the_one_before_it() -> None:
    """Weekly evaluations: the one that was the latest 14 days ago belongs to the period."""
    assert tier_after(3, 2, history(14, 600_000, every=7)) == (2, None)
    assert tier_after(3, 2, history(12, 600_000, every=6)) == (3, None)


def test_a_rise_stops_where_only_the_lower_cut_has_held() -> None:
    """Computed tier 1 today, but above its cut for a few days only: tier 2."""
    scored = history(20, 700_000)
    scored[-1] = Scored(NOW, 900_000, 800_000, 500_000)
    assert tier_after(3, 1, scored) == (2, None)


def test_downgrade_of_tier_one_is_a_proposal() -> None:
    """Nothing changes until somebody approves it; it names the tier that the score has held."""
    assert tier_after(1, 3, history(30, 100_000)) == (1, 3)
    assert tier_after(1, 2, history(30, 700_000)) == (1, 2)


def test_first_assignment_and_forced_tiers_wait_for_nothing() -> None:
    """No tier yet, or strategic: at once. Without inputs the tier stays."""
    today = history(0, 600_000)
    assert tier_after(None, 2, today) == (2, None)
    assert decide(3, Ranked(None, 1, "strategic"), today, NOW, POLICY).tier == 1
    assert tier_after(2, None, history(0, 0)) == (2, None)
    assert tier_after(None, None, history(0, 0)) == (None, None)


def test_settings_take_numbers_as_names_and_refuse_unknown_presets() -> None:
    """`names: [1, 2, 3]` is what one writes; a cadence is A or B."""
    assert TierSettings.model_validate({"names": [1, 2, 3]}).names == ("1", "2", "3")
    with pytest.raises(ValidationError, match="cadence"):
        TierSettings.model_validate({"cadence": "C"})
