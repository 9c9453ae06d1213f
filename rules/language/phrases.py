"""Give a phrase its type: look its words up, check form, unit and range against the fact, and make the typed leaf."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rules.language import phrase_dates, phrase_events, phrase_moves, phrase_numbers, phrase_sets
from rules.language.asking import Asking, Context, choice_of, words_of, wrong
from rules.language.catalogue import BY_EVENT, BY_NAME, Kind, example
from rules.language.grammar import Phrase
from rules.language.sets import SETS, set_example
from rules.language.tree import Flag, Known, Leaf, Named, Node, Not, OneOf

__all__ = ["Context", "choice_of", "typed", "words_of"]

_NEGATIONS: Mapping[str, str] = {
    "negated": "bare",
    "unknown": "known",
    "is_not": "is_",
    "not_one_of": "one_of",
    "not_booked": "booked",
    "never": "ever",
    "not_tagged": "tagged",
    "not_feature": "feature",
    "not_include": "include",
    "not_shown": "shown",
    "not_ranked": "ranked",
}
"""Forms that say the opposite of another."""


def typed(phrase: Phrase, context: Context) -> Node | None:
    """The node a phrase means; None when it rests on a broken vocabulary entry. Raises Problem."""
    asking = Asking(phrase, context)
    opposite = _NEGATIONS.get(phrase.form)
    node = _FORMS.get(opposite or phrase.form, _valued)(asking)
    return Not(node, phrase.text) if node is not None and opposite else node


def _bare(asking: Asking) -> Node | None:
    subject = asking.phrase.subject
    name = words_of(subject.text)
    if name in asking.context.vocabulary:
        part = asking.context.resolve(name)
        return None if part is None else Named(name, part, asking.place)
    fact = BY_NAME.get(name) or BY_EVENT.get(name)
    if fact is None:
        if name in SETS:
            raise wrong("E-TYPE", subject, f"`{name}` is a set", f"try `{set_example(SETS[name])}`")
        asking.unknown(subject)
    if fact.kind is not Kind.FLAG:
        asking.unsuitable(fact, subject)
    return Flag(text=asking.text, fact=fact, place=asking.place)


def _known(asking: Asking) -> Leaf:
    return Known(text=asking.text, fact=asking.fact(asking.phrase.subject), place=asking.place)


def _shown(asking: Asking) -> Leaf:
    """`newest offering was shown`: the flag beside the offering."""
    subject = asking.phrase.subject
    fact = BY_NAME.get(f"{words_of(subject.text)} shown")
    if fact is None or fact.kind is not Kind.FLAG:
        message = f"`{subject.text}` is nothing that is shown to a customer"
        raise wrong("E-TYPE", subject, message, "try `newest offering was not shown`")
    return Flag(text=asking.text, fact=fact, place=asking.place)


def _valued(asking: Asking) -> Leaf:
    """`X is ...`, compared with a number, another fact, or choices."""
    phrase = asking.phrase
    fact, first, form = asking.fact(phrase.subject), phrase.operands[0], phrase.form
    compared = form in ("compare", "between", "is_", "is_not")
    if compared and (first.kind == "share" or phrase_numbers.names_number(first)):
        return phrase_numbers.against(asking, fact)
    if fact.is_number:
        return phrase_numbers.number(asking, fact)
    if form in ("compare", "between") or fact.kind not in (Kind.CHOICE, Kind.TEXT):
        asking.unsuitable(fact)
    return _one_of(asking)


def _one_of(asking: Asking) -> Leaf:
    fact = asking.fact(asking.phrase.subject)
    found: list[str] = []
    for piece in asking.phrase.operands:
        text = piece.text.strip('"')
        if piece.kind == "quantity" or (fact.kind is Kind.TEXT and piece.kind != "string"):
            known = piece.kind == "words" and fact.kind is Kind.TEXT
            fix = f'write it in quotes: `{fact.name} is "{text}"`' if known else f"try `{example(fact)}`"
            raise wrong("E-VALUE", piece, f"`{piece.text}` is not a value of `{fact.name}`", fix)
        value = choice_of(fact, text, piece.start) if fact.kind is Kind.CHOICE else text
        if value in found:
            raise wrong("E-DUPLICATE", piece, f"`{text}` stands there twice", "leave one of them out")
        found.append(value)
    return OneOf(text=asking.text, fact=fact, values=tuple(found), place=asking.place)


_FORMS: Mapping[str, Callable[[Asking], Node | None]] = {
    "bare": _bare,
    "known": _known,
    "shown": _shown,
    "none": phrase_numbers.none,
    "silence": phrase_events.silence,
    "happened": phrase_events.happened,
    "ever": phrase_events.happened,
    "booked": phrase_events.booked,
    "fell": phrase_moves.moved,
    "rose": phrase_moves.moved,
    "changed": phrase_moves.moved,
    "ranked": phrase_moves.ranked,
    "tagged": phrase_sets.tagged,
    "feature": phrase_sets.feature,
    "include": phrase_sets.include,
    **dict.fromkeys(("next", "last", "past", "future", "before", "after", "aged"), phrase_dates.date),
}
