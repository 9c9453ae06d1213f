"""Phrases about sets: tags, features, functions reached."""

from __future__ import annotations

from typing import NoReturn

from rules.language.asking import Asking, chosen, words_of, wrong
from rules.language.catalogue import BY_NAME
from rules.language.grammar import Piece
from rules.language.sets import FEATURE_STATES, FEATURES, FUNCTIONS, REACHED, SETS, TAGS
from rules.language.tree import InSet, Leaf


def tagged(asking: Asking) -> Leaf:
    """`tagged "beta"`."""
    piece = asking.phrase.operands[0]
    return InSet(text=asking.text, fact=TAGS, value=_quoted(piece, "a tag", "tagged"), place=asking.place)


def feature(asking: Asking) -> Leaf:
    """`feature "SSO" is adopted`."""
    piece = asking.phrase.operands[0]
    value = _quoted(piece, "a feature's name", "feature")
    states = FEATURE_STATES[asking.phrase.state]
    return InSet(text=asking.text, fact=FEATURES, value=value, states=states, place=asking.place)


def _quoted(piece: Piece, what: str, word: str) -> str:
    name = " ".join(piece.text.strip('"').split())
    if piece.kind != "string" or not name:
        fix = f'write `{word} "{name or "its name"}"`'
        raise wrong("E-VALUE", piece, f"{what} stands in double quotes", fix)
    return name


def include(asking: Asking) -> Leaf:
    """`functions reached include it`."""
    phrase = asking.phrase
    value = phrase.operands[0]
    fact = SETS.get(words_of(phrase.subject.text)) or _no_set(asking, phrase.subject)
    if fact is TAGS:
        raise wrong(
            "E-TYPE", asking.whole, "tags have a phrase of their own", f'write `tagged "{value.text.strip(chr(34))}"`'
        )
    if fact is not REACHED:
        fix = f'write `feature "{value.text.strip(chr(34))}" is adopted`'
        raise wrong("E-TYPE", asking.whole, "features have a phrase of their own", fix)
    function = chosen(value.text.strip('"'), FUNCTIONS, "`functions reached`", value.start)
    return InSet(text=asking.text, fact=fact, value=function, place=asking.place)


def _no_set(asking: Asking, piece: Piece) -> NoReturn:
    name = words_of(piece.text)
    if name in BY_NAME:
        asking.unsuitable(BY_NAME[name], piece)
    asking.unknown(piece)
