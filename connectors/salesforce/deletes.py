"""Deletions that no query shows: rows emptied from the bin, and participants taken off an activity.

The log of deletions reaches back 15 days, may be purged after two hours when it grows, gives 600,000 ids at most and
ignores seconds (resources_getdeleted.htm). What it does not cover is found by comparing all ids of the object.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from connectors.http import VendorError
from connectors.salesforce import troubles
from connectors.salesforce.compare import Walk, ours, together
from connectors.salesforce.composite import Answer, Ask
from connectors.salesforce.reach import Reach
from connectors.salesforce.reread import GONE, Reread, batches
from connectors.salesforce.session import PARTS_PER_CALL, QUERIES_PER_CALL, reason
from connectors.salesforce.streams import Stream
from connectors.salesforce.values import instant, soql_instant
from store.records import DAY, HOUR, MINUTE, Batch, Gone, Instant, KnownRow, Record, SyncEvent

NAME = "sweep:deletes"
EVERY = 6 * HOUR
_KEPT = 15 * DAY - HOUR
"""How old a window may be; beyond it the log has a hole."""
_SHORTEST = 2 * MINUTE
"""`start` must precede `end` by more than a minute, or the answer is INVALID_REPLICATION_DATE."""
_SOME = 2_000
_NO_LOG = frozenset({"INVALID_TYPE_FOR_OPERATION", "NOT_FOUND", "INVALID_TYPE", "METHOD_NOT_ALLOWED"})


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of one object's log, on whole minutes."""

    stream: Stream
    start: Instant
    end: Instant

    def ask(self, root: str) -> Ask:
        """The request: an unescaped + would arrive as a blank."""
        span = f"start={_minute(self.start)}&end={_minute(self.end)}"
        return Ask(f"{root}/sobjects/{self.stream.object}/deleted/?{span}")

    def halves(self) -> tuple[Window, Window] | None:
        """The window as two; None where it cannot be cut."""
        middle = self.start + (self.end - self.start) // 2 // MINUTE * MINUTE
        if middle - self.start < _SHORTEST or self.end - middle < _SHORTEST:
            return None
        return replace(self, end=middle), replace(self, start=middle)


class Deletes:
    """One sweep over all objects. `covered`: until when each stream's deletions are known."""

    def __init__(self, reach: Reach, cursors: Mapping[str, str]) -> None:
        self._reach = reach
        self._state = reach.state(cursors)
        stored = cursors.get(NAME)
        self._covered: dict[str, Instant] = json.loads(stored) if stored else {}
        self._holes: list[Stream] = []
        self._refused: set[str] = set()

    def events(self) -> Iterator[SyncEvent]:
        """Tombstones, a batch per object; then until when everything is covered."""
        reach = self._reach
        now = reach.composer.now()
        windows = deque(self._windows(now))
        while windows:
            some = [windows.popleft() for _ in range(min(PARTS_PER_CALL, len(windows)))]
            again: list[Window] = []
            for window, answer in zip(
                some, reach.composer.ask([w.ask(reach.composer.root) for w in some]), strict=True
            ):
                if window.stream.name not in self._refused:
                    yield from self._logged(window, answer, again)
            windows.extendleft(reversed(again))
        yield from self._compare(now)
        if not self._refused:
            yield Batch(NAME, (), self._cursor(), fresh_at=self._reach.composer.ours(now))

    def _windows(self, now: Instant) -> Iterator[Window]:
        end = -(-now // MINUTE) * MINUTE
        for stream in self._reach.readable(self._state):
            if stream.kind is None:
                continue
            since = self._covered.get(stream.name, self._state[stream.name].since or now - _KEPT)
            if now - since > _KEPT:
                self._holes.append(stream)
                continue
            start = since // MINUTE * MINUTE
            yield Window(stream, min(start, end - _SHORTEST), end)

    def _logged(self, window: Window, answer: Answer, again: list[Window]) -> Iterator[SyncEvent]:
        stream = window.stream
        if answer.status == 200 and _is_log(answer.body):
            earliest = instant(answer.body.get("earliestDateAvailable"))
            if earliest is not None and earliest > window.start + MINUTE:
                self._holes.append(stream)  # the log was purged: what is older is in no answer
                return
            rows = answer.body["deletedRecords"]
            yield from self._tombstones(stream, [(r["id"], instant(r["deletedDate"]) or window.end) for r in rows])
            covered = instant(answer.body.get("latestDateCovered")) or window.start
            self._covered[stream.name] = max(self._covered.get(stream.name, 0), min(covered, window.end))
            yield Batch(NAME, (), self._cursor())
            return
        code = reason(answer.body)[0]
        halves = window.halves() if code == "EXCEEDED_ID_LIMIT" else None
        if halves is not None:
            again.extend(halves)
        elif code in ("EXCEEDED_ID_LIMIT", "INVALID_REPLICATION_DATE"):
            self._holes.append(stream)
        elif code not in _NO_LOG:
            # Objects without a log are compared by the weekly reconciliation; everything else is trouble.
            yield self._trouble(stream, answer.body)

    def _compare(self, now: Instant) -> Iterator[SyncEvent]:
        """Objects whose log has a hole: all their ids against all of ours."""
        holes = {stream.name: stream for stream in self._holes}
        if not holes:
            return
        seen = self._reach.described(holes.values())
        walks = [
            Walk(stream, self._state[name], self._known(stream, seen[name].prefix), ("Id",))
            for name, stream in holes.items()
            if name in seen
        ]
        again, compared = Reread(self._reach, self._state), list[Stream]()
        for walk, _ in together(self._reach.composer, walks, QUERIES_PER_CALL):
            if walk.done and walk.doubtful:
                self._refused.add(walk.stream.name)
                yield troubles.out_of_sight(NAME, walk.stream.object, len(walk.gone), walk.met)
            elif walk.done:
                again.want(walk.stream, GONE, walk.gone)
                compared.append(walk.stream)
            elif walk.refusal is not None:
                yield self._trouble(walk.stream, walk.refusal)

        for read in again.rest():
            if read.refusal is not None:
                yield self._trouble(read.stream, read.refusal)
            yield from batches(self._reach, self._state, read, sweep=NAME, cursor=self._cursor(), now=now)
        self._covered |= {stream.name: now for stream in compared if stream.name not in self._refused}
        yield Batch(NAME, (), self._cursor())

    def _known(self, stream: Stream, prefix: str | None) -> Iterable[KnownRow]:
        assert stream.kind is not None
        if not prefix and not stream.kind.startswith("objects:"):
            return ()  # its rows cannot be told from others of their kind: none is called lost
        return ours(self._reach.known(stream.kind, prefix=prefix or ""), prefix or "")

    def _tombstones(self, stream: Stream, gone: Sequence[tuple[str, Instant]]) -> Iterator[SyncEvent]:
        assert stream.kind is not None
        for start in range(0, len(gone), _SOME):
            records: tuple[Record, ...] = tuple(Gone(stream.kind, ref, at) for ref, at in gone[start : start + _SOME])
            yield Batch(NAME, records, self._cursor())

    def _trouble(self, stream: Stream, body: Any) -> SyncEvent:
        self._refused.add(stream.name)
        return troubles.refused(NAME, f"the deletions of {stream.object}", body, self._reach.clock)

    def _cursor(self) -> str:
        return json.dumps(self._covered, sort_keys=True)


def sweep(reach: Reach, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
    """All deletions since the last sweep."""
    try:
        yield from Deletes(reach, cursors).events()
    except VendorError as error:
        yield troubles.trouble(NAME, error, reach.clock)


def _is_log(body: Any) -> bool:
    return isinstance(body, dict) and isinstance(body.get("deletedRecords"), list)


def _minute(at: Instant) -> str:
    return quote(soql_instant(at).replace(".000Z", "+00:00"))
