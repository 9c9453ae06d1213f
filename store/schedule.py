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
    """A run begins; its due instant stays, so that a killed run is due again."""
    connection.execute(update(schedule).where(schedule.c.task == task).values(last_started=now))


def ended(connection: Connection, task: str, now: Instant, next_due: Instant, trouble: str | None) -> None:
    """A run is over, well or not (`trouble`); the task is due again at `next_due`."""
    values: dict[str, object] = {"next_due": next_due, "trouble": trouble}
    if trouble is None:
        values["last_completed"] = now
    connection.execute(update(schedule).where(schedule.c.task == task).values(values))


def move(connection: Connection, tasks: Sequence[str], next_due: Instant) -> None:
    """Make tasks due at another instant."""
    connection.execute(update(schedule).where(schedule.c.task.in_(tasks)).values(next_due=next_due))
