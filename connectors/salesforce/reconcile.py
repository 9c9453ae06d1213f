"""Once a week every object's ids and stamps against ours: what any hole let through is read again, or marked as gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from connectors.http import VendorError
from connectors.salesforce import troubles
from connectors.salesforce.compare import Found, Walk, ours, together
from connectors.salesforce.composite import Answer
from connectors.salesforce.cursors import Cursor
from connectors.salesforce.pagecheck import whole
from connectors.salesforce.reach import Reach
from connectors.salesforce.schema import ObjectSchema
from connectors.salesforce.selects import PAGE, select
from connectors.salesforce.session import QUERIES_PER_CALL
from connectors.salesforce.soql import among
from connectors.salesforce.streams import Stream
from store.records import DAY, Batch, Gone, Instant, KnownRow, Record, SyncEvent

NAME = "sweep:reconcile"
EVERY = 7 * DAY


class Reconcile:
    """One sweep. Rows to read again wait until a query of 2,000 of them is full."""

    def __init__(self, reach: Reach, cursors: Mapping[str, str]) -> None:
        self._reach = reach
        self._state = reach.state(cursors)
        self._again: dict[tuple[str, bool], list[str]] = {}
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
            if walk.done and walk.doubtful:
                self._sound = False
                yield troubles.out_of_sight(NAME, walk.stream.object, len(walk.gone), walk.met)
            elif walk.done:
                yield from self._gone(walk, now)
            elif walk.refusal is not None:
                self._sound = False
                yield troubles.refused(NAME, f"all ids of {walk.stream.object}", walk.refusal, reach.clock)
            yield from self._reread(full=True)
        yield from self._reread(full=False)
        if self._sound:
            yield Batch(NAME, (), "{}", fresh_at=now)

    def _walk(self, stream: Stream, sobject: ObjectSchema) -> Walk:
        cursor = self._state[stream.name]
        stamps = [name for name in ("SystemModstamp", cursor.field or "") if name and name not in cursor.without]
        # A side of an activity is as short as its stamp: it is read whole, and needs no second look.
        fields = _readable(stream, cursor) if stream.relation else ("Id", *stamps)
        return Walk(self._reach.composer, stream, cursor, self._known(stream, sobject.prefix), fields)

    def _known(self, stream: Stream, prefix: str | None) -> Iterable[KnownRow]:
        rows = self._reach.known(stream.kind or "members", checked=True)
        return ours(rows, prefix) if prefix else rows if (stream.kind or "").startswith("objects:") else ()

    def _found(self, walk: Walk, found: Found) -> Iterator[SyncEvent]:
        stream = walk.stream
        if stream.relation:
            rows = [*found.stale, *found.damaged]
            records = self._reach.records(stream, [dict(row) for row in rows], self._state)
            if records:
                yield Batch(NAME, records, "{}")
            return
        for rows, damaged in ((found.stale, False), (found.damaged, True)):
            if rows:
                self._again.setdefault((stream.name, damaged), []).extend(str(row["Id"]) for row in rows)

    def _gone(self, walk: Walk, now: Instant) -> Iterator[SyncEvent]:
        kind = walk.stream.kind
        if kind is None:
            return  # users are switched off, never deleted
        for start in range(0, len(walk.gone), PAGE):
            records: tuple[Record, ...] = tuple(Gone(kind, ref, now) for ref in walk.gone[start : start + PAGE])
            yield Batch(NAME, records, "{}")

    def _reread(self, *, full: bool) -> Iterator[SyncEvent]:
        """Read rows again: five queries of 2,000 ids a call; `full`: only when so many are waiting."""
        while True:
            chunks = [(key, ids[:PAGE]) for key, ids in self._again.items() if len(ids) >= (PAGE if full else 1)]
            chunks = chunks[:QUERIES_PER_CALL]
            if not chunks or (full and len(chunks) < QUERIES_PER_CALL):
                return
            asks = []
            for (name, _), ids in chunks:
                stream = self._reach.streams[name]
                fields = _readable(stream, self._state[name])
                asks.append(self._reach.composer.query(select(stream.object, fields, among("Id", ids)), stream.query))
            answers = self._reach.composer.ask(asks, "backfill")
            for (key, ids), answer in zip(chunks, answers, strict=True):
                self._again[key] = self._again[key][len(ids) :]
                yield from self._rows(key, answer)

    def _rows(self, key: tuple[str, bool], answer: Answer) -> Iterator[SyncEvent]:
        name, damaged = key
        stream = self._reach.streams[name]
        body, seen = answer.body, 0
        for _ in range(PAGE):  # a page may be shorter than 2,000 where the fields are long
            rows = whole(stream.object, body, seen) if answer.status == 200 else None
            if rows is None:
                self._sound = False
                yield troubles.refused(NAME, f"rows of {stream.object} once more", body, self._reach.clock)
                return
            yield Batch(NAME, self._reach.records(stream, rows, self._state), "{}", mend=damaged)
            seen += len(rows)
            if body["done"]:
                return
            (answer,) = self._reach.composer.ask([self._reach.composer.page(body["nextRecordsUrl"])])
            body = answer.body


def _readable(stream: Stream, cursor: Cursor) -> Sequence[str]:
    hidden = set(cursor.without)
    names: list[Any] = [name for name in (*stream.selects, cursor.field) if name and name not in hidden]
    return names


def sweep(reach: Reach, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
    """The whole org, compared."""
    try:
        yield from Reconcile(reach, cursors).events()
    except VendorError as error:
        yield troubles.trouble(NAME, error, reach.clock)
