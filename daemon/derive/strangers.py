"""Persons in no CRM: who takes part in a touch from an account's domain and is no contact."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row

from rules import touch
from rules.addresses import is_role_address, plain_domain
from store import unregistered
from store.records import Instant
from store.refs import Ref
from store.unregistered import Home


@dataclass(frozen=True, slots=True)
class Group:
    """The copies of one activity, the one that speaks for all first."""

    rows: tuple[Row[Any], ...]
    copies: tuple[touch.Copy, ...]
    named: Mapping[Ref, Collection[int]]
    """Activity -> the evaluated accounts that its CRM names on it."""

    @property
    def accounts(self) -> set[int]:
        """The evaluated accounts that any copy names."""
        return {account for copy in self.copies for account in self.named.get((copy.source, copy.id), ())}


def with_strangers(
    conn: Connection, groups: Sequence[Group], is_ours: Callable[[str], bool]
) -> tuple[list[Group], set[int]]:
    """The groups with persons for external addresses at an account's domain, and the ids of those persons.

    Role addresses are no persons. A domain that several accounts have says nothing, unless the activity names one of them.
    """
    touching = [group for group in groups if touch.touchable(group.copies)]
    hosts = {host for group in touching for _, host in _strangers(group, is_ours)}
    homes = unregistered.homes(conn, hosts)
    wanted: dict[tuple[Home, str], Instant] = {}
    found: dict[int, dict[str, Home]] = {}
    for group in touching:
        mine = found.setdefault(id(group), {})
        for address, host in _strangers(group, is_ours):
            home = _home(homes.get(host, set()), group.accounts)
            if home is not None:
                mine[address] = home
                known = min(copy.created_at for copy in group.copies)
                wanted[home, address] = min(known, wanted.get((home, address), known))
    if not wanted:
        return list(groups), set()
    ids = unregistered.seen(conn, wanted)
    with_ids = [_resolved(group, found.get(id(group), {}), ids) for group in groups]
    return with_ids, {ids[home.evaluated_id, address] for home, address in wanted}


def _strangers(group: Group, is_ours: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """(address, domain) of everybody who is neither one of ours nor on file."""
    for copy in group.copies:
        for side in copy.sides:
            address = side.address
            if not address or side.person_ids or side.member_id is not None or side.role == "owner":
                continue
            host = plain_domain(address.rpartition("@")[2]) if "@" in address else None
            if host and not is_ours(address) and not is_role_address(address):
                yield address, host


def _home(homes: Collection[Home], named: Collection[int]) -> Home | None:
    evaluated = {home.evaluated_id for home in homes}
    if len(evaluated) > 1:
        evaluated &= set(named)
    if len(evaluated) != 1:
        return None
    (account,) = evaluated
    return min((h for h in homes if h.evaluated_id == account), key=lambda h: (h.account_id != account, h.account_id))


def _resolved(group: Group, homes: Mapping[str, Home], ids: Mapping[tuple[int, str], int]) -> Group:
    if not homes:
        return group

    def side(one: touch.Side) -> touch.Side:
        home = None if one.person_ids or one.member_id is not None else homes.get(one.address or "")
        return one if home is None else replace(one, person_ids=(ids[home.evaluated_id, one.address or ""],))

    copies = tuple(replace(copy, sides=tuple(side(one) for one in copy.sides)) for copy in group.copies)
    return Group(group.rows, copies, group.named)
