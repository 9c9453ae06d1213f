"""Text of a SOQL statement -> tree, refusing what Salesforce's grammar refuses with its MALFORMED_QUERY."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any as Anything

from lark import Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from sandbox.salesforce import wire
from sandbox.salesforce.errors import Refused
from sandbox.salesforce.soql import tree
from sandbox.salesforce.soql.grammar import PARSER

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_LIKE_ESCAPES = {"_": "\\_", "%": "\\%"}
"""In LIKE an escaped wildcard stands for itself, so the backslash stays until the pattern is compiled."""

MAX_STATEMENT = 100_000
"""Characters in one statement."""


@lru_cache(maxsize=512)
def parse(text: str) -> tree.Statement:
    """One statement. Refused (MALFORMED_QUERY, 400) with the vendor's row and column text."""
    if not text.strip():
        raise Refused(400, "MALFORMED_QUERY", "A query string has to be specified")
    if len(text) > MAX_STATEMENT:
        raise Refused(400, "MALFORMED_QUERY", "SOQL statements cannot be longer than 100000 characters.")
    try:
        parsed = PARSER.parse(text)
        statement: tree.Statement = _Builder(text).transform(parsed)
    except UnexpectedInput as error:
        raise _malformed(text, error) from error
    except VisitError as error:
        if isinstance(error.orig_exc, Refused):
            raise error.orig_exc from error
        raise
    return statement


def located(text: str, at: int, message: str) -> str:
    """The vendor's error text: the piece of the line, a caret under the place, row and column, what is wrong."""
    line_start = text.rfind("\n", 0, at) + 1
    line_end = text.find("\n", at)
    line = text[line_start : line_end if line_end >= 0 else len(text)]
    column = at - line_start
    first = max(0, column - 50)
    shown = line[first : column + 50]
    row = text.count("\n", 0, at) + 1
    return f"\n{shown}\n{' ' * (column - first)}^\nERROR at Row:{row}:Column:{column + 1}\n{message}"


def _malformed(text: str, error: UnexpectedInput) -> Refused:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return Refused(400, "MALFORMED_QUERY", "unexpected token: '<EOF>'")
    at = int(error.pos_in_stream or 0)
    if isinstance(error, UnexpectedCharacters) and text[at] == "'":
        return Refused(400, "MALFORMED_QUERY", f"line 1:{len(text)} mismatched character '<EOF>' expecting '''")
    word = re.match(r"\w+|\S", text[at:])
    message = f"unexpected token: '{word.group() if word else ''}'"
    return Refused(400, "MALFORMED_QUERY", message if not text[:at].strip() else located(text, at, message))


def unescape(body: str, text: str, at: int, keep_wildcards: bool = False) -> str:
    r"""The characters of a quoted string: \' \" \\ \n \r \t \b \f \uXXXX, and \_ \% in patterns; others are refused."""

    def one(match: re.Match[str]) -> str:
        mark = match.group(1)
        if mark[0] in "uU" and len(mark) == 5:
            return chr(int(mark[1:], 16))
        if mark in _ESCAPES:
            return "\\\\" if keep_wildcards and mark == "\\" else _ESCAPES[mark]
        if mark in _LIKE_ESCAPES:
            return _LIKE_ESCAPES[mark] if keep_wildcards else mark
        raise Refused(
            400, "MALFORMED_QUERY", located(text, at, f"Invalid string literal '{body}'. Illegal character sequence")
        )

    return re.sub(r"\\(u[0-9A-Fa-f]{4}|.)", one, body, flags=re.DOTALL | re.IGNORECASE)


class _Builder(Transformer[Token, Anything]):
    """Bottom-up from lark's nodes to ours."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def path(self, names: list[Token]) -> tree.Path:
        return tree.Path(tuple(str(n) for n in names), names[0].start_pos or 0)

    def column(self, parts: list[Anything]) -> tree.Column:
        return tree.Column(parts[0], str(parts[1]) if len(parts) > 1 else None)

    def aggregate(self, parts: list[Anything]) -> tree.Aggregate:
        alias = str(parts[2]) if len(parts) > 2 else None
        return tree.Aggregate(str(parts[0]).lower(), parts[1], alias, parts[0].start_pos or 0)

    def measured(self, parts: list[Anything]) -> tree.Aggregate:
        return self.aggregate(parts)

    def count_all(self, tokens: list[Token]) -> None:
        name = str(tokens[0])
        if name.lower() != "count":
            at = tokens[0].start_pos or 0
            raise Refused(400, "MALFORMED_QUERY", located(self._text, at + len(name) + 1, "unexpected token: ')'"))

    def select(self, items: list[Anything]) -> list[Anything]:
        return items

    def children(self, parts: list[Anything]) -> tree.Children:
        return tree.Children(self.start(parts))

    def typeof(self, parts: list[Anything]) -> tree.TypeOf:
        branches = tuple(part for part in parts[1:] if isinstance(part, tuple) and isinstance(part[0], str))
        otherwise = next((part for part in parts[1:] if isinstance(part, list)), [])
        return tree.TypeOf(parts[0], branches, tuple(otherwise))

    def when(self, parts: list[Anything]) -> tuple[str, int, tuple[tree.Path, ...]]:
        return str(parts[0]), parts[0].start_pos or 0, tuple(parts[1:])

    def otherwise(self, parts: list[tree.Path]) -> list[tree.Path]:
        return parts

    def literal(self, tokens: list[Token]) -> tuple[Token, int]:
        return tokens[0], tokens[0].start_pos or 0

    def compare(self, parts: list[Anything]) -> tree.Comparison:
        path, op, (token, at) = parts
        name = str(op).lower().replace("<>", "!=")
        literal = self._constant(token, at, keep_wildcards=name == "like")
        return tree.Comparison(path, name, (literal,), path.at)

    def among(self, parts: list[Anything]) -> tree.Comparison:
        return self._listed(parts, "in")

    def not_among(self, parts: list[Anything]) -> tree.Comparison:
        return self._listed(parts, "not-in")

    def includes(self, parts: list[Anything]) -> tree.Comparison:
        literals = tuple(self._constant(token, at) for token, at in parts[2:])
        return tree.Comparison(parts[0], str(parts[1]).lower(), literals, parts[0].at)

    def semijoin(self, parts: list[Anything]) -> tree.SemiJoin:
        where = parts[2][1] if len(parts) > 2 else None
        return tree.SemiJoin(parts[0], str(parts[1]), parts[1].start_pos or 0, where)

    def joined(self, parts: list[Anything]) -> tree.Comparison:
        return tree.Comparison(parts[0], "in", (), parts[0].at, parts[2])

    def not_joined(self, parts: list[Anything]) -> tree.Comparison:
        return tree.Comparison(parts[0], "not-in", (), parts[0].at, parts[2])

    def _listed(self, parts: list[Anything], op: str) -> tree.Comparison:
        literals = tuple(self._constant(token, at) for token, at in parts[2:])
        return tree.Comparison(parts[0], op, literals, parts[0].at)

    def all(self, parts: list[tree.Condition]) -> tree.All:
        return tree.All(tuple(parts))

    def any(self, parts: list[tree.Condition]) -> tree.Any:
        return tree.Any(tuple(parts))

    def not_(self, parts: list[tree.Condition]) -> tree.Not:
        return tree.Not(parts[0])

    def where(self, parts: list[tree.Condition]) -> tuple[str, tree.Condition]:
        return "where", parts[0]

    def group(self, paths: list[tree.Path]) -> tuple[str, tuple[tree.Path, ...]]:
        return "group", tuple(paths)

    def having(self, parts: list[tree.Condition]) -> tuple[str, tree.Condition]:
        return "having", parts[0]

    def order_key(self, parts: list[Anything]) -> tree.Order:
        words = [str(p).lower() for p in parts[1:]]
        return tree.Order(parts[0], "desc" in words, "last" in words)

    @v_args(inline=True)
    def nulls(self, edge: Token) -> Token:
        return edge

    def order(self, keys: list[tree.Order]) -> tuple[str, tuple[tree.Order, ...]]:
        return "order", tuple(keys)

    @v_args(inline=True)
    def limit(self, number: Token) -> tuple[str, int]:
        return "limit", int(number)

    @v_args(inline=True)
    def offset(self, number: Token) -> tuple[str, int]:
        return "offset", int(number)

    def start(self, parts: list[Anything]) -> tree.Statement:
        items, name, *clauses = parts
        given = dict(clauses)
        count_all = items == [None]
        return tree.Statement(
            text=self._text,
            items=() if count_all else tuple(items),
            count_all=count_all,
            object=str(name),
            object_at=name.start_pos,
            where=given.get("where"),
            group=given.get("group", ()),
            having=given.get("having"),
            order=given.get("order", ()),
            limit=given.get("limit"),
            offset=given.get("offset", 0),
        )

    def _constant(self, token: Token, at: int, keep_wildcards: bool = False) -> tree.Literal:
        text = str(token)
        if token.type == "STRING":
            return tree.Literal("string", unescape(text[1:-1], self._text, at, keep_wildcards), at)
        if token.type in ("NUMBER", "INTEGER"):
            return tree.Literal("number", float(text) if re.search(r"[.eE]", text) else int(text), at)
        if token.type == "NULL":
            return tree.Literal("null", None, at)
        if token.type in ("TRUE", "FALSE"):
            return tree.Literal("bool", token.type == "TRUE", at)
        if token.type == "RELATIVE":
            return tree.Literal("relative", _relative(text.upper()), at)
        kind, value = (
            ("datetime", wire.parse_stamp(text)) if token.type == "DATETIME" else ("date", wire.parse_date(text))
        )
        if value is None:
            raise Refused(400, "MALFORMED_QUERY", located(self._text, at, f"Invalid {kind}: {text}"))
        return tree.Literal(kind, value, at)


setattr(_Builder, "not", _Builder.not_)


def _relative(word: str) -> tuple[int, int]:
    """The half-open range of days from today that a date word means: TODAY is (0, 1)."""
    name, _, number = word.partition(":")
    n = int(number or 0)
    return {
        "TODAY": (0, 1),
        "YESTERDAY": (-1, 0),
        "TOMORROW": (1, 2),
        # The last n days include today, up to now; the next n days begin tomorrow.
        "LAST_N_DAYS": (-n, 1),
        "NEXT_N_DAYS": (1, n + 1),
        "N_DAYS_AGO": (-n, 1 - n),
    }[name]
