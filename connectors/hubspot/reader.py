"""Read a portal incrementally: one search per object, a cursor per object, associations a thousand rows at a time.

A search shows at most 10,000 rows and sorts by one property, so a longer window is cut at its last instant: the rows of
that millisecond are drained by id, and a new window begins behind it. The cursor is the newest stamp seen; a finished
run remembers the rows of the last minutes, so that reaching back costs no second look at what has not changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.http import VendorError, resume_at
from connectors.hubspot.session import HubSpotSession
from connectors.hubspot.settings import HubSpotSettings
from connectors.hubspot.streams import Row, Stream, instant, member, streams
from store.records import DAY, MINUTE, Batch, Clock, Instant, KnownRow, Links, Record, StreamTrouble, SyncEvent

SEARCH_PAGE, LIST_PAGE, OWNER_PAGE, LINKED_ROWS = 200, 100, 500, 1_000
SEARCH_CAP = 10_000
"""A search answers 400 beyond this."""
_TAIL = 1_000
"""How many recent rows a cursor remembers."""
_MS = 1_000
_OWNERS = "members"
Known = Callable[[str, str | None], Iterable[KnownRow]]
"""(kind of row, kind of activity or None) -> live rows that the store has, by id; see `store.ids.known_rows`."""
_ACTIVITIES = {"emails": "email", "calls": "call", "meetings": "meeting", "notes": "note", "tasks": "task"}


@dataclass(slots=True)
class _Cursor:
    """`at`: newest stamp seen (ms). `tail`: id -> stamp of the rows in the overlap. `after`, `began`: where a
    backfill stands, and when it began (ms).
    """

    at: int = 0
    tail: dict[str, int] = field(default_factory=dict)
    after: str | None = None
    began: int = 0
    listed: bool = False

    def text(self) -> str:
        kept = {name: value for name in self.__slots__ if (value := getattr(self, name))}
        return json.dumps(kept, sort_keys=True)


class HubSpotReader:
    """The connector's reading side. Not thread-safe: one worker reads one source. `known` gives the ids that the store
    has of a stream.
    """

    def __init__(self, settings: HubSpotSettings, session: HubSpotSession, clock: Clock, known: Known) -> None:
        self._settings, self._session, self._clock, self._known = settings, session, clock, known
        self._streams = {stream.name: stream for stream in streams(settings)}
        self._version = settings.read_version

    @property
    def calls(self) -> int:
        """API calls made so far, tokens included."""
        return self._session.calls

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def streams(self) -> tuple[str, ...]:
        """Names of all streams."""
        return (_OWNERS, *self._streams)

    def sync(self, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
        """Everything that changed since the cursors; the caller keeps each batch before it asks for the next."""
        readers = [(_OWNERS, self._owners())]
        readers += [(s.name, self._stream(s, _load(cursors.get(s.name)))) for s in self._streams.values()]
        for name, events in readers:
            try:
                yield from events
            except VendorError as error:
                yield trouble(name, error, self._clock)
                if error.kind in ("auth", "deferred") or (error.kind == "retry" and error.status is None):
                    # A dead token, a used-up quota or a host that nobody answers from does not get better with the
                    # next object.
                    left = [n for n in self.streams() if self.streams().index(n) > self.streams().index(name)]
                    yield from (trouble(n, error, self._clock) for n in left)
                    return

    # ------------------------------------------------------------ one object

    def _stream(self, stream: Stream, cursor: _Cursor) -> Iterator[SyncEvent]:
        started = self._clock.now()
        if not cursor.listed:
            yield from self._backfill(stream, cursor)
        pending: list[Mapping[str, Any]] = []
        seen = dict(cursor.tail)
        newest = cursor.at
        for page in self._search_pages(stream, cursor):
            fresh = [row for row in page if seen.get(row["id"]) != _stamp(stream, row)]
            pending += fresh
            seen |= {row["id"]: _stamp(stream, row) for row in page}
            newest = max([newest, *(_stamp(stream, row) for row in page)])
            while len(pending) >= LINKED_ROWS:
                some, pending = pending[:LINKED_ROWS], pending[LINKED_ROWS:]
                # The rows come in the order of their stamps: behind these there is nothing older.
                cursor = _Cursor(at=max(cursor.at, _stamp(stream, some[-1])), listed=True)
                yield Batch(stream.name, self._records(stream, some), cursor.text())
        since = newest - self._settings.overlap_minutes * MINUTE // _MS
        recent = sorted(((at, ref) for ref, at in seen.items() if at >= since), reverse=True)[:_TAIL]
        done = _Cursor(at=newest, tail={ref: at for at, ref in recent}, listed=True)
        yield Batch(stream.name, self._records(stream, pending), done.text(), fresh_at=started)

    def _backfill(self, stream: Stream, cursor: _Cursor) -> Iterator[SyncEvent]:
        """The first time: the list, 100 a page with associations inline, no cap; then the increment takes over."""
        cursor.began = cursor.began or self._clock.now() // _MS
        while True:
            params = {"limit": str(LIST_PAGE), "properties": ",".join(self._properties(stream))}
            if stream.links:
                params["associations"] = ",".join(stream.links)
            if cursor.after:
                params["after"] = cursor.after
            body = self._session.get(f"/crm/objects/{self._version}/{stream.object}", params)
            records = [stream.record(self._inline(stream, raw)) for raw in body["results"]]
            cursor.at = max([cursor.at, *(_stamp(stream, raw) for raw in body["results"])])
            cursor.after = _next(body)
            if cursor.after is None:
                # A row that changed while the list was read has a stamp from then on: reach back to the beginning.
                cursor.at, cursor.began, cursor.listed = min(cursor.at, cursor.began), 0, True
                yield Batch(stream.name, tuple(records), cursor.text())
                return
            yield Batch(stream.name, tuple(records), cursor.text())

    def _search_pages(self, stream: Stream, cursor: _Cursor) -> Iterator[list[Mapping[str, Any]]]:
        since = cursor.at - self._settings.overlap_minutes * MINUTE // _MS
        if cursor.at == 0:
            since = (self._clock.now() - DAY) // _MS  # a search from epoch 0 is answered with 500
        while True:
            last: Mapping[str, Any] | None = None
            more = False
            for page, capped in self._window(stream, [_filter(stream.cursor, "GTE", since)], stream.cursor):
                more = capped
                # Results outside the window have been seen (github.com/estuary/connectors/issues/2210).
                inside = [row for row in page if _stamp(stream, row) >= since]
                last = inside[-1] if inside else last
                yield inside
            if not more or last is None:
                return
            instant_of_cut = _stamp(stream, last)
            yield from self._drain(stream, instant_of_cut)
            since = instant_of_cut + 1

    def _drain(self, stream: Stream, at: int) -> Iterator[list[Mapping[str, Any]]]:
        """All rows of one millisecond, by id: a bulk import can stamp more than a window holds."""
        last = "0"
        while True:
            filters = [_filter(stream.cursor, "EQ", at), _filter("hs_object_id", "GT", last)]
            more = False
            for page, capped in self._window(stream, filters, "hs_object_id"):
                more = capped
                if page:
                    last = page[-1]["id"]
                yield [row for row in page if _stamp(stream, row) == at]
            if not more:
                return

    def _window(
        self, stream: Stream, filters: Sequence[Mapping[str, Any]], sort: str
    ) -> Iterator[tuple[list[Mapping[str, Any]], bool]]:
        """Pages of one search up to the cap; the flag says whether the cap cut it off. Short pages are no end."""
        after: str | None = None
        while True:
            body: dict[str, Any] = {
                "limit": SEARCH_PAGE,
                "filterGroups": [{"filters": list(filters)}],
                "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
                "properties": self._properties(stream),
            }
            if after is not None:
                body["after"] = after
            answer = self._session.post(f"/crm/objects/{self._version}/{stream.object}/search", body)
            after = _next(answer)
            capped = after is not None and int(after) + SEARCH_PAGE > SEARCH_CAP
            yield list(answer["results"]), capped
            if after is None or capped:
                return

    def _properties(self, stream: Stream) -> list[str]:
        stamps = (stream.cursor, "createdate" if stream.cursor == "lastmodifieddate" else "hs_createdate", "createdate")
        return sorted({*stream.properties, *stamps})

    # ------------------------------------------------------------ associations

    def _records(self, stream: Stream, rows: Sequence[Mapping[str, Any]]) -> tuple[Record, ...]:
        """Rows with their associations, read a thousand at a time."""
        latest = {row["id"]: row for row in rows}
        ids = list(latest)
        linked = {to: self._linked(stream, to, ids) for to in stream.links}
        return tuple(
            stream.record(Row(ref, row["properties"], {to: linked[to].get(ref, ()) for to in stream.links}))
            for ref, row in latest.items()
        )

    def _linked(self, stream: Stream, to: str, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {ref: [] for ref in ids}
        asking: list[dict[str, str]] = [{"id": ref} for ref in ids]
        path = f"/crm/associations/{self._version}/{stream.object}/{to}/batch/read"
        while asking:
            some, asking = asking[:LINKED_ROWS], asking[LINKED_ROWS:]
            for result in self._session.post(path, {"inputs": some}).get("results", ()):
                ref = str(result["from"]["id"])
                found[ref] += [str(target["toObjectId"]) for target in result["to"]]
                after = _next(result)  # paging is per row here, not per answer
                if after is not None:
                    asking.append({"id": ref, "after": after})
        return {ref: tuple(dict.fromkeys(targets)) for ref, targets in found.items()}

    def _inline(self, stream: Stream, raw: Mapping[str, Any]) -> Row:
        """A listed row with its inline associations; more than fit are read apart."""
        linked: dict[str, tuple[str, ...]] = {}
        for to in stream.links:
            part = (raw.get("associations") or {}).get(to) or {}
            if _next(part) is not None:
                linked[to] = self._linked(stream, to, [raw["id"]])[raw["id"]]
            else:
                linked[to] = tuple(dict.fromkeys(str(one["id"]) for one in part.get("results", ())))
        return Row(raw["id"], raw["properties"], linked)

    # ------------------------------------------------------------ owners and sweeps

    def _owners(self, *, archived: bool = False) -> Iterator[SyncEvent]:
        started = self._clock.now()
        after: str | None = None
        records: list[Record] = []
        while True:
            params = {"limit": str(OWNER_PAGE), "archived": str(archived).lower()} | ({"after": after} if after else {})
            body = self._session.get(f"/crm/owners/{self._version}", params)
            records += [member(owner) for owner in body["results"]]
            after = _next(body)
            if after is None:
                break
        name = "sweep:archived-owners" if archived else _OWNERS
        yield Batch(name, tuple(records), "{}", fresh_at=started)

    def sweeps(self) -> Mapping[str, Instant]:
        """What is read apart from the increments, and how often."""
        return {"archived-owners": DAY, "associations": DAY}

    def sweep(self, name: str, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
        """Owners who left, or all associations: neither moves the stamp that increments follow."""
        del cursors
        try:
            yield from self._owners(archived=True) if name == "archived-owners" else self._associations()
        except VendorError as error:
            yield trouble(f"sweep:{name}", error, self._clock)

    def _associations(self) -> Iterator[SyncEvent]:
        for stream in self._streams.values():
            if not stream.kind:
                continue
            activity = _ACTIVITIES.get(stream.name)
            ids = [row.id for row in self._known("activities" if activity else stream.name, activity)]
            for to in stream.links:
                for start in range(0, len(ids), LINKED_ROWS):
                    linked = self._linked(stream, to, ids[start : start + LINKED_ROWS])
                    target = "accounts" if to == "companies" else "contacts"
                    links = tuple(Links(stream.kind, ref, target, targets) for ref, targets in linked.items())
                    yield Batch("sweep:associations", links, "{}")
        yield Batch("sweep:associations", (), "{}", fresh_at=self._clock.now())


def _load(text: str | None) -> _Cursor:
    return _Cursor(**json.loads(text)) if text else _Cursor()


def _filter(name: str, operator: str, value: object) -> dict[str, str]:
    return {"propertyName": name, "operator": operator, "value": str(value)}


def _stamp(stream: Stream, row: Mapping[str, Any]) -> int:
    """The stamp that increments follow, in milliseconds."""
    at = instant(row["properties"].get(stream.cursor)) or instant(row.get("updatedAt")) or 0
    return at // _MS


def _next(body: Mapping[str, Any]) -> str | None:
    # The link beside it leads to another path; only the cursor is followed.
    after = ((body.get("paging") or {}).get("next") or {}).get("after")
    return None if after is None else str(after)


def trouble(stream: str, error: VendorError, clock: Clock) -> StreamTrouble:
    """A vendor's refusal as the trouble of one stream."""
    kind = {"retry": "retry", "deferred": "deferred"}.get(error.kind, "failed")
    return StreamTrouble(stream, kind, str(error), resume_at(clock, error))
