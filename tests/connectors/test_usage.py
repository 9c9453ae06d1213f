"""The usage connector: files and queries become samples once, and a bad row says where it is."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import subprocess
import sys
import tracemalloc
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
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
    ("line", "remedy"),
    [
        ("2026-02-21,ws-1,many,9", "write a number"),
        ("20.02.2026,ws-1,5,9", "write a date as"),
        ("ann@acme.test,ws-1,5,9", "`date` is a text of 13 characters"),
        ("1926-02-20,ws-1,5,9", "between the years"),
        ("2026-02-20,,5,9", "every row names its account"),
        ("2026-02-20,ws-1,5", "as many fields as the header"),
        ("2026-02-20,ws-1,-5,9", "zero or more"),
        ("2026-02-20,ws\x00-1,5,9", "characters that no name has"),
        ('2026-02-20,"ws-1"x,5,9', "mend the quotes"),
    ],
)
def test_a_bad_row_is_named_and_the_rest_goes_on(sqlite_store: Store, folder: Path, line: str, remedy: str) -> None:
    """The message has file, line and remedy; the file's other rows are there, and the feed is as fresh as it can be."""
    (folder / "usage/bad.csv").write_text(HEADER + line + "\n2026-02-22,ws-2,7,8\n")
    run = sync(sqlite_store, folder)
    assert "partial" == run.status
    assert "usage/bad.csv:2: " in run.troubles["samples"]
    assert remedy in run.troubles["samples"]
    assert {"ws-1", "ws-2"} == {key for key, *_ in samples(sqlite_store)}
    assert sync(sqlite_store, folder).troubles == run.troubles, "it is said until the file is mended"
    with sqlite_store.read() as conn:
        assert NOW == conn.execute(select(t.freshness.c.fresh_at)).scalar()
    (folder / "usage/bad.csv").write_text(HEADER + "2026-02-22,ws-2,7,8\n")
    assert ("ok", {}) == ((mended := sync(sqlite_store, folder)).status, mended.troubles)


def test_many_bad_rows_are_counted(sqlite_store: Store, folder: Path) -> None:
    """The first few are named, the others are a number."""
    (folder / "usage/bad.csv").write_text(HEADER + "2026-02-21,ws-1,many,9\n" * 50)
    said = sync(sqlite_store, folder).troubles["samples"]
    assert "usage/bad.csv:4" in said
    assert "usage/bad.csv:5" not in said
    assert said.endswith("and 47 more such rows")


def test_a_file_without_a_needed_column_is_refused_whole(sqlite_store: Store, folder: Path) -> None:
    """One message, not one per row; the other file is read, and the feed is not called complete."""
    (folder / "usage/bad.csv").write_text("day,workspace\n" + "2026-02-20,ws-1\n" * 9)
    run = sync(sqlite_store, folder)
    assert "usage/bad.csv: there is no column `date`" in run.troubles["samples"]
    assert 2 == len(samples(sqlite_store))
    with sqlite_store.read() as conn:
        assert conn.execute(select(t.freshness.c.fresh_at)).scalar() is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "b.csv: is empty: write at least the header"),
        (b"\xff\xfe\x00bin,\x1b[2J\n1,2\n", "(columns: ???bin, ?[2J)"),
    ],
)
def test_a_file_that_is_no_export_is_told_in_plain_words(store: Store, folder: Path, content: bytes, said: str) -> None:
    """Neither an empty file nor any bytes in place of a header end the run; what is told fits into every database."""
    (folder / "usage/b.csv").write_bytes(content)
    run = sync(store, folder)
    assert ("partial", True) == (run.status, said in run.troubles["samples"])
    assert 2 == len(samples(store))


def test_a_file_that_grows_is_left_for_the_next_time(sqlite_store: Store, folder: Path) -> None:
    """Size and time are looked at twice: what somebody writes in between is not taken half."""
    growing = folder / "usage/b.csv"
    growing.write_text(HEADER + "2026-02-21,ws-1,6,9\n")

    class Writing(StepClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            with growing.open("a") as file:
                file.write("2026-02-22,ws-1,7,9\n")

    clock = Writing(ScenarioClock(NOW))
    run = run_sync(sqlite_store, "usage", UsageConnector(settings(), clock, folder), clock)
    assert ("ok", {20_504}) == (run.status, {day for _, _, day, *_ in samples(sqlite_store)})
    sync(sqlite_store, folder)
    assert {20_504, 20_505, 20_506} == {day for _, _, day, *_ in samples(sqlite_store)}
    assert all(day == recorded for _, _, day, _, recorded in samples(sqlite_store)), "still the first read: history"


def test_unfinished_names_and_missing_markers_are_not_read(sqlite_store: Store, folder: Path) -> None:
    """Temporary names never; with `marker` a file waits for the file that says it is done."""
    (folder / "usage/b.csv.part").write_text("half")
    (folder / "usage/.hidden.csv").write_text("half")
    assert "ok" == sync(sqlite_store, folder).status
    (folder / "usage/c.csv").write_text(HEADER + "2026-02-22,ws-9,7,8\n")
    assert "no file matches" in sync(sqlite_store, folder, marker=".done").troubles["samples"]
    (folder / "usage/c.csv.done").touch()
    assert 2 == sync(sqlite_store, folder, marker=".done").saved.changed


def test_a_file_is_read_again_when_its_content_changes(sqlite_store: Store, folder: Path) -> None:
    """A new stamp alone is none; a corrected number replaces the old one and is not added to it."""
    sync(sqlite_store, folder)
    os.utime(folder / "usage/a.csv", ns=(1, 1))
    assert 0 == sync(sqlite_store, folder).saved.seen
    (folder / "usage/a.csv").write_text(HEADER + "2026-02-20,ws-1,4,9\n")
    assert 1 == sync(sqlite_store, folder).saved.changed
    assert {4.0, 9.0} == {value for _, _, _, value, _ in samples(sqlite_store)}


@pytest.mark.parametrize("packed", [False, True])
def test_jsonl_and_gzip_hold_nested_events(sqlite_store: Store, tmp_path: Path, packed: bool) -> None:
    """A column's name may be a path; one metric a row; a file that ends in mid-air is said and tried again."""
    (tmp_path / "usage").mkdir()
    row = {"at": 1_771_545_600_000, "props": {"plan": {"ws": "w"}}, "name": "jobs", "n": "3"}
    content = (json.dumps(row) + "\n" + json.dumps(row | {"name": "other"}) + "\n").encode()
    columns = {"key": "props.plan.ws", "at": "at", "metric": "name", "value": "n"}
    path = tmp_path / ("usage/a.json.gz" if packed else "usage/a.jsonl")
    path.write_bytes(gzip.compress(content) if packed else content)
    assert "ok" == sync(sqlite_store, tmp_path, columns=columns, metrics=["jobs"]).status
    assert [("w", "jobs", 20_504, 3.0, 20_504)] == samples(sqlite_store)
    if packed:
        path.write_bytes(gzip.compress(content * 2)[:-9])
        assert (
            "cannot be unpacked" in sync(sqlite_store, tmp_path, columns=columns, metrics=["jobs"]).troubles["samples"]
        )


def test_parquet_is_read_in_groups_of_rows(sqlite_store: Store, tmp_path: Path) -> None:
    """Typed columns as they are; a file that is none is said."""
    (tmp_path / "usage").mkdir()
    days = [date(2026, 2, 20), date(2026, 2, 21)]
    table = pyarrow.table({"date": days, "workspace": ["ws", "ws"], "active_users": [3, None]})
    pyarrow.parquet.write_table(table, tmp_path / "usage/a.parquet")
    (tmp_path / "usage/b.parquet").write_bytes(b"PAR1 no")
    run = sync(sqlite_store, tmp_path, metrics=["active_users"])
    assert "usage/b.parquet: no valid Parquet" in run.troubles["samples"]
    assert [("ws", "active_users", 20_504, 3.0, 20_504)] == samples(sqlite_store)


def test_parquet_without_its_library_says_what_to_install(tmp_path: Path) -> None:
    """A program without pyarrow names the extra; nothing else fails."""
    (tmp_path / "usage").mkdir()
    (tmp_path / "usage/a.parquet").write_bytes(b"PAR1")
    program = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path; from connectors.usage.files import lines\n"
        f"lines(Path({str(tmp_path / 'usage/a.parquet')!r})).__enter__()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert "pip install 'tierd[parquet]'" in done.stderr


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
    lacking = sync(sqlite_store, tmp_path, files=[], url=url, query="select date, workspace from usage")
    assert "query: there is no column `active_users`" in lacking.troubles["samples"]


def test_a_large_file_is_read_in_bounded_memory(folder: Path) -> None:
    """Twice the rows take no more memory, and no batch is larger than the others."""

    def peak(rows: int) -> int:
        (folder / "usage/a.csv").write_text(HEADER + "2026-02-20,ws-1,5,9\n" * rows)
        tracemalloc.start()
        sizes = [
            len(event.records)
            for event in UsageConnector(settings(), StepClock(ScenarioClock(NOW)), folder).sync({})
            if isinstance(event, Batch)
        ]
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (2 * rows, 5_000) == (sum(sizes), max(sizes))
        return found

    assert peak(20_000) < peak(10_000) * 1.2
