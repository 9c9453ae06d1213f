"""The words that vocabularies are written in: levels, and patterns of whole words in plain lower case."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

INDIVIDUAL, MANAGER, DIRECTOR, VP, C_LEVEL = 1, 2, 3, 4, 5
LEVEL_NAMES = {INDIVIDUAL: "individual", MANAGER: "manager", DIRECTOR: "director", VP: "vp", C_LEVEL: "c_level"}

Ranks = tuple[tuple[int | None, str], ...]
"""(level, alternatives parted by spaces of two or more, or by lines); None: words that look like a rank and are none."""
Areas = tuple[tuple[str, str], ...]
"""(function, alternatives likewise)."""


class WholeWords:
    """Any of the alternatives as whole words; they are parted by two spaces or by lines.

    The pattern is compiled when it is first asked for: hundreds of words of which most commands read none.
    """

    def __init__(self, alternatives: str) -> None:
        self._alternatives = alternatives

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """As a regular expression."""
        each = [one.strip() for one in re.split(r"\s{2,}|\n", self._alternatives) if one.strip()]
        return re.compile(r"(?<!\w)(?:" + "|".join(each) + r")(?!\w)")


def compiled(table: Iterable[tuple[int | None, str]]) -> tuple[tuple[int | None, WholeWords], ...]:
    """A table of ranks with its patterns."""
    return tuple((level, WholeWords(words)) for level, words in table)
