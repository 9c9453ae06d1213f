"""Read an org incrementally: five objects' SOQL in one composite call, a cursor per object, rows once.

The cursor is `(stamp, Id)` of the last row in `ORDER BY stamp, Id`. Within a run it is exact, so that a restart repeats
no page; a finished run marks it done, and the next one reaches back a few minutes, because rows become visible seconds
after their stamp (measured: github.com/estuary/connectors/pull/2678). What comes twice is not written twice.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from connectors.http import VendorError, resume_at
from connectors.salesforce.session import PARTS_PER_CALL, QUERIES_PER_CALL, SalesforceSession, reason
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.streams import CURSOR_FIELDS, Stream, streams
from connectors.salesforce.values import instant, soql_instant
from store.records import (
    DAY,
    HOUR,
    MINUTE,
    ActivityRecord,
    Batch,
    Clock,
    Gone,
    Instant,
    Record,
    StreamTrouble,
    SyncEvent,
)

_ABSENT = frozenset({"NOT_FOUND", "INVALID_TYPE"})
_DELETE_LOG = 14 * DAY  # getDeleted reaches back 15 days
_EVERY_DELETES = 6 * HOUR
_RELATION_OF = {"tasks": "task_relations", "events": "event_relations", "emails": "email_relations"}


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Where a stream stands. `field` None: not looked at yet; `absent`: the org has no such object."""

    field: str | None = None
    at: str | None = None
    id: str = ""
    done: bool = False
    absent: bool = False

    def text(self) -> str:
        kept = {name: value for name in self.__slots__ if (value := getattr(self, name))}
        return json.dumps(kept, sort_keys=True)


@dataclass(frozen=True, slots=True)
class _Part:
    """One page to ask for: a stream and the path of its query or of its next page."""

    stream: Stream
    path: str
    cursor: _Cursor


@dataclass(slots=True)
class _Run:
    """One run of a sync: since when, where each stream stands, what is still to be read."""

    started: Instant
    state: dict[str, _Cursor]
    waiting: deque[_Part]
    finished: set[str]


class SalesforceReader:
    """The connector's reading side. Not thread-safe: one worker reads one source."""

    def __init__(self, settings: SalesforceSettings, session: SalesforceSession, clock: Clock) -> None:
        self._settings, self._session, self._clock = settings, session, clock
        self._streams = {stream.name: stream for stream in streams(settings, settings.activities)}
        self._root = f"/services/data/v{settings.api_version}"

    @property
    def calls(self) -> int:
        """API calls made so far, tokens included."""
        return self._session.calls

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def streams(self) -> tuple[str, ...]:
        """Names of all streams."""
        return tuple(self._streams)

    def sync(self, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
        """Everything that changed since the cursors; the caller keeps each batch before it asks for the next."""
        self._session.budget.begin()
        state = {name: _load(cursors.get(name)) for name in self._streams}
        run = _Run(self._clock.now(), state, deque(), set())
        try:
            yield from self._discover(state)
            run.waiting.extend(self._first(stream, state[name]) for name, stream in self._readable(state))
            while run.waiting:
                parts = [run.waiting.popleft() for _ in range(min(QUERIES_PER_CALL, len(run.waiting)))]
                for part, status, body in self._composite(parts):
                    yield self._page(run, part, status, body)
        except VendorError as error:
            for name, _stream in self._readable(state):
                if name not in run.finished:
                    yield trouble(name, error, self._clock)

    # ------------------------------------------------------------ which field to follow

    def _discover(self, state: dict[str, _Cursor]) -> Iterator[SyncEvent]:
        """Describe the objects that have no cursor yet: which stamp to follow, or that there is no such object."""
        fresh = [self._streams[name] for name, cursor in state.items() if cursor.field is None and not cursor.absent]
        for start in range(0, len(fresh), PARTS_PER_CALL):
            some = fresh[start : start + PARTS_PER_CALL]
            paths = [f"{self._root}/sobjects/{stream.object}/describe" for stream in some]
            for stream, (status, body) in zip(some, self.get(paths), strict=True):
                if status == 200:
                    field = _cursor_field(body)
                    state[stream.name] = _Cursor(field=field)
                    if field is None:
                        state[stream.name] = _Cursor(absent=True)
                        yield _unfollowable(stream)
                elif stream.optional and reason(body)[0] in _ABSENT:
                    state[stream.name] = _Cursor(absent=True)
                    cursor = state[stream.name].text()
                    yield Batch(stream.name, (), cursor, fresh_at=self._clock.now(), absent=True)
                else:
                    state[stream.name] = _Cursor(absent=True)
                    yield _refused(stream, body)

    def _readable(self, state: Mapping[str, _Cursor]) -> list[tuple[str, Stream]]:
        return [(name, stream) for name, stream in self._streams.items() if not state[name].absent]

    # ------------------------------------------------------------ pages

    def _first(self, stream: Stream, cursor: _Cursor) -> _Part:
        assert cursor.field is not None
        fields = dict.fromkeys(("Id", *stream.fields, cursor.field, *_stamps(stream)))
        soql = f"SELECT {', '.join(fields)} FROM {stream.object}"
        if cursor.at is not None:
            soql += f" WHERE {self._after(cursor)}"
        soql += f" ORDER BY {cursor.field}, Id"
        return _Part(stream, f"{self._root}/{stream.query}?q={quote(soql)}", cursor)

    def _after(self, cursor: _Cursor) -> str:
        if cursor.done:
            newest = instant(cursor.at)
            assert newest is not None
            since = newest - self._settings.overlap_minutes * MINUTE
            return f"{cursor.field} >= {soql_instant(since)}"
        at = cursor.at  # an interrupted run goes on behind its last row, ties included
        return f"({cursor.field} = {at} AND Id > '{cursor.id}') OR {cursor.field} > {at}"

    def _page(self, run: _Run, part: _Part, status: int, body: Any) -> SyncEvent:
        stream = part.stream
        if status != 200:
            run.finished.add(stream.name)
            return _refused(stream, body, self._clock)
        rows = body["records"]
        records = self._records(stream, rows, run.state)
        cursor = _behind(part.cursor, rows)
        if not body["done"]:
            run.waiting.append(_Part(stream, body["nextRecordsUrl"], cursor))
            return Batch(stream.name, records, cursor.text())
        run.finished.add(stream.name)
        # Without rows, or with old ones only, the newest row is still the one that was the newest before.
        finished = replace(_newest(run.state[stream.name], cursor), done=True)
        return Batch(stream.name, records, finished.text(), fresh_at=run.started)

    def _records(self, stream: Stream, rows: Sequence[Any], state: Mapping[str, _Cursor]) -> tuple[Record, ...]:
        records = [record for row in rows for record in stream.record(row)]
        relation = _RELATION_OF.get(stream.name)
        if relation is not None and not state[relation].absent:
            # The org has relation rows: they say who took part, and more than the activity itself does.
            return tuple(replace(r, participants=None) if isinstance(r, ActivityRecord) else r for r in records)
        return tuple(records)

    # ------------------------------------------------------------ calls

    def _composite(self, parts: Sequence[_Part]) -> Iterator[tuple[_Part, int, Any]]:
        answers = self.get([part.path for part in parts])
        yield from ((part, status, body) for part, (status, body) in zip(parts, answers, strict=True))

    def get(self, paths: Sequence[str]) -> list[tuple[int, Any]]:
        """GET several resources in one API call: (status, body) in order."""
        return self._session.get(paths)

    # ------------------------------------------------------------ sweeps

    def sweeps(self) -> Mapping[str, Instant]:
        """What is read apart from the increments, and how often."""
        return {"removed-participants": _EVERY_DELETES}

    def sweep(self, name: str, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
        """Participants that were removed from an activity leave no row behind, only a line in the delete log."""
        self._session.budget.begin()
        now = self._clock.now()
        stored = cursors.get(f"sweep:{name}")
        since = max(json.loads(stored)["until"] if stored else now - _DELETE_LOG, now - _DELETE_LOG)
        some = [s for n, s in self._streams.items() if s.deletes and not _load(cursors.get(n)).absent]
        # Seconds are ignored, and a window of less than a minute is refused.
        start, end = since // MINUTE * MINUTE - MINUTE, now // MINUTE * MINUTE + MINUTE
        window = f"start={_log_time(start)}&end={_log_time(end)}"
        gone: list[Record] = []
        try:
            answers = self.get([f"{self._root}/sobjects/{s.object}/deleted/?{window}" for s in some]) if some else []
        except VendorError as error:
            yield trouble(f"sweep:{name}", error, self._clock)
            return
        for stream, (status, body) in zip(some, answers, strict=True):
            if status != 200:
                yield replace(_refused(stream, body, self._clock), stream=f"sweep:{name}")
                return
            assert stream.deletes is not None
            rows = body["deletedRecords"]
            gone += [Gone(stream.deletes, row["id"], instant(row["deletedDate"]) or now) for row in rows]
        yield Batch(f"sweep:{name}", tuple(gone), json.dumps({"until": end - MINUTE}), fresh_at=now)


def _load(text: str | None) -> _Cursor:
    return _Cursor(**json.loads(text)) if text else _Cursor()


def _log_time(at: Instant) -> str:
    return quote(soql_instant(at).replace(".000Z", "+00:00"))


def _stamps(stream: Stream) -> tuple[str, ...]:
    return () if stream.object.endswith("Relation") else ("SystemModstamp",)


def _cursor_field(describe: Mapping[str, Any]) -> str | None:
    filterable = {field["name"] for field in describe["fields"] if field.get("filterable")}
    return next((name for name in CURSOR_FIELDS if name in filterable), None)


def _behind(cursor: _Cursor, rows: Sequence[Mapping[str, Any]]) -> _Cursor:
    if not rows:
        return cursor
    last = rows[-1]
    at = instant(last[cursor.field or ""])
    assert at is not None
    return _Cursor(field=cursor.field, at=soql_instant(at), id=last["Id"])


def _newest(before: _Cursor, after: _Cursor) -> _Cursor:
    old, new = instant(before.at), instant(after.at)
    if before.done and old is not None and (new is None or new < old):
        return before
    return after


def trouble(stream: str, error: VendorError, clock: Clock) -> StreamTrouble:
    """A vendor's refusal as the trouble of one stream."""
    kind = {"retry": "retry", "deferred": "deferred"}.get(error.kind, "failed")
    return StreamTrouble(stream, kind, str(error), resume_at(clock, error))


def _refused(stream: Stream, body: Any, clock: Clock | None = None) -> StreamTrouble:
    code, message = reason(body)
    text = f"{stream.object} cannot be read: {code}: {message}"
    if code == "REQUEST_LIMIT_EXCEEDED":
        return StreamTrouble(stream.name, "deferred", text, clock.now() + HOUR if clock else None)
    if code in ("UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "UNKNOWN_EXCEPTION"):
        return StreamTrouble(stream.name, "retry", text)
    return StreamTrouble(stream.name, "failed", f"{text} (check the user's permissions and the field mapping)")


def _unfollowable(stream: Stream) -> StreamTrouble:
    names = ", ".join(CURSOR_FIELDS)
    return StreamTrouble(
        stream.name, "failed", f"{stream.object} has none of {names} to follow: its rows cannot be read"
    )
