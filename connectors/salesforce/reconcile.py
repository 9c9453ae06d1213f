"""Once a week every object's ids and stamps against ours: what any hole let through is read again, or marked as gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from connectors.http import VendorError
from connectors.salesforce import troubles
from connectors.salesforce.compare import Found, Walk, ours, together
from connectors.salesforce.reach import Reach
from connectors.salesforce.reread import DAMAGED, GONE, STALE, Read, Reread, batches, readable
from connectors.salesforce.schema import ObjectSchema
from connectors.salesforce.session import QUERIES_PER_CALL
from connectors.salesforce.streams import Stream
from store.records import DAY, Batch, Instant, KnownRow, SyncEvent

NAME = "sweep:reconcile"
EVERY = 7 * DAY


class Reconcile:
    """One sweep."""

    def __init__(self, reach: Reach, cursors: Mapping[str, str]) -> None:
        self._reach = reach
        self._state = reach.state(cursors)
        self._again = Reread(reach, self._state)
        self._sound = True

    def events(self) -> Iterator[SyncEvent]:
        """What differs, then the end of the sweep."""
        reach = self._reach
        now = reach.composer.now()
        some = reach.readable(self._state)
        seen = reach.described(some)
        walks = [self._walk(stream, seen[stream.name]) for stream in some if stream.name in seen]
        for walk, found in together(reach.composer, walks, QUERIES_PER_CALL):
            yield from self._found(walk, found)
            yield from self._over(walk)
            yield from self._read(self._again.full(), now)
        yield from self._read(self._again.rest(), now)
        if self._sound:
            yield Batch(NAME, (), "{}", fresh_at=self._reach.composer.ours(now))

    def _over(self, walk: Walk) -> Iterator[SyncEvent]:
        stream = walk.stream
        if walk.refusal is not None:
            self._sound = False
            yield troubles.refused(NAME, f"all ids of {stream.object}", walk.refusal, self._reach.clock)
        elif walk.done and walk.doubtful:
            self._sound = False
            yield troubles.out_of_sight(NAME, stream.object, len(walk.gone), walk.met)
        elif walk.done and stream.kind is not None:  # users are switched off, never deleted
            self._again.want(stream, GONE, walk.gone)

    def _walk(self, stream: Stream, sobject: ObjectSchema) -> Walk:
        cursor = self._state[stream.name]
        stamps = [name for name in ("SystemModstamp", cursor.field or "") if name and name not in cursor.without]
        # A side of an activity is as short as its stamp: it is read whole, and needs no second look.
        fields = readable(stream, cursor) if stream.relation else ("Id", *stamps)
        return Walk(stream, cursor, self._known(stream, sobject.prefix), fields)

    def _known(self, stream: Stream, prefix: str | None) -> Iterable[KnownRow]:
        kind = stream.kind or "members"
        if not prefix and not kind.startswith("objects:"):
            return ()  # its rows cannot be told from others of their kind
        return ours(self._reach.known(kind, prefix=prefix or "", checked=True), prefix or "")

    def _found(self, walk: Walk, found: Found) -> Iterator[SyncEvent]:
        stream = walk.stream
        if stream.relation:
            rows = [*found.stale, *found.damaged]
            records = self._reach.records(stream, [dict(row) for row in rows], self._state)
            if records:
                yield Batch(NAME, records, "{}")
            return
        self._again.want(stream, STALE, (str(row["Id"]) for row in found.stale))
        self._again.want(stream, DAMAGED, (str(row["Id"]) for row in found.damaged))

    def _read(self, reads: Iterable[Read], now: Instant) -> Iterator[SyncEvent]:
        for read in reads:
            if read.refusal is not None:
                self._sound = False
                what = f"rows of {read.stream.object} once more"
                yield troubles.refused(NAME, what, read.refusal, self._reach.clock)
            yield from batches(self._reach, self._state, read, sweep=NAME, cursor="{}", now=now)


def sweep(reach: Reach, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
    """The whole org, compared."""
    try:
        yield from Reconcile(reach, cursors).events()
    except VendorError as error:
        yield troubles.trouble(NAME, error, reach.clock)
