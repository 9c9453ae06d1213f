"""A task runs when it is due, once for all it missed, and again after a kill."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from daemon.schedule import At, Every, Schedule, Task
from store.engine import Store
from store.records import DAY, HOUR, MINUTE, SECOND
from store.schedule import rows
from store.tables import schedule as table

MIDNIGHT = 20_500 * DAY  # a day's first instant
SIX = MIDNIGHT + 6 * HOUR


def _schedule(store: Store) -> Schedule:
    tasks = (Task("evaluate", At("06:00"), lambda _: None), Task("sync:crm", Every(5 * MINUTE), lambda _: None))
    return Schedule(store, tasks)


def test_new_tasks_start_at_once_or_at_their_hour(store: Store) -> None:
    """An interval task is due immediately, a daily one at its next hour."""
    schedule = _schedule(store)
    schedule.prepare(SIX - HOUR)
    assert [due.task.name for due in schedule.due(SIX - HOUR, schedule.names())] == ["sync:crm"]
    assert schedule.next(SIX - HOUR, ["evaluate"]) == SIX


def test_daily_task_created_at_its_very_instant_is_due(sqlite_store: Store) -> None:
    """06:00:00.000000 itself is on the grid."""
    schedule = _schedule(sqlite_store)
    schedule.prepare(SIX)
    assert schedule.next(SIX, ["evaluate"]) == SIX


def test_late_daily_run_stands_for_its_due_instant(sqlite_store: Store) -> None:
    """A run that comes three hours late evaluates 06:00, and the next is tomorrow's."""
    schedule = _schedule(sqlite_store)
    schedule.prepare(SIX - HOUR)
    (due,) = schedule.due(SIX + 3 * HOUR, ["evaluate"])
    assert due.as_of == SIX
    schedule.ended(due, SIX + 3 * HOUR, None)
    assert schedule.next(SIX + 3 * HOUR, ["evaluate"]) == SIX + DAY


def test_missed_days_become_one_run_for_the_latest(sqlite_store: Store) -> None:
    """After five days off there is one evaluation, for this morning."""
    schedule = _schedule(sqlite_store)
    schedule.prepare(SIX - HOUR)
    now = SIX + 5 * DAY + 90 * MINUTE
    (due,) = schedule.due(now, ["evaluate"])
    assert due.as_of == SIX + 5 * DAY
    schedule.ended(due, now, None)
    assert schedule.due(now, ["evaluate"]) == []
    assert schedule.next(now, ["evaluate"]) == SIX + 6 * DAY


def test_hours_off_cost_an_interval_task_one_catch_up_run(sqlite_store: Store) -> None:
    """Down for five hours, a five-minute task runs once and is then on its grid again."""
    schedule = _schedule(sqlite_store)
    schedule.prepare(SIX)
    now = SIX + 5 * HOUR + 90 * SECOND
    (due,) = schedule.due(now, ["sync:crm"])
    assert due.as_of == now
    schedule.ended(due, now + 20 * SECOND, None)
    assert schedule.due(now + 20 * SECOND, ["sync:crm"]) == []
    assert schedule.next(now + 20 * SECOND, ["sync:crm"]) == SIX + 5 * HOUR + 5 * MINUTE


def test_killed_run_is_due_again(store: Store) -> None:
    """A run that began and never ended is found by the next process."""
    first = _schedule(store)
    first.prepare(SIX)
    (due,) = first.due(SIX, ["sync:crm"])
    first.started(due, SIX)
    second = _schedule(store)
    second.prepare(SIX + MINUTE)
    assert [due.task.name for due in second.due(SIX + MINUTE, ["sync:crm"])] == ["sync:crm"]


def test_failed_run_is_noted_and_due_at_its_next_instant(store: Store) -> None:
    """Trouble stays readable until a run goes well; the last good completion is not forgotten."""
    schedule = _schedule(store)
    schedule.prepare(SIX)
    (due,) = schedule.due(SIX, ["sync:crm"])
    schedule.ended(due, SIX + SECOND, None)
    (due,) = schedule.due(SIX + 5 * MINUTE, ["sync:crm"])
    schedule.ended(due, SIX + 5 * MINUTE, "host not found")
    with store.read() as connection:
        row = rows(connection)["sync:crm"]
    assert (row.trouble, row.last_completed, row.next_due) == ("host not found", SIX + SECOND, SIX + 10 * MINUTE)


def test_task_that_is_no_longer_configured_loses_its_row(store: Store) -> None:
    """A source that was taken out of tierd.yaml holds nobody up."""
    with store.write() as connection:
        connection.execute(insert(table).values(task="sync:old", next_due=1))
    schedule = _schedule(store)
    schedule.prepare(SIX)
    assert schedule.waits_for(SIX, "sync:old") == []


def test_evaluation_waits_for_syncs_that_were_due_before_it(store: Store) -> None:
    """A sync that is due and not over holds the evaluation up; once over, it does not."""
    schedule = _schedule(store)
    schedule.prepare(SIX - MINUTE)
    assert schedule.waits_for(SIX, "sync:") == ["sync:crm"]
    (due,) = schedule.due(SIX - MINUTE, ["sync:crm"])
    schedule.ended(due, SIX, None)
    assert schedule.waits_for(SIX, "sync:") == []


def test_weekly_task_keeps_to_its_hour(sqlite_store: Store) -> None:
    """Every seven days at 06:00: first a week ahead, and a week after the one that was due, also when it ran late."""
    schedule = Schedule(sqlite_store, [Task("sweep", At("06:00", days=7), lambda _: None)])
    schedule.prepare(SIX - HOUR)
    assert schedule.next(SIX, ["sweep"]) == SIX + 6 * DAY
    (due,) = schedule.due(SIX + 6 * DAY + 20 * HOUR, ["sweep"])
    assert due.as_of == SIX + 6 * DAY
    schedule.ended(due, SIX + 6 * DAY + 20 * HOUR, None)
    assert schedule.next(SIX + 7 * DAY, ["sweep"]) == SIX + 13 * DAY
    (missed,) = schedule.due(SIX + 15 * DAY + HOUR, ["sweep"])
    assert missed.as_of == SIX + 15 * DAY


def test_tasks_due_at_one_instant_run_in_the_order_in_which_they_are_named(sqlite_store: Store) -> None:
    """A sync comes before the sweeps that look at what it has missed."""
    tasks = [Task(name, At("06:00"), lambda _: None) for name in ("sweep:a", "sync:crm")]
    schedule = Schedule(sqlite_store, tasks)
    schedule.prepare(SIX)
    assert [due.task.name for due in schedule.due(SIX, ["sync:crm", "sweep:a"])] == ["sync:crm", "sweep:a"]


@pytest.mark.parametrize("back", [HOUR, 3 * DAY])
def test_wall_clock_set_back_delays_an_interval_task_by_one_interval_at_most(sqlite_store: Store, back: int) -> None:
    """A due instant far ahead of a clock that was set back is pulled in."""
    schedule = _schedule(sqlite_store)
    schedule.prepare(SIX)
    (due,) = schedule.due(SIX, ["sync:crm"])
    schedule.ended(due, SIX, None)
    assert [due.task.name for due in schedule.due(SIX - back, ["sync:crm"])] == ["sync:crm"]


def test_run_that_ends_at_once_is_not_due_again_within_its_interval(sqlite_store: Store) -> None:
    """Rounding in the trigger's arithmetic never makes a task spin."""
    schedule = _schedule(sqlite_store)
    schedule.prepare(SIX)
    now = SIX
    for _ in range(500):
        (due,) = schedule.due(now, ["sync:crm"])
        schedule.ended(due, now, None)
        assert schedule.due(now, ["sync:crm"]) == []
        following = schedule.next(now, ["sync:crm"])
        assert following is not None
        assert 5 * MINUTE - SECOND <= following - now <= 5 * MINUTE + SECOND
        now = following
