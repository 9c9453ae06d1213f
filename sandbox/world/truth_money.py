"""What a customer has paid, whether more is on offer, and who is at which end of the portfolio."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from sandbox.world.model import Company
from sandbox.world.truth_book import Book
from sandbox.world.truth_logic import Unknown
from sandbox.world.when import DAY

CLOSED = ("Closed Won", "Closed Lost")


def ltv(book: Book, company: Company, as_of: int) -> int | Unknown:
    """What was won up to an instant, in cents; missing when it pays and nothing that was paid is on file."""
    won = [d for d in book.paid(company, as_of) if d.stage.at(as_of) == "Closed Won" and d.amount is not None]
    paid = [d.amount for d in won if isinstance(day := d.close_on.at(as_of), int) and day <= as_of // DAY]
    if paid:
        return sum(amount for amount in paid if amount is not None)
    return 0 if company.arr.at(as_of) == 0 else Unknown("not_on_file")


def open_expansion(book: Book, company: Company, as_of: int) -> bool:
    """Is an expansion on offer."""
    return any(d.type == "Expansion" and d.stage.at(as_of) not in CLOSED for d in book.paid(company, as_of))


def percentile_ranks(values: Mapping[str, int | Fraction | Unknown]) -> dict[str, Fraction]:
    """By account 0..1 among those of whom the value is known: (below + half of the other equals) / (n - 1); 0.5 alone."""
    known = {key: value for key, value in values.items() if not isinstance(value, Unknown)}
    if len(known) == 1:
        return dict.fromkeys(known, Fraction(1, 2))
    return {key: _rank(value, list(known.values())) for key, value in known.items()}


def _rank(value: int | Fraction, among: list[int | Fraction]) -> Fraction:
    below, equals = sum(other < value for other in among), sum(other == value for other in among)
    return (below + Fraction(equals - 1, 2)) / (len(among) - 1)
