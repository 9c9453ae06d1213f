"""What typing one phrase needs: the vocabulary around it, the look-up of its words, and the refusals they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from rules.language import values
from rules.language.calendar import MONDAY_TO_FRIDAY, BusinessDays, Calendar, Span
from rules.language.catalogue import BY_BOOKING, BY_EVENT, BY_NAME, Fact, described, example
from rules.language.errors import Problem, did_you_mean
from rules.language.grammar import Phrase, Piece
from rules.language.sets import SETS, set_example
from rules.language.tree import Node, Place
from store.records import DAY

_LONGEST = 36_500 * DAY
_MOST_BUSINESS_DAYS = 2_500
BUSINESS = "business day"


@dataclass(frozen=True, slots=True)
class Context:
    """What typing needs from outside: the vocabulary by name, where an offset of this line is, currency and calendar."""

    vocabulary: Sequence[str]
    resolve: Callable[[str], Node | None]
    """The tree of a vocabulary entry; None when that entry has errors of its own."""
    place: Callable[[int, int], Place]
    """(offset, length) -> place in the file."""
    currency: str = "USD"
    calendar: Calendar = MONDAY_TO_FRIDAY


def words_of(text: str) -> str:
    """A name as the catalogue has it: lower case, single spaces."""
    return " ".join(text.lower().replace("_", " ").split())


def choice_of(fact: Fact, text: str, start: int) -> str:
    """The stored value of a choice; raises Problem with the closest one."""
    return chosen(text, fact.choices, f"`{fact.name}`", start)


def chosen(text: str, choices: Sequence[str], what: str, start: int) -> str:
    """The stored value of one of these choices (any, where there are none); raises Problem with the closest one."""
    value = words_of(text).replace("-", " ").replace(" ", "_")
    if choices and value not in choices:
        shown = [choice.replace("_", " ") for choice in choices]
        fix = did_you_mean(text, shown, "allowed: " + ", ".join(shown))
        raise Problem("E-VALUE", start, len(text), f"`{text}` is not a value of {what}", fix)
    return value


def wrong(code: str, piece: Piece, message: str, fix: str) -> Problem:
    """A mistake at a part of the phrase."""
    return Problem(code, piece.start, len(piece.text), message, fix)


class Asking:
    """One phrase that is given its type."""

    def __init__(self, phrase: Phrase, context: Context) -> None:
        self.phrase, self.context = phrase, context
        self.text = phrase.text
        self.place = context.place(phrase.start, len(phrase.text))
        self.whole = Piece(phrase.text, phrase.start)

    def unknown(self, piece: Piece) -> NoReturn:
        """Refuse a name that nobody knows."""
        known = sorted({*BY_NAME, *BY_EVENT, *BY_BOOKING, *SETS, *self.context.vocabulary})
        values_of = [fact.name for fact in BY_NAME.values() if words_of(piece.text).replace(" ", "_") in fact.choices]
        if values_of and self.phrase.form == "bare":
            fix = f"it is a value of `{values_of[0]}`: in a [...] list put the whole phrase in quotes"
        else:
            fix = did_you_mean(words_of(piece.text), known, "see the fact catalogue for the names there are")
        raise wrong("E-FACT", piece, f"unknown fact `{piece.text}`", fix)

    def fact(self, piece: Piece) -> Fact:
        """The fact of that name; raises Problem, with what the word is where it is something else."""
        found = BY_NAME.get(words_of(piece.text))
        return found or self._no_value(piece)

    def _no_value(self, piece: Piece) -> NoReturn:
        name = words_of(piece.text)
        fact = BY_EVENT.get(name) or BY_BOOKING.get(name)
        if fact:
            self.unsuitable(fact, piece)
        if name in SETS:
            raise wrong("E-TYPE", piece, f"`{name}` is a set", f"try `{set_example(SETS[name])}`")
        if name in self.context.vocabulary:
            message = f"`{piece.text}` is a condition of the vocabulary, it has no value to compare"
            raise wrong("E-TYPE", piece, message, f"write `{name}` or `not {name}` alone")
        self.unknown(piece)

    def unsuitable(self, fact: Fact, piece: Piece | None = None) -> NoReturn:
        """Refuse a form that does not suit the fact, with a phrase that does."""
        name = words_of(piece.text) if piece else fact.name
        raise wrong("E-TYPE", piece or self.whole, f"`{name}` is {described(fact)}", f"try `{example(fact)}`")

    def value(self, fact: Fact, piece: Piece) -> float:
        """A number in the fact's own unit."""
        found = values.quantity(piece.text) if piece.kind == "quantity" else None
        if found is None:
            message = f"`{fact.name}` is {described(fact)}, `{piece.text}` is no number"
            raise wrong("E-TYPE", piece, message, f"try `{example(fact)}`")
        return values.as_number(fact, found, piece.start, self.context.currency)

    def span(self, piece: Piece) -> Span:
        """A length of time, longer than nothing."""
        found = values.quantity(piece.text) if piece.kind == "quantity" else None
        if found and found.unit == BUSINESS:
            return BusinessDays(self.business(piece), self.context.calendar)
        span = found.microseconds if found else None
        if found is None or span is None:
            number = found.number if found else 15
            message = f"`{piece.text}` is no length of time"
            raise wrong("E-UNIT", piece, message, f"did you mean `{abs(number):f} days`?")
        if span <= 0:
            raise wrong("E-RANGE", piece, "a window must be longer than nothing", "write `1 day` or more")
        if span > _LONGEST:
            raise wrong("E-RANGE", piece, "a window of more than 100 years", "write fewer days")
        return span

    def days(self, piece: Piece) -> int:
        """A length of time in whole calendar days."""
        span = self.span(piece)
        if not isinstance(span, int):
            message = "a movement is looked at over calendar days"
            raise wrong("E-UNIT", piece, message, f"write `{-(-span.days * 7 // 5)} days`")
        if span % DAY:
            raise wrong(
                "E-UNIT", piece, "dates are compared by whole days", f"write `{max(1, round(span / DAY))} days`"
            )
        return span // DAY

    def business(self, piece: Piece) -> int:
        """A number of business days, whole and at least one."""
        found = values.quantity(piece.text)
        assert found is not None
        if found.number != int(found.number) or found.number < 1:
            fix = f"write `{max(1, round(abs(found.number)))} business days`"
            raise wrong("E-RANGE", piece, "business days are counted whole, from 1", fix)
        if found.number > _MOST_BUSINESS_DAYS:
            raise wrong("E-RANGE", piece, "a window of more than 2,500 business days", "write fewer, or use days")
        return int(found.number)

    def is_business(self, piece: Piece) -> bool:
        """True for a length of time in business days."""
        found = values.quantity(piece.text) if piece.kind == "quantity" else None
        return found is not None and found.unit == BUSINESS
