"""What an account that is evaluated holds together with the accounts below that roll up to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rules.fieldmap import MONEY, Held
from rules.past import Piece
from rules.view import any_yes, overlay, total

Fields = Mapping[str, list[Piece[Held]]]

ADDED = MONEY | {"seats", "team_size"}
"""What adds up over the tree."""
OWN = frozenset({"name", "domain", "usage_key", "churned"})
"""What an account below does not lend to the one above; nor does it its tier fields."""


def rolled_up(top: Fields, below: Sequence[Fields]) -> dict[str, list[Piece[Held]]]:
    """Money, seats and people are added up; it is a customer when any of them is; any other field is its own, and where it has
    none, that of the first account below that has one (`below` comes in order: the largest first).
    """
    found = dict(top)
    for name in sorted({name for fields in below for name in fields}):
        if name in OWN or name.startswith("tier_field:"):
            continue
        layers = [fields[name] for fields in (top, *below) if fields.get(name)]
        if name in ADDED:
            found[name] = total(layers, _sum)
        elif name == "customer":
            found[name] = any_yes(layers, lambda held: held.num == 1)
        else:
            found[name] = overlay(layers)
    return found


def _sum(values: Sequence[Held]) -> Held:
    return Held(sum(value.num or 0 for value in values), None, values[0].source)
