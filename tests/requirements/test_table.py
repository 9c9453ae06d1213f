"""Every requirement of reading has its test, and the page that says so is current."""

from __future__ import annotations

from tests.requirements.table import ASKED, PAGE, page, shown


def test_every_requirement_has_a_test() -> None:
    """R1 to R35 and R45 to R47, and no test of a number that nobody asked for."""
    assert [*range(1, 36), 45, 46, 47] == list(ASKED)
    assert set() == set(ASKED) - set(shown())
    assert {36, 37, 38, 39, 40, 41, 42, 43, 44} >= set(shown()) - set(ASKED)


def test_the_page_is_current() -> None:
    """`python -m tests.requirements.table` writes it."""
    assert page() == PAGE.read_text()
