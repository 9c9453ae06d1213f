"""The catalogue of mistakes: every kind has a code, a place, one cause and one fix, word for word as the golden file has it."""

from __future__ import annotations

from rules.language.errors import CODES
from tests.rules.mistakes import GOLDEN, book, told


def test_what_is_said_of_each_mistake_is_what_the_golden_file_says() -> None:
    """`python -m tests.rules.mistakes` writes the golden file anew; read it before you keep it."""
    assert GOLDEN.read_text(encoding="utf-8") == book()


def test_each_mistake_is_one_error_with_code_place_cause_and_fix() -> None:
    """At least 80 kinds; none raises a second error beside its own, and each points into the file."""
    found = told()
    assert len(found) >= 80
    for title, errors in found.items():
        assert len(errors.errors) == 1, title
        (error,) = errors.errors
        assert error.code in CODES, title
        assert error.message, title
        assert error.fix, title
        assert error.place.line >= 1, title
        assert 1 <= error.place.column <= len(error.line_text) + 1, title


def test_eighty_kinds_are_told_apart() -> None:
    """At least 80 of the kinds have words of their own."""
    assert len({(errors.errors[0].message, errors.errors[0].fix) for errors in told().values()}) >= 80


def test_every_code_is_shown() -> None:
    """The golden file has an example of every code."""
    assert set(CODES) == {errors.errors[0].code for errors in told().values()}
