"""Whose usage it is: what accounts are called, which accounts bear a name, and the account that each subject has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, bindparam, delete, func, insert, or_, select, update

from store.refs import Ref, by_source, chunks
from store.tables import (
    crm_accounts,
    feature_uses,
    persons,
    survey_answers,
    usage_map,
    usage_names,
    usage_samples,
    usage_subjects,
)
from store.usage import Subject, mark_subjects, stored_subjects, subject_of

Name = tuple[str, str]
"""(kind, name): kind is usage_key | crm_id | domain."""


@dataclass(frozen=True, slots=True)
class Match:
    """What derivation has found out about one subject."""

    source: str
    key: str
    user: str
    host: str | None
    mail_host: str | None
    account_id: int | None
    matched_by: str | None
    reason: str | None


def save_names(conn: Connection, wanted: Mapping[int, Collection[Name]]) -> None:
    """What these accounts are called now. Subjects that bear a name which has come or gone are looked at again."""
    c = usage_names.c
    have: defaultdict[int, set[Name]] = defaultdict(set)
    for some in chunks(sorted(wanted)):
        for row in conn.execute(select(usage_names).where(c.account_id.in_(some))):
            have[row.account_id].add((row.kind, row.name))
    fresh = [(account, *name) for account, names in wanted.items() for name in set(names) - have[account]]
    gone = [(account, *name) for account, names in wanted.items() for name in have[account] - set(names)]
    # The id of a row that has moved here (a merge) is no longer a name of the account that it was.
    ids = sorted({name for _, kind, name in fresh if kind == "crm_id"})
    for part in chunks(ids):
        rows = conn.execute(select(usage_names).where(c.kind == "crm_id", c.name.in_(part)))
        gone += _names_left(conn, {row.account_id for row in rows} - set(wanted))
    for account, kind, name in gone:
        conn.execute(delete(usage_names).where(c.account_id == account, c.kind == kind, c.name == name))
    if fresh:
        conn.execute(insert(usage_names), [{"account_id": a, "kind": k, "name": n} for a, k, n in sorted(fresh)])
    _mark(conn, {(kind, name) for _, kind, name in (*fresh, *gone)})


def _names_left(conn: Connection, accounts: Collection[int]) -> list[tuple[int, str, str]]:
    """The names of those accounts that no CRM row belongs to any more."""
    row, c = crm_accounts.c, usage_names.c
    used = set(conn.execute(select(row.evaluated_id).where(row.evaluated_id.in_(accounts))).scalars())
    rows = conn.execute(select(usage_names).where(c.account_id.in_(set(accounts) - used)))
    return [(row.account_id, row.kind, row.name) for row in rows]


def _mark(conn: Connection, names: Collection[Name]) -> None:
    s = usage_subjects.c
    mapped = usage_map.c
    plain = {name for kind, name in names if kind != "domain"}
    hosts = {name for kind, name in names if kind == "domain"}
    mark_subjects(conn, s.key.in_, plain)
    mark_subjects(conn, lambda some: or_(s.host.in_(some), s.mail_host.in_(some)), hosts)
    for some in chunks(sorted(plain | hosts)):
        keys = conn.execute(select(mapped.key).where(mapped.account.in_(some))).scalars().all()
        mark_subjects(conn, s.key.in_, keys)


def mark_users(conn: Connection, addresses: Iterable[str]) -> None:
    """People with these e-mail addresses are on file, at other accounts than before: look at their usage again."""
    s = usage_subjects.c
    by_person = or_(s.account_id.is_(None), s.matched_by.in_(("person", "mail_domain")))
    mark_subjects(conn, lambda some: s.user.in_(some) & by_person, (a.casefold() for a in addresses))


def users_since(conn: Connection, addresses: Collection[str]) -> dict[str, int]:
    """Those of the e-mail addresses that were seen using the product -> when that became known first."""
    who = usage_subjects.c
    found: dict[str, int] = {}
    for some in chunks(sorted(addresses)):
        for table, amount in ((usage_samples, usage_samples.c.value), (feature_uses, feature_uses.c.uses)):
            c = table.c
            same = and_(c.source == who.source, c.key == who.key, c.user == who.user)
            query = (
                select(who.user, func.min(c.recorded_at).label("at"))
                .join(table, same)
                .where(who.user.in_(some), amount > 0)
                .group_by(who.user)
            )
            for row in conn.execute(query):
                found[row.user] = min(row.at, found.get(row.user, row.at))
    return found


def hosts_and_ids(conn: Connection, account_ids: Collection[int]) -> list[Row[Any]]:
    """Ids and plain domains of the CRM rows of these accounts and of those below, with whether a row is live."""
    c = crm_accounts.c
    found: list[Row[Any]] = []
    for some in chunks(sorted(account_ids)):
        live = (c.deleted_at.is_(None) & c.merged_into.is_(None)).label("live")
        columns = (c.evaluated_id.label("account_id"), c.id, c.host, live)
        found += list(conn.execute(select(*columns).where(c.evaluated_id.in_(some))))
    return found


def subjects(conn: Connection, refs: Iterable[Ref]) -> list[Row[Any]]:
    """The stored subjects that the dirty list names."""
    wanted: defaultdict[str, list[Subject]] = defaultdict(list)
    for source, text in refs:
        wanted[source].append(subject_of(text))
    return [row for source, some in wanted.items() for row in stored_subjects(conn, source, some)]


def mapped(conn: Connection, refs: Iterable[Ref]) -> dict[Ref, str]:
    """(source, key) -> the account that the feed's explicit map names."""
    c = usage_map.c
    rows = conn.execute(select(usage_map).where(by_source(c.source, c.key, refs)))
    return {(row.source, row.key): row.account for row in rows}


def bearers(conn: Connection, names: Collection[str]) -> dict[Name, set[int]]:
    """(kind, name) -> the accounts that are called so."""
    c = usage_names.c
    found: defaultdict[Name, set[int]] = defaultdict(set)
    for some in chunks(sorted(names)):
        for row in conn.execute(select(usage_names).where(c.name.in_(some))):
            found[row.kind, row.name].add(row.account_id)
    return dict(found)


def accounts_of_addresses(conn: Connection, addresses: Collection[str]) -> dict[str, set[int]]:
    """E-mail address -> the accounts where a person on file has it."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for some in chunks(sorted(addresses)):
        query = select(persons.c.key, persons.c.account_id).where(persons.c.key.in_(some))
        for row in conn.execute(query.where(persons.c.deleted_at.is_(None))):
            found[row.key].add(row.account_id)
    return dict(found)


def keep(conn: Connection, before: Sequence[Row[Any]], matches: Sequence[Match]) -> set[int]:
    """Note what was found; rows of a subject whose account is another one than before follow it. The accounts that
    lost or won any.
    """
    had = {(row.source, row.key, row.user): row for row in before}
    names = ("host", "mail_host", "account_id", "matched_by", "reason")
    changed, moved = [], []
    accounts: set[int | None] = set()
    for match in matches:
        old = had[match.source, match.key, match.user]
        row = {"of_source": match.source, "of_key": match.key, "of_user": match.user}
        if any(getattr(old, name) != getattr(match, name) for name in names):
            changed.append(row | {f"new_{name}": getattr(match, name) for name in names})
        if old.account_id != match.account_id:
            moved.append(row | {"new_account_id": match.account_id})
            accounts |= {old.account_id, match.account_id}
    _update(conn, usage_subjects, names, changed)
    _update(conn, usage_samples, ("account_id",), moved)
    _update(conn, feature_uses, ("account_id",), moved)
    _update(conn, survey_answers, ("account_id",), moved)
    return {account for account in accounts if account is not None}


def _update(conn: Connection, table: Table, names: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        keys = and_(*(table.c[name] == bindparam(f"of_{name}") for name in ("source", "key", "user")))
        new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
        conn.execute(update(table).where(keys).values(**new), list(rows))
