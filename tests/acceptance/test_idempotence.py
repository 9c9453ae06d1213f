"""Doing it twice: the same world gives the same bytes, and a second time nothing is left to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.serve import Settings
from store import findings
from tests.acceptance.world import Dump, Stage, stage, unlimited

pytestmark = pytest.mark.acceptance

WORLD = Settings(accounts=60, days=2, history_days=60)
AS_OF = "2026-03-02T06:00"
"""The world's first evaluation."""


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Everything has been done once, by the commands."""
    with stage(tmp_path_factory.mktemp("first") / "tierd", WORLD) as opened:
        _everything(opened)
        yield opened


def _everything(opened: Stage) -> None:
    unlimited(opened)
    for arguments in (
        ("sync", "--once"),
        ("tiers", "adopt", "--yes"),
        ("tiers", "apply", "--as-of", AS_OF),
        ("evaluate", "--once", "--as-of", AS_OF),
    ):
        done = opened.tierd(*arguments)
        assert done.code == 0, done.said


def _findings(opened: Stage) -> str:
    with opened.store.read() as connection:
        return findings.export(connection)


def _changed(before: Dump, after: Dump) -> list[str]:
    return [name for name in before if before[name] != after[name]]


def test_same_world_gives_the_same_findings(first: Stage, tmp_path: Path) -> None:
    """A second run from nothing, over the same world, gives byte-identical findings."""
    with stage(tmp_path / "tierd", WORLD) as second:
        _everything(second)
        assert _findings(second) == _findings(first)
    assert _findings(first).count('"outcome": "fires"') > 10
    assert _findings(first).count('"outcome": "unknown"') > 10


def test_second_sync_makes_the_fewest_calls_and_changes_nothing(first: Stage) -> None:
    """With nothing changed: one search per HubSpot object and the owners, three composites; only run records change."""
    assert first.tierd("sync", "--once").code == 0  # what the tier write-back has changed comes back
    before, mark = first.dump(), first.last_request()
    done = first.tierd("sync", "--once")
    assert done.code == 0, done.said
    asked = first.requests(mark)
    assert sum(count for (vendor, *_), count in asked.items() if vendor == "hubspot") == 10
    assert sum(count for (*_, path), count in asked.items() if path.endswith("/search")) == 9
    assert sum(count for (*_, path), count in asked.items() if path.endswith("/composite")) == 3
    assert sum(count for (*_, path), count in asked.items() if path.endswith("/token")) == 1
    assert sum(asked.values()) == 14
    assert set(_changed(before, first.dump())) <= {"sync_runs", "stream_runs", "schedule", "freshness"}


def test_second_evaluation_and_tier_run_change_nothing(first: Stage) -> None:
    """At the same instant neither makes a finding, an alert, a delivery, a row or a call."""
    assert first.tierd("evaluate", "--once", "--as-of", AS_OF).code == 0
    before, mark = first.dump(), first.last_request()
    assert before["findings"]
    assert before["alerts"]
    assert before["deliveries"]
    for arguments in (("evaluate", "--once", "--as-of", AS_OF), ("tiers", "apply", "--as-of", AS_OF)):
        done = first.tierd(*arguments)
        assert done.code == 0, done.said
        assert _changed(before, first.dump()) == []
    assert first.requests(mark) == {}
