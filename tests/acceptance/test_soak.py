"""Trouble on the line for a long time: in the end the store has every row as the CRMs have it."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.soaking import FAULTS, Size, soak


def test_the_store_survives_a_soak(tmp_path: Path) -> None:
    """500 changes in 20 cycles, one request in 20 spoiled, 5 kills; `python -m bench.soak` does 10,000, 200 and 50."""
    outcome = soak(Size(changes=500, cycles=20, kills=5), tmp_path, f"sqlite:///{tmp_path / 'store.db'}")
    assert [] == outcome.differing
    assert [] == outcome.unnamed
    assert 5 == outcome.kills
    assert outcome.rows > 100
    assert len(outcome.struck) > len(FAULTS) // 2
