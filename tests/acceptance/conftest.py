"""The company that most acceptance tests begin with: one scenario day has passed, and the daemon has been stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.world import Stage, copied, stage, unlimited


@pytest.fixture(scope="session")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Read, adopted, tiered, evaluated and told, at 04:00 of the second day; tests work on copies of it."""
    with stage(tmp_path_factory.mktemp("settled") / "tierd") as opened:
        opened.child.first()
        opened.days(1)
        assert opened.child.stop() == 0
        unlimited(opened)
        yield opened


@pytest.fixture
def office(settled: Stage, tmp_path: Path) -> Iterator[Stage]:
    """A folder of this test's own over the settled company; what it does in the CRMs and in Slack is shared."""
    with copied(settled, tmp_path / "tierd") as opened:
        yield opened
