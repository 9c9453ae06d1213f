"""The labelled titles are split by a rule that nobody can bend, and hold only labels that mean something."""

from __future__ import annotations

import csv
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "titles"
HALVES = ("tuning", "held_out")
COLUMNS = ["title", "language", "level", "function"]
LANGUAGES = {"en", "de", "fr", "es"}
LEVELS = {"c_level", "vp", "director", "manager", "individual", ""}
FUNCTIONS = {
    "executive", "it", "engineering", "operations", "finance", "marketing", "sales", "hr", "legal", "procurement", "product",
    "support", "data", "other", "unknown",
}  # fmt: skip


def rows(half: str) -> list[dict[str, str]]:
    """The rows of one half, as the file has them."""
    with (FOLDER / f"{half}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def half_of(title: str) -> str:
    """The half that the title's hash says: an even first hexadecimal digit is for tuning."""
    return HALVES[int(sha256(title.encode()).hexdigest()[0], 16) % 2]


def test_enough_titles_to_measure_with() -> None:
    """At least 600 titles, at least 300 in each half: a share is good to a few percentage points."""
    counts = [len(rows(half)) for half in HALVES]
    assert sum(counts) >= 600
    assert min(counts) >= 300


@pytest.mark.parametrize("half", HALVES)
def test_every_title_is_in_the_half_its_hash_says(half: str) -> None:
    """No title was moved to where it suits."""
    assert [] == [row["title"] for row in rows(half) if half_of(row["title"]) != half]


def test_no_title_is_there_twice() -> None:
    """Neither in one half nor across both, whatever its case and spaces."""
    titles = Counter(" ".join(row["title"].casefold().split()) for half in HALVES for row in rows(half))
    assert [] == [title for title, count in titles.items() if count > 1]


@pytest.mark.parametrize("half", HALVES)
def test_only_known_labels(half: str) -> None:
    """Four filled columns of known words; only the level may be empty, which means unknown."""
    for row in rows(half):
        assert COLUMNS == list(row), row
        assert row["title"].strip() == row["title"] != "", row
        assert row["language"] in LANGUAGES, row
        assert row["level"] in LEVELS, row
        assert row["function"] in FUNCTIONS, row


@pytest.mark.parametrize("half", HALVES)
def test_every_language_has_its_share(half: str) -> None:
    """At least 15 % of each half in each of the four languages."""
    found = rows(half)
    counts = Counter(row["language"] for row in found)
    assert {} == {language: counts[language] for language in LANGUAGES if counts[language] < 0.15 * len(found)}


@pytest.mark.parametrize("half", HALVES)
def test_every_label_occurs(half: str) -> None:
    """A half that lacks a level or a function would measure nothing about it."""
    found = rows(half)
    assert LEVELS == {row["level"] for row in found}
    assert FUNCTIONS == {row["function"] for row in found}
