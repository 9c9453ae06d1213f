"""Which CRM rows are one account: link, part, merge, close."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row

from rules import identity as reading
from rules.addresses import plain_domain
from rules.fieldmap import Derivation
from store import activities, dirty, identity, linking, succession
from store.records import Instant
from store.refs import Ref
from store.trees import TREES


def link_accounts(conn: Connection, refs: Sequence[Ref], settings: Derivation, now: Instant) -> set[int]:
    """Give every dirty CRM row its account; what hangs on a row that moved is marked for the later steps."""
    before = {(row.source, row.id): row for row in linking.rows(conn, refs)}
    hosts = {ref: plain_domain(row.domain) for ref, row in before.items()}
    changed_hosts = {ref: host for ref, host in hosts.items() if host != before[ref].host}
    linking.set_hosts(conn, changed_hosts)
    near = linking.neighbourhood(conn, refs, {ref: reading.spellings(ref[1]) for ref in refs})
    by_ref = {(row.source, row.id): row for row in near}
    matched = reading.match([plain(row) for row in near], settings.order, verdicts(conn, by_ref))
    found = sorted(matched.groups, key=lambda group: min(row.ref for row in group))
    held = {row.account_id for row in near if row.account_id is not None}
    chosen = reading.choose(found, linking.made_for(conn, by_ref), held)
    moved: dict[Ref, tuple[int, int]] = {}
    fresh: list[Ref] = []
    touched: set[int] = set()
    for group, known in chosen:
        account = _place(conn, group, known, by_ref)
        touched.add(account)
        elsewhere = [row for row in group if row.account_id != account]
        linking.assign(conn, [row.ref for row in elsewhere], account)
        moved |= {row.ref: (row.account_id, account) for row in elsewhere if row.account_id is not None}
        fresh += [row.ref for row in elsewhere if row.account_id is None]
    gone = linking.close_empty(conn, {old for old, _ in moved.values()}, now)
    _follow(conn, moved, gone, [group for group, _ in chosen])
    ended = [ref for ref, row in before.items() if row.deleted_at is not None]
    hosts_touched = {by_ref[ref].host for ref in (*moved, *fresh, *changed_hosts, *ended)}
    hosts_touched |= {before[ref].host for ref in changed_hosts}
    _mark(conn, [*moved, *fresh], by_ref, {host for host in hosts_touched if host})
    touched |= {old for old, _ in moved.values()}
    dirty.mark(conn, TREES, (("", str(account)) for account in touched))
    return touched


def plain(row: Row[Any]) -> reading.AccountRow:
    """A row as linking looks at it."""
    return reading.AccountRow(
        source=row.source,
        id=row.id,
        domain=row.host,
        link_id=row.link_id,
        merged_into=row.merged_into,
        deleted=row.deleted_at is not None,
        account_id=row.account_id,
    )


def verdicts(conn: Connection, refs: Iterable[Ref] | None = None) -> reading.Verdicts:
    """What people decided about these rows, or about all."""
    found = linking.decisions(conn, refs)
    return reading.Verdicts(
        linked=frozenset((a, b) for a, b, verdict in found if verdict == "link"),
        parted=frozenset((a, b) for a, b, verdict in found if verdict == "part"),
    )


def _place(
    conn: Connection, group: Sequence[reading.AccountRow], known: int | None, by_ref: Mapping[Ref, Row[Any]]
) -> int:
    """The account of a group of rows, with its name and whether it is still there."""
    rows = [by_ref[row.ref] for row in group]
    first, created = rows[0], min(row.created_at for row in rows)
    account = linking.new_account(conn, f"{first.source}:{first.id}", first.name, created) if known is None else known
    live = any(row.deleted_at is None for row in rows)
    closed = None if live else max(row.deleted_at for row in rows)
    linking.describe(conn, account, first.name, created, gone_at=closed)
    return account


def _follow(
    conn: Connection,
    moved: Mapping[Ref, tuple[int, int]],
    gone: set[int],
    found: Sequence[Sequence[reading.AccountRow]],
) -> None:
    """Pins, tiers and alerts go where the rows go; writes that wait for a merged row go to the one that is left."""
    if moved:
        succession.follow(conn, moved, gone)
    for group in found:
        for source in {row.source for row in group if row.merged_into}:
            left = next((row.id for row in group if row.source == source and row.live), None)
            retired = [row.id for row in group if row.source == source and row.merged_into]
            if left is not None:
                succession.redirect(conn, source, dict.fromkeys(retired, left))


def _mark(conn: Connection, elsewhere: Sequence[Ref], by_ref: Iterable[Ref], hosts: set[str]) -> None:
    """What stands on rows that are new here, and on domains that came or went."""
    dirty.mark(conn, "contacts", identity.contacts_of(conn, elsewhere))
    dirty.mark(conn, "activities", identity.activities_of(conn, elsewhere))
    dirty.mark(conn, "activities", activities.from_hosts(conn, hosts))
    dirty.mark(conn, "fields", by_ref)
