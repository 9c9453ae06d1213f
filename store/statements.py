"""Statements that are built and compiled once a day and run at every instant of it: building one takes longer than running it.

A statement about an instant binds that instant, and others at fixed distances from it. Which ones those are is found by
building it for two instants of one day: a value that moved as far as the instant moves with it, one that did not move
is the same all day. Any other difference means that the statement cannot be shared, and it is built each time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable, Select
from sqlalchemy.engine import Dialect

from store.records import HOUR, Day, Instant

Build = Callable[[Instant], Executable]
Change = Callable[[Select[Any], Instant], Executable]

_APART = 6 * HOUR + 7
"""Between the two instants; of the one before and the one after, at least one is on the same day."""
_MOST = 500
_RENDERED: Mapping[str, Any] = {"render_postcompile": True}


@dataclass(frozen=True, slots=True)
class _Kept:
    """One compiled statement; `moving` holds the distances from the instant, microseconds, by parameter."""

    owners: Sequence[object]
    day: Day
    text: str
    fixed: Mapping[str, Any]
    moving: Mapping[str, int]
    order: Sequence[str] | None

    def values(self, as_of: Instant) -> Any:
        """The parameters at an instant, as the driver wants them."""
        found = {**self.fixed, **{name: as_of + distance for name, distance in self.moving.items()}}
        return found if self.order is None else tuple(found[name] for name in self.order)


class Statements:
    """The compiled statements of one store; threads may share it."""

    def __init__(self) -> None:
        self._kept: dict[tuple[object, ...], _Kept | None] = {}
        self._lock = threading.Lock()

    def run(
        self, conn: Connection, what: str, owners: Sequence[object], as_of: Instant, *, day: Day, build: Build
    ) -> CursorResult[Any]:
        """Run what `build` makes for `as_of`, which falls on `day` in the configured zone.

        `what` and the identity of the `owners` (rule, settings) name the statement: all that it depends on but time.
        """
        key = (what, *map(id, owners))
        with self._lock:
            kept, known = self._kept.get(key), key in self._kept
        if not known or (kept is not None and not self._fits(kept, owners, day)):
            kept = _prepare(conn.dialect, owners, as_of, day, build)
            with self._lock:
                if len(self._kept) >= _MOST:
                    self._kept.clear()
                self._kept[key] = kept
        if kept is None:
            return conn.execute(build(as_of), execution_options={"preserve_rowcount": True})
        options = {"preserve_rowcount": True}
        return conn.exec_driver_sql(kept.text, kept.values(as_of), execution_options=options)

    def rows(
        self, what: str, owners: Sequence[object], as_of: Instant, day: Day, build: Callable[[Instant], Select[Any]]
    ) -> TimedRows:
        """Rows of an instant, to be written or compared by a statement that is kept; see `run`."""
        return TimedRows(self, what, owners, as_of, day, build)

    @staticmethod
    def _fits(kept: _Kept, owners: Sequence[object], day: Day) -> bool:
        return kept.day == day and all(a is b for a, b in zip(kept.owners, owners, strict=True))


class Unkept(Statements):
    """Keeps nothing: for instants of many days, of which no two share a statement."""

    def run(
        self, conn: Connection, what: str, owners: Sequence[object], as_of: Instant, *, day: Day, build: Build
    ) -> CursorResult[Any]:
        """Build the statement and run it."""
        del what, owners, day
        return conn.execute(build(as_of), execution_options={"preserve_rowcount": True})


@dataclass(frozen=True, slots=True)
class TimedRows:
    """A Select that is only built where no compiled statement around it is kept."""

    statements: Statements
    what: str
    owners: Sequence[object]
    as_of: Instant
    day: Day
    build: Callable[[Instant], Select[Any]]

    def run(self, conn: Connection, purpose: str, change: Change) -> CursorResult[Any]:
        """Run the statement that `change` makes of the rows and their instant; `purpose` tells those of the same rows apart."""
        what = f"{purpose} {self.what}"
        build = lambda at: change(self.build(at), at)  # noqa: E731
        return self.statements.run(conn, what, self.owners, self.as_of, day=self.day, build=build)


def _prepare(dialect: Dialect, owners: Sequence[object], as_of: Instant, day: Day, build: Build) -> _Kept | None:
    text, values, order = _compiled(dialect, build(as_of))
    for distance in (_APART, -_APART):
        other_text, other, _ = _compiled(dialect, build(as_of + distance))
        if other_text != text:
            continue
        moved = {name for name, value in values.items() if other[name] != value}
        if all(_moved_by(values[name], other[name], distance) for name in moved):
            fixed = {name: value for name, value in values.items() if name not in moved}
            return _Kept(owners, day, text, fixed, {name: values[name] - as_of for name in moved}, order)
    return None


def _moved_by(before: object, after: object, distance: int) -> bool:
    return isinstance(before, int) and isinstance(after, int) and after - before == distance


def _compiled(dialect: Dialect, statement: Executable) -> tuple[str, Mapping[str, Any], Sequence[str] | None]:
    compiled: Any = statement.compile(dialect=dialect, compile_kwargs=_RENDERED)  # type: ignore[attr-defined]
    return str(compiled), compiled.params, compiled.positiontup
