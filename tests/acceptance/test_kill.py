"""Killed twenty times and started again each time, tierd leaves the same store, the same messages and the same CRM."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.serve import Settings
from tests.acceptance.killing import Killer, Outcome, outcome
from tests.acceptance.world import stage

pytestmark = pytest.mark.acceptance

DAYS, KILLS, SEED = 4, 20, 20_260_302
WORLD = Settings(accounts=60, days=DAYS, history_days=90)


def _uninterrupted(folder: Path) -> Outcome:
    with stage(folder, WORLD) as calm:
        calm.child.first()
        calm.days(DAYS)
        assert calm.child.stop() == 0
        return outcome(calm)


def test_twenty_kills_change_nothing(tmp_path: Path) -> None:
    """`kill -9` at twenty drawn instants: nothing is lost, nothing is said twice, and every word is the same."""
    expected = _uninterrupted(tmp_path / "calm")
    with stage(tmp_path / "killed", WORLD) as killed:
        killer = Killer(killed, SEED, KILLS, DAYS)
        killer.first()
        killed.days(DAYS, killer.during)
        assert killed.child.stop() == 0
        assert killed.child.kills == KILLS
        found = outcome(killed)
    assert {"sync", "evaluate"} <= set(killer.met), killer.met
    assert found.repeated == ()
    assert len(expected.told) > 20
    assert found.told == expected.told
    assert found.changes == expected.changes
    assert found.findings == expected.findings
    assert found.messages == expected.messages
    assert found.crm == expected.crm
