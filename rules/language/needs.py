"""What a set of rules needs to be computed besides the facts of now: past facts by distance, and rank cuts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from rules.language.model import RuleSet


@dataclass(frozen=True, slots=True)
class Cut:
    """The value of a fact that parts the top or bottom `share` of the customers, or of each segment's, from the rest."""

    column: str
    side: Literal["top", "bottom"]
    share: Fraction
    by_segment: bool = False

    def key(self, segment: str | None) -> str:
        """Its name in `portfolio_stats`; `segment` None: of all customers."""
        share = f"{self.share.numerator}/{self.share.denominator}"
        return f"cut:{self.column}:{self.side}:{share}:{segment or '*'}"


def distances_of(_ruleset: RuleSet) -> frozenset[int]:
    """Whole days that the rules look back at facts."""
    return frozenset()


def cuts_of(_ruleset: RuleSet) -> frozenset[Cut]:
    """The cuts that the rules compare with."""
    return frozenset()
