"""Whose usage it is: by the feed's map, a mapped workspace key, a CRM id, a web domain, else the user's e-mail address.

What fits no account, or more than one, stays without, and is looked at again as soon as an account or a person appears
that it may belong to.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row

from rules.addresses import plain_domain
from rules.fieldmap import Derivation, Option, RawRow
from store import dirty, people, usage_features, usage_match
from store.refs import Ref
from store.usage_match import Match, Name

USAGE_KEY = "usage_key"
_SEVERAL = re.compile(r"[;,|\n]")
_ID_18, _ID_15 = 18, 15


def name_accounts(conn: Connection, keys: Mapping[int, Collection[str]]) -> None:
    """Note what usage may call these accounts: their mapped keys, given here, and their CRM ids and domains."""
    wanted: defaultdict[int, set[Name]] = defaultdict(set)
    rows: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in usage_match.hosts_and_ids(conn, keys):
        rows[row.account_id].append(row)
    for account, mapped in keys.items():
        wanted[account] |= {(USAGE_KEY, key) for key in mapped}
        live = [row for row in rows[account] if row.live] or rows[account]
        wanted[account] |= {("domain", row.host) for row in live if row.host}
        for row in rows[account]:
            wanted[account] |= {("crm_id", name) for name in _spellings(row.id)}
    usage_match.save_names(conn, wanted)


def _spellings(crm_id: str) -> tuple[str, ...]:
    """Salesforce shows ids with 15 or with 18 characters; the first 15 are the id."""
    return (crm_id, crm_id[:_ID_15]) if len(crm_id) == _ID_18 and crm_id.isalnum() else (crm_id,)


def keys_of(options: Sequence[Option], own: RawRow, related: Mapping[str, Sequence[RawRow]]) -> set[str]:
    """Every workspace key that the mapping names for one CRM row: a field may hold several, and so may several rows."""
    found: set[str] = set()
    for option in options:
        rows = [own] if option.object is None else related.get(option.object, ())
        for row in rows:
            if option.holds is None or option.holds(row.fields) is True:
                raw = row.fields.get(option.column)
                found |= (
                    {part.strip() for part in _SEVERAL.split(str(raw)) if part.strip()} if raw is not None else set()
                )
    return found


def match_usage(conn: Connection, refs: Sequence[Ref], settings: Derivation) -> set[int]:
    """Give the subjects on the dirty list their account; the accounts whose usage may be other than before."""
    before = usage_match.subjects(conn, refs)
    matches = _matches(conn, before, settings)
    moved = usage_match.keep(conn, before, matches)
    # Who is seen using the product is a user, where nothing else says who that is.
    dirty.mark(conn, "contacts", people.unclassified_with(conn, {row.user for row in before if row.user}))
    touched = moved | {match.account_id for match in matches if match.account_id is not None}
    dirty.mark(conn, "features", (("", str(account)) for account in usage_features.having_any(conn, touched)))
    return touched


def sum_up_features(conn: Connection, refs: Sequence[Ref], settings: Derivation) -> set[int]:
    """Bring the features of these accounts in line with the rows of the feeds."""
    return usage_features.refresh(conn, {int(account) for _, account in refs}, settings.active_users)


def _matches(conn: Connection, rows: Sequence[Row[Any]], settings: Derivation) -> list[Match]:
    mapped = usage_match.mapped(conn, {(row.source, row.key) for row in rows if row.key})
    hosts = {(row.source, row.key, row.user): (plain_domain(row.key), _mail_host(row.user)) for row in rows}
    names = {row.key for row in rows} | set(mapped.values()) | {h for pair in hosts.values() for h in pair if h}
    names |= {host for name in mapped.values() if (host := plain_domain(name))}
    bearers = usage_match.bearers(conn, names - {""})
    people = usage_match.accounts_of_addresses(conn, {row.user for row in rows if row.user})
    found = []
    for row in rows:
        host, mail_host = hosts[row.source, row.key, row.user]
        explicit = mapped.get((row.source, row.key))
        candidates: list[tuple[str, set[int]]] = []
        if explicit is not None:
            candidates = [("map", _named(explicit, bearers))]
        elif row.key:
            candidates = [(kind, bearers.get((kind, row.key), set())) for kind in (USAGE_KEY, "crm_id")]
            candidates.append(("domain", bearers.get(("domain", host or ""), set())))
        if row.user and mail_host not in settings.own_domains:
            by_domain = bearers.get(("domain", mail_host or ""), set())
            candidates += [("person", people.get(row.user, set())), ("mail_domain", by_domain)]
        account, how, reason = _decide(candidates)
        found.append(Match(row.source, row.key, row.user, host, mail_host, account, how, reason))
    return found


def _decide(candidates: Iterable[tuple[str, set[int]]]) -> tuple[int | None, str | None, str | None]:
    """(account, by what, why none). What fits several accounts is narrowed by what comes after it, and never guessed."""
    several: set[int] = set()
    for how, accounts in candidates:
        left = accounts & several if several else accounts
        if len(left) == 1:
            return next(iter(left)), how, None
        several = left or several
    return None, None, "ambiguous" if several else "no_match"


def _named(name: str, bearers: Mapping[Name, set[int]]) -> set[int]:
    """The accounts that a name in the explicit map means."""
    for kind, spelling in (("crm_id", name), (USAGE_KEY, name), ("domain", plain_domain(name) or "")):
        if accounts := bearers.get((kind, spelling)):
            return accounts
    return set()


def _mail_host(user: str) -> str | None:
    return plain_domain(user.rpartition("@")[2]) if "@" in user else None
