"""Read an object the first time: the list, 100 records a page with associations inline, no cap; then increments take over.

It goes on where a kill left it, is counted against the portal's own total, and begins anew where rows are missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.http import VendorError
from connectors.hubspot.cursor import Cursor, latest
from connectors.hubspot.links import with_inline
from connectors.hubspot.objects import Objects
from connectors.hubspot.rows import stamp
from connectors.hubspot.streams import Stream
from store.records import Batch, Instant, Record, StreamTrouble, SyncEvent

_MS = 1_000
_SLACK_SHARE, _SLACK_ROWS = 0.005, 10
"""How many rows may be missing: the portal is written to while it is listed, and its index is seconds late."""
_LISTS = 3
"""So often a list that comes out short is read from its start; then increments and sweeps go on with what there is."""


def backfill(objects: Objects, stream: Stream, cursor: Cursor) -> Iterator[SyncEvent]:
    """All live records. `cursor` is where the last run stood, and is moved along."""
    recent: dict[str, int] = {}
    while not cursor.listed:
        page = objects.page(stream.object, stream.asked, cursor.after, links=stream.links)
        # A row that changes while the list is read has a stamp from then on: increments reach back to the beginning.
        cursor.began = cursor.began or _now(objects)
        rows = with_inline(objects, stream, page.rows)
        records = tuple(record for row in rows.rows for record in stream.rows(row))
        if rows.failed:
            yield Batch(stream.name, records, cursor.text())  # the page is read again by the next run
            raise VendorError("retry", f"what {len(rows.failed)} {stream.object} are associated with could not be read")
        stamps = {str(raw["id"]): stamp(raw, stream.cursor) for raw in page.rows}
        cursor.at = max([cursor.at, *stamps.values()])
        recent = latest(recent | stamps, 0)
        cursor.count += len(page.rows)
        cursor.after = page.after
        if page.after is not None:
            yield Batch(stream.name, records, cursor.text())
            continue
        cursor.tail = recent
        yield from _ended(objects, stream, cursor, records)
        return


def _ended(objects: Objects, stream: Stream, cursor: Cursor, records: tuple[Record, ...]) -> Iterator[SyncEvent]:
    """The last page: count, and either hand over to increments or begin anew."""
    wanted, got, began = objects.total(stream.object), cursor.count, cursor.began
    short = got + max(_SLACK_ROWS, wanted * _SLACK_SHARE) < wanted
    cursor.after, cursor.count = None, 0
    if short and cursor.tries + 1 < _LISTS:
        cursor.tries, cursor.began, cursor.tail = cursor.tries + 1, 0, {}
        yield Batch(stream.name, records, cursor.text())
        yield _shortage(stream, got, wanted, "it is listed again by the next run")
        return
    # The list shows a change at once: what is older than its beginning needs no second look.
    cursor.at = min(cursor.at or began, began)
    cursor.looked = began
    cursor.began, cursor.tries, cursor.listed = 0, 0, True
    yield Batch(stream.name, records, cursor.text(), fresh_at=objects.session.ours(began * _MS))
    if short:
        yield _shortage(stream, got, wanted, f"{_LISTS} lists came out short: see what is kept from this token's user")


def _shortage(stream: Stream, got: int, wanted: int, what: str) -> StreamTrouble:
    text = f"{stream.object}: the list gave {got:,} of the {wanted:,} records that the portal counts; {what}"
    return StreamTrouble(stream.name, "partial", text)


def _now(objects: Objects) -> int:
    now: Instant = objects.session.server_now()
    return now // _MS
