"""What may follow a phrase that is begun, for editors."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rules.language.catalogue import WORDS


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may stand from `start` (offset in the text) on."""

    text: str
    start: int


def complete(text: str, vocabulary: Iterable[str] = ()) -> list[Candidate]:
    """The names that go on with the last phrase of the line, the shortest first."""
    start = max(match.end() for match in re.finditer(r"(?:^|\b(?:and|or|not|no)\s+)", text))
    begun = text[start:].lower()
    found = sorted({*WORDS, *vocabulary}, key=lambda word: (len(word), word))
    return [Candidate(word, start) for word in found if word.startswith(begun) and word != begun]
