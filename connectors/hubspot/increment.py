"""Read what changed since a cursor, by search: windows that respect the cap, every tie of one millisecond, each row once.

A search shows at most 10,000 rows and sorts by one property, so a longer window is cut at its last instant: the rows of
that millisecond are drained by id, and a new window begins behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.http import VendorError
from connectors.hubspot.objects import SEARCH_CAP, SEARCH_PAGE, Objects, condition
from connectors.hubspot.rows import Raw, next_after, stamp
from connectors.hubspot.streams import Stream


class Window:
    """Rows of one stream with since <= stamp < until (milliseconds; None: no end), in pages as they come."""

    def __init__(self, objects: Objects, stream: Stream, since: int, until: int | None = None) -> None:
        if since <= 0:
            raise ValueError("a search from the epoch is answered with 500: begin at a real instant")
        self._objects, self._stream, self._since, self._until = objects, stream, since, until

    def pages(self) -> Iterator[list[Raw]]:
        """All rows, some of them twice where the cap cuts; the caller tells them apart by id and stamp.

        Rows outside the window are left out here: HubSpot gives some (github.com/estuary/connectors/issues/2210).
        """
        since = self._since
        while True:
            cut: int | None = None
            for page, cut in self._search(since):  # noqa: B007 - the last one counts
                yield page
            if cut is None:
                return
            yield from self._drain(cut)
            since = cut + 1

    def _search(self, since: int) -> Iterator[tuple[list[Raw], int | None]]:
        """Pages of one search, and the instant at which it has to be cut off, on the last page only."""
        filters = [condition(self._stream.cursor, "GTE", since)]
        if self._until is not None:
            filters.append(condition(self._stream.cursor, "LT", self._until))
        last: int | None = None
        for page, after, total in self._answers(filters, self._stream.cursor):
            inside = [row for row in page if since <= self._stamp(row) and self._before_end(row)]
            stamps = [self._stamp(row) for row in inside]
            last = max(stamps, default=last)
            capped = after is not None and int(after) + SEARCH_PAGE > SEARCH_CAP
            if capped and last is None:
                raise VendorError(
                    "retry", f"a search of {self._stream.object} gave nothing but rows outside its window"
                )
            if after is None or last is None:
                yield inside, None
                continue
            # A page of one instant, in a window that will hit the cap: a bulk import. Paging on would read its rows
            # here, and then all of them once more by id.
            imported = total > SEARCH_CAP and len(page) == SEARCH_PAGE and min(stamps, default=0) == last
            yield inside, last if capped or imported else None
            if capped or imported:
                return

    def _drain(self, at: int) -> Iterator[list[Raw]]:
        """All rows of one millisecond, by id: a bulk import can stamp more than a window holds."""
        last = "0"
        while True:
            filters = [condition(self._stream.cursor, "EQ", at), condition("hs_object_id", "GT", last)]
            capped = False
            for page, after, _ in self._answers(filters, "hs_object_id"):
                if page:
                    last = max((str(row["id"]) for row in page), key=int)
                yield [row for row in page if self._stamp(row) == at]
                capped = after is not None and int(after) + SEARCH_PAGE > SEARCH_CAP
                if capped:
                    break
            if not capped:
                return

    def _answers(self, filters: Sequence[dict[str, str]], sort: str) -> Iterator[tuple[list[Raw], str | None, int]]:
        """(rows, next cursor, total) of one search. Short and empty pages are no end: only a missing cursor is."""
        after: str | None = None
        while True:
            answer = self._objects.search(self._stream.object, filters, self._stream.asked, sort=sort, after=after)
            after = next_after(answer)
            yield list(answer["results"]), after, int(answer.get("total") or 0)
            if after is None:
                return

    def _stamp(self, row: Raw) -> int:
        return stamp(row, self._stream.cursor)

    def _before_end(self, row: Raw) -> bool:
        return self._until is None or self._stamp(row) < self._until
