"""One account's value of a field from the values of its rows: by precedence, by anybody's yes, or as a sum."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from rules.past import Piece
from store.records import Instant

T = TypeVar("T")


def overlay(layers: Sequence[Sequence[Piece[T]]]) -> list[Piece[T]]:
    """At each instant the value of the first layer that has one; each layer is in order and does not overlap itself."""
    filled = [layer for layer in layers if layer]
    if len(filled) <= 1:
        return list(filled[0]) if filled else []
    return _swept(filled, lambda there: there[0])


def any_yes(layers: Sequence[Sequence[Piece[T]]], is_yes: Callable[[T], bool]) -> list[Piece[T]]:
    """At each instant the first value that is a yes, else the first value there is."""
    filled = [layer for layer in layers if layer]
    if len(filled) <= 1:
        return list(filled[0]) if filled else []
    return _swept(filled, lambda there: next((piece for piece in there if is_yes(piece.value)), there[0]))


def total(layers: Sequence[Sequence[Piece[T]]], add: Callable[[Sequence[T]], T]) -> list[Piece[T]]:
    """At each instant all values that are there, added up."""
    filled = [layer for layer in layers if layer]
    if len(filled) <= 1:
        return list(filled[0]) if filled else []

    def summed(there: Sequence[Piece[T]]) -> Piece[T]:
        latest = max(there, key=lambda piece: piece.since)
        value = add([piece.value for piece in there])
        return Piece(latest.since, None, value, latest.history, latest.author)

    return _swept(filled, summed)


def _swept(layers: Sequence[Sequence[Piece[T]]], choose: Callable[[Sequence[Piece[T]]], Piece[T]]) -> list[Piece[T]]:
    found: list[Piece[T]] = []
    for begin, end in _spans(layers):
        there = [piece for layer in layers if (piece := _at(layer, begin)) is not None]
        if not there:
            continue
        one = choose(there)
        last = found[-1] if found else None
        if last is not None and last.until == begin and last.value == one.value:
            found[-1] = Piece(last.since, end, last.value, last.history, last.author)
        else:
            # A value that comes to the fore because another one ended is known by how that one ended.
            history, author = (one.history, one.author) if one.since == begin else (_ended(there, layers, begin), None)
            found.append(Piece(begin, end, one.value, history, author))
    return found


def _ended(there: Sequence[Piece[T]], layers: Sequence[Sequence[Piece[T]]], at: Instant) -> str:
    after = [p.history for layer in layers for p in layer if p.until == at]
    return "crm" if "crm" in after else "seen" if after else there[0].history


def _spans(layers: Iterable[Sequence[Piece[T]]]) -> list[tuple[Instant, Instant | None]]:
    pieces = [piece for layer in layers for piece in layer]
    cuts = sorted({p.since for p in pieces} | {p.until for p in pieces if p.until is not None})
    ends: list[Instant | None] = [*cuts[1:], None]
    return list(zip(cuts, ends, strict=True))


def _at(layer: Sequence[Piece[T]], t: Instant) -> Piece[T] | None:
    return next((p for p in layer if p.since <= t and (p.until is None or t < p.until)), None)
