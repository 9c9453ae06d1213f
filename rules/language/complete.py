"""What may come next in a phrase: the parser says which words, the catalogue which of them suit the fact."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lark import Token
from lark.exceptions import UnexpectedInput

from rules.language.asking import words_of
from rules.language.catalogue import BY_BOOKING, BY_EVENT, BY_NAME, Fact, Kind, example
from rules.language.grammar import KEYWORDS, build
from rules.language.sets import FUNCTIONS, LEVELS, NARROWABLE, SETS

_STUB = 4
"""Words of a name that may have been begun: `adoption change vs por`."""
_NUMBER = frozenset(
    [
        "is",
        "are",
        "at",
        "more",
        "less",
        "fewer",
        "below",
        "above",
        "between",
        "one",
        "not",
        "in",
        "fell",
        "rose",
        "changed",
        "known",
        "unknown",
    ]
)
_SUITS: Mapping[Kind, frozenset[str]] = {
    Kind.DATE: frozenset(
        ["is", "within", "in", "before", "after", "more", "less", "at", "changed", "known", "unknown"]
    ),
    Kind.CHOICE: frozenset(["is", "one", "not", "changed", "known", "unknown"]),
    Kind.TEXT: frozenset(["is", "one", "not", "changed", "known", "unknown"]),
    Kind.FLAG: frozenset(["is", "changed", "known", "unknown", "and", "or"]),
    Kind.EVENT: frozenset(["is", "known", "unknown"]),
    Kind.BOOKING: frozenset(["is", "not", "booked", "known", "unknown"]),
    Kind.SET: frozenset(["include", "do"]),
}
_COMPARED = ("LEAST", "MOST", "THAN", "BELOW", "ABOVE")
_AFTER = frozenset(["and", "or"])


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may stand from `start` (offset in the text) on."""

    text: str
    start: int


def complete(text: str, vocabulary: Iterable[str] = ()) -> list[Candidate]:
    """The words, names and values that can follow or end this beginning of a line; none where it cannot be read."""
    names = tuple(sorted(vocabulary))
    found: dict[str, Candidate] = {}
    for start in _starts(text):
        stub = " ".join(text[start:].lower().split()) + (" " if start < len(text) and text[-1].isspace() else "")
        for word in _next(text[:start], names):
            if word.lower().startswith(stub) and word.lower() != stub:
                found.setdefault(word, Candidate(word, start))
    return list(found.values())


def _starts(text: str) -> Iterator[int]:
    """Where what is being written may begin: at the end, or up to some words before it; the longest first."""
    words = [match.start() for match in re.finditer(r"\S+", text)]
    yield from words[-_STUB:]
    yield len(text)


def _next(before: str, vocabulary: tuple[str, ...]) -> list[str]:
    """Everything that can follow a text that is read to its end."""
    parser = build(vocabulary).parse_interactive(before)
    tokens: list[Token] = []
    try:
        tokens = [token for token in parser.iter_parse() if token.type != "$END"]
        accepted: set[str] = parser.accepts()  # type: ignore[no-untyped-call]
    except UnexpectedInput:
        return []
    asked = _Asked(_phrase(tokens), vocabulary)
    return list(dict.fromkeys(word for terminal in sorted(accepted) for word in asked.words(terminal)))


def _phrase(tokens: Sequence[Token]) -> list[Token]:
    """The tokens of the phrase that is being written."""
    begins = [n + 1 for n, token in enumerate(tokens) if token.type in ("AND", "OR") and not _between(tokens[:n])]
    return list(tokens[begins[-1] :]) if begins else list(tokens)


def _between(tokens: Sequence[Token]) -> bool:
    """True within `between 2 and 3`."""
    return any(token.type == "BETWEEN" for token in tokens[-2:])


class _Asked:
    """What the phrase is about so far."""

    def __init__(self, tokens: Sequence[Token], vocabulary: tuple[str, ...]) -> None:
        self.types = [token.type for token in tokens]
        self.vocabulary = vocabulary
        self.name = next((words_of(token) for token in tokens if token.type == "NAME"), "")
        self.last = words_of(tokens[-1]) if tokens else ""
        begun = [kind for kind in self.types if kind not in ("NO", "NOT")][:2]
        self.unreadable = begun[:1] == ["WORD"] or begun[1:] in (["WORD"], ["NAME"])

    @property
    def fact(self) -> Fact | None:
        """The fact, where the name is one."""
        return BY_NAME.get(self.name) or SETS.get(self.name)

    def words(self, terminal: str) -> Iterator[str]:
        """What an author may write for this terminal."""
        if terminal == "NAME":
            yield from self._names()
        elif terminal == "QUANTITY":
            yield from self._quantities()
        elif terminal == "STRING":
            if self.last in ("tagged", "feature") or (self.fact and self.fact.kind is Kind.TEXT):
                yield '"..."'
        elif terminal == "DATE":
            if self.last in ("before", "after"):
                yield "2026-12-31"
        elif terminal == "WORD":
            yield from self._values()
        elif terminal.lower() in KEYWORDS and self._suits(terminal.lower()):
            yield terminal.lower()

    def _suits(self, word: str) -> bool:
        if self.unreadable:
            return False
        allowed = self._only_for(word)
        return self._fits(word) if allowed is None else allowed

    def _only_for(self, word: str) -> bool | None:
        """Words that suit one kind of fact, or one place, alone; None for all others."""
        dated, last = self.fact is not None and self.fact.kind is Kind.DATE, self.types[-1:]
        if word in ("past", "future", "ago", "away"):
            return dated
        if word in ("top", "bottom"):
            return self.fact is not None and self.fact.is_number
        if word == "of" and last == ["QUANTITY"]:
            return self.types[-2] in (*_COMPARED, "TOP", "BOTTOM") and not dated
        return None

    def _fits(self, word: str) -> bool:
        if not self.name or word in _AFTER:
            return word not in _AFTER or self._may_end()
        if self.types[-1] != "NAME" and self.types[-1] not in ("IS", "ARE"):
            return True
        return word in self._suited()

    def _may_end(self) -> bool:
        """Alone, only a flag or a word of the vocabulary is a phrase; `no` makes one of a count."""
        if self.types[-1:] != ["NAME"] or len(self.types) > 2:
            return True
        if self.types[0] == "NO":
            return self.fact is not None and self.fact.kind is Kind.COUNT
        return self.name in self.vocabulary or (self.fact is not None and self.fact.kind is Kind.FLAG)

    def _suited(self) -> frozenset[str]:
        none = self.types[0] == "NO"
        if self.name in self.vocabulary:
            return frozenset()
        if self.name in BY_EVENT:
            more = {"with"} if self.name in NARROWABLE else set()
            more |= {"is"} if self.name in BY_BOOKING else set()
            return frozenset({"in", "within"} if none else {"happened", "never"}) | more
        if self.name in BY_BOOKING:
            return frozenset({"is", "booked", "not"})
        if none:
            return frozenset()
        fact = self.fact
        shown = {"was"} if f"{self.name} shown" in BY_NAME else set()
        return (_SUITS.get(fact.kind, _NUMBER) if fact else _NUMBER) | shown

    def _names(self) -> Iterator[str]:
        if not self.types or self.types == ["NOT"]:
            flags = [fact.name for fact in BY_NAME.values() if fact.kind is Kind.FLAG]
            yield from self.vocabulary
            yield from flags if self.types else (*BY_NAME, *BY_EVENT, *BY_BOOKING, "functions reached")
        elif self.types == ["NO"]:
            yield from (*BY_EVENT, *BY_BOOKING)
            yield from (fact.name for fact in BY_NAME.values() if fact.kind is Kind.COUNT and fact.name != "tier")
        elif self.fact and self.fact.is_number and self.types[-1] in (*_COMPARED, "OF"):
            kind = self.fact.kind
            others = (fact for fact in BY_NAME.values() if fact.kind is kind and not fact.interval)
            yield from dict.fromkeys(fact.name for fact in others if fact is not self.fact)

    def _quantities(self) -> Iterator[str]:
        fact, last = self.fact, self.types[-1] if self.types else ""
        if last in ("NEXT", "LAST", "WITHIN", "IN", "FELL", "ROSE", "CHANGED") or (fact and fact.kind is Kind.DATE):
            yield from ("30 days", "10 business days") if "BY" not in self.types else ("30 days",)
        elif last in ("TOP", "BOTTOM"):
            yield "20%"
        elif fact and fact.is_number and last not in ("IS", "ARE"):
            moved = last == "BY" and fact.kind in (Kind.RATIO, Kind.MONEY)
            yield (
                {Kind.RATIO: "10 points", Kind.MONEY: "20%"}[fact.kind]
                if moved
                else example(fact).rpartition("least ")[2]
            )

    def _values(self) -> Iterator[str]:
        if self.last == "level":
            yield from (level.replace("_", " ") for level in LEVELS)
        elif self.last == "function" or self.types[-1:] == ["INCLUDE"]:
            yield from FUNCTIONS
        elif self.fact and self.types[-1:] and self.types[-1] in ("IS", "ARE", "NOT", "OF", "COMMA"):
            yield from (choice.replace("_", " ") for choice in self.fact.choices)
