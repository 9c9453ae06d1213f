"""What is due: the store's rows are the truth, APScheduler's triggers only compute the next instant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter

from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from store import schedule as rows
from store.engine import Store
from store.records import DAY, SECOND, Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Every:
    """Due again and again, `interval` microseconds apart; a run's `as_of` is the instant it starts."""

    interval: Instant
    delay: Instant = 0
    """Microseconds before the very first run."""

    def next(self, due: Instant, now: Instant) -> Instant:
        """The first instant after `now` on the grid through `due`: missed ones are not made up for."""
        trigger = IntervalTrigger(seconds=self.interval / SECOND, start_date=_moment(due), timezone=UTC)
        return _instant(trigger.get_next_fire_time(None, _moment(max(now, due) + 1)))

    def first(self, now: Instant) -> Instant:
        """A new task of this kind is due at once, or after its delay."""
        return now + self.delay

    def as_of(self, due: Instant, now: Instant) -> Instant:
        """The instant a run stands for."""
        return max(due, now)


@dataclass(frozen=True, slots=True)
class At:
    """Due daily, or every so many days, at `clock` ("06:00", UTC); a run's `as_of` is the due instant itself, even when
    it runs late.
    """

    clock: str
    days: int = 1

    def next(self, due: Instant, now: Instant) -> Instant:
        """The next instant of the grid after both, `days` after the one that was due."""
        return self._after(max(now, due + (self.days - 1) * DAY))

    def first(self, now: Instant) -> Instant:
        """A new task of this kind waits for its hour."""
        return self.next(now - 1, now - 1)

    def as_of(self, due: Instant, now: Instant) -> Instant:
        """The latest instant of the grid that has passed: several missed runs become one."""
        return self._after(now - DAY) if now - due >= DAY else due

    def _after(self, instant: Instant) -> Instant:
        hour, minute = self.clock.split(":")
        trigger = CronTrigger(hour=int(hour), minute=int(minute), timezone=UTC)
        return _instant(trigger.get_next_fire_time(None, _moment(instant + 1)))


Trigger = Every | At


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do again and again. `run(as_of)` returns what went wrong in a sentence, or None."""

    name: str
    trigger: Trigger
    run: Callable[[Instant], str | None]


@dataclass(frozen=True, slots=True)
class Due:
    """A task that is due, and the instant its run stands for."""

    task: Task
    due: Instant
    as_of: Instant


class Schedule:
    """The tasks of this process over the store's rows."""

    def __init__(self, store: Store, tasks: Iterable[Task]) -> None:
        self._store = store
        self._tasks: Mapping[str, Task] = {task.name: task for task in tasks}

    def prepare(self, now: Instant) -> None:
        """Give new tasks a row and drop the rows of those that are no longer configured."""
        with self._store.read() as connection:
            found = rows.rows(connection)
        if set(found) != set(self._tasks):
            with self._store.write() as connection:
                rows.put(connection, {name: task.trigger.first(now) for name, task in self._tasks.items()})

    def due(self, now: Instant, names: Iterable[str]) -> list[Due]:
        """The tasks among `names` that are due, the longest overdue first; of several at one instant, as they are named."""
        tasks = sorted(
            ((due, name) for name, due in self._next_dues(now, names).items() if due <= now), key=itemgetter(0)
        )
        return [self._due(due, name, now) for due, name in tasks]

    def next(self, now: Instant, names: Iterable[str]) -> Instant | None:
        """When the first of these tasks is due; None = there are none."""
        return min(self._next_dues(now, names).values(), default=None)

    def _next_dues(self, now: Instant, names: Iterable[str]) -> Mapping[str, Instant]:
        with self._store.read() as connection:
            found = rows.rows(connection)
        return {
            name: _pulled_in(self._tasks[name].trigger, found[name].next_due, now) for name in names if name in found
        }

    def waits_for(self, as_of: Instant, prefix: str) -> list[str]:
        """The tasks below `prefix` that were due at or before `as_of` and are not over yet."""
        with self._store.read() as connection:
            found = rows.rows(connection)
        return [name for name, row in found.items() if name.startswith(prefix) and row.next_due <= as_of]

    def started(self, due: Due, now: Instant) -> None:
        """Note that a run begins."""
        with self._store.write() as connection:
            rows.started(connection, due.task.name, now)

    def ended(self, due: Due, now: Instant, trouble: str | None) -> None:
        """Note how a run ended, and when the task is due again."""
        following = due.task.trigger.next(due.due, max(now, due.as_of))
        with self._store.write() as connection:
            rows.ended(connection, due.task.name, now, following, trouble)

    def names(self, prefix: str = "") -> list[str]:
        """The names of the configured tasks that begin so."""
        return [name for name in self._tasks if name.startswith(prefix)]

    def _due(self, due: Instant, name: str, now: Instant) -> Due:
        task = self._tasks[name]
        return Due(task, due, task.trigger.as_of(due, now))


def _pulled_in(trigger: Trigger, next_due: Instant, now: Instant) -> Instant:
    """The due instant, or an earlier one where the wall clock was set back and left it more than a round ahead."""
    return trigger.first(now) if next_due > trigger.next(now, now) + SECOND else next_due


def _moment(at: Instant) -> datetime:
    return _EPOCH + timedelta(microseconds=at)


def _instant(moment: datetime | None) -> Instant:
    assert moment is not None  # neither trigger has an end
    return (moment - _EPOCH) // timedelta(microseconds=1)
