"""The first read of an object: by Id, in windows that a restart goes on with, through the transport that costs less.

The first page comes by REST, five objects to a call, and says how many rows there are. Up to `bulk_rows` the rest comes
the same way; beyond, query jobs of the Bulk API bring it. Both walk `Id > last`, which is even however the rows are spread
over time (1.2 million rows made in one day are nothing special), and the increments then run from the instant at which
the walk began, so that what changed meanwhile is read again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from connectors.http import VendorError
from connectors.salesforce.bulk import PAGE as BULK_PAGE
from connectors.salesforce.bulkwalk import JobWalk
from connectors.salesforce.pages import Paging, failure, sort_key
from connectors.salesforce.selects import PAGE as _PAGE
from connectors.salesforce.session import QUERIES_PER_CALL, SalesforceSession
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.values import soql_instant
from connectors.salesforce.walks import Mark, Order, Page, Stuck, Walk, soql
from store.records import Clock

__all__ = ["Backfill", "Mark", "Order", "Page", "Stuck", "calls_of"]
_TOO_MUCH = frozenset({"QUERY_TIMEOUT", "OPERATION_TOO_LARGE", "QUERY_TOO_COMPLICATED"})

_CALLS_OF_A_JOB = 6
"""Making it, looking at it a few times, putting it away; its pages come on top."""


def calls_of(rows: Iterable[int], settings: SalesforceSettings) -> int:
    """How many API calls a first read of objects of these sizes takes, describes and the token included."""
    pages: list[int] = []
    jobs = 0
    for count in rows:
        beyond = count - _PAGE
        if beyond <= settings.bulk_rows:
            pages.append(max(1, -(-count // _PAGE)))
            continue
        pages.append(1)
        jobs += -(-beyond // settings.bulk_chunk) * _CALLS_OF_A_JOB + -(-beyond // BULK_PAGE)
    return max(max(pages, default=1), -(-sum(pages) // QUERIES_PER_CALL)) + jobs + 2


class Backfill:
    """First reads of one org. A dead session, a used-up quota or a host that does not answer end them all (VendorError);
    anything else ends one object (`Stuck`).
    """

    def __init__(self, settings: SalesforceSettings, session: SalesforceSession, clock: Clock, spool: Path) -> None:
        self._session, self._clock = session, clock
        self._root = f"/services/data/v{settings.api_version}"
        self._bulk_rows, self._chunk = settings.bulk_rows, settings.bulk_chunk
        self._jobs = JobWalk(session, clock, spool, self._root)

    def run(self, orders: Iterable[Order]) -> Iterator[Page | Stuck]:
        """Read on; the caller keeps each page before it asks for the next."""
        # By whichever clock is behind: too early costs a second look at some rows, too late would lose changes.
        began = soql_instant(min(self._session.server_now(), self._clock.now()))
        walks = [Walk(order, replace(order.mark, began=order.mark.began or began)) for order in orders]
        small = deque(walk for walk in walks if walk.mark.by != "bulk")
        large = [walk for walk in walks if walk.mark.by == "bulk"]
        ends = self._jobs.patience()
        while small or large:
            yield from self._by_pages(small, large)
            yield from self._jobs.run(large, small, ends)

    def _by_pages(self, small: deque[Walk], large: list[Walk]) -> Iterator[Page | Stuck]:
        """Five pages a call, until every object is read or is left to the Bulk API."""
        while small:
            some = [small.popleft() for _ in range(min(QUERIES_PER_CALL, len(small)))]
            paths = [walk.paging.address or self._first_page(walk) for walk in some]
            for walk, (status, body) in zip(some, self._session.get(paths, "backfill"), strict=True):
                event = self._page(walk, status, body)
                yield event
                if isinstance(event, Page) and not event.done:
                    (large if event.mark.by == "bulk" else small).append(walk)

    def _first_page(self, walk: Walk) -> str:
        query = soql(walk.order, walk.order.fields, walk.mark)
        return f"{self._root}/{walk.order.resource}?q={quote(query)}"

    def _page(self, walk: Walk, status: int, body: Any) -> Page | Stuck:
        mark, paging = walk.mark, walk.paging
        try:
            if status != 200:
                raise failure(status, body)
            found = paging.take(walk.order.object, body)
            if any(sort_key(row["Id"]) <= sort_key(mark.id) for row in found):
                raise VendorError("retry", f"{walk.order.object}: a page repeats rows that were read before")
        except VendorError as error:
            if error.kind == "deferred":
                raise
            walk.paging = Paging()
            again = mark.less(error) if error.code in _TOO_MUCH else mark.again(error)
            return Stuck(walk.name, error) if again is None else walk.page((), again)
        behind = replace(mark, id=max([mark.id, *(row["Id"] for row in found)], key=sort_key), tries=0)
        if paging.address:
            if mark.by or paging.left <= self._bulk_rows:
                return walk.page(found, replace(behind, by="rest"))
            return walk.page(found, replace(behind, by="bulk", limit=self._chunk if paging.left > self._chunk else 0))
        full = mark.limit > 0 and paging.taken >= mark.limit
        walk.paging = Paging()
        return walk.page(found, behind, done=not full)
