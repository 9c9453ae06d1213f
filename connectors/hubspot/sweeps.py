"""What increments cannot see: late index entries, archived and purged records, associations, owners who left.

Sweeps compare the portal with what the store has, so that a row which is as it should be costs no second call and no
write. Each reads one stream after the other; a stream that cannot be read does not stop the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from connectors.http import VendorError
from connectors.hubspot.cursor import load
from connectors.hubspot.increment import Window
from connectors.hubspot.known import KnownRows
from connectors.hubspot.links import LINKED_ROWS, linked, with_links
from connectors.hubspot.objects import READ_BATCH, Objects, condition
from connectors.hubspot.rows import Raw, instant, stamp
from connectors.hubspot.streams import Stream
from connectors.known import Known
from store.records import DAY, HOUR, Batch, Gone, Instant, Links, Record

_MS = 1_000
_LAG = HOUR // _MS
"""How late a search may still show a change, milliseconds (github.com/estuary/connectors/issues/1861)."""
_SETTLED = 2 * _LAG
"""A change older than this must have been found by search: else the property that increments follow does not work."""

DELAYED, ARCHIVED, ASSOCIATIONS, RECONCILE, OWNERS = (
    "delayed",
    "archived",
    "associations",
    "reconcile",
    "archived-owners",
)
INTERVALS: Mapping[str, Instant] = {
    DELAYED: HOUR,
    ARCHIVED: 6 * HOUR,
    ASSOCIATIONS: DAY,
    OWNERS: DAY,
    RECONCILE: 7 * DAY,
}
Tell = Callable[[str], None]
"""Takes a sentence for the log, once."""


class Sweep:
    """One sweep under way. `cursors`: what the store has of every stream, this sweep's included."""

    def __init__(self, name: str, objects: Objects, known: Known, cursors: Mapping[str, str], tell: Tell) -> None:
        self.name = f"sweep:{name}"
        self._objects, self._known, self._cursors, self._tell = objects, known, cursors, tell
        self._state: dict[str, Any] = json.loads(cursors.get(self.name) or "{}")
        self.complaints: list[str] = []
        """What was read but is not as it should be."""

    def batch(self, records: Sequence[Record] = (), fresh_at: Instant | None = None, *, mend: bool = False) -> Batch:
        """Rows that the sweep has found; `mend`: they are written whatever the store has."""
        state = json.dumps(self._state, sort_keys=True)
        return Batch(self.name, tuple(records), state, fresh_at=fresh_at, mend=mend)

    # ------------------------------------------------------------ late index entries

    def delayed(self, stream: Stream) -> Iterator[Batch]:
        """Rows that search shows by now and did not show when increments passed by their stamp."""
        at = load(self._cursors.get(stream.name)).at
        begun = self._objects.session.server_now() // _MS
        # What was visible when the last pass began was seen by it, whatever its stamp.
        since = int(self._state.get(stream.name, at) or begun) - _LAG
        known: KnownRows | None = None
        late: list[Raw] = []
        for page in Window(self._objects, stream, since).pages():
            if page and known is None:
                known = KnownRows(self._known, stream)
            late += [raw for raw in page if known is None or known.stamp(str(raw["id"])) != stamp(raw, stream.cursor)]
            while len(late) >= LINKED_ROWS:
                yield self.batch(self._full(stream, late[:LINKED_ROWS]))
                late = late[LINKED_ROWS:]
        records = self._full(stream, late)
        self._state[stream.name] = begun
        yield self.batch(records)

    # ------------------------------------------------------------ archived records

    def archived(self, stream: Stream) -> Iterator[Batch]:
        """Tombstones for what was archived; it moves no stamp, and the list of it cannot be filtered by time."""
        known = KnownRows(self._known, stream)
        refused = set(self._state.get("unlisted", ()))
        if stream.name not in refused:
            try:
                for page in self._objects.pages(stream.object, ("hs_object_id",), archived=True):
                    gone = [_gone(stream, raw) for raw in page if known.stamp(str(raw["id"])) is not None]
                    if gone:
                        yield self.batch(gone)
            except VendorError as error:
                if error.status != 400:
                    raise
                self._tell(f"{stream.object}: archived records are not listed; missing ones are found by their ids")
                self._state["unlisted"] = sorted({*refused, stream.name})
            else:
                return
        for page in self._objects.pages(stream.object, ("hs_object_id",)):
            for raw in page:
                known.meet(str(raw["id"]))
        yield from self._missing(stream, known)

    def _missing(self, stream: Stream, known: KnownRows) -> Iterator[Batch]:
        """What the list does not have, asked for by id before it is believed: tombstones for what is not there."""
        now = self._objects.session.server_now()
        for some in _chunks(known.unmet(), READ_BATCH):
            read = self._objects.read(stream.object, some, stream.asked)
            self._fail(stream, read.failed)
            gone: list[Record] = [Gone(stream.kind, ref, now) for ref in read.gone]
            # Of a merged one the survivor has come, which says so; a row that the list has missed is live.
            yield self.batch([*self._full(stream, read.rows), *gone])

    # ------------------------------------------------------------ everything, slowly

    def reconcile(self, stream: Stream) -> Iterator[Batch]:
        """The whole list against the store: what is missing, damaged or old is read again, what is gone is buried."""
        known = KnownRows(self._known, stream, checked=True)
        passed = load(self._cursors.get(stream.name)).at
        overlooked: list[int] = []
        differing: list[str] = []
        broken: list[str] = []
        limit = self._objects.session.server_now() // _MS - _SETTLED
        for page in self._objects.pages(stream.object, (stream.cursor,)):
            for raw in page:
                ref, at = str(raw["id"]), stamp(raw, stream.cursor)
                have = known.stamp(ref)
                known.meet(ref)
                if have == at:
                    continue
                (broken if have == 0 else differing).append(ref)
                if have and have < at <= limit:
                    overlooked.append(at)
            if len(differing) >= LINKED_ROWS:
                yield self.batch(self._again(stream, differing))
                differing = []
            if len(broken) >= LINKED_ROWS:
                yield self.batch(self._again(stream, broken), mend=True)
                broken = []
        yield self.batch(self._again(stream, differing))
        yield self.batch(self._again(stream, broken), mend=True)
        yield from self._missing(stream, known)
        if overlooked:
            self._check_cursor(stream, overlooked, passed)

    def _again(self, stream: Stream, ids: Sequence[str]) -> Sequence[Record]:
        read = self._objects.read(stream.object, ids, stream.asked)
        self._fail(stream, read.failed)
        return self._full(stream, read.rows)

    def _check_cursor(self, stream: Stream, overlooked: list[int], passed: int) -> None:
        """Rows have newer stamps than increments brought: does search find nothing at all since the oldest of them.

        Such a filter answers 200 with no rows where the property is the wrong one (github.com/airbytehq/airbyte/85019).
        """
        since = min(overlooked)
        if self._objects.total(stream.object, [condition(stream.cursor, "GTE", since)]) == 0:
            self.complaints.append(
                f"{stream.object}: the list has {len(overlooked):,} records that changed since {since} (ms), and a search "
                f"by {stream.cursor} finds none of them (it stands at {passed}): increments of this object are blind; "
                "rows are only as fresh as the last reconciliation"
            )

    # ------------------------------------------------------------ associations

    def associations(self, stream: Stream) -> Iterator[Batch]:
        """Every link of what the store has: a new one moves no stamp, nor does one that is taken away."""
        if not stream.links:
            return
        if stream.kind == "contacts":
            # An archived contact shows no links, and links to it are not shown: known as gone, it keeps what it had.
            yield from self.archived(stream)
        for some in _chunks(KnownRows(self._known, stream).ids(), LINKED_ROWS):
            yield self.batch(self._links(stream, some))

    def _links(self, stream: Stream, asking: Sequence[str]) -> Sequence[Record]:
        found: list[Record] = []
        for to in stream.links:
            done = linked(self._objects, stream.object, to, asking)
            self._fail(stream, done.failed)
            target = "accounts" if to == "companies" else "contacts"
            found += [Links(stream.kind, ref, target, targets) for ref, targets in done.targets.items()]
        return found

    # ------------------------------------------------------------ shared

    def _full(self, stream: Stream, raws: Sequence[Raw]) -> Sequence[Record]:
        rows = with_links(self._objects, stream, raws)
        self._fail(stream, rows.failed)
        return [record for row in rows.rows for record in stream.rows(row)]

    def _fail(self, stream: Stream, failed: Sequence[str]) -> None:
        if failed:
            self.complaints.append(f"{len(failed)} {stream.object} could not be read, after several tries")


def _gone(stream: Stream, raw: Raw) -> Gone:
    at = instant(raw.get("archivedAt")) or instant(raw.get("updatedAt")) or 0
    return Gone(stream.kind, str(raw["id"]), at)


def _chunks(ids: Iterator[str], size: int) -> Iterator[list[str]]:
    while some := list(islice(ids, size)):
        yield some
