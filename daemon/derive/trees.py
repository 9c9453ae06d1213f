"""Which account is above which, and so which one is evaluated: contacts, touches, tickets, usage and money follow it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection

from rules.fieldmap import Derivation
from rules.trees import rolls_up_to
from store import activities, dirty, identity, trees
from store.refs import Ref


def grow_trees(conn: Connection, refs: Sequence[Ref], settings: Derivation) -> set[int]:
    """Look at the place of these accounts (their numbers as text) again, and of all below them."""
    asked = {int(ref) for _, ref in refs}
    asked |= trees.naming(conn, asked)  # an account above may come later than those that name it
    trees.set_above(conn, _above(asked, trees.named_above(conn, asked), settings.ranks("parent")))
    family = trees.family(conn, asked)
    tops = rolls_up_to(
        {n.id: n.parent for n in family.values()}, {n.id: n.arr for n in family.values()}, settings.evaluate
    )
    changed = {account: top for account, top in tops.items() if top != family[account].rolls_up_to}
    if not changed:
        return set()
    trees.roll_up(conn, changed)
    tops_before = {family[account].rolls_up_to or account for account in changed}
    tops_now = {top or account for account, top in changed.items()}
    _mark(conn, set(changed), tops_before | tops_now)
    return tops_before | tops_now | set(changed)


def _above(
    asked: Collection[int], named: Mapping[int, Sequence[tuple[str, int]]], ranks: Mapping[str, int]
) -> dict[int, int | None]:
    """The account above each, by the precedence of the sources; nobody is above itself."""
    found: dict[int, int | None] = {}
    for account in asked:
        others = [(ranks.get(source, len(ranks)), up) for source, up in named.get(account, ()) if up != account]
        found[account] = min(others)[1] if others else None
    return found


def _mark(conn: Connection, moved: set[int], tops: set[int]) -> None:
    """What stands on the accounts that roll up elsewhere now, and the fields of those that they left and came to."""
    rows = trees.rows_of(conn, moved)
    mine = [(row.source, row.id) for row in rows]
    dirty.mark(conn, "fields", [*mine, *((row.source, row.id) for row in trees.rows_of(conn, tops - moved))])
    dirty.mark(conn, "contacts", identity.contacts_of(conn, mine))
    dirty.mark(conn, "activities", identity.activities_of(conn, mine))
    dirty.mark(conn, "activities", activities.from_hosts(conn, {row.host for row in rows if row.host}))
