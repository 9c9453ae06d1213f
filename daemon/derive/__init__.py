"""From CRM rows to one account, one person, one touch: works off the dirty list in bounded transactions.

Each step finishes its rows and marks what depends on them in one transaction, so a kill between two steps loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from daemon.derive.accounts import link_accounts
from daemon.derive.activities import read_activities
from daemon.derive.fields import map_fields
from daemon.derive.persons import fold_contacts, follow_decisions
from daemon.derive.settings import follow_settings
from daemon.derive.trees import grow_trees
from daemon.derive.usage import match_usage, sum_up_features
from rules.fieldmap import Derivation
from store import dirty, history, identity, overrides, usage
from store.engine import Store
from store.records import Instant
from store.refs import Ref
from store.trees import TREES

HISTORY = "history:"
"""Kinds of dirty rows that begin with this name rows whose past is known better than before."""
Step = Callable[[Connection, Sequence[Ref]], set[int]]


@dataclass(frozen=True, slots=True)
class Derived:
    """What a run of derivation did: the accounts whose facts may be other than before."""

    accounts: frozenset[int]
    rows: int
    """How many dirty rows were worked off."""


_ROUNDS = 20
"""A step may leave work for an earlier one (an account's ARR moves it in its tree, which changes what rolls up); what
is left after this many rounds is done by the next run."""


def derive(store: Store, settings: Derivation, now: Instant) -> Derived:
    """Work off everything that syncs have left; running it twice changes nothing."""
    with store.write() as conn:
        follow_settings(conn, settings, now)
    # What is worked off, how many rows a transaction takes, how. In this order: each step feeds the later ones.
    steps: tuple[tuple[str, int, Step], ...] = (
        ("members", 1_000, _fold_members),
        ("accounts", 500, lambda conn, refs: link_accounts(conn, refs, settings, now)),
        ("fields", 500, lambda conn, refs: map_fields(conn, refs, settings)),
        (TREES, 500, lambda conn, refs: grow_trees(conn, refs, settings)),
        (overrides.DIRTY, 500, follow_decisions),
        ("contacts", 500, lambda conn, refs: fold_contacts(conn, refs, settings)),
        ("activities", 1_000, lambda conn, refs: read_activities(conn, refs, settings)),
        (usage.DIRTY, 2_000, lambda conn, refs: match_usage(conn, refs, settings)),
        ("features", 500, lambda conn, refs: sum_up_features(conn, refs, settings)),
    )
    touched: set[int] = set()
    rows = 0
    for _ in range(_ROUNDS):
        before = rows
        rows += _look_back(store)
        for what, size, step in steps:
            while done := _work_off(store, what, size, step, touched):
                rows += done
        if rows == before:
            break
    return Derived(frozenset(touched), rows)


def _work_off(store: Store, what: str, size: int, step: Step, touched: set[int]) -> int:
    with store.write() as conn:
        refs = dirty.take(conn, what, size)
        if refs:
            dirty.done(conn, what, refs)
            touched |= step(conn, refs)
    return len(refs)


def _look_back(store: Store) -> int:
    """Rows of which the CRM's history told something new: what stands on them is looked at again."""
    rows = 0
    with store.read() as conn:
        kinds = dirty.kinds(conn, HISTORY)
    for kind in kinds:
        while done := _work_off(store, kind, 5_000, partial(_again, what=kind.removeprefix(HISTORY)), set()):
            rows += done
    return rows


def _again(conn: Connection, refs: Sequence[Ref], what: str) -> set[int]:
    if what == "contacts":
        dirty.mark(conn, what, refs)
    else:
        dirty.mark(conn, "fields", history.refs_of(conn, what, refs))
    return set()


def _fold_members(conn: Connection, refs: Sequence[Ref]) -> set[int]:
    fresh = identity.save_members(conn, refs)
    if fresh:
        activities, accounts = identity.waiting_for(conn, fresh)
        dirty.mark(conn, "activities", activities)
        dirty.mark(conn, "fields", accounts)
    return set()
