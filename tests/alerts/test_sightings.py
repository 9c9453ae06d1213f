"""What a foreign value of the tier field means: a person's is a pin, a machine's is not, unless the first sync found it."""

from __future__ import annotations

import pytest

from alerts.writeback import FieldState, Sighting, understand

BEFORE = FieldState(1, "hs", "Tier 2", 100)


@pytest.mark.parametrize(
    ("before", "by_machine", "origin"),
    [(BEFORE, False, "person"), (BEFORE, True, None), (None, True, "found"), (None, False, "found")],
)
def test_a_change_is_a_persons_unless_the_history_says_otherwise(
    before: FieldState | None, by_machine: bool, origin: str | None
) -> None:
    """A workflow's value is tierd's to overwrite; what was there at first is respected, whoever set it."""
    state = understand(Sighting(1, "hs", "Tier 1", 200, before, 300, by_machine=by_machine))
    assert ("Tier 1", origin) == (state.known, state.pin_origin)
