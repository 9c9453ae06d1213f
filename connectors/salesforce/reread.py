"""Read single rows again by their ids: those that differ, are damaged, or seem to be gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.salesforce.composite import Answer
from connectors.salesforce.cursors import Cursor
from connectors.salesforce.pagecheck import whole
from connectors.salesforce.reach import Reach
from connectors.salesforce.selects import PAGE, select
from connectors.salesforce.session import QUERIES_PER_CALL
from connectors.salesforce.soql import among
from connectors.salesforce.streams import Stream
from store.records import Batch, Gone, Instant, Record

STALE, DAMAGED, GONE = "stale", "damaged", "gone"


@dataclass(frozen=True, slots=True)
class Read:
    """What became of some rows of a stream. `refusal`: the answer that was none."""

    stream: Stream
    why: str
    wanted: Sequence[str]
    rows: Sequence[Mapping[str, Any]] = ()
    refusal: Any = None

    @property
    def missing(self) -> list[str]:
        """Ids that the org does not have."""
        there = {str(row["Id"]) for row in self.rows}
        return [ref for ref in self.wanted if ref not in there]


class Reread:
    """Ids wait here until a query of 2,000 of them is full; five queries are one call."""

    def __init__(self, reach: Reach, state: Mapping[str, Cursor]) -> None:
        self._reach, self._state = reach, state
        self._waiting: dict[tuple[str, str], list[str]] = {}

    def want(self, stream: Stream, why: str, refs: Iterable[str]) -> None:
        """Read these rows with the next call."""
        some = list(refs)
        if some:
            self._waiting.setdefault((stream.name, why), []).extend(some)

    def full(self) -> Iterator[Read]:
        """What fills whole calls."""
        while sum(len(ids) // PAGE for ids in self._waiting.values()) >= QUERIES_PER_CALL:
            yield from self._call(PAGE)

    def rest(self) -> Iterator[Read]:
        """All that is waiting."""
        while any(self._waiting.values()):
            yield from self._call(1)

    def _call(self, least: int) -> Iterator[Read]:
        chosen: list[tuple[Stream, str, list[str]]] = []
        for (name, why), ids in self._waiting.items():
            while len(ids) >= least and len(chosen) < QUERIES_PER_CALL:
                chosen.append((self._reach.streams[name], why, ids[:PAGE]))
                del ids[:PAGE]
        composer = self._reach.composer
        asks = []
        for stream, _, ids in chosen:
            soql = select(stream.object, readable(stream, self._state[stream.name]), among("Id", ids))
            asks.append(composer.query(soql, stream.query))
        for (stream, why, ids), answer in zip(chosen, composer.ask(asks, "backfill"), strict=True):
            yield self._pages(stream, why, ids, answer)

    def _pages(self, stream: Stream, why: str, ids: Sequence[str], answer: Answer) -> Read:
        found: list[Any] = []
        for _ in range(PAGE):  # a page may be shorter than 2,000 where the fields are long
            rows = whole(stream.object, answer.body, len(found)) if answer.status == 200 else None
            if rows is None:
                return Read(stream, why, ids, refusal=answer.body)
            found += rows
            if answer.body["done"]:
                break
            (answer,) = self._reach.composer.ask([self._reach.composer.page(answer.body["nextRecordsUrl"])], "backfill")
        return Read(stream, why, ids, found)


def readable(stream: Stream, cursor: Cursor) -> tuple[str, ...]:
    """The fields of a stream that the user may see."""
    names = [name for name in (*stream.selects, cursor.field or "") if name and name not in cursor.without]
    return tuple(dict.fromkeys(names))


def batches(
    reach: Reach, state: Mapping[str, Cursor], read: Read, *, sweep: str, cursor: str, now: Instant
) -> Iterator[Batch]:
    """What a read means: rows as they are now, and tombstones for those that the org no longer has.

    A row that was missing from a walk may be there after all: only this second look makes it gone.
    """
    stream = read.stream
    if read.rows:
        records = reach.records(stream, [dict(row) for row in read.rows], state)
        yield Batch(sweep, records, cursor, mend=read.why == DAMAGED)
    if read.why == GONE and read.missing and stream.kind is not None:
        gone: tuple[Record, ...] = tuple(Gone(stream.kind, ref, now) for ref in read.missing)
        yield Batch(sweep, gone, cursor)
