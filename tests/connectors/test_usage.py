"""The usage connector: files and queries become samples once, and a bad row says where it is."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connectors.usage.connector import UsageConnector
from connectors.usage.settings import UsageSettings
from daemon.sync import SyncRun, run_sync
from sandbox.clock import ScenarioClock
from store import tables as t
from store.engine import Store
from store.records import DAY, Batch
from store.sync import save_batch
from tests.clocks import StepClock

NOW = 20_514 * DAY
HEADER = "date,workspace,active_users,active_users_28d\n"


def settings(**also: Any) -> UsageSettings:
    """CSV files with two metrics."""
    values: dict[str, Any] = {"kind": "usage", "files": ["usage/*"], "metrics": ["active_users", "active_users_28d"]}
    return UsageSettings.model_validate(values | also)


def sync(store: Store, folder: Path, **also: Any) -> SyncRun:
    """One sync."""
    clock = StepClock(ScenarioClock(NOW))
    return run_sync(store, "usage", UsageConnector(settings(**also), clock, folder), clock)


def samples(store: Store) -> list[tuple[Any, ...]]:
    """Samples as (key, metric, day, value, recorded day)."""
    c = t.usage_samples.c
    with store.read() as conn:
        rows = conn.execute(select(c.key, c.metric, c.at, c.value, c.recorded_at)).all()
    return sorted((r.key, r.metric, r.at // DAY, r.value, r.recorded_at // DAY) for r in rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one day's file."""
    (tmp_path / "usage").mkdir()
    (tmp_path / "usage/a.csv").write_text(HEADER + "2026-02-20,ws-1,5,9\n")
    return tmp_path


def test_history_counts_as_known_on_its_day_and_news_from_when_it_was_read(sqlite_store: Store, folder: Path) -> None:
    """The second clock of the first read is the sample's own day."""
    sync(sqlite_store, folder)
    (folder / "usage/b.csv").write_text(HEADER + "2026-03-01,ws-1,6,\n")
    run = sync(sqlite_store, folder)
    assert ("ok", 1) == (run.status, run.saved.changed)
    day, later, today = 20_504, 20_513, 20_514
    expected = [
        ("ws-1", "active_users", day, 5.0, day),
        ("ws-1", "active_users", later, 6.0, today),
        ("ws-1", "active_users_28d", day, 9.0, day),
    ]
    assert expected == samples(sqlite_store)


def test_first_read_that_is_cut_short_goes_on_as_one(sqlite_store: Store, folder: Path) -> None:
    """Files that a killed first read had not come to are history too."""
    (folder / "usage/b.csv").write_text(HEADER + "2026-02-21,ws-1,6,\n")
    cut_short = UsageConnector(settings(), StepClock(ScenarioClock(NOW)), folder).sync({})
    first = next(iter(cut_short))
    assert isinstance(first, Batch)
    with sqlite_store.write() as conn:
        save_batch(conn, "usage", first, NOW)
    sync(sqlite_store, folder)
    assert {20_504: 20_504, 20_505: 20_505} == {day: recorded for _, _, day, _, recorded in samples(sqlite_store)}


def test_files_that_did_not_change_are_not_read_again(sqlite_store: Store, folder: Path) -> None:
    """A second sync sees no row and moves no cursor."""
    sync(sqlite_store, folder)
    run = sync(sqlite_store, folder)
    assert ("ok", 0, 0) == (run.status, run.saved.seen, run.saved.changed)


@pytest.mark.parametrize(
    ("text", "place", "remedy"),
    [
        (HEADER + "2026-02-20,ws-1,5,9\n2026-02-21,ws-1,many,9\n", "usage/bad.csv:3", "write a number"),
        (HEADER + "20.02.2026,ws-1,5,9\n", "usage/bad.csv:2", "write a date as"),
        (HEADER + "2026-02-20,,5,9\n", "usage/bad.csv:2", "every row names its account"),
        (HEADER + "2026-02-20,ws-1,5\n", "usage/bad.csv:2", "as many fields as the header"),
        (HEADER + "2026-02-20,ws-1,-5,9\n", "usage/bad.csv:2", "zero or more"),
        ("day,workspace\n2026-02-20,ws-1\n", "usage/bad.csv:2", "there is no column `date`"),
    ],
)
def test_a_bad_row_applies_nothing_of_its_file(
    sqlite_store: Store, folder: Path, text: str, place: str, remedy: str
) -> None:
    """The message names file, line and remedy; the other file is read all the same."""
    (folder / "usage/bad.csv").write_text(text)
    run = sync(sqlite_store, folder)
    assert "partial" == run.status
    assert place in run.troubles["samples"]
    assert remedy in run.troubles["samples"]
    assert 2 == len(samples(sqlite_store))


def test_jsonl_is_read_too(sqlite_store: Store, tmp_path: Path) -> None:
    """One object a line; a broken line is named."""
    (tmp_path / "usage").mkdir()
    good = '{"date": "2026-02-20T00:00:00Z", "workspace": "ws", "active_users": 1, "active_users_28d": 2}\n'
    (tmp_path / "usage/a.jsonl").write_text(good)
    (tmp_path / "usage/b.jsonl").write_text(good + "{oops\n")
    run = sync(sqlite_store, tmp_path)
    assert "usage/b.jsonl:2: no valid JSON" in run.troubles["samples"]
    assert 2 == len(samples(sqlite_store))


def test_no_file_is_said(sqlite_store: Store, tmp_path: Path) -> None:
    """A pattern that matches nothing is a fault of the configuration, not silence."""
    assert "no file matches usage/*" in sync(sqlite_store, tmp_path).troubles["samples"]


def test_a_query_on_a_foreign_database(sqlite_store: Store, tmp_path: Path) -> None:
    """Rows of a query are samples; the query may not write."""
    path = tmp_path / "feed.db"
    with sqlite3.connect(path) as feed:
        feed.execute("create table usage (date text, workspace text, active_users int, active_users_28d int)")
        feed.execute("insert into usage values ('2026-02-20', 'ws', 3, 4)")
    feed.close()
    url = f"sqlite:///{path}"
    assert "ok" == sync(sqlite_store, tmp_path, files=[], url=url, query="select * from usage").status
    assert 2 == len(samples(sqlite_store))
    run = sync(sqlite_store, tmp_path, files=[], url=url, query="delete from usage")
    assert "failed" == run.status
    assert "check `url` and `query`" in run.troubles["samples"]
