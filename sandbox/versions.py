"""The database behind the imitation CRMs: rows with their stamps, links between rows, and changes that wait for the clock."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sandbox.clock import DAY, ScenarioClock
from sandbox.sortedkeys import Key, SortedKeys

Fields = Mapping[str, object]
"""Field name -> str, int, float, bool, None, At or On."""


@dataclass(frozen=True, slots=True, order=True)
class At:
    """An instant as a field value: UTC microseconds. Each vendor writes it in its own format."""

    us: int


@dataclass(frozen=True, slots=True, order=True)
class On:
    """A calendar day as a field value: days since 1970."""

    day: int


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happens to a vendor's database at an instant.

    `op`: create | update | delete | restore | purge | merge (`id` goes into `into`) | associate | dissociate (`id` with
    `to_object`, `to_id`; `fields["label"]` names the link, `label_back` what the other end calls it). Values are str,
    int, float, bool, None, At or On.
    """

    at: int
    vendor: str
    op: str
    object: str
    id: str
    fields: Fields = field(default_factory=dict)
    to_object: str = ""
    to_id: str = ""
    into: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One version of a record. Immutable: a change makes a new Row, so a reader may keep what it was given."""

    id: str
    fields: Fields
    created_at: int
    modified_at: int
    deleted_at: int | None = None
    merged_into: str | None = None
    commit_at: int = 0
    """When it became visible; later than modified_at for what was committed late."""
    previous: Row | None = None
    """The version before it, kept for a day, for indexes that lag."""

    def as_of(self, t: int) -> Row | None:
        """The newest kept version that was modified at or before `t`; None if the row came later."""
        row: Row | None = self
        while row is not None and row.modified_at > t:
            row = row.previous
        return row


IdOrder = Callable[[str], str | int]


class Table:
    """All rows of one object by id, and in order of id and of (modified_at, id). Hold the store's lock while you read.

    Live and deleted rows have indexes of their own, so that a list of either, from anywhere, costs only what it gives.
    """

    def __init__(self, id_order: IdOrder) -> None:
        self.rows: MutableMapping[str, Row] = {}
        self._id_order = id_order
        self._ids = (SortedKeys(), SortedKeys())
        self._stamps = (SortedKeys(), SortedKeys())

    def put(self, row: Row) -> None:
        """Make this the newest version of its row."""
        old = self.rows.get(row.id)
        self.rows[row.id] = row
        gone = row.deleted_at is not None
        if old is not None and (old.deleted_at is not None) == gone and old.modified_at == row.modified_at:
            return
        key = (self._id_order(row.id), row.id)
        if old is not None:
            self._forget(old, key)
        self._ids[gone].add(key)
        self._stamps[gone].add((row.modified_at, key))

    def drop(self, row_id: str) -> None:
        """Forget a row for good."""
        self._forget(self.rows.pop(row_id), (self._id_order(row_id), row_id))

    def by_id(self, after: str | None = None, deleted: bool | None = None) -> Iterator[Row]:
        """Rows in id order, those after the id `after` only; `deleted` picks live (False) or deleted ones (True)."""
        since = None if after is None else (self._id_order(after), after + "\0")
        for _, row_id in self._walk(self._ids, since, None, deleted):
            yield self.rows[row_id]

    def by_modified(
        self,
        since: int | None = None,
        until: int | None = None,
        after: str | None = None,
        *,
        deleted: bool | None = None,
    ) -> Iterator[Row]:
        """Rows with since <= modified_at < until in order of (modified_at, id); `deleted` as for `by_id`.

        With `after`, rows stamped `since` come only if their id does after that one.
        """
        low: Key | None = None if since is None else (since,)
        high = None if until is None else (until,)
        if since is not None and after is not None:
            low = (since, (self._id_order(after), after + "\0"))
        for _, (_, row_id) in self._walk(self._stamps, low, high, deleted):
            yield self.rows[row_id]

    def keep(self, rows: Iterable[Row]) -> Sequence[Row]:
        """These rows of the table, for as long as a reader pages through them."""
        return list(rows)

    def newest_first(self, since: int | None = None, until: int | None = None) -> Iterator[Row]:
        """Live rows with since <= modified_at < until, the latest one first."""
        low, high = (None if since is None else (since,)), (None if until is None else (until,))
        for _, (_, row_id) in self._stamps[False].walk_back(low, high):
            yield self.rows[row_id]

    def count(self, since: int | None = None, until: int | None = None) -> int:
        """How many live rows have since <= modified_at < until."""
        return self._stamps[False].count(None if since is None else (since,), None if until is None else (until,))

    def count_ids(self, after: str | None = None) -> int:
        """How many live rows come after the id `after`."""
        return self._ids[False].count(None if after is None else (self._id_order(after), after + "\0"))

    def last_id(self) -> str | None:
        """The last id in the vendor's order, deleted rows too; None if the table is empty."""
        lasts = [key for keys in self._ids if (key := keys.last()) is not None]
        return str(max(lasts)[1]) if lasts else None

    def _walk(
        self, keys: tuple[SortedKeys, SortedKeys], since: Key | None, until: Key | None, deleted: bool | None
    ) -> Iterator[Key]:
        if deleted is not None:
            return keys[deleted].walk(since, until)
        if not len(keys[True]):
            return keys[False].walk(since, until)
        return heapq.merge(keys[False].walk(since, until), keys[True].walk(since, until))

    def _forget(self, row: Row, key: Key) -> None:
        gone = row.deleted_at is not None
        self._ids[gone].discard(key)
        self._stamps[gone].discard((row.modified_at, key))


Watcher = Callable[[Row | None, Row], None]
"""Called with (before, after) for each new version of a row, in the writer's thread; before is None for a new row."""

Listener = Callable[[Change, Row | None, Row | None], None]
"""Called with every change, and the row before and after it, in the writer's thread."""

Links = dict[str, dict[str, tuple[str, ...]]]
"""to_object -> to_id -> labels."""


class VendorStore:
    """The tables of one vendor. `lock` guards everything; take it for a whole request and call `catch_up()` first.

    `resolution` cuts stamps to what the vendor keeps (Salesforce whole seconds, HubSpot milliseconds);
    `delete_moves_stamp`: Salesforce moves SystemModstamp on delete, HubSpot leaves hs_lastmodifieddate alone.
    """

    def __init__(
        self,
        vendor: str,
        clock: ScenarioClock,
        *,
        resolution: int = 1,
        delete_moves_stamp: bool = True,
        id_order: IdOrder = str,
    ) -> None:
        self.vendor = vendor
        self.clock = clock
        self.lock = threading.RLock()
        self._resolution = resolution
        self._delete_moves_stamp = delete_moves_stamp
        self._id_order = id_order
        self._tables: dict[str, Table] = {}
        self._links: dict[tuple[str, str], Links] = {}
        self._watchers: dict[str, list[Watcher]] = {}
        self._listeners: list[Listener] = []
        self._waiting: list[tuple[int, int, Change]] = []
        self._sequence = itertools.count()
        self._notes: list[tuple[str, str, Row | None]] | None = None
        self.revision = 0
        """Counts changes, so that a result once found is known to be still right."""
        self.lag = 0
        """Microseconds after its time at which a queued change shows; its stamps stay as they are."""
        self.skew = 0
        """Microseconds by which the vendor's own clock is off: what it stamps now carries `now()`."""

    def now(self) -> int:
        """The time that the vendor stamps with: the scenario clock and its skew."""
        return self.clock.now() + self.skew

    def table(self, name: str) -> Table:
        """The table of one object; empty if it has no rows yet."""
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = Table(self._id_order)
        return table

    def adopt(self, name: str, table: Table) -> None:
        """Take a table of another making for an object."""
        with self.lock:
            self._tables[name] = table
            self.revision += 1

    @contextmanager
    def noting(self) -> Iterator[list[tuple[str, str, Row | None]]]:
        """While it is open, (object, id, version before) of every row that is written, in order."""
        outer, self._notes = self._notes, []
        try:
            yield self._notes
        finally:
            self._notes = outer

    def tables(self) -> tuple[str, ...]:
        """Names of the objects that were ever looked at or written."""
        return tuple(sorted(self._tables))

    def get(self, object_name: str, row_id: str) -> Row | None:
        """The newest version, deleted or not; None if there is no such row."""
        return self.table(object_name).rows.get(row_id)

    def links(self, object_name: str, row_id: str, to_object: str) -> Mapping[str, tuple[str, ...]]:
        """Ids of `to_object` linked to the row, in the order of linking, with the labels of each link."""
        return self._links.get((object_name, row_id), {}).get(to_object, {})

    def watch(self, object_name: str, watcher: Watcher) -> None:
        """Tell `watcher` of every version of this object's rows from now on."""
        with self.lock:
            self._watchers.setdefault(object_name, []).append(watcher)

    def listen(self, listener: Listener) -> None:
        """Tell `listener` of every change of any object from now on, links too."""
        with self.lock:
            self._listeners.append(listener)

    def load(self, changes: Iterable[Change]) -> None:
        """Queue changes of this vendor; each is applied once the clock has reached it."""
        with self.lock:
            self._waiting.extend((c.at, next(self._sequence), c) for c in changes if c.vendor == self.vendor)
            heapq.heapify(self._waiting)

    def schedule(self, change: Change, commit_at: int) -> None:
        """Queue one change that becomes visible at `commit_at` but carries the stamp `change.at`: a late commit."""
        with self.lock:
            heapq.heappush(self._waiting, (commit_at, next(self._sequence), change))

    def catch_up(self) -> None:
        """Apply every queued change that is due."""
        with self.lock:
            now = self.clock.now()
            while self._waiting and self._waiting[0][0] + self.lag <= now:
                commit_at, _, change = heapq.heappop(self._waiting)
                self._perform(change, commit_at + self.lag)

    def apply(self, change: Change) -> Row | None:
        """Apply one change at once, stamped with `change.at`. Returns the row after it; KeyError if it has no such row."""
        with self.lock:
            return self._perform(change, change.at)

    def upsert_by_api(self, object_name: str, row_id: str, fields: Fields) -> Row:
        """Create the row or change these fields of it, stamped with `now()`."""
        with self.lock:
            self.catch_up()
            op = "update" if self.get(object_name, row_id) is not None else "create"
            row = self.apply(Change(self.now(), self.vendor, op, object_name, row_id, dict(fields)))
            assert row is not None
            return row

    def delete_by_api(self, object_name: str, row_id: str) -> Row | None:
        """Delete (archive) the row, stamped with the scenario clock. KeyError if there is none."""
        with self.lock:
            self.catch_up()
            return self.apply(Change(self.now(), self.vendor, "delete", object_name, row_id))

    def _perform(self, change: Change, commit_at: int) -> Row | None:
        before = self.get(change.object, change.id) if self._listeners else None
        after = self._carry_out(change, commit_at)
        for listener in self._listeners:
            listener(change, before, after)
        return after

    def _carry_out(self, change: Change, commit_at: int) -> Row | None:
        self.revision += 1
        stamp = change.at - change.at % self._resolution
        if change.op == "create":
            row = Row(change.id, dict(change.fields), stamp, stamp, commit_at=commit_at)
            self._keep(change.object, None, row)
            return row
        if change.op == "associate":
            label = change.fields.get("label")
            self._link(change.object, change.id, change.to_object, change.to_id, label)
            self._link(change.to_object, change.to_id, change.object, change.id, change.fields.get("label_back", label))
            return self.get(change.object, change.id)
        if change.op == "dissociate":
            self._unlink(change.object, change.id, change.to_object, change.to_id)
            return self.get(change.object, change.id)
        if change.op == "purge":
            self._unlink_all(change.object, change.id)
            self.table(change.object).drop(change.id)
            return None
        return self._revise(change, stamp, commit_at)

    def _revise(self, change: Change, stamp: int, commit_at: int) -> Row:
        old = self.table(change.object).rows[change.id]
        moved = stamp if self._delete_moves_stamp else old.modified_at
        if change.op == "update":
            new = replace(old, fields={**old.fields, **change.fields}, modified_at=stamp)
        elif change.op == "delete":
            new = replace(old, deleted_at=stamp, modified_at=moved)
        elif change.op == "restore":
            new = replace(old, deleted_at=None, modified_at=stamp)
        elif change.op == "merge":
            new = replace(old, deleted_at=stamp, merged_into=change.into, modified_at=moved)
            self._absorb(change, stamp, commit_at)
        else:
            raise ValueError(f"unknown change: {change.op}")
        return self._put(change.object, new, old, commit_at)

    def _put(self, object_name: str, new: Row, old: Row, commit_at: int) -> Row:
        row = replace(new, commit_at=commit_at, previous=_recent(old, new.modified_at - DAY))
        self._keep(object_name, old, row)
        return row

    def _keep(self, object_name: str, before: Row | None, after: Row) -> None:
        self.table(object_name).put(after)
        if self._notes is not None:
            self._notes.append((object_name, after.id, before))
        for watcher in self._watchers.get(object_name, ()):
            watcher(before, after)

    def _absorb(self, change: Change, stamp: int, commit_at: int) -> None:
        """The winner of a merge gets a new stamp, the given fields and the loser's links."""
        winner = self.table(change.object).rows[change.into]
        new = replace(winner, fields={**winner.fields, **change.fields}, modified_at=stamp)
        self._put(change.object, new, winner, commit_at)
        for to_object, linked in list(self._links.get((change.object, change.id), {}).items()):
            for to_id, labels in list(linked.items()):
                back = self._links.get((to_object, to_id), {}).get(change.object, {}).get(change.id, ())
                for label in labels or (None,):
                    self._link(change.object, change.into, to_object, to_id, label)
                for label in back or (None,):
                    self._link(to_object, to_id, change.object, change.into, label)
        self._unlink_all(change.object, change.id)

    def _link(self, a: str, a_id: str, b: str, b_id: str, label: object) -> None:
        """The link as its end `a` has it."""
        linked = self._links.setdefault((a, a_id), {}).setdefault(b, {})
        labels = linked.get(b_id, ())
        linked[b_id] = (*labels, str(label)) if label and label not in labels else labels

    def _unlink(self, a: str, a_id: str, b: str, b_id: str) -> None:
        for here, here_id, there, there_id in ((a, a_id, b, b_id), (b, b_id, a, a_id)):
            self._links.get((here, here_id), {}).get(there, {}).pop(there_id, None)

    def _unlink_all(self, object_name: str, row_id: str) -> None:
        for to_object, linked in list(self._links.get((object_name, row_id), {}).items()):
            for to_id in list(linked):
                self._unlink(object_name, row_id, to_object, to_id)


def _recent(row: Row, since: int) -> Row:
    """The version with those before it, back to the one that was in force at `since`."""
    kept: list[Row] = [row]
    while kept[-1].modified_at > since and kept[-1].previous is not None:
        kept.append(kept[-1].previous)
    if kept[-1].previous is None:
        return row
    chain = replace(kept.pop(), previous=None)
    while kept:
        chain = replace(kept.pop(), previous=chain)
    return chain
