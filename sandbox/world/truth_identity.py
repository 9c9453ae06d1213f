"""Who is one: which rows are one account, where they contradict each other, and who is a person without being on file.

Read from domain.md section 2. Not judged: whose owner counts where a CSM is named too, and the tier fields, which tierd
itself writes.
"""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.world.model import Company
from sandbox.world.truth_book import Book


def identity(book: Book, as_of: int) -> dict[str, object]:
    """As JSON data: `linked` [Salesforce id, HubSpot id], `conflicts` [Salesforce id, field], `unregistered` addresses."""
    both = [c for c in book.world.companies if len(c.systems) == 2 and c.linked_by and c.created_at <= as_of]
    return {
        "linked": sorted([c.salesforce_id, c.hubspot_id] for c in both),
        "conflicts": sorted([c.salesforce_id, field] for c in both for field in _conflicts(c, as_of)),
        "unregistered": sorted(
            person.key
            for company in book.world.companies
            for person in book.on_file(company, as_of)
            if not person.registered
        ),
    }


def _conflicts(company: Company, as_of: int) -> Iterator[str]:
    """Of ARR, renewal and owner those of which both CRMs say something, and not the same."""
    differs = dict(company.hubspot_differs)
    arr = company.arr.at(as_of)
    if isinstance(arr, int) and differs.get("arr") not in (None, arr / 100):
        yield "arr"
    # Whoever changes the date later changes it in both.
    moved = any(at <= as_of for at, _ in company.renewal.changes[1:])
    if "renewal_date" in differs and company.renewal.at(as_of) is not None and not moved:
        yield "renewal"
    if company.csm_in == "none" and differs.get("hubspot_owner_id") not in (None, company.owner.at(as_of)):
        yield "owner"
