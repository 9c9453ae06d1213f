"""True, false, or unknown with a reason, and how `and`, `or` and `not` treat the third."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unknown:
    """It cannot be said; `reason` is one word or several joined by underscores."""

    reason: str


Truth = bool | Unknown


def all_of(*parts: Truth) -> Truth:
    """False if one is false, else unknown for the first reason if one is unknown, else true."""
    if any(part is False for part in parts):
        return False
    return next((part for part in parts if isinstance(part, Unknown)), True)


def any_of(*parts: Truth) -> Truth:
    """True if one is true, else unknown for the first reason if one is unknown, else false."""
    if any(part is True for part in parts):
        return True
    return next((part for part in parts if isinstance(part, Unknown)), False)


def negation(part: Truth) -> Truth:
    """The opposite; what is unknown stays so."""
    return part if isinstance(part, Unknown) else not part
