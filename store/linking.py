"""Which account each CRM row belongs to: the rows near one another, what people decided, accounts made and closed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, or_, select, update

from store.records import Instant
from store.refs import Ref, by_source, chunks, upsert
from store.tables import account_fields, account_links, accounts, crm_accounts

_ROUNDS = 16
"""Merge chains and links longer than this are followed in the next run."""
CONFIGURED = "tierd.yaml"
"""Author of the decisions that the configuration holds."""


def set_hosts(conn: Connection, hosts: Mapping[Ref, str | None]) -> None:
    """Keep each row's plain domain, so that the same domain elsewhere is an index look-up."""
    c = crm_accounts.c
    this = update(crm_accounts).where(c.source == bindparam("of_source"), c.id == bindparam("of_id"))
    found = [{"of_source": s, "of_id": i, "host": host} for (s, i), host in hosts.items()]
    if found:
        conn.execute(this.values(host=bindparam("host")), found)


def rows(conn: Connection, refs: Iterable[Ref]) -> Sequence[Row[Any]]:
    """The account rows that `refs` name."""
    where = by_source(crm_accounts.c.source, crm_accounts.c.id, refs)
    return conn.execute(select(crm_accounts).where(where).order_by(crm_accounts.c.source, crm_accounts.c.id)).all()


def neighbourhood(conn: Connection, refs: Collection[Ref], spell: Mapping[Ref, Collection[str]]) -> Sequence[Row[Any]]:
    """The rows themselves and all that could be one account with them: merged, linked, same domain, same account.

    `spell` gives further ids that a link property may use for a row, where its source has other spellings.
    """
    known: dict[Ref, Row[Any]] = {(row.source, row.id): row for row in rows(conn, refs)}
    fresh = list(known.values())
    for _ in range(_ROUNDS):
        if not fresh:
            break
        near = [
            row
            for some in chunks(fresh, 500)
            for row in conn.execute(select(crm_accounts).where(_related(some, spell)))
        ]
        near += rows(conn, _decided(conn, [(row.source, row.id) for row in fresh]))
        fresh = list({(r.source, r.id): r for r in near if (r.source, r.id) not in known}.values())
        known.update({(row.source, row.id): row for row in fresh})
    return [known[ref] for ref in sorted(known)]


def _related(some: Sequence[Row[Any]], spell: Mapping[Ref, Collection[str]]) -> ColumnElement[bool]:
    c = crm_accounts.c
    # Salesforce shows ids with 15 or with 18 characters; the first 15 are the id.
    ids = {i for row in some for i in (row.id, row.id[:15], *spell.get((row.source, row.id), ()))}
    links = {i for row in some if row.link_id for i in (row.link_id, row.link_id[:15])}
    links |= {i for row in some if row.link_id for i in spell.get((row.source, row.link_id), ())}
    merged = {(row.source, row.merged_into) for row in some if row.merged_into}
    return or_(
        c.account_id.in_({row.account_id for row in some if row.account_id is not None}),
        c.host.in_({row.host for row in some if row.host}),
        c.link_id.in_(ids),
        c.id.in_(links),
        by_source(c.source, c.id, merged),
        by_source(c.source, c.merged_into, ((row.source, row.id) for row in some)),
    )


def _decided(conn: Connection, refs: Sequence[Ref]) -> set[Ref]:
    """The rows that somebody linked with these, or parted from them."""
    return {ref for a, b, _ in decisions(conn, refs) for ref in (a, b)}


def decisions(conn: Connection, refs: Iterable[Ref] | None = None) -> list[tuple[Ref, Ref, str]]:
    """(row, row, link | part) as people decided it; of these rows, or all."""
    link = account_links.c
    query = select(account_links).order_by(*account_links.primary_key)
    if refs is None:
        found = list(conn.execute(query))
    else:
        found = []
        for some in chunks(sorted(set(refs))):
            near = or_(by_source(link.source_a, link.id_a, some), by_source(link.source_b, link.id_b, some))
            found += conn.execute(query.where(near)).all()
    return sorted({((row.source_a, row.id_a), (row.source_b, row.id_b), row.verdict) for row in found})


def decision(conn: Connection, a: Ref, b: Ref) -> Row[Any] | None:
    """What was decided of this pair (in the order of `rules.identity.pair`)."""
    return conn.execute(select(account_links).where(_this(a, b))).one_or_none()


def decide(conn: Connection, pair: tuple[Ref, Ref], verdict: str, *, author: str, at: Instant) -> None:
    """Keep a decision: `verdict` link | part. The pair is given in the order of `rules.identity.pair`."""
    a, b = pair
    key = {"source_a": a[0], "id_a": a[1], "source_b": b[0], "id_b": b[1]}
    upsert(conn, account_links, [key | {"verdict": verdict, "author": author, "decided_at": at}])


def forget(conn: Connection, a: Ref, b: Ref) -> bool:
    """Take a decision back; False = there was none."""
    return bool(conn.execute(delete(account_links).where(_this(a, b))).rowcount)


def _this(a: Ref, b: Ref) -> ColumnElement[bool]:
    link = account_links.c
    return (link.source_a == a[0]) & (link.id_a == a[1]) & (link.source_b == b[0]) & (link.id_b == b[1])


def configure(conn: Connection, wanted: Mapping[tuple[Ref, Ref], str], at: Instant) -> set[Ref]:
    """Bring the decisions of the configuration to `wanted` (pair -> verdict); gives the rows of those that changed."""
    link = account_links.c
    have = {
        ((row.source_a, row.id_a), (row.source_b, row.id_b)): row.verdict
        for row in conn.execute(select(account_links).where(link.author == CONFIGURED))
    }
    gone = set(have) - set(wanted)
    fresh = {pair for pair, verdict in wanted.items() if have.get(pair) != verdict}
    for a, b in sorted(gone):
        forget(conn, a, b)
    for pair in sorted(fresh):
        decide(conn, pair, wanted[pair], author=CONFIGURED, at=at)
    return {ref for pair in gone | fresh for ref in pair}


# ---------------------------------------------------------------- accounts


def made_for(conn: Connection, refs: Iterable[Ref]) -> dict[Ref, int]:
    """The account that was made for each of these rows, where there is one, also when it is closed."""
    by_key = {f"{source}:{ref}": (source, ref) for source, ref in refs}
    found: dict[Ref, int] = {}
    for some in chunks(sorted(by_key)):
        query = select(accounts.c.id, accounts.c.key).where(accounts.c.key.in_(some))
        found |= {by_key[row.key]: row.id for row in conn.execute(query)}
    return found


def new_account(conn: Connection, key: str, name: str, created_at: Instant) -> int:
    """Make an account."""
    made = conn.execute(accounts.insert().values(key=key, name=name, created_at=created_at))
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


def assign(conn: Connection, refs: Iterable[Ref], account_id: int) -> None:
    """Say which account the rows belong to; until its place in a tree is looked at, it is evaluated itself."""
    where = by_source(crm_accounts.c.source, crm_accounts.c.id, refs)
    conn.execute(update(crm_accounts).where(where).values(account_id=account_id, evaluated_id=account_id))


def describe(conn: Connection, account_id: int, name: str, created_at: Instant, *, gone_at: Instant | None) -> None:
    """Keep the account's name, since when it is known and whether it is still there; unchanged values write nothing."""
    closed_at, reason = gone_at, None if gone_at is None else "gone"
    row = conn.execute(select(accounts).where(accounts.c.id == account_id)).one()
    if (row.name, row.created_at, row.closed_at, row.close_reason) != (name, created_at, closed_at, reason):
        this = update(accounts).where(accounts.c.id == account_id)
        conn.execute(this.values(name=name, created_at=created_at, closed_at=closed_at, close_reason=reason))


def close_empty(conn: Connection, account_ids: Collection[int], at: Instant) -> set[int]:
    """Close accounts that no row belongs to any more (merged into another); they have no fields of their own."""
    c = crm_accounts.c
    used = set(conn.execute(select(c.account_id).where(c.account_id.in_(account_ids))).scalars())
    empty = set(account_ids) - used
    if empty:
        gone = update(accounts).where(accounts.c.id.in_(empty), accounts.c.closed_at.is_(None))
        conn.execute(gone.values(closed_at=at, close_reason="merged", parent_id=None, rolls_up_to=None, own_arr=None))
        conn.execute(delete(account_fields).where(account_fields.c.account_id.in_(empty)))
    return empty
