"""Answers to surveys come in as a feed: joined like usage, counted once, and refused with what to write instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from connectors.usage.connector import UsageConnector
from connectors.usage.settings import UsageSettings
from daemon.sync import SyncRun, run_sync
from sandbox.clock import ScenarioClock
from store import tables as t
from store.engine import Store
from store.records import DAY
from tests.clocks import StepClock

NOW = 20_514 * DAY
HEADER = "id,date,workspace,kind,value\n"


def settings(**also: Any) -> UsageSettings:
    """CSV files of answers."""
    return UsageSettings.model_validate({"kind": "usage", "content": "surveys", "files": ["*.csv"]} | also)


def sync(store: Store, folder: Path, **also: Any) -> SyncRun:
    """One sync."""
    clock = StepClock(ScenarioClock(NOW))
    return run_sync(store, "surveys", UsageConnector(settings(**also), clock, folder), clock)


def answers(store: Store) -> list[tuple[Any, ...]]:
    """Answers as (id, key, user, kind, value, day)."""
    c = t.survey_answers.c
    with store.read() as conn:
        rows = conn.execute(select(c.id, c.key, c.user, c.kind, c.value, c.at).order_by(c.id)).all()
    return [(*row[:5], row.at // DAY) for row in rows]


def test_answers_are_kept_once_in_their_unit(sqlite_store: Store, tmp_path: Path) -> None:
    """NPS as it is, CSAT in hundredths of a percent; the same file again changes nothing, a mended answer one row."""
    file = tmp_path / "a.csv"
    file.write_text(HEADER + "1,2026-02-20,ws-1,NPS,9\n2,2026-02-21,ws-1,csat,66.666\n")
    sync(sqlite_store, tmp_path)
    assert [("1", "ws-1", "", "nps", 9, 20_504), ("2", "ws-1", "", "csat", 6_667, 20_505)] == answers(sqlite_store)
    file.write_text(HEADER + "1,2026-02-20,ws-1,NPS,7\n2,2026-02-21,ws-1,csat,66.666\n")
    sync(sqlite_store, tmp_path)
    assert [7, 6_667] == [row[4] for row in answers(sqlite_store)]


@pytest.mark.parametrize(("given", "kept"), [("1", 0), ("2", 2_500), ("4.5", 8_750), ("5", 10_000)])
def test_csat_of_another_scale_becomes_percent(sqlite_store: Store, tmp_path: Path, given: str, kept: int) -> None:
    """One to five: one is 0 %, five 100 %."""
    (tmp_path / "a.csv").write_text(HEADER + f"1,2026-02-20,ws-1,csat,{given}\n")
    sync(sqlite_store, tmp_path, csat_scale=[1, 5])
    assert [kept] == [row[4] for row in answers(sqlite_store)]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (",2026-02-20,ws-1,nps,9", "`id` is empty: every answer has an id, so that it counts once"),
        ("1,2026-02-20,ws-1,ces,9", "`kind` is 'ces': write one of csat, nps"),
        ("1,2026-02-20,ws-1,,9", "`kind` is empty: write csat or nps"),
        ("1,2026-02-20,ws-1,nps,11", "`value` is '11': an answer to an NPS question is a whole number from 0 to 10"),
        ("1,2026-02-20,ws-1,nps,7.5", "`value` is '7.5': an answer to an NPS question is a whole number from 0 to 10"),
        ("1,2026-02-20,ws-1,csat,101", "`value` is '101': a CSAT answer lies between 0 and 100: mend it, or `csat_scale`"),
        ("1,2026-02-20,ws-1,nps,", "`value` is empty: every answer has a number"),
        ("1,2026-02-20,,nps,9", "`workspace` is empty: every row names its account"),
    ],
)  # fmt: skip
def test_bad_answer_is_left_out_and_named(sqlite_store: Store, tmp_path: Path, row: str, says: str) -> None:
    """File, line, what is wrong, what to write; the good row beside it is kept."""
    (tmp_path / "a.csv").write_text(HEADER + row + "\n9,2026-02-20,ws-1,nps,9\n")
    sync(sqlite_store, tmp_path)
    with sqlite_store.read() as conn:
        detail = conn.execute(select(t.freshness.c.detail).where(t.freshness.c.stream == "surveys")).scalar_one()
    assert f"a.csv:2: {says}" == detail
    assert ["9"] == [row[0] for row in answers(sqlite_store)]


@pytest.mark.parametrize(
    ("also", "says"),
    [
        ({"csat_scale": [5, 1]}, "`csat_scale` names the worst answer first, then the best"),
        ({"content": "features", "csat_scale": [1, 5]}, "`csat_scale` is for surveys"),
    ],
)
def test_scale_that_means_nothing_is_refused(also: dict[str, Any], says: str) -> None:
    """Before anything is read."""
    with pytest.raises(ValidationError, match=says):
        settings(**also)
