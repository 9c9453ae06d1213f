"""Walk an object's rows by Id beside the rows that the store has: which are lost, which differ, which are unknown.

Both come in the order of their 18-character ids (digits, capitals, small letters), so one pass over both is enough and
memory stays flat, whatever the number of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.salesforce.composite import Answer, Ask, Composer
from connectors.salesforce.cursors import Cursor
from connectors.salesforce.pagecheck import whole
from connectors.salesforce.selects import select
from connectors.salesforce.session import reason
from connectors.salesforce.streams import Stream
from connectors.salesforce.values import instant
from store.records import KnownRow

_TRIES = 3
_MANY = 20


@dataclass(slots=True)
class Found:
    """What one page told. Ids of the org's rows that are unknown or newer than ours, and of ours that are damaged."""

    stale: list[Mapping[str, Any]] = field(default_factory=list)
    damaged: list[Mapping[str, Any]] = field(default_factory=list)


class Walk:
    """One object, a page at a time. `gone` is complete and true once `done` is set; `refusal` says why it never will."""

    def __init__(self, stream: Stream, cursor: Cursor, known: Iterable[KnownRow], fields: Sequence[str]) -> None:
        self.stream = stream
        self.gone: list[str] = []
        self.met = 0
        self.done = False
        self.refusal: Any = None
        self._cursor, self._fields = cursor, fields
        self._known: Iterator[KnownRow] = iter(known)
        self._ours: KnownRow | None = next(self._known, None)
        self._last, self._next, self._seen, self._tries = "", "", 0, 0

    def ask(self, composer: Composer) -> Ask:
        """The next page."""
        if self._next:
            return composer.page(self._next)
        alive = "IsDeleted = false" if self._has("IsDeleted") and self.stream.query == "queryAll" else None
        behind = f"Id > '{self._last}'" if self._last else None
        soql = select(self.stream.object, self._fields, self.stream.where, alive, behind, order="Id")
        # queryAll shows archived activities too, which are neither gone nor lost.
        return composer.query(soql, self.stream.query)

    def take(self, answer: Answer) -> Found:
        """Compare a page; one that is torn, or whose query has expired, is asked for again."""
        rows = whole(self.stream.object, answer.body, self._seen) if answer.status == 200 else None
        ordered = sorted(rows or (), key=lambda row: str(row["Id"]))
        if rows is None or (ordered and str(ordered[0]["Id"]) <= self._last):
            self._again(answer)
            return Found()
        self._seen += len(rows)
        self._next = answer.body.get("nextRecordsUrl") or ""
        found = self._compare(ordered)
        if ordered:
            self._last = str(ordered[-1]["Id"])
        if answer.body["done"]:
            self._rest()
            self.done = True
        return found

    @property
    def doubtful(self) -> bool:
        """Are so many rows missing that their being out of sight is likelier than their deletion."""
        return len(self.gone) >= _MANY and len(self.gone) > self.met

    def _again(self, answer: Answer) -> None:
        self._tries += 1
        code = reason(answer.body)[0] if answer.status != 200 else None
        if self._tries >= _TRIES or (answer.status != 200 and code != "INVALID_QUERY_LOCATOR"):
            self.refusal = answer.body if answer.status != 200 else [{"errorCode": "PAGES", "message": "rows lacking"}]
        self._next, self._seen = "", 0

    def _compare(self, rows: Sequence[Mapping[str, Any]]) -> Found:
        found = Found()
        for row in rows:
            ref = str(row["Id"])
            while self._ours is not None and self._ours.id < ref:
                self.gone.append(self._ours.id)
                self._advance()
            if self._ours is None or self._ours.id != ref:
                found.stale.append(row)
                continue
            self.met += 1
            if self._ours.modified_at == 0:
                found.damaged.append(row)
            elif self._newer(row, self._ours):
                found.stale.append(row)
            self._advance()
        return found

    def _newer(self, row: Mapping[str, Any], ours: KnownRow) -> bool:
        # Ours may be the later one: a formula's result is stamped when it was read.
        at = instant(row.get("SystemModstamp")) or instant(row.get(self._cursor.field or ""))
        return at is not None and at > ours.modified_at

    def _rest(self) -> None:
        while self._ours is not None:
            self.gone.append(self._ours.id)
            self._advance()

    def _advance(self) -> None:
        self._ours = next(self._known, None)

    def _has(self, name: str) -> bool:
        return name in self.stream.fields and name not in self._cursor.without


def ours(known: Iterable[KnownRow], prefix: str) -> Iterator[KnownRow]:
    """Of rows that several objects share a kind with (calls and meetings are activities), those of one object."""
    return (row for row in known if row.id.startswith(prefix))


def together(composer: Composer, walks: Sequence[Walk], size: int) -> Iterator[tuple[Walk, Found]]:
    """Walk several objects at once, `size` pages a call."""
    waiting = list(walks)
    while waiting:
        some = waiting[:size]
        for walk, answer in zip(some, composer.ask([walk.ask(composer) for walk in some], "backfill"), strict=True):
            yield walk, walk.take(answer)
        waiting = [walk for walk in waiting if not walk.done and walk.refusal is None]
