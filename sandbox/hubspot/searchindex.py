"""What search knows of a table: an index that may lag behind, read in order and counted without reading it all."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import islice, pairwise

from sandbox.hubspot.filters import Group, Test
from sandbox.hubspot.objecttypes import ObjectType
from sandbox.hubspot.schema import Property
from sandbox.hubspot.state import HubSpotState, value_of
from sandbox.hubspot.values import comparable
from sandbox.versions import Row

Sort = tuple[Property, bool] | None
"""(property, descending); None: by id, which is the order of creation."""


class Found:
    """A search's rows, read from the index as far as pages ask for them, and how many there are."""

    def __init__(self, rows: Iterator[Row], total: int | None = None) -> None:
        self._rows = rows
        self._read: list[Row] = []
        if total is None:
            self._read = list(rows)
        self.total = len(self._read) if total is None else total

    def page(self, first: int, last: int) -> list[Row]:
        """Rows number `first` to `last`, the latter not included."""
        self._read.extend(islice(self._rows, max(0, last - len(self._read))))
        return self._read[first:last]


class Index:
    """Live rows of one object as search has them: those that are behind show an older version, or are not known yet."""

    def __init__(self, state: HubSpotState, kind: ObjectType) -> None:
        self._state = state
        self._kind = kind
        self._table = state.store.table(kind.name)
        self._behind = state.behind(kind.name)
        self._older = [
            row
            for row_id, row in self._behind.items()
            if row is not None and row.deleted_at is None and self._live(row_id)
        ]
        lag = state.switches.search_lag
        self._ghosts_since = state.now - lag if lag else None

    def find(self, groups: list[Group], query: Test | None, sort: Sort) -> Found:
        """Rows for which one of the groups, and the query, hold, in the order of `sort`."""
        test = _any_of(groups, query)
        exact = query is None and not any(g.rest for g in groups)
        total = self._total(groups) if exact else None
        if sort is not None and sort[0].name == self._kind.modified:
            rows = self._by_stamp(_lowest(groups), _highest(groups), descending=sort[1])
        elif (sort is None or (sort[0].name == "hs_object_id" and not sort[1])) and self._by_id_is_shorter(groups):
            rows = self._by_id(groups[0].after)
        else:
            return Found(iter(self._sorted(groups, test, sort)))
        # One group that the index answers alone needs no test of its own.
        plain = exact and len(groups) == 1 and (groups[0].after is None or sort is None)
        found = rows if plain and not self._bounds_left(groups[0], sort) else filter(test, rows)
        return Found(found, total)

    def ghosts(self, groups: list[Group], query: Test | None) -> int:
        """Records archived so recently that `total` still counts them, though no page shows them (recorded)."""
        since = self._ghosts_since
        if since is None:
            return 0
        gone = (r for r in self._table.by_id(deleted=True) if r.deleted_at is not None and r.deleted_at > since)
        test = _any_of(groups, query)
        return sum(1 for row in gone if row.merged_into is None and test(row))

    def strays(self, groups: list[Group], query: Test | None, most: int) -> list[Row]:
        """Rows that the search does not ask for."""
        test = _any_of(groups, query)
        return list(islice((row for row in self._by_id(None) if not test(row)), most))

    def _bounds_left(self, group: Group, sort: Sort) -> bool:
        """Is there a bound that the walk in this order does not keep."""
        by_stamp = sort is not None and sort[0].name == self._kind.modified
        return group.after is not None if by_stamp else (group.since, group.until) != (None, None)

    def _by_id_is_shorter(self, groups: list[Group]) -> bool:
        """Walking by id pays where the stamps leave most rows in; else the few are fetched by stamp and sorted."""
        if len(groups) != 1:
            return False
        within = self._table.count(groups[0].since, groups[0].until)
        return within * 2 >= self._table.count()

    def _sorted(self, groups: list[Group], test: Test, sort: Sort) -> list[Row]:
        rows = [row for row in self._by_stamp(_lowest(groups), _highest(groups)) if test(row)]
        rows.sort(key=lambda row: int(row.id))
        if sort is None:
            return rows
        prop, descending = sort
        keyed = [(comparable(prop, value_of(self._state, row, prop, self._kind)), row) for row in rows]
        have = [pair for pair in keyed if pair[0] is not None]
        have.sort(key=lambda pair: pair[0], reverse=descending)  # type: ignore[arg-type, return-value]
        return [row for _, row in have] + [row for value, row in keyed if value is None]

    def _total(self, groups: list[Group]) -> int | None:
        """How many rows match, where the indexes can say; None: they must be read."""
        spans = sorted((g.since or 0, g.until or _FOREVER) for g in groups)
        if any(left[1] > right[0] for left, right in pairwise(spans)):
            return None
        return sum(map(self._count, groups))

    def _count(self, group: Group) -> int:
        older = sum(1 for row in self._older if group.holds(row))
        newer = sum(1 for row_id in self._behind if self._live(row_id) and group.holds(self._table.rows[row_id]))
        table, after = self._table, group.after
        if after is None:
            return table.count(group.since, group.until) - newer + older
        if (group.since, group.until) == (None, None):
            return table.count_ids(after) - newer + older
        # Two bounds: the rows within the stamps are looked at, or those outside them, whichever are fewer.
        first, within = int(after), table.count(group.since, group.until)
        if within * 2 <= table.count():
            inside = sum(1 for r in table.by_modified(group.since, group.until, deleted=False) if int(r.id) > first)
            return inside - newer + older
        outside = 0 if group.since is None else _later(table.by_modified(None, group.since, deleted=False), first)
        outside += 0 if group.until is None else _later(table.by_modified(group.until, None, deleted=False), first)
        return table.count_ids(after) - outside - newer + older

    def _live(self, row_id: str) -> bool:
        row = self._table.rows.get(row_id)
        return row is not None and row.deleted_at is None

    def _by_stamp(self, since: int | None, until: int | None, descending: bool = False) -> Iterator[Row]:
        if descending:
            rows = self._table.newest_first(since, until)
        else:
            rows = self._table.by_modified(since, until, deleted=False)
        if not self._behind:
            return rows
        older = [r for r in self._older if (since or 0) <= r.modified_at < (until or _FOREVER)]
        older.sort(key=_stamp, reverse=descending)
        return heapq.merge(self._known(rows), older, key=_stamp, reverse=descending)

    def _by_id(self, after: str | None) -> Iterator[Row]:
        rows = self._table.by_id(after, deleted=False)
        if not self._behind:
            return rows
        first = int(after or -1)
        older = sorted((r for r in self._older if int(r.id) > first), key=_number)
        return heapq.merge(self._known(rows), older, key=_number)

    def _known(self, rows: Iterator[Row]) -> Iterator[Row]:
        return (row for row in rows if row.id not in self._behind)


_FOREVER = 1 << 62


def _later(rows: Iterator[Row], first: int) -> int:
    return sum(1 for row in rows if int(row.id) > first)


def _stamp(row: Row) -> tuple[int, int]:
    return row.modified_at, int(row.id)


def _number(row: Row) -> int:
    return int(row.id)


def _any_of(groups: list[Group], query: Test | None) -> Test:
    def test(row: Row) -> bool:
        return any(g.holds(row) for g in groups) and (query is None or query(row))

    return test


def _lowest(groups: list[Group]) -> int | None:
    """The first stamp that any group leaves in."""
    sinces = [g.since for g in groups if g.since is not None]
    return min(sinces) if len(sinces) == len(groups) else None


def _highest(groups: list[Group]) -> int | None:
    untils = [g.until for g in groups if g.until is not None]
    return max(untils) if len(untils) == len(groups) else None
