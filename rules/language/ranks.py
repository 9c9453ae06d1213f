"""A rank in words: `in the top 20%`, `in the bottom third of its segment`."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from rules.language.tree import Cut

PARTS: Mapping[str, Fraction] = {
    "half": Fraction(1, 2),
    "third": Fraction(1, 3),
    "quarter": Fraction(1, 4),
    "fifth": Fraction(1, 5),
    "tenth": Fraction(1, 10),
}
_NAMES = {Fraction(1, 2): "half", Fraction(1, 3): "third", Fraction(1, 4): "quarter"}


def place_of(cut: Cut) -> str:
    """`in the top 20%`."""
    return f"in the {share_of(cut)}"


def share_of(cut: Cut) -> str:
    """`top 20%`, `bottom third of its segment`."""
    part = _NAMES.get(cut.share) or f"{float(cut.share * 100):g}%"
    return f"{cut.side} {part}" + (" of its segment" if cut.by_segment else "")
