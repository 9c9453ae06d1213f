"""Give a phrase its type: look its words up, check form, unit and range against the fact, and make the typed leaf."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NoReturn

from rules.language import values
from rules.language.catalogue import BY_BOOKING, BY_EVENT, BY_NAME, Fact, Kind, example
from rules.language.errors import Problem, closest, did_you_mean
from rules.language.grammar import Phrase, Piece
from rules.language.tree import (
    Against,
    Booked,
    DateIn,
    Flag,
    Happened,
    Known,
    Leaf,
    Named,
    Node,
    Not,
    OneOf,
    Place,
    Range,
    Silence,
)
from store.records import DAY

_LONGEST = 36_500 * DAY
_OPS: Mapping[str, str] = {"ge": ">=", "le": "<=", "gt": ">", "lt": "<"}


@dataclass(frozen=True, slots=True)
class Context:
    """What typing needs from outside: the vocabulary by name, where an offset of this line is, and the currency."""

    vocabulary: Sequence[str]
    resolve: Callable[[str], Node | None]
    """The tree of a vocabulary entry; None when that entry has errors of its own."""
    place: Callable[[int, int], Place]
    """(offset, length) -> place in the file."""
    currency: str = "USD"


def typed(phrase: Phrase, context: Context) -> Node | None:
    """The node a phrase means; None when it rests on a broken vocabulary entry. Raises Problem."""
    return _Typer(phrase, context).node()


def words_of(text: str) -> str:
    """A name as the catalogue has it: lower case, single spaces."""
    return " ".join(text.lower().replace("_", " ").split())


def choice_of(fact: Fact, text: str, start: int) -> str:
    """The stored value of a choice; raises Problem with the closest one."""
    value = words_of(text).replace("-", " ").replace(" ", "_")
    if fact.choices and value not in fact.choices:
        shown = [choice.replace("_", " ") for choice in fact.choices]
        fix = did_you_mean(text, shown, "allowed: " + ", ".join(shown))
        raise Problem("E-VALUE", start, len(text), f"`{text}` is not a value of `{fact.name}`", fix)
    return value


class _Typer:
    def __init__(self, phrase: Phrase, context: Context) -> None:
        self.phrase, self.context = phrase, context
        self.place = context.place(phrase.start, len(phrase.text))

    def node(self) -> Node | None:
        """Dispatch on the phrase form."""
        name, form = words_of(self.phrase.subject.text), self.phrase.form
        if form in ("bare", "negated"):
            node = self._bare(name)
            return Not(node, self.phrase.text) if node and form == "negated" else node
        if form in ("silence", "happened", "never"):
            return self._event(name, form)
        if form in ("booked", "not_booked"):
            return self._booked(name, form)
        if form == "none":
            return self._none(name)
        fact = self._fact(self.phrase.subject)
        if form in ("known", "unknown"):
            known = Known(text=self.phrase.text, fact=fact, place=self.place)
            return known if form == "known" else Not(known, self.phrase.text)
        leaf = self._valued(fact, form)
        return Not(leaf, self.phrase.text) if form in ("is_not", "not_one_of") else leaf

    # ------------------------------------------------------------ looking up

    def _unknown(self, piece: Piece) -> NoReturn:
        known = sorted({*BY_NAME, *BY_EVENT, *BY_BOOKING, *self.context.vocabulary})
        values_of = [fact.name for fact in BY_NAME.values() if words_of(piece.text).replace(" ", "_") in fact.choices]
        if values_of and self.phrase.form == "bare":
            fix = f"it is a value of `{values_of[0]}`: in a [...] list put the whole phrase in quotes"
        else:
            fix = did_you_mean(words_of(piece.text), known, "see the fact catalogue for the names there are")
        raise Problem("E-FACT", piece.start, len(piece.text), f"unknown fact `{piece.text}`", fix)

    def _fact(self, piece: Piece) -> Fact:
        found = BY_NAME.get(words_of(piece.text))
        return found or self._no_value(piece)

    def _no_value(self, piece: Piece) -> NoReturn:
        name = words_of(piece.text)
        fact = BY_EVENT.get(name) or BY_BOOKING.get(name)
        if fact:
            self._unsuitable(fact, piece)
        if name in self.context.vocabulary:
            message = f"`{piece.text}` is a condition of the vocabulary, it has no value to compare"
            raise Problem("E-TYPE", piece.start, len(piece.text), message, f"write `{name}` or `not {name}` alone")
        self._unknown(piece)

    def _unsuitable(self, fact: Fact, piece: Piece | None = None) -> NoReturn:
        at = piece or Piece(self.phrase.text, self.phrase.start)
        article = "an" if fact.kind[0] in "aeiou" else "a"
        name = words_of(at.text) if piece else fact.name
        raise Problem("E-TYPE", at.start, len(at.text), f"`{name}` is {article} {fact.kind}", f"try `{example(fact)}`")

    # ------------------------------------------------------------ forms without a value

    def _bare(self, name: str) -> Node | None:
        if name in self.context.vocabulary:
            part = self.context.resolve(name)
            return None if part is None else Named(name, part, self.place)
        fact = BY_NAME.get(name) or BY_EVENT.get(name)
        if fact is None:
            self._unknown(self.phrase.subject)
        if fact.kind is not Kind.FLAG:
            self._unsuitable(fact, self.phrase.subject)
        return Flag(text=self.phrase.text, fact=fact, place=self.place)

    def _event(self, name: str, form: str) -> Node:
        fact, subject = BY_EVENT.get(name), self.phrase.subject
        if fact is None:
            other = BY_NAME.get(name)
            if other:
                self._unsuitable(other, subject)
            near = closest(name, BY_EVENT)
            if near is None:
                self._unknown(subject)
            raise Problem(
                "E-FACT", subject.start, len(subject.text), f"unknown event `{subject.text}`", f"did you mean `{near}`?"
            )
        if form == "never":
            ever = Happened(text=self.phrase.text, fact=fact, window=None, place=self.place)
            return Not(ever, self.phrase.text)
        window = self._span(self.phrase.operands[0])
        if form == "silence":
            return Silence(text=self.phrase.text, fact=fact, window=window, place=self.place)
        return Happened(text=self.phrase.text, fact=fact, window=window, place=self.place)

    def _booked(self, name: str, form: str) -> Node:
        fact = BY_BOOKING.get(name) or (BY_NAME.get(name) if name.startswith("next ") else None)
        if fact is None:
            subject, shown = self.phrase.subject, sorted(BY_BOOKING)
            fix = did_you_mean(name, shown, "what can be booked: " + ", ".join(shown))
            raise Problem("E-TYPE", subject.start, len(subject.text), f"`{subject.text}` cannot be booked", fix)
        leaf = Booked(text=self.phrase.text, fact=fact, place=self.place)
        return leaf if form == "booked" else Not(leaf, self.phrase.text)

    def _none(self, name: str) -> Node:
        if name in BY_EVENT and name not in BY_NAME:
            message = f"`no {name}` needs a window"
            raise Problem("E-UNIT", self.phrase.start, len(self.phrase.text), message, f"write `no {name} in 15 days`")
        fact = self._fact(self.phrase.subject)
        if fact.kind is not Kind.COUNT or fact.name == "tier":
            self._unsuitable(fact, self.phrase.subject)
        return Range(text=self.phrase.text, fact=fact, low=0.0, high=0.0, place=self.place)

    def _span(self, piece: Piece) -> int:
        found = values.quantity(piece.text) if piece.kind == "quantity" else None
        span = found.microseconds if found else None
        if found is None or span is None:
            number = found.number if found else 15
            message = f"`{piece.text}` is no length of time"
            raise Problem("E-UNIT", piece.start, len(piece.text), message, f"did you mean `{abs(number):f} days`?")
        if span <= 0:
            raise Problem(
                "E-RANGE", piece.start, len(piece.text), "a window is longer than nothing", "write `1 day` or more"
            )
        if span > _LONGEST:
            raise Problem(
                "E-RANGE", piece.start, len(piece.text), "a window of more than 100 years", "write fewer days"
            )
        return span

    def _days(self, piece: Piece) -> int:
        span = self._span(piece)
        if span % DAY:
            message = "dates are compared by whole days"
            raise Problem("E-UNIT", piece.start, len(piece.text), message, f"write `{max(1, round(span / DAY))} days`")
        return span // DAY

    # ------------------------------------------------------------ forms with a value

    def _valued(self, fact: Fact, form: str) -> Leaf:
        if form in ("next", "last", "past", "future", "before", "after", "aged"):
            return self._date(fact, form)
        first = self.phrase.operands[0]
        if form in ("compare", "between", "is_", "is_not") and (first.kind == "share" or self._names_number(first)):
            return self._against(fact, form, first)
        if fact.is_number:
            return self._number(fact, form)
        if form in ("compare", "between") or fact.kind not in (Kind.CHOICE, Kind.TEXT):
            self._unsuitable(fact)
        return self._one_of(fact, self.phrase.operands)

    def _names_number(self, piece: Piece) -> bool:
        other = BY_NAME.get(words_of(piece.text)) if piece.kind == "words" else None
        return other is not None and other.is_number

    def _against(self, fact: Fact, form: str, operand: Piece) -> Leaf:
        piece = operand.of or operand
        other = self._fact(piece)
        if form in ("between", "is_not") or not (fact.is_number and other.is_number) or fact.interval or other.interval:
            message = f"`{fact.name}` and `{other.name}` cannot be compared like this"
            fix = "compare two plain numbers with at least, at most, more than or less than"
            raise Problem("E-TYPE", self.phrase.start, len(self.phrase.text), message, fix)
        if fact.kind is not other.kind:
            message = f"`{fact.name}` is a {fact.kind}, `{other.name}` a {other.kind}"
            raise Problem(
                "E-TYPE", piece.start, len(piece.text), message, f"compare `{fact.name}` with another {fact.kind}"
            )
        part = Fraction(1)
        if operand.of:
            share = values.quantity(operand.text)
            if share is None or share.unit != "%":
                message = f"a share of `{other.name}` is written in percent"
                raise Problem("E-UNIT", operand.start, len(operand.text), message, f"write `80% of {other.name}`")
            part = Fraction(share.number) / 100
        op = _OPS.get(self.phrase.op, "=")
        return Against(text=self.phrase.text, fact=fact, op=op, share=part, other=other, place=self.place)

    def _value(self, fact: Fact, piece: Piece) -> float:
        found = values.quantity(piece.text) if piece.kind == "quantity" else None
        if found is None:
            fix = f"try `{example(fact)}`"
            raise Problem(
                "E-TYPE",
                piece.start,
                len(piece.text),
                f"`{fact.name}` is a {fact.kind}, `{piece.text}` is no number",
                fix,
            )
        return values.as_number(fact, found, piece.start, self.context.currency)

    def _number(self, fact: Fact, form: str) -> Leaf:
        numbers = [self._value(fact, piece) for piece in self.phrase.operands]
        text, place, first = self.phrase.text, self.place, numbers[0]
        if form in ("one_of", "not_one_of"):
            if fact.interval or fact.partial or any(number != int(number) for number in numbers):
                self._unsuitable(fact)
            for number, piece in zip(numbers, self.phrase.operands, strict=True):
                if not fact.low <= number <= fact.high:
                    message = f"`{fact.name}` is never {number:g}"
                    raise Problem("E-RANGE", piece.start, len(piece.text), message, "leave it out")
            return OneOf(text=text, fact=fact, values=tuple(int(number) for number in numbers), place=place)
        low, high = first, first
        if form == "between":
            low, high = numbers
            if low > high:
                piece = self.phrase.operands[0]
                message = "the lower bound is above the upper one"
                raise Problem("E-RANGE", piece.start, len(piece.text), message, "write the smaller one first")
        elif form == "compare":
            low, high = (first, float("inf")) if self.phrase.op in ("ge", "gt") else (-float("inf"), first)
        leaf = Range(
            text=text,
            fact=fact,
            low=low,
            high=high,
            low_open=self.phrase.op == "gt",
            high_open=self.phrase.op == "lt",
            place=place,
        )
        self._reachable(leaf)
        return leaf

    def _reachable(self, leaf: Range) -> None:
        fact = leaf.fact
        if not leaf.below(fact.low) or not leaf.above(fact.high):
            cause = "can never hold"
        elif leaf.above(fact.low) and leaf.below(fact.high):
            cause = "always holds"
        else:
            return
        piece = self.phrase.operands[0]
        bounds = f"{fact.low:g} and more" if fact.high == float("inf") else f"{fact.low:g} to {fact.high:g}"
        message = f"`{fact.name}` has values of {bounds}: this {cause}"
        raise Problem("E-RANGE", piece.start, len(piece.text), message, "choose a value inside that range")

    def _date(self, fact: Fact, form: str) -> Leaf:
        if fact.kind is not Kind.DATE:
            self._unsuitable(fact)
        text, place = self.phrase.text, self.place
        match form:
            case "past":
                return DateIn(text=text, fact=fact, last=-1, place=place)
            case "future":
                return DateIn(text=text, fact=fact, first=1, place=place)
            case "before" | "after":
                piece = self.phrase.operands[0]
                day = values.day_of(piece.text)
                if day is None:
                    raise Problem(
                        "E-VALUE", piece.start, len(piece.text), f"`{piece.text}` is no date", "write it as 2026-12-31"
                    )
                first, last = (day + 1, None) if form == "after" else (None, day - 1)
                return DateIn(text=text, fact=fact, first=first, last=last, absolute=True, place=place)
        days = self._days(self.phrase.operands[0])
        if form == "next":
            return DateIn(text=text, fact=fact, first=0, last=days, place=place)
        if form == "last":
            return DateIn(text=text, fact=fact, first=-days, last=0, place=place)
        return self._aged(fact, days)

    def _aged(self, fact: Fact, days: int) -> Leaf:
        """`more than 90 days ago`, `at most 30 days away`: an age (or distance) compared with a number of days."""
        op = self.phrase.op
        near, far = (
            (days if op == "ge" else days + 1, None) if op in ("ge", "gt") else (0, days if op == "le" else days - 1)
        )
        if self.phrase.side == "away":
            return DateIn(text=self.phrase.text, fact=fact, first=near, last=far, place=self.place)
        first = None if far is None else -far
        return DateIn(text=self.phrase.text, fact=fact, first=first, last=-near, place=self.place)

    def _one_of(self, fact: Fact, pieces: Sequence[Piece]) -> Leaf:
        found: list[str] = []
        for piece in pieces:
            text = piece.text.strip('"')
            if piece.kind == "quantity" or (fact.kind is Kind.TEXT and piece.kind != "string"):
                fix = f"try `{example(fact)}`"
                raise Problem(
                    "E-VALUE", piece.start, len(piece.text), f"`{piece.text}` is not a value of `{fact.name}`", fix
                )
            value = choice_of(fact, text, piece.start) if fact.kind is Kind.CHOICE else text
            if value in found:
                raise Problem(
                    "E-DUPLICATE", piece.start, len(piece.text), f"`{text}` stands there twice", "leave one of them out"
                )
            found.append(value)
        return OneOf(text=self.phrase.text, fact=fact, values=tuple(found), place=self.place)
