"""A table of a million rows that are made when somebody looks: for loads that no memory should have to hold."""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from itertools import chain
from typing import overload

from sandbox.versions import IdOrder, Row, Table

Make = Callable[[int], Row]
"""Position from 0 -> the row there. Ids in the vendor's order and stamps must not fall as the position rises."""


class GeneratedTable(Table):
    """`count` live rows from `make`, and over them whatever was changed, deleted or created since.

    `position` tells where a made row stands by its id; None for ids that are none of them.
    """

    def __init__(self, id_order: IdOrder, count: int, make: Make, position: Callable[[str], int | None]) -> None:
        super().__init__(id_order)
        self._order = id_order
        self._count = count
        self._make = make
        self._position = position
        self._changed: dict[str, Row] = {}
        self._gone: set[str] = set()
        self._created: list[str] = []
        self.rows = _Rows(self)

    def made(self, row_id: str) -> Row | None:
        """The row as it was made, unless it was changed or dropped."""
        if row_id in self._changed or row_id in self._gone:
            return None
        position = self._position(row_id)
        return None if position is None or not 0 <= position < self._count else self._make(position)

    def changed(self) -> dict[str, Row]:
        """The newest versions of rows that are not as they were made."""
        return self._changed

    def put(self, row: Row) -> None:
        """Make this the newest version of its row."""
        if row.id in self._changed:
            super().put(row)
            return
        if self.made(row.id) is None and row.id not in self._gone:
            self._created.append(row.id)
        self._gone.discard(row.id)
        self._changed[row.id] = row
        key = (self._order(row.id), row.id)
        self._ids[row.deleted_at is not None].add(key)
        self._stamps[row.deleted_at is not None].add((row.modified_at, key))

    def drop(self, row_id: str) -> None:
        """Forget a row for good."""
        if row_id in self._changed:
            super().drop(row_id)
        elif self.made(row_id) is None:
            raise KeyError(row_id)
        self._gone.add(row_id)

    def by_id(self, after: str | None = None, deleted: bool | None = None) -> Iterator[Row]:
        """As for every table."""
        changed = super().by_id(after, deleted)
        if deleted:
            return changed
        made = self._walk_made(0 if after is None else self._past(after), self._count)
        return heapq.merge(made, changed, key=lambda row: (self._order(row.id), row.id)) if self._changed else made

    def by_modified(
        self,
        since: int | None = None,
        until: int | None = None,
        after: str | None = None,
        *,
        deleted: bool | None = None,
    ) -> Iterator[Row]:
        """As for every table."""
        changed = super().by_modified(since, until, after, deleted=deleted)
        if deleted:
            return changed
        first, last = self._range(since, until)
        if since is not None and after is not None:
            positions = range(self._count)
            tied = bisect_right(positions, since, key=lambda n: self._make(n).modified_at)
            first = min(max(first, self._past(after)), tied)
        made = self._walk_made(first, last)
        return heapq.merge(made, changed, key=lambda row: (row.modified_at, self._order(row.id), row.id))

    def newest_first(self, since: int | None = None, until: int | None = None) -> Iterator[Row]:
        """As for every table."""
        first, last = self._range(since, until)
        made = (row for n in range(last - 1, first - 1, -1) if self._unchanged(row := self._make(n)))
        changed = super().newest_first(since, until)
        return heapq.merge(made, changed, key=lambda row: (row.modified_at, self._order(row.id)), reverse=True)

    def count(self, since: int | None = None, until: int | None = None) -> int:
        """As for every table."""
        first, last = self._range(since, until)
        return last - first - self._hidden(first, last) + super().count(since, until)

    def count_ids(self, after: str | None = None) -> int:
        """As for every table."""
        first = 0 if after is None else self._past(after)
        return self._count - first - self._hidden(first, self._count) + super().count_ids(after)

    def last_id(self) -> str | None:
        """As for every table."""
        backwards = (self._make(n) for n in range(self._count - 1, -1, -1))
        made = next((row.id for row in backwards if self._unchanged(row)), None)
        found = [super().last_id(), made]
        return max((row_id for row_id in found if row_id is not None), key=self._order, default=None)

    def keep(self, rows: Iterable[Row]) -> Sequence[Row]:
        """Eight bytes a row; each is made again when it is read, as it is then."""
        return Kept(self, array("Q", (self._place(row.id) for row in rows)))

    def at(self, place: int) -> Row:
        """The row at a place that `keep` noted."""
        if place >= self._count:
            return self._changed[self._created[place - self._count]]
        row = self._make(place)
        return self._changed.get(row.id, row)

    def _place(self, row_id: str) -> int:
        position = self._position(row_id)
        if position is not None and 0 <= position < self._count:
            return position
        return self._count + self._created.index(row_id)

    def _walk_made(self, first: int, last: int) -> Iterator[Row]:
        rows = (self._make(n) for n in range(first, last))
        return rows if not self._changed and not self._gone else (row for row in rows if self._unchanged(row))

    def _unchanged(self, row: Row) -> bool:
        return row.id not in self._changed and row.id not in self._gone

    def _range(self, since: int | None, until: int | None) -> tuple[int, int]:
        positions = range(self._count)
        ends = [
            otherwise if bound is None else bisect_left(positions, bound, key=lambda n: self._make(n).modified_at)
            for bound, otherwise in ((since, 0), (until, self._count))
        ]
        return ends[0], max(ends)

    def _past(self, row_id: str) -> int:
        """How many made rows have this id or one before it."""
        return bisect_right(range(self._count), self._order(row_id), key=lambda n: self._order(self._make(n).id))

    def _hidden(self, first: int, last: int) -> int:
        """Made rows of a range that are not as they were made."""
        places = (self._position(row_id) for row_id in chain(self._changed, self._gone - set(self._changed)))
        return sum(1 for place in places if place is not None and first <= place < last)


class _Rows(MutableMapping[str, Row]):
    """All rows by id. Going through them makes each."""

    def __init__(self, table: GeneratedTable) -> None:
        self._table = table

    def __getitem__(self, row_id: str) -> Row:
        row = self._table.changed().get(row_id) or self._table.made(row_id)
        if row is None:
            raise KeyError(row_id)
        return row

    def __setitem__(self, row_id: str, row: Row) -> None:
        self._table.changed()[row_id] = row

    def __delitem__(self, row_id: str) -> None:
        del self._table.changed()[row_id]

    def __iter__(self) -> Iterator[str]:
        return (row.id for row in self._table.by_id())

    def __len__(self) -> int:
        return self._table.count_ids() + sum(1 for _ in self._table.by_id(deleted=True))


class Kept(Sequence[Row]):
    """Rows of a generated table in some order, by their places."""

    def __init__(self, table: GeneratedTable, places: array[int]) -> None:
        self._table = table
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Kept: ...
    def __getitem__(self, index: int | slice) -> Row | Kept:
        if isinstance(index, slice):
            return Kept(self._table, self._places[index])
        return self._table.at(self._places[index])
