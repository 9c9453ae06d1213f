"""How many titles are read right: measured on the half that nobody looked at while the rules were made."""

from __future__ import annotations

import pytest

from tests.rules.titles.measure import Judged, judge, shares

EXEC_OR_NOT, LEVEL, FUNCTION = 0.97, 0.93, 0.88


@pytest.mark.parametrize("half", ["held_out", "tuning"])
def test_titles_are_read_as_a_careful_person_would(half: str) -> None:
    """Exec or not in at least 97 of 100, the level in 93, the function in 88."""
    found = shares(judge(half))
    missed = [
        f"{name} {share:.1%}, wanted {wanted:.0%}"
        for name, share, wanted in (
            ("exec or not", found.exec_or_not, EXEC_OR_NOT),
            ("level", found.level, LEVEL),
            ("function", found.function, FUNCTION),
        )
        if share < wanted
    ]
    assert [] == missed


def test_a_title_of_unknown_level_is_no_exec_and_no_other() -> None:
    """Unknown read as an individual is wrong for `exec or not` too: it hides that somebody may be an exec."""
    judged = [
        Judged("TBD", "en", "", "unknown", "individual", "unknown"),
        Judged("VP", "en", "vp", "unknown", "director", "unknown"),
    ]
    found = shares(judged)
    assert (0.5, 0.0, 1.0) == (found.exec_or_not, found.level, found.function)
