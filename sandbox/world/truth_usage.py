"""What the usage samples say: adoption and its change, each account's own and the portfolio's median.

Ratios are exact: a fall of just 20 % is one of at least 20 %.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from statistics import median

from sandbox.world.model import Company
from sandbox.world.truth_book import Book
from sandbox.world.truth_logic import Unknown
from sandbox.world.when import DAY

LATE_DAYS, EARLY_DAYS = 30, 90
FEWEST_SAMPLES = 3
ACTIVE_WITHIN = 28
SMALL_MEAN, SMALL_FALL = 10, 3


def seats(company: Company) -> int | None:
    """Licensed seats. Salesforce wins; HubSpot's own value counts where Salesforce has none."""
    if company.seats is not None:
        return company.seats
    other = dict(company.hubspot_differs).get("seats")
    return other if isinstance(other, int) else None


def adoption(book: Book, company: Company, as_of: int) -> Fraction | Unknown:
    """Users active in 28 days, by the latest sample, over seats; a sample of more than 28 days ago is too old."""
    licensed = seats(company)
    if not licensed:
        return Unknown("no_seats")
    samples = book.samples(company, as_of)
    if not samples:
        return Unknown("not_on_file")
    latest = samples[-1]
    if (as_of - latest.day * DAY) // DAY > ACTIVE_WITHIN:
        return Unknown("outdated")
    return Fraction(latest.active_users_28d, licensed)


def adoption_change(book: Book, company: Company, as_of: int) -> Fraction | Unknown:
    """Mean of the last 30 days over the mean of the 90 before, minus 1; a sample stands at its day's midnight."""
    samples = book.samples(company, as_of)
    if len(samples) < FEWEST_SAMPLES:
        return Unknown("too_few_samples")
    border = as_of - LATE_DAYS * DAY
    late = [p.active_users for p in samples if border < p.day * DAY]
    early = [p.active_users for p in samples if border - EARLY_DAYS * DAY < p.day * DAY <= border]
    rhythm = median(b.day - a.day for a, b in pairwise(samples))
    if not (_enough(late, LATE_DAYS / rhythm) and _enough(early, EARLY_DAYS / rhythm)):
        return Unknown("too_few_samples")
    before, now = _mean(early), _mean(late)
    if before == 0 or (before < SMALL_MEAN and before - now < SMALL_FALL):
        return Unknown("too_small")
    return now / before - 1


def portfolio_change(changes: Iterable[Fraction | Unknown]) -> Fraction | Unknown:
    """The median over the customers of whom it is known."""
    known = [c for c in changes if not isinstance(c, Unknown)]
    return median(known) if known else Unknown("too_few_samples")


def _mean(values: list[int]) -> Fraction:
    return Fraction(sum(values), len(values))


def _enough(samples: list[int], promised: float) -> bool:
    return len(samples) >= max(promised / 2, FEWEST_SAMPLES)
