"""The stories of the rules that came later, planted on accounts that live in peace: one of each rule in turn.

A small world holds as many as leave some customers in peace, those that count most first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, zip_longest

from sandbox.world.casting import Cast
from sandbox.world.fate import set_rhythm
from sandbox.world.stories_feedback import FEEDBACK_ACTS
from sandbox.world.stories_growth import GROWTH_ACTS
from sandbox.world.stories_health import DROP_ACTS
from sandbox.world.stories_offering import OFFERING_ACTS
from sandbox.world.stories_people_left import FORGOTTEN_ACTS, LEFT_ACTS, NOBODY_ACTS
from sandbox.world.stories_service import COSTLY_ACTS, REPLY_ACTS
from sandbox.world.stories_silence import FIRST_WORD_ACTS, ONE_SIDED_ACTS, SPONSOR_ACTS
from sandbox.world.stories_unseen import UNSEEN_ACTS

Act = Callable[[Cast], None]
IN_PEACE = 3
"""So many accounts that a story could take are left to themselves."""
RULES: tuple[tuple[Act, ...], ...] = (
    LEFT_ACTS,
    DROP_ACTS,
    SPONSOR_ACTS,
    REPLY_ACTS,
    GROWTH_ACTS,
    ONE_SIDED_ACTS,
    FIRST_WORD_ACTS,
    COSTLY_ACTS,
    OFFERING_ACTS,
    NOBODY_ACTS,
    UNSEEN_ACTS,
    FORGOTTEN_ACTS,
    FEEDBACK_ACTS,
)


def later_rules(cast: Cast) -> None:
    """Plants what has room. A story that finds no account of its kind is left out."""
    for act in _in_turn():
        if cast.left() <= IN_PEACE:
            break
        try:
            act(cast)
        except LookupError:
            continue
    for draft in cast.roster.of_kind("customer"):
        set_rhythm(draft)


def _in_turn() -> Iterator[Act]:
    """The first of every rule, then the second of every rule, and so on."""
    return (act for act in chain.from_iterable(zip_longest(*RULES)) if act is not None)
