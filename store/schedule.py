"""When each task is due next: one row per task, the truth that a restart finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from store.records import Instant
from store.tables import schedule


@dataclass(frozen=True, slots=True)
class Row:
    """One task. `trouble` says why its last run failed."""

    task: str
    next_due: Instant
    last_started: Instant | None
    last_completed: Instant | None
    trouble: str | None


def rows(connection: Connection) -> Mapping[str, Row]:
    """Every task by its name."""
    statement = select(
        schedule.c.task, schedule.c.next_due, schedule.c.last_started, schedule.c.last_completed, schedule.c.trouble
    ).order_by(schedule.c.next_due, schedule.c.task)
    return {row.task: Row(*row) for row in connection.execute(statement)}


def put(connection: Connection, first_due: Mapping[str, Instant]) -> None:
    """Add the tasks that have no row yet, due when given, and drop the rows of tasks that are no longer configured."""
    known = set(connection.scalars(select(schedule.c.task)))
    new = [{"task": task, "next_due": due} for task, due in first_due.items() if task not in known]
    if new:
        connection.execute(insert(schedule), new)
    gone = sorted(known - set(first_due))
    if gone:
        connection.execute(delete(schedule).where(schedule.c.task.in_(gone)))


def started(connection: Connection, task: str, now: Instant) -> None:
    """A run begins; its due instant stays, so that a killed run is due again. It serves the hints that came before it."""
    connection.execute(update(schedule).where(schedule.c.task == task).values(last_started=now, hinted_for=None))


def ended(connection: Connection, task: str, now: Instant, next_due: Instant, trouble: str | None) -> None:
    """A run is over, well or not (`trouble`); the task is due again at `next_due`, or sooner for a hint during the run."""
    this = schedule.c.task == task
    hinted = connection.execute(select(schedule.c.hinted_for).where(this)).scalar()
    due = next_due if hinted is None else min(next_due, max(hinted, now))
    values: dict[str, object] = {"next_due": due, "trouble": trouble, "hinted_for": None}
    if trouble is None:
        values["last_completed"] = now
    connection.execute(update(schedule).where(this).values(values))


def move(connection: Connection, tasks: Sequence[str], next_due: Instant) -> None:
    """Make tasks due at another instant."""
    connection.execute(update(schedule).where(schedule.c.task.in_(tasks)).values(next_due=next_due))


def hint(connection: Connection, task: str, now: Instant, *, settle: Instant, gap: Instant) -> bool:
    """Make a task due `settle` microseconds from now, but not within `gap` of its last start, and never later than it
    is. True = it is due sooner than before, or will be once the run that is going on has ended.
    """
    this = schedule.c.task == task
    row = connection.execute(select(schedule).where(this)).one_or_none()
    if row is None:
        return False
    wanted = max(now + settle, (row.last_started or 0) + gap)
    if row.next_due <= now:  # due or running: what is read already may be from before the change
        if row.hinted_for is not None and row.hinted_for <= wanted:
            return False
        connection.execute(update(schedule).where(this).values(hinted_for=wanted))
        return True
    if row.next_due <= wanted:
        return False
    connection.execute(update(schedule).where(this).values(next_due=wanted))
    return True
