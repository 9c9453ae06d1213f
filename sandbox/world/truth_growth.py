"""How much a customer's ARR has grown in 365 days, where the CRMs say what it was then."""

from __future__ import annotations

from math import floor

from sandbox.world.model import Company, Deal
from sandbox.world.reading import SECOND_COPY_LATER
from sandbox.world.truth_book import Book
from sandbox.world.when import DAY, MINUTE

YEAR_DAYS = 365
COUNTED = ("New Business", "Renewal")


def arr_growth(book: Book, company: Company, as_of: int) -> float | None:
    """ARR now over ARR 365 days ago, minus 1; None where it was 0 or nobody knows what it was.

    HubSpot tells the history of a property. Salesforce tracks the field too, but since when it does, only a line of its
    history proves: where it has never told of a change, nobody knows. Where a field of Salesforce holds the ARR, HubSpot's
    word does not count. Won deals tell by their own dates; only HubSpot says since when one is won.
    """
    now, then = company.arr.at(as_of), as_of - YEAR_DAYS * DAY
    before = _arr_at(book, company, then, as_of) if company.created_at <= then else None
    if not isinstance(now, int) or not before:
        return None
    return floor((now / before - 1) * 1_000_000_000 + 0.5) / 1_000_000_000


def _arr_at(book: Book, company: Company, then: int, as_of: int) -> int | None:
    in_salesforce = "salesforce" in company.systems
    if company.arr_in == "field":
        told = not in_salesforce or any(at <= as_of for at, _ in company.arr.changes[1:])
        value = company.arr.at(then) if told else None
        return value if isinstance(value, int) else None
    if company.arr_in == "items":
        # The items of the first sale say it since they were entered, a minute after it.
        sold = any(d.type == "New Business" and d.created_at + MINUTE <= then for d in book.deals(company, then))
        value = company.arr.at(then)
        return value if sold and isinstance(value, int) else _in_hubspot(company, then)
    deals = [d for d in book.deals(company, then) if d.type in COUNTED and d.amount is not None]
    # Of a deal's stage Salesforce keeps no past: it counts as it was found at the first sync.
    found = _latest([d for d in deals if "salesforce" in d.systems and d.stage.at(book.world.start) == "Closed Won"])
    if found is None:
        found = _latest([d for d in deals if "hubspot" in d.systems and d.stage.at(then) == "Closed Won"])
    return _in_hubspot(company, then) if found is None else found


def _in_hubspot(company: Company, then: int) -> int | None:
    """What HubSpot's own property said where Salesforce had nothing to say yet."""
    value = dict(company.hubspot_differs).get("arr")
    there = isinstance(value, int | float) and company.created_at + SECOND_COPY_LATER <= then
    return round(float(str(value)) * 100) if there else None


def _latest(won: list[Deal]) -> int | None:
    latest = max(won, key=lambda d: (str(d.close_on.changes[-1][1]).zfill(9), d.key), default=None)
    return None if latest is None else latest.amount
