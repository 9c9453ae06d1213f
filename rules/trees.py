"""Which account of a tree is evaluated: the one that carries the ARR, the top one, or each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

ARR_CARRIER, TOP, EACH = "arr_carrier", "top", "each"
MOST_LEVELS = 20
"""A tree deeper than this is taken for a mistake."""


def rolls_up_to(parents: Mapping[int, int | None], arr: Mapping[int, int | None], level: str) -> dict[int, int | None]:
    """Account -> the account above that is evaluated for it; None = it is evaluated itself.

    arr_carrier: an account that carries no ARR rolls up to the nearest one above that does; where there is none, and
    where it carries ARR itself, it stays. top: everything rolls up to the top of its tree. each: nothing rolls up.
    A cycle, and a tree too deep to be one, is no tree: its accounts stay.
    """
    return {account: _target(account, parents, arr, level) for account in parents}


def _target(account: int, parents: Mapping[int, int | None], arr: Mapping[int, int | None], level: str) -> int | None:
    if level == EACH or (level == ARR_CARRIER and arr.get(account)):
        return None
    above = list(_above(account, parents))
    if not above or above[-1] == account or len(above) > MOST_LEVELS or parents.get(above[-1]) is not None:
        return None
    if level == TOP:
        return above[-1]
    return next((one for one in above if arr.get(one)), None)


def cyclic(parents: Mapping[int, int | None]) -> set[int]:
    """The accounts that are above themselves."""
    return {account for account in parents if account in list(_above(account, parents))}


def _above(account: int, parents: Mapping[int, int | None]) -> Iterator[int]:
    """The accounts above, the nearest first; ends at the top, where a cycle closes, or beyond the deepest tree."""
    seen: set[int] = set()
    one = parents.get(account)
    while one is not None and one not in seen and len(seen) <= MOST_LEVELS:
        seen.add(one)
        yield one
        one = parents.get(one)
