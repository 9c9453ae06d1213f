"""Writes the product-usage feed as CSV files: one for the history, one for each scenario day."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from sandbox.world.model import DAY, UsagePoint, World
from sandbox.world.when import HOUR

_EPOCH = date(1970, 1, 1)
HEADER = ("date", "workspace", "active_users", "active_users_28d")
HISTORY_FILE = "usage-history.csv"
WRITTEN_AT = 5 * HOUR
"""Time of day at which the day's file is there."""


def write_usage(world: World, directory: Path, now: int) -> None:
    """Writes every file that is due at `now` (UTC microseconds) and not there yet; a second call changes nothing."""
    write_history(world, directory, now)
    for day in range(_first_day(world), (now - WRITTEN_AT) // DAY + 1):
        write_day(world, directory, day)


def write_history(world: World, directory: Path, now: int) -> None:
    """Writes the samples of all days before the first evaluation's day, once. `now` is not before those days' end."""
    target = directory / HISTORY_FILE
    last = min(_first_day(world) - 1, (now - WRITTEN_AT) // DAY)
    if not target.exists():
        _write(world, target, sorted((p for p in world.usage if p.day <= last), key=lambda p: (p.day, p.account)))


def write_day(world: World, directory: Path, day: int) -> None:
    """Writes the file of one scenario day (days since 1970), once; nothing for a day without samples."""
    target = directory / f"usage-{iso(day)}.csv"
    points = [p for p in world.usage if p.day == day]
    if points and day >= _first_day(world) and not target.exists():
        _write(world, target, sorted(points, key=lambda p: p.account))


def iso(day: int) -> str:
    """Days since 1970 as YYYY-MM-DD."""
    return (_EPOCH + timedelta(days=day)).isoformat()


def _first_day(world: World) -> int:
    return world.start // DAY


def _write(world: World, target: Path, points: Iterable[UsagePoint]) -> None:
    """Under another name first: a reader never sees half a file."""
    workspaces = {c.key: c.workspace for c in world.companies}
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(".part")
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(HEADER)
        rows.writerows((iso(p.day), workspaces[p.account], p.active_users, p.active_users_28d) for p in points)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(target)
