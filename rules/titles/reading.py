"""How a title is read: what is no rank is taken out first, then the highest rank counts, and the function named first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from rules.titles import areas, asides, english, french, german, spanish
from rules.titles.model import C_LEVEL, DIRECTOR, INDIVIDUAL, Areas, WholeWords, compiled
from rules.titles.text import plain

OTHER, UNKNOWN, EXECUTIVE = "other", "unknown", "executive"


@dataclass(frozen=True, slots=True)
class TitleReading:
    """What a title says: `level` 1..5 or None, `function` one of domain.md's list (`unknown` when it does not say)."""

    level: int | None
    function: str


_GONE = WholeWords(asides.GONE)
_LEARNING = WholeWords(asides.LEARNING)
_GERMAN_CONTROLLER = re.compile(r"[(\[]\s*[mwfdx] ?[/|] ?[mwfdx]")
_TO_A_PERSON = WholeWords(asides.TO_A_PERSON)
_LANGUAGES = (english, german, french, spanish)
_WORDS = [each.WORDS for each in _LANGUAGES]
_RANKS = tuple(
    one
    for tables in ([each.PHRASES for each in _LANGUAGES], _WORDS)
    for one in sorted(
        (rank for table in tables for rank in compiled(table)),
        key=lambda rank: -(rank[0] or 0) if tables is _WORDS else 0,
    )
)
_LAST = compiled(english.LAST)
_VICE = WholeWords(r"vice[ -]?president\w*  vicepresident\w*  vizeprasident\w*  [sear]?vps?")
_EXECUTIVE_DIRECTOR = WholeWords(r"(?<!non )(?<!non-)executive directors?")
_HEADS = WholeWords(asides.HEADS)


def _patterns(table: Areas) -> tuple[tuple[str, WholeWords], ...]:
    return tuple((function, WholeWords(words)) for function, words in table)


_TIERS = tuple(_patterns(table) for table in (areas.STRONG, areas.WEAK, areas.GENERAL, areas.OTHER))
_PLAIN = WholeWords(areas.PLAIN)


@lru_cache(maxsize=65_536)
def read_title(title: str | None) -> TitleReading:
    """Level and function that a job title states; (None, 'unknown') where there is no title or no rule knows it."""
    text = plain(title or "")
    if not text or _GONE.pattern.search(text):
        return TitleReading(None, UNKNOWN)
    level, rest = _level(text)
    german = _GERMAN_CONTROLLER.search(title or "") is not None
    if _LEARNING.pattern.search(text) or (german and re.fullmatch(r"(?:senior |junior )?controller", text)):
        level = INDIVIDUAL
    function = _function(text, rest, known=level is not None)
    if _EXECUTIVE_DIRECTOR.pattern.search(text) and level in (None, DIRECTOR):
        level = C_LEVEL if function in (EXECUTIVE, UNKNOWN, OTHER) else DIRECTOR
        function = EXECUTIVE if function in (UNKNOWN, OTHER) else function
    return TitleReading(level, function)


def _level(text: str) -> tuple[int | None, str]:
    """The highest rank named, and what is left of the title without its ranks."""
    found: list[int] = []
    for ranks in (_RANKS, _LAST):
        for level, words in ranks if not found else ():
            text, times = words.pattern.subn(" ~ ", text)
            if times and level is not None:
                found.append(level)
    return max(found, default=None), text


def _function(text: str, rest: str, *, known: bool) -> str:
    masked, persons = _TO_A_PERSON.pattern.subn(" ~ ", text)
    masked = _VICE.pattern.sub(" ~ ", masked)
    for tier in _TIERS if known else _TIERS[:1] + _TIERS[2:]:
        found = _first_named(tier, masked)
        if found:
            return found
    if persons:
        return OTHER
    if not known:
        return UNKNOWN
    words = re.findall(r"[a-z&]{3,}", _PLAIN.pattern.sub(" ", rest))
    return OTHER if words else UNKNOWN


def _first_named(tier: Iterable[tuple[str, WholeWords]], text: str) -> str | None:
    """The function named first; in English the word behind another one is what the work is (`sales training manager`)."""
    spans = sorted(
        (found.start(), order, found.end(), function)
        for order, (function, words) in enumerate(tier)
        for found in words.pattern.finditer(text)
    )
    if not spans:
        return None
    _, _, end, function = spans[0]
    for start, _, until, other in spans[1:]:
        if start == end + 1 and text[end] == " " and _HEADS.pattern.fullmatch(text[start:until]):
            end, function = until, other
    return function
