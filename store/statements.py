"""Statements that are built and compiled once and run at every instant: building one takes longer than running it.

A statement about an instant binds that instant, its date, and others at fixed distances from them. Which ones those are
is found by building it for instants of two days: a value that moved as far as the instant moves with it, one that moved as
many days as the date moves with that, one that did not move stays. Business days move unevenly, which two days may not
show, so that must be said: then, or where it is seen, the same is done within one day; where that fails too, the
statement is built each time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable, Select
from sqlalchemy.engine import Dialect

from store.records import DAY, HOUR, Day, Instant

Build = Callable[[Instant], Executable]
Change = Callable[[Select[Any], Instant], Executable]
Today = Callable[[Instant], Day]

_DAYS_APART = 3 * DAY + 9 * HOUR + 11
_NEAR = 6 * HOUR + 7
"""Of the instants so long before and after, at least one is on the same day."""
_MOST = 500
_NOTHING: Mapping[str, Any] = {}
_RENDERED: Mapping[str, Any] = {"render_postcompile": True}


@dataclass(frozen=True, slots=True)
class When:
    """The instant that a statement is about, and which date an instant falls on in the configured zone."""

    as_of: Instant
    today: Today

    @property
    def day(self) -> Day:
        """The date of the instant."""
        return self.today(self.as_of)


@dataclass(frozen=True, slots=True)
class _Text:
    """A compiled statement with the values of the instant that it was built for; `order`: how the driver wants them."""

    text: str
    values: Mapping[str, Any]
    order: Sequence[str] | None

    def bound(self, values: Mapping[str, Any]) -> Any:
        return values if self.order is None else tuple(values[name] for name in self.order)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What can be run again. `moving` and `dated`: distances by parameter, from the instant and from the date; `day`: the
    only one on which it holds, None: it holds on all.
    """

    text: _Text
    moving: Mapping[str, int]
    dated: Mapping[str, int]
    day: Day | None

    def values(self, when: When) -> Mapping[str, Any]:
        """The parameters at an instant."""
        moved = {name: when.as_of + distance for name, distance in self.moving.items()}
        day = when.day if self.dated else 0
        dated = {name: day + away for name, away in self.dated.items()}
        return {**self.text.values, **moved, **dated}


@dataclass(slots=True)
class _Entry:
    """One statement by what it depends on. Many run once and never again: the first run leaves only `seen` behind."""

    owners: Sequence[object]
    by_days: bool
    seen: tuple[Instant, _Text] | None = None
    """What was built for another instant."""
    kept: _Kept | None = None
    lost: bool = False
    """It cannot be kept."""


@dataclass(slots=True)
class _Shelf:
    """The statements of this process by dialect and name. Their owners are compared, so equal rules share theirs."""

    entries: dict[tuple[str, str], list[_Entry]] = field(default_factory=dict)
    count: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def entry(self, name: tuple[str, str], owners: Sequence[object], *, by_days: bool) -> _Entry:
        """The entry of this name whose owners are equal, or a new one."""
        with self.lock:
            for entry in self.entries.get(name, ()):
                if all(a is b or a == b for a, b in zip(entry.owners, owners, strict=True)):
                    return entry
            if self.count >= _MOST:
                self.entries.clear()
                self.count = 0
            entry = _Entry(tuple(owners), by_days)
            self.entries.setdefault(name, []).append(entry)
            self.count += 1
            return entry


_SHELF = _Shelf()


@dataclass(frozen=True, slots=True)
class Ready:
    """A statement that is built, with its values for an instant."""

    text: _Text
    values: Mapping[str, Any]

    def run(self, conn: Connection, bound: Mapping[str, Any] = _NOTHING) -> CursorResult[Any]:
        """Run it; `bound`: values of parameters that it has by name."""
        values = self.text.bound({**self.values, **bound})
        return conn.exec_driver_sql(self.text.text, values, execution_options={"preserve_rowcount": True})


@dataclass(frozen=True, slots=True)
class TimedRows:
    """A Select about an instant, to be read, written or compared by a statement that is kept.

    `what` and the `owners` (rule, settings) name it: all that it depends on but time. `by_days` False: time in it is
    counted in business days, so no two days share it. `bound`: values of parameters that it has by name.
    """

    what: str
    owners: Sequence[object]
    when: When
    build: Callable[[Instant], Select[Any]]
    by_days: bool = True
    bound: Mapping[str, Any] = field(default_factory=dict)

    def run(self, conn: Connection, purpose: str, change: Change) -> CursorResult[Any]:
        """Run the statement that `change` makes of the rows and their instant; `purpose` tells those of the same rows apart."""
        return self.ready(conn.dialect, purpose, change).run(conn, self.bound)

    def ready(self, dialect: Dialect, purpose: str, change: Change) -> Ready:
        """The statement that `run` runs: built beforehand, while nobody waits, or to be run several times."""
        build, when = lambda at: change(self.build(at), at), self.when
        entry = _SHELF.entry((dialect.name, f"{purpose} {self.what}"), self.owners, by_days=self.by_days)
        kept = entry.kept
        holds = kept is not None and kept.day in (None, when.day)
        found = kept if kept is not None and holds else _learned(dialect, entry, when, build)
        return Ready(found.text, found.values(when)) if isinstance(found, _Kept) else Ready(found, found.values)

    def read(self, conn: Connection) -> CursorResult[Any]:
        """The rows themselves."""
        return self.run(conn, "read", lambda rows, _: rows)


Rows = Select[Any] | TimedRows
"""What is computed; where it is timed, the statement around it is kept from one evaluation to the next."""


def run_on(
    conn: Connection, purpose: str, rows: Rows, change: Callable[[Select[Any]], Executable]
) -> CursorResult[Any]:
    """Run the statement that `change` makes of the rows, kept where they are timed."""
    if isinstance(rows, TimedRows):
        return rows.run(conn, purpose, lambda found, _: change(found))
    return conn.execute(change(rows), execution_options={"preserve_rowcount": True})


def _learned(dialect: Dialect, entry: _Entry, when: When, build: Build) -> _Kept | _Text:
    """The statement for an instant: of the first run alone, then, from what has been built, one to be kept."""
    at, seen = when.as_of, entry.seen
    if seen is not None and seen[0] == at:
        return seen[1]
    if seen is not None and not entry.lost:
        kept = _of_all_days(dialect, seen, when, build) if entry.by_days else None
        kept = kept or _of_the_day(dialect, when, build)
        if kept is not None:
            entry.kept = kept
            return kept
        entry.lost = True
    made = _compiled(dialect, build(at))
    entry.seen = (at, made)
    return made


def _of_all_days(dialect: Dialect, seen: tuple[Instant, _Text], when: When, build: Build) -> _Kept | None:
    """The statement for good, by what was built before and one more of another day."""
    then, made = seen
    other = when.as_of if when.today(then) != when.day else when.as_of - _DAYS_APART
    return _compared(made, When(then, when.today), other, _compiled(dialect, build(other)))


def _of_the_day(dialect: Dialect, when: When, build: Build) -> _Kept | None:
    """The statement for all instants of this day."""
    made = _compiled(dialect, build(when.as_of))
    for at in (when.as_of + _NEAR, when.as_of - _NEAR):
        if when.today(at) == when.day and (found := _compared(made, when, at, _compiled(dialect, build(at)))):
            return _Kept(found.text, found.moving, {}, when.day)
    return None


def _compared(made: _Text, when: When, at: Instant, other: _Text) -> _Kept | None:
    """What moves in a statement, as it looks `at` another instant; None: something moves in another way."""
    if other.text != made.text:
        return None
    moving, dated = {}, {}
    for name, value in made.values.items():
        moved = other.values[name]
        if moved == value:
            continue
        if not isinstance(value, int) or not isinstance(moved, int):
            return None
        if moved - value == at - when.as_of:
            moving[name] = value - when.as_of
        elif moved - value == when.today(at) - when.day:
            dated[name] = value - when.day
        else:
            return None
    return _Kept(made, moving, dated, None)


def _compiled(dialect: Dialect, statement: Executable) -> _Text:
    compiled: Any = statement.compile(dialect=dialect, compile_kwargs=_RENDERED)  # type: ignore[attr-defined]
    return _Text(str(compiled), compiled.params, compiled.positiontup)
