"""The tree of accounts: who is above whom, and which account is evaluated for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from store.refs import Ref, by_source, chunks
from store.tables import accounts, crm_accounts

TREES = "trees"
"""Kind of dirty row: the account (its number as text) whose place in its tree must be looked at again."""
MOST_LEVELS = 20
"""A tree deeper than this is taken for a mistake: what is below is evaluated itself."""


@dataclass(frozen=True, slots=True)
class Node:
    """An account in its tree. `arr`: what it carries itself, minor units."""

    id: int
    parent: int | None
    rolls_up_to: int | None
    arr: int | None


def evaluated(conn: Connection, account_ids: Collection[int]) -> dict[int, int]:
    """Account -> the one that is evaluated for it."""
    return {node.id: node.rolls_up_to or node.id for node in nodes(conn, account_ids).values()}


def below(conn: Connection, account_ids: Collection[int]) -> dict[int, list[int]]:
    """Account -> the accounts that roll up to it, the one that carries the most first."""
    a = accounts.c
    found: dict[int, list[int]] = {account: [] for account in account_ids}
    for some in chunks(sorted(account_ids)):
        query = select(a.id, a.rolls_up_to).where(a.rolls_up_to.in_(some))
        for row in conn.execute(query.order_by(func.coalesce(a.own_arr, -1).desc(), a.id)):
            found[row.rolls_up_to].append(row.id)
    return found


def nodes(conn: Connection, account_ids: Iterable[int]) -> dict[int, Node]:
    """These accounts as nodes."""
    a = accounts.c
    found: dict[int, Node] = {}
    for some in chunks(sorted(set(account_ids))):
        query = select(a.id, a.parent_id, a.rolls_up_to, a.own_arr).where(a.id.in_(some))
        found |= {row.id: Node(*row) for row in conn.execute(query)}
    return found


def carry(conn: Connection, arr: Mapping[int, int | None]) -> set[int]:
    """Keep what each account carries itself; gives those that began or ceased to carry anything."""
    changed: set[int] = set()
    for account, node in nodes(conn, arr).items():
        if node.arr != arr[account]:
            conn.execute(update(accounts).where(accounts.c.id == account).values(own_arr=arr[account]))
            if bool(node.arr) != bool(arr[account]):
                changed.add(account)
    return changed


def named_above(conn: Connection, account_ids: Collection[int]) -> dict[int, list[tuple[str, int]]]:
    """Account -> (source, account above) as its live rows name it; the account above may be the same one."""
    row, up = crm_accounts.alias("row"), crm_accounts.alias("up")
    found: defaultdict[int, list[tuple[str, int]]] = defaultdict(list)
    for some in chunks(sorted(account_ids)):
        query = (
            select(row.c.account_id, row.c.source, up.c.account_id.label("above"))
            .join(up, (up.c.source == row.c.source) & (up.c.id == row.c.parent_id))
            .where(row.c.account_id.in_(some), row.c.deleted_at.is_(None), up.c.account_id.is_not(None))
            # A parent that is gone is none; one that was merged away means the row it became.
            .where(up.c.deleted_at.is_(None) | up.c.merged_into.is_not(None))
        )
        for one in conn.execute(query.order_by(row.c.account_id, row.c.source, row.c.id)):
            found[one.account_id].append((one.source, one.above))
    return dict(found)


def naming(conn: Connection, account_ids: Collection[int]) -> set[int]:
    """The accounts whose rows name a row of these accounts as the one above."""
    row, up = crm_accounts.alias("row"), crm_accounts.alias("up")
    found: set[int] = set()
    for some in chunks(sorted(account_ids)):
        query = (
            select(row.c.account_id)
            .join(up, (up.c.source == row.c.source) & (up.c.id == row.c.parent_id))
            .where(up.c.account_id.in_(some), row.c.account_id.is_not(None))
        )
        found |= set(conn.execute(query).scalars())
    return found


def set_above(conn: Connection, above: Mapping[int, int | None]) -> set[int]:
    """Keep the account above of each; gives those that have another one than before."""
    changed = {account for account, node in nodes(conn, above).items() if node.parent != above[account]}
    for account in sorted(changed):
        conn.execute(update(accounts).where(accounts.c.id == account).values(parent_id=above[account]))
    return changed


def family(conn: Connection, account_ids: Collection[int]) -> dict[int, Node]:
    """These accounts with everything above and below them, some levels far."""
    a = accounts.c
    known = nodes(conn, account_ids)
    fresh = set(known)
    for _ in range(MOST_LEVELS):  # down
        children: set[int] = set()
        for some in chunks(sorted(fresh)):
            children |= set(conn.execute(select(a.id).where(a.parent_id.in_(some))).scalars())
        fresh = children - set(known)
        if not fresh:
            break
        known |= nodes(conn, fresh)
    fresh = set(known)
    for _ in range(MOST_LEVELS):  # up
        fresh = {known[node].parent or 0 for node in fresh} - set(known) - {0}
        if not fresh:
            break
        known |= nodes(conn, fresh)
    return known


def roll_up(conn: Connection, wanted: Mapping[int, int | None]) -> None:
    """Say which account is evaluated for each (None: itself), for it and for its CRM rows."""
    for account, top in sorted(wanted.items()):
        conn.execute(update(accounts).where(accounts.c.id == account).values(rolls_up_to=top))
        mine = update(crm_accounts).where(crm_accounts.c.account_id == account)
        conn.execute(mine.values(evaluated_id=account if top is None else top))


def rows_of(conn: Connection, account_ids: Collection[int]) -> list[Row[Any]]:
    """The CRM rows of these accounts: source, id, host."""
    c = crm_accounts.c
    found: list[Row[Any]] = []
    for some in chunks(sorted(account_ids)):
        found += list(conn.execute(select(c.source, c.id, c.host).where(c.account_id.in_(some))))
    return found


def evaluated_of(conn: Connection, refs: Iterable[Ref]) -> dict[Ref, int]:
    """CRM row -> the account that is evaluated for it."""
    c = crm_accounts.c
    found: dict[Ref, int] = {}
    for some in chunks(sorted(set(refs))):
        query = select(c.source, c.id, c.evaluated_id).where(
            by_source(c.source, c.id, some), c.evaluated_id.is_not(None)
        )
        found |= {(row.source, row.id): row.evaluated_id for row in conn.execute(query)}
    return found
