"""Where a stream stands: the last row of `ORDER BY stamp, Id`, and which fields the rows behind it were read with."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.salesforce.values import instant, soql_instant
from store.records import MINUTE, Instant


@dataclass(frozen=True, slots=True)
class Cursor:
    """Within a run `at` and `id` are exact, so that a restart repeats no page; `done`: the run came to its end."""

    field: str | None = None
    """The stamp that is followed; None: the object was not looked at yet."""
    at: str | None = None
    id: str = ""
    done: bool = False
    absent: bool = False
    """The org has no such object."""
    since: Instant = 0
    """When the first read began, by the server's clock: what was deleted before was never in the store."""
    covers: tuple[str, ...] = ()
    """What the rows kept were read with: a mapped field that is not among them has to be read for all rows."""
    without: tuple[str, ...] = ()
    """Fields among `covers` that the user may not see."""
    walk: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Where the first read stands (`walks.Mark`); empty once it is done."""

    def text(self) -> str:
        """As the store keeps it; equal text = nothing moved."""
        kept = {name: value for name in self.__slots__ if (value := getattr(self, name))}
        return json.dumps(kept, sort_keys=True)

    def where(self, overlap: Instant) -> str | None:
        """The condition that the rows still to be read meet; None: all of them. `overlap`: how far a finished cursor
        reaches back, because rows become visible seconds after their stamp.
        """
        if self.at is None:
            return None
        if self.done:
            newest = instant(self.at)
            assert newest is not None
            return f"{self.field} >= {soql_instant(newest - overlap)}"
        # An interrupted run goes on behind its last row, ties included.
        return f"({self.field} = {self.at} AND Id > '{self.id}') OR {self.field} > {self.at}"

    def behind(self, rows: Sequence[Mapping[str, Any]]) -> Cursor:
        """The cursor behind a page of rows."""
        if not rows:
            return self
        last = rows[-1]
        at = instant(last[self.field or ""])
        assert at is not None
        return replace(self, at=soql_instant(at), id=last["Id"], done=False)

    def finished(self, before: Cursor, now: Instant) -> Cursor:
        """The cursor of a run that came to its end. `before`: where the run began; `now`: the server's clock."""
        old, new = instant(before.at), instant(self.at)
        if before.done and before.field == self.field and old is not None and (new is None or new < old):
            # Without rows, or with old ones only, the newest row is still the one that was the newest before.
            return replace(before, covers=self.covers, without=self.without)
        if new is not None and new > now + MINUTE:
            # A stamp from the future would hide all that changes until then.
            return replace(self, at=soql_instant(now), id="", done=True)
        return replace(self, done=True)


def load(text: str | None) -> Cursor:
    """A cursor from the store; one that cannot be read begins anew."""
    if not text:
        return Cursor()
    kept = json.loads(text)
    lists = {name: tuple(kept[name]) for name in ("covers", "without") if name in kept}
    return Cursor(**{name: value for name, value in kept.items() if name in Cursor.__slots__} | lists)
