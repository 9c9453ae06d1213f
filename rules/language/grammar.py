"""The grammar of one line: about fifteen phrase forms, parsed by Lark (LALR, contextual lexer) into untyped phrases."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Tree, UnexpectedInput
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from rules.language.catalogue import BY_BOOKING, BY_EVENT, BY_NAME, WORDS, Fact, described, example
from rules.language.errors import Problem
from rules.language.sets import SETS

_KEYWORDS = (
    "and",
    "or",
    "no",
    "not",
    "is",
    "are",
    "in",
    "within",
    "the",
    "next",
    "last",
    "past",
    "future",
    "at",
    "least",
    "most",
    "more",
    "less",
    "fewer",
    "than",
    "below",
    "above",
    "between",
    "one",
    "of",
    "happened",
    "never",
    "booked",
    "known",
    "unknown",
    "before",
    "after",
    "ago",
    "away",
    "with",
    "level",
    "function",
    "fell",
    "rose",
    "changed",
    "by",
    "top",
    "bottom",
    "half",
    "third",
    "quarter",
    "fifth",
    "tenth",
    "its",
    "tagged",
    "feature",
    "adopted",
    "thriving",
    "lapsed",
    "offered",
    "was",
    "shown",
    "include",
    "do",
)
KEYWORDS = frozenset(_KEYWORDS)
RESERVED = frozenset(_KEYWORDS[: _KEYWORDS.index("with")]) | {"tagged", "feature"}
"""Words that no name of the vocabulary begins with."""

_RULES = r"""
start: phrase (_conj phrase)*
_conj: AND | OR

phrase: subject                          -> bare
      | NOT subject                      -> negated
      | NO subject                       -> none
      | NO subject window                -> silence
      | NO subject narrow window         -> silence
      | NO subject _be BOOKED            -> not_booked
      | subject HAPPENED window          -> happened
      | subject narrow HAPPENED window   -> happened
      | subject NEVER HAPPENED           -> never
      | subject narrow NEVER HAPPENED    -> never
      | subject FELL window              -> fell
      | subject FELL BY operand window   -> fell
      | subject ROSE window              -> rose
      | subject ROSE BY operand window   -> rose
      | subject CHANGED window           -> changed
      | TAGGED operand                   -> tagged
      | NOT TAGGED operand               -> not_tagged
      | FEATURE operand IS state         -> feature
      | FEATURE operand ARE state        -> feature
      | FEATURE operand IS NOT state     -> not_feature
      | FEATURE operand ARE NOT state    -> not_feature
      | subject INCLUDE operand          -> include
      | subject DO NOT INCLUDE operand   -> not_include
      | subject WAS SHOWN                -> shown
      | subject WAS NOT SHOWN            -> not_shown
      | subject _be BOOKED               -> booked
      | subject _be NOT BOOKED           -> not_booked
      | subject _be KNOWN                -> known
      | subject _be UNKNOWN              -> unknown
      | subject _be compare operand      -> compare
      | subject _be compare operand side -> aged
      | subject _be BETWEEN operand AND operand -> between
      | subject _be WITHIN THE NEXT operand     -> next
      | subject _be WITHIN THE LAST operand     -> last
      | subject _be IN THE PAST                 -> past
      | subject _be IN THE FUTURE               -> future
      | subject _be IN THE side_of              -> ranked
      | subject _be NOT IN THE side_of          -> not_ranked
      | subject _be BEFORE operand              -> before
      | subject _be AFTER operand               -> after
      | subject _be ONE OF items                -> one_of
      | subject _be NOT ONE OF items            -> not_one_of
      | subject _be NOT operand                 -> is_not
      | subject _be operand                     -> is_

_be: IS | ARE  // not before `state`: what follows `_be` anywhere is a name too, and `lapsed` may be one
window: IN THE LAST operand | IN operand | WITHIN THE LAST operand | WITHIN operand
compare: AT LEAST   -> ge
       | AT MOST    -> le
       | MORE THAN  -> gt
       | LESS THAN  -> lt
       | FEWER THAN -> lt
       | BELOW      -> lt
       | ABOVE      -> gt
side: AGO | AWAY
narrow: WITH LEVEL subject | WITH FUNCTION subject
state: ADOPTED | THRIVING | LAPSED | OFFERED
side_of: TOP _part [OF ITS subject] | BOTTOM _part [OF ITS subject]
_part: QUANTITY | HALF | THIRD | QUARTER | FIFTH | TENTH
items: operand ("," operand)*
operand: QUANTITY | QUANTITY OF subject | STRING | DATE | subject
subject: (NAME | WORD)+

DATE.3: /\d{4}-\d\d-\d\d/
QUANTITY.2: /-?[$€£]?\d+([,_]\d{3})*(\.\d+)?[kKmMbB]?%?(\s*(points?|hours?|(business\s+)?days?|weeks?|months?)(?![\w-]))?(?![\w%-])/i
STRING.2: /"[^"]*"/
WORD.-1: /[^\W\d_][\w'&\/-]*/
WS: /\s+/
%ignore WS
"""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a phrase with its place in the line (offsets in characters)."""

    text: str
    start: int
    kind: str = ""
    """For an operand: quantity | string | date | words | share (a quantity `of` a subject)."""
    of: Piece | None = None

    @property
    def end(self) -> int:
        """Offset behind the last character."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Phrase:
    """One phrase before its words are looked up: the form, what it speaks of, and its operands."""

    form: str
    text: str
    start: int
    subject: Piece
    operands: tuple[Piece, ...] = ()
    op: str = ""
    side: str = ""
    """ago | away; top | bottom; level | function"""
    narrow: Piece | None = None
    """The level or function that `side` says."""
    state: str = ""
    """Of a feature."""
    group: Piece | None = None
    """Of a rank: what comes behind `of its`."""


@dataclass(frozen=True, slots=True)
class Line:
    """The phrases of one line and what joins them: '', 'and' or 'or'."""

    phrases: tuple[Phrase, ...]
    joint: str = ""


_SPELT = {"include": "includes?", "do": "do(?:es)?"}


def _alternatives(words: Iterable[str]) -> str:
    longest = sorted(set(words), key=lambda word: (-len(word), word))
    return "|".join(r"[\s_]+".join(map(re.escape, word.split())) for word in longest)


def build(vocabulary: Iterable[str]) -> Lark:
    """The parser for the catalogue's facts and these vocabulary names."""
    return _built(tuple(sorted(vocabulary)))


@lru_cache(maxsize=16)
def _built(vocabulary: tuple[str, ...]) -> Lark:
    # One terminal for all names, longest first: `renewal due` must not be read as the fact `renewal`.
    name = f"NAME.1: /(?:{_alternatives([*WORDS, *SETS, *vocabulary])})(?![\\w-])/i"
    words = "\n".join(f"{word.upper()}: /{_SPELT.get(word, word)}(?![\\w-])/i" for word in _KEYWORDS)
    return Lark(
        "\n".join((_RULES, name, words)),
        parser="lalr",
        lexer="contextual",
        propagate_positions=True,
        maybe_placeholders=False,
    )


def read(parser: Lark, line: str) -> Line:
    """The phrases of one line; raises Problem (E-PHRASE, E-MIXED)."""
    try:
        tree = parser.parse(line)
    except UnexpectedInput as error:
        raise _unreadable(line, error) from None
    phrases = tuple(_phrase(line, node) for node in tree.children if isinstance(node, Tree))
    joints = [node for node in tree.children if isinstance(node, Token)]
    if len({joint.type for joint in joints}) > 1:
        raise _mixed(phrases, joints)
    return Line(phrases, joints[0].lower() if joints else "")


def _phrase(line: str, node: Tree[Token]) -> Phrase:
    parts = [child for child in node.children if isinstance(child, Tree)]
    operands: list[Piece] = []
    more: dict[str, Any] = {}
    for part in parts:
        match part.data:
            case "operand":
                operands.append(_operand(line, part))
            case "window" | "items":
                operands += [_operand(line, child) for child in part.children if isinstance(child, Tree)]
            case "side" | "state":
                more[str(part.data)] = str(part.children[0]).lower()
            case "narrow":
                more |= {"side": str(part.children[1]).lower(), "narrow": _inner(line, part)}
            case "side_of":
                token = part.children[1]
                assert isinstance(token, Token)
                assert token.start_pos is not None
                operands.append(Piece(str(token), token.start_pos, token.type.lower()))
                more |= {"side": str(part.children[0]).lower(), "group": _inner(line, part)}
            case "ge" | "le" | "gt" | "lt":
                more["op"] = str(part.data)
    subject = next((_piece(line, part) for part in parts if part.data == "subject"), None) or operands[0]
    start, end = _span(node)
    return Phrase(str(node.data), line[start:end], start, subject, tuple(operands), **more)


def _inner(line: str, node: Tree[Token]) -> Piece | None:
    return next((_piece(line, child) for child in node.children if isinstance(child, Tree)), None)


def _operand(line: str, node: Tree[Token]) -> Piece:
    first = node.children[0]
    if isinstance(first, Tree):
        return _piece(line, first)
    whole = _piece(line, node, first.type.lower())
    if len(node.children) > 1:
        share = next(child for child in node.children if isinstance(child, Tree))
        return Piece(str(first), whole.start, "share", _piece(line, share))
    return whole


def _piece(line: str, node: Tree[Token], kind: str = "words") -> Piece:
    start, end = _span(node)
    return Piece(line[start:end], start, kind)


def _span(node: Tree[Token]) -> tuple[int, int]:
    start, end = node.meta.start_pos, node.meta.end_pos
    if start is None or end is None:
        raise ValueError(f"{node.data} has no place")
    return start, end


def _mixed(phrases: tuple[Phrase, ...], joints: list[Token]) -> Problem:
    odd = next(joint for joint in joints if joint.type != joints[0].type)
    texts = [phrase.text for phrase in phrases]
    words = [str(joint).lower() for joint in joints]
    readings = _reading(texts, words, "and"), _reading(texts, words, "or")
    fix = "write the one you mean as blocks\n       either  " + "\n       or      ".join(readings)
    start = odd.start_pos
    return Problem("E-MIXED", start or 0, len(odd), "`and` and `or` on one line can be read in two ways", fix)


def _reading(texts: list[str], joints: list[str], tight: str) -> str:
    """The line as a block when `tight` binds closer than the other connective."""
    groups = [[texts[0]]]
    for joint, text in zip(joints, texts[1:], strict=True):
        if joint == tight:
            groups[-1].append(text)
        else:
            groups.append([text])
    inner, outer = ("all", "any") if tight == "and" else ("any", "all")
    shown = [group[0] if len(group) == 1 else f"{inner}: [{', '.join(group)}]" for group in groups]
    return f"{outer}: [{', '.join(shown)}]"


_SHOWN = {
    "NAME": "a fact",
    "WORD": "a word",
    "QUANTITY": "a number",
    "STRING": 'a "text"',
    "DATE": "a date",
    "COMMA": "a comma",
    "$END": "the end of the phrase",
}


def _unreadable(line: str, error: UnexpectedInput) -> Problem:
    expected: set[str] = set()
    if isinstance(error, UnexpectedToken):
        expected = set(error.accepts or error.expected)
    elif isinstance(error, UnexpectedCharacters):
        expected = set(error.allowed or ())
    at = -1 if error.pos_in_stream is None else error.pos_in_stream
    ended = not 0 <= at < len(line) or (isinstance(error, UnexpectedToken) and error.token.type == "$END")
    at = len(line.rstrip()) if ended else at
    typo = _typo(line[:at])
    if typo:
        return typo
    word = re.match(r"\S+", line[at:])
    found = "the phrase ends too early" if ended or not word else f"`{word[0]}` does not fit here"
    wanted = sorted({_SHOWN.get(name, f"`{name.lower()}`") for name in expected})
    fact = subject_of(line)
    if expected == {"LEVEL", "FUNCTION"}:
        fix = "write `with level vp` or `with function finance`"
    elif fact:
        fix = f"`{fact.name}` is {described(fact)}; try `{example(fact)}`"
    else:
        fix = "write here " + " or ".join(wanted) if wanted else "use one of the phrase forms"
    return Problem("E-PHRASE", at, len(word[0]) if word and not ended else 1, found, fix)


def _typo(before: str) -> Problem | None:
    """A word just before the place where reading failed that is nearly one of the language's own."""
    for match in list(re.finditer(r"[A-Za-z]{4,}", before))[::-1][:2]:
        word = match[0].lower()
        near = difflib.get_close_matches(word, KEYWORDS, n=1, cutoff=0.8)
        if near and word not in KEYWORDS and not any(word in name.split() for name in WORDS):
            return Problem(
                "E-PHRASE",
                match.start(),
                len(word),
                f"`{match[0]}` is no word of the language",
                f"did you mean `{near[0]}`?",
            )
    return None


def subject_of(line: str) -> Fact | None:
    """The fact a line speaks of, as far as one can tell without reading it."""
    for word in WORDS:
        if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", line, re.IGNORECASE):
            return BY_NAME.get(word) or BY_EVENT.get(word) or BY_BOOKING.get(word)
    return None
