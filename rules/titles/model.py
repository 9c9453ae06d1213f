"""The words that vocabularies are written in: levels, and patterns of whole words in plain lower case."""

from __future__ import annotations

import re
from collections.abc import Iterable

INDIVIDUAL, MANAGER, DIRECTOR, VP, C_LEVEL = 1, 2, 3, 4, 5
LEVEL_NAMES = {INDIVIDUAL: "individual", MANAGER: "manager", DIRECTOR: "director", VP: "vp", C_LEVEL: "c_level"}

Ranks = tuple[tuple[int | None, str], ...]
"""(level, alternatives parted by spaces of two or more, or by lines); None: words that look like a rank and are none."""
Areas = tuple[tuple[str, str], ...]
"""(function, alternatives likewise)."""


def whole_words(alternatives: str) -> re.Pattern[str]:
    """A pattern for any of the alternatives as whole words; `alternatives` are parted by two spaces or by lines."""
    each = [one.strip() for one in re.split(r"\s{2,}|\n", alternatives) if one.strip()]
    return re.compile(r"(?<!\w)(?:" + "|".join(each) + r")(?!\w)")


def compiled(table: Iterable[tuple[int | None, str]]) -> tuple[tuple[int | None, re.Pattern[str]], ...]:
    """A table of ranks with its patterns."""
    return tuple((level, whole_words(words)) for level, words in table)
