"""What a CRM row held at any instant: its values now, and the lines that are known of their past."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from rules.fieldmap import Option, RawRow, Value, find
from store.records import Instant, Scalar

T = TypeVar("T")

CRM, SEEN, NONE = "crm", "seen", "none"
"""How the beginning of a value is known: the CRM's own history or stamps, a sync that saw it change, not at all."""


@dataclass(frozen=True, slots=True)
class Line:
    """Since `at` (0: since the row was created) a field has held `value`."""

    at: Instant
    value: Scalar
    origin: str = CRM
    author: str | None = None


@dataclass(frozen=True, slots=True)
class PastRow:
    """One CRM row. `now` are its raw values; `lines` what is known of the past of some of them, oldest first."""

    id: str
    created_at: Instant
    modified_at: Instant
    deleted_at: Instant | None
    now: Mapping[str, Scalar]
    lines: Mapping[str, Sequence[Line]] = field(default_factory=dict)

    def there(self, t: Instant) -> bool:
        """True while the row exists."""
        return self.created_at <= t and (self.deleted_at is None or t < self.deleted_at)

    def instants(self) -> set[Instant]:
        """When something about the row changed, its creation and its end included."""
        found = {max(line.at, self.created_at) for lines in self.lines.values() for line in lines}
        found.add(self.created_at)
        if self.deleted_at is not None:
            found.add(self.deleted_at)
        return found

    @property
    def current(self) -> RawRow:
        """The row as it is."""
        return RawRow(self.id, self.modified_at, self.now)

    def at(self, t: Instant) -> RawRow:
        """The row as it was. From a field's last line on, what it holds now counts: the row is what is known best."""
        if not self.lines:
            return RawRow(self.id, self.modified_at, self.now)
        values = dict(self.now)
        stamp = self.modified_at
        for name, lines in self.lines.items():
            place = bisect_right(lines, t, key=lambda line: line.at)
            if place < len(lines):
                values[name] = lines[place - 1].value if place else None
                stamp = min(stamp, lines[place].at - 1)
        return RawRow(self.id, stamp, values)

    def known_by(self, t: Instant) -> tuple[str, str | None]:
        """(how it is known that something changed at `t`, who changed it)."""
        starting = [line for lines in self.lines.values() for line in lines if max(line.at, self.created_at) == t]
        crm = [line for line in starting if line.origin == CRM]
        if crm:
            return CRM, next((line.author for line in crm if line.author), None)
        if starting and t != self.created_at:
            return SEEN, None
        return NONE, None


@dataclass(frozen=True, slots=True)
class Piece(Generic[T]):
    """A value from `since` until `until` (None: still)."""

    since: Instant
    until: Instant | None
    value: T
    history: str = NONE
    author: str | None = None


def pieces(own: PastRow, others: Collection[PastRow], read: Callable[[Instant], T | None]) -> list[Piece[T]]:
    """The values that `read` gives over the life of `own`, looked at whenever `own` or one of `others` changed."""
    end = own.deleted_at
    instants = set(own.instants())
    for row in others:
        instants |= row.instants()
    steps = sorted({max(t, own.created_at) for t in instants if end is None or t < end})
    found: list[Piece[T]] = []
    for t in steps:
        value = read(t)
        if found and found[-1].until is None:
            if found[-1].value == value:
                continue
            last = found[-1]
            found[-1] = Piece(last.since, t, last.value, last.history, last.author)
        if value is not None:
            found.append(Piece(t, None, value, *_known_by(t, own, others)))
    if found and found[-1].until is None and end is not None:
        last = found[-1]
        found[-1] = Piece(last.since, end, last.value, last.history, last.author)
    return found


def _known_by(t: Instant, own: PastRow, others: Iterable[PastRow]) -> tuple[str, str | None]:
    history, author = own.known_by(t)
    if history == CRM:
        return history, author
    for row in others:
        theirs, who = row.known_by(t)
        # The stamp of a row that came or went is the CRM's own.
        if theirs == CRM or (t != own.created_at and t in (row.created_at, row.deleted_at)):
            return CRM, who
        if theirs == SEEN:
            history = SEEN
    return history, author


def narrowed(own: PastRow, columns: Collection[str]) -> PastRow:
    """The row with the past of these columns only: what else changed in it is of no account."""
    lines = {name: lines for name, lines in own.lines.items() if name in columns}
    return PastRow(own.id, own.created_at, own.modified_at, own.deleted_at, own.now, lines)


def mapped(
    name: str, options: Sequence[Option], own: PastRow, related: Mapping[str, Sequence[PastRow]]
) -> list[Piece[Value]]:
    """The values of a mapped field over the life of a row; `related` holds the rows of other objects."""
    objects = {option.object for option in options if option.object is not None}
    others = [row for kind in objects for row in related.get(kind, ())]
    # Of the row itself only the columns that are read matter; a condition may look at any field of another object.
    mine = narrowed(own, {option.column for option in options if option.object is None})

    def read(t: Instant) -> Value | None:
        there = {kind: [row.at(t) for row in related.get(kind, ()) if row.there(t)] for kind in objects}
        return find(name, options, mine.at(t), there)

    return [_stamped(name, options, piece, mine.at(piece.since)) for piece in pieces(mine, others, read)]


def _stamped(name: str, options: Sequence[Option], piece: Piece[Value], own: RawRow) -> Piece[Value]:
    """A value that other rows give is known since their stamps, which are the CRM's own."""
    if piece.history != NONE or find(name, [o for o in options if o.object is None], own, {}) is not None:
        return piece
    return Piece(piece.since, piece.until, piece.value, CRM, piece.author)
