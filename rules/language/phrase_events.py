"""Phrases about what happens: silence, that it happened or never did, and what is booked; also with one level or function."""

from __future__ import annotations

from rules.language.asking import Asking, chosen, words_of, wrong
from rules.language.catalogue import BY_BOOKING, BY_EVENT, BY_NAME, Fact
from rules.language.errors import closest, did_you_mean
from rules.language.sets import FUNCTIONS, LEVELS, NARROWABLE
from rules.language.tree import Booked, Happened, Leaf, Narrow, Silence


def silence(asking: Asking) -> Leaf:
    """`no exec contact in 15 days`."""
    fact, narrow = _event(asking), _narrow(asking)
    window = asking.span(asking.phrase.operands[0])
    return Silence(text=asking.text, fact=fact, window=window, narrow=narrow, place=asking.place)


def happened(asking: Asking) -> Leaf:
    """`exec reply happened in the last 30 days`; without a window: ever."""
    fact, narrow = _event(asking), _narrow(asking)
    window = asking.span(asking.phrase.operands[0]) if asking.phrase.operands else None
    return Happened(text=asking.text, fact=fact, window=window, narrow=narrow, place=asking.place)


def _event(asking: Asking) -> Fact:
    subject = asking.phrase.subject
    name = words_of(subject.text)
    fact = BY_EVENT.get(name)
    if fact is not None:
        return fact
    other = BY_NAME.get(name)
    if other:
        asking.unsuitable(other, subject)
    near = closest(name, BY_EVENT)
    if near is None:
        asking.unknown(subject)
    raise wrong("E-FACT", subject, f"unknown event `{subject.text}`", f"did you mean `{near}`?")


def _narrow(asking: Asking) -> Narrow | None:
    piece, by, subject = asking.phrase.narrow, asking.phrase.side, asking.phrase.subject
    if piece is None:
        return None
    name = words_of(subject.text)
    if name not in NARROWABLE:
        better = "reply" if "reply" in name else "contact"
        message = f"only contact and reply can be narrowed to one {by}, not `{name}`"
        raise wrong("E-TYPE", subject, message, f"write `{better} with {by} {piece.text}`")
    known = {"level": LEVELS, "function": FUNCTIONS}
    other = "function" if by == "level" else "level"
    if words_of(piece.text).replace(" ", "_") in known[other]:
        message = f"`{piece.text}` is a {other}, not a {by}"
        raise wrong("E-VALUE", piece, message, f"write `with {other} {piece.text}`")
    value = chosen(piece.text, known[by], f"`{by}`", piece.start)
    return Narrow(by, value)


def booked(asking: Asking) -> Leaf:
    """`exec meeting is booked`."""
    subject = asking.phrase.subject
    name = words_of(subject.text)
    fact = BY_BOOKING.get(name) or (BY_NAME.get(name) if name.startswith("next ") else None)
    if fact is None:
        shown = sorted(BY_BOOKING)
        fix = did_you_mean(name, shown, "what can be booked: " + ", ".join(shown))
        raise wrong("E-TYPE", subject, f"`{subject.text}` cannot be booked", fix)
    return Booked(text=asking.text, fact=fact, place=asking.place)
