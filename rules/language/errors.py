"""What is wrong with a rule file: a stable code, the place, one cause and one concrete fix, shown like a compiler does."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rules.language.tree import Place

CODES: Mapping[str, str] = {
    "E-YAML": "the file is no YAML",
    "E-KEY": "unknown key",
    "E-MISSING": "a key that must be there is not",
    "E-DUPLICATE": "the same name twice",
    "E-SHAPE": "a list where a text belongs, or the other way round",
    "E-NAME": "a rule or vocabulary name that cannot be used",
    "E-PHRASE": "not one of the phrase forms",
    "E-FACT": "unknown fact or vocabulary",
    "E-TYPE": "a phrase form that does not suit the fact's type",
    "E-UNIT": "a missing or wrong unit",
    "E-VALUE": "a value the fact cannot have",
    "E-RANGE": "a comparison that can never, or always, hold",
    "E-MIXED": "and / or mixed on one line",
    "E-CYCLE": "vocabulary that stands for itself",
    "E-CLASS": "unknown class of rule",
    "E-SEVERITY": "unknown severity, or an escalation that does not raise it",
    "E-STATUS": "unknown status of a rule",
    "E-DURATION": "not a duration",
    "E-SAY": "a placeholder that is no fact",
    "E-TEST": "a test that cannot be run",
}


@dataclass(frozen=True, slots=True)
class RuleError:
    """One mistake. `fix` is what to write instead; `line_text` is the line it stands on."""

    code: str
    place: Place
    message: str
    fix: str
    line_text: str = ""
    level: ClassVar[str] = "error"

    def render(self) -> str:
        """Place, cause, the line with a caret, and the fix."""
        at = self.place
        head = f"{at.file}:{at.line}:{at.column}: {self.level} {self.code}: {self.message}"
        if not self.line_text:
            return f"{head}\n  fix: {self.fix}"
        number = f"{at.line:>5}"
        room = max(1, min(at.length, len(self.line_text) - at.column + 1))
        caret = " " * (at.column - 1) + "^" * room
        return f"{head}\n{number} | {self.line_text}\n{' ' * 5} | {caret}\n  fix: {self.fix}"


class RuleErrors(ValueError):
    """The rule files have mistakes; nothing of them is used."""

    def __init__(self, errors: Sequence[RuleError]) -> None:
        self.errors = tuple(errors)
        super().__init__(self.render())

    def render(self) -> str:
        """All of them, in the order of the files, and how many."""
        count = len(self.errors)
        total = f"{count} error{'' if count == 1 else 's'}"
        return "\n\n".join([*(error.render() for error in self.errors), total])


class Problem(Exception):
    """One mistake inside a phrase: `start` and `length` count characters of the phrase."""

    def __init__(self, code: str, start: int, length: int, message: str, fix: str) -> None:
        super().__init__(message)
        self.code, self.start, self.length = code, start, max(1, length)
        self.message, self.fix = message, fix


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one, if any is like it."""
    found = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.65)
    return found[0] if found else None


def did_you_mean(word: str, known: Sequence[str], otherwise: str = "") -> str:
    """A fix for a word that is not known: the closest one, else what is allowed."""
    guess = closest(word, known)
    if guess:
        return f"did you mean `{guess}`?"
    return otherwise or "use one of: " + ", ".join(known)
