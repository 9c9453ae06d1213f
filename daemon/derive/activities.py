"""Which copies are one activity, who took part, and whom it touched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table

from daemon.derive.strangers import Group, with_strangers
from rules import touch
from rules.fieldmap import Derivation
from store import activities, identity, people, unregistered
from store.refs import Ref
from store.tables import captures, touch_members, touches
from store.unregistered import named as named_accounts


def read_activities(conn: Connection, refs: Sequence[Ref], settings: Derivation) -> set[int]:
    """Touches, captures and members of the dirty activities and of their copies elsewhere."""
    by_ref, members_by_email, _ = identity.members_by_ref(conn)
    ours = _Ours(by_ref, members_by_email, settings.own_domains)
    rows = {(row.source, row.id): row for row in activities.rows(conn, refs)}
    sides = _sides(conn, rows, ours)
    signatures = {ref: _signature(rows[ref], sides[ref]) for ref in rows}
    stale = {ref: s for ref, s in signatures.items() if s != rows[ref].signature}
    if stale:
        activities.set_signatures(conn, stale)
    current = activities.rows(conn, refs)
    copies = {(row.source, row.id): row for row in activities.copies_of(conn, current)}
    sides |= _sides(conn, {ref: row for ref, row in copies.items() if ref not in rows}, ours)
    everything = copies | {(row.source, row.id): row for row in current}
    found = _same(list(everything.values()), settings.order)
    meant = named_accounts(conn, everything)
    groups = [
        Group(tuple(rows_of), tuple(_copy(row, sides[row.source, row.id], ours) for row in rows_of), meant)
        for rows_of in found
    ]
    groups, seen = with_strangers(conn, groups, ours.is_ours)
    before, persons_before = activities.touched_accounts(conn, everything), activities.touched_persons(conn, everything)
    wanted: dict[Table, list[dict[str, Any]]] = {touches: [], touch_members: [], captures: []}
    at = activities.persons_at(conn, {p for g in groups for c in g.copies for side in c.sides for p in side.person_ids})
    for group in groups:
        _collect(wanted, group, touch.read(group.copies), at)
    changed = activities.replace(conn, everything, wanted)
    unregistered.settle(conn, persons_before | seen)
    return before | {row["account_id"] for row in wanted[touches]} if changed else set()


def _collect(
    wanted: dict[Table, list[dict[str, Any]]],
    group: Group,
    said: touch.Reading,
    at: Mapping[int, tuple[int, str]],
) -> None:
    for one in _where_it_belongs(said.touches, group, at):
        account, _ = at[one.person_id]
        wanted[touches].append({name: getattr(one, name) for name in one.__slots__} | {"account_id": account})
    first = next((row for row in group.rows if row.deleted_at is None), group.rows[0])
    key = {"source": first.source, "activity_id": first.id}
    if said.touches:
        wanted[touch_members] += [key | {"member_id": member} for member in said.member_ids]
    if said.captured:
        when = first.starts_at if first.kind == "email" else first.ends_at
        stamps = {"occurred_at": when, "recorded_at": min(row.created_at for row in group.rows)}
        wanted[captures] += [key | stamps | {"member_id": member} for member in said.member_ids]


def _where_it_belongs(
    found: Sequence[touch.Touch], group: Group, at: Mapping[int, tuple[int, str]]
) -> Sequence[touch.Touch]:
    """Somebody who is at several accounts is touched at those that the activity names; where it names none, at all."""
    homes: defaultdict[str, set[int]] = defaultdict(set)
    for one in found:
        account, key = at[one.person_id]
        homes[key].add(account)
    meant = group.accounts
    left = {key: accounts & meant or accounts for key, accounts in homes.items()}
    return [one for one in found if at[one.person_id][0] in left[at[one.person_id][1]]]


@dataclass(frozen=True, slots=True)
class _Ours:
    """How to know our own people."""

    by_ref: Mapping[Ref, int]
    by_email: Mapping[str, int]
    domains: Collection[str]

    def is_ours(self, address: str) -> bool:
        return address in self.by_email or address.rpartition("@")[2] in self.domains


def _sides(conn: Connection, rows: Mapping[Ref, Row[Any]], ours: _Ours) -> dict[Ref, tuple[touch.Side, ...]]:
    """Who took part in each activity: contacts as persons, our users as members, and bare addresses as either."""
    found = activities.participants(conn, rows)
    persons = people.by_contact(conn, {(p.source, p.contact_id) for p in found if p.contact_id})
    bare = {p.address.casefold() for p in found if p.address and not p.contact_id and not p.team_member_id}
    by_address = people.by_address(conn, {a for a in bare if not ours.is_ours(a)})
    sides: defaultdict[Ref, list[touch.Side]] = defaultdict(list)
    for p in found:
        address = (p.address or p.contact_email or "").casefold() or None
        member = ours.by_ref.get((p.source, p.team_member_id)) if p.team_member_id else None
        if member is None and address and not p.contact_id:
            member = ours.by_email.get(address)
        who = persons.get((p.source, p.contact_id), ()) if p.contact_id else by_address.get(address or "", ())
        side = touch.Side(p.role, who if member is None else (), member, address)
        sides[p.source, p.activity_id].append(side)
    return {ref: tuple(sides.get(ref, ())) for ref in rows}


def _signature(row: Row[Any], sides: Sequence[touch.Side]) -> str | None:
    addresses = {side.address for side in sides if side.address and side.role != "owner"}
    return touch.signature(row.kind, row.starts_at, addresses)


def _copy(row: Row[Any], sides: tuple[touch.Side, ...], ours: _Ours) -> touch.Copy:
    return touch.Copy(
        source=row.source,
        id=row.id,
        kind=row.kind,
        status=row.status,
        direction=row.direction or _direction(sides, ours),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        created_at=row.created_at,
        modified_at=row.modified_at,
        deleted_at=row.deleted_at,
        automatic=bool(row.automatic),
        disposition=row.disposition,
        owner_member_id=ours.by_ref.get((row.source, row.owner_id)) if row.owner_id else None,
        sides=sides,
        ours=tuple(sorted({s.address for s in sides if s.address and ours.is_ours(s.address)})),
    )


def _direction(sides: Sequence[touch.Side], ours: _Ours) -> str | None:
    sender = next((side for side in sides if side.role == "from"), None)
    if sender is None:
        return None
    return "out" if sender.member_id is not None or (sender.address and ours.is_ours(sender.address)) else "in"


def _same(rows: Sequence[Row[Any]], order: Sequence[str]) -> list[list[Row[Any]]]:
    """Group the copies of one activity; the one that others name as the same, and the leading source, come first."""
    parent = {(row.source, row.id): (row.source, row.id) for row in rows}

    def root(ref: Ref) -> Ref:
        while parent[ref] != ref:
            ref = parent[ref]
        return ref

    first_with: dict[tuple[str, object], Row[Any]] = {}
    for row in sorted(rows, key=lambda r: (r.source, r.id)):
        for key in _keys(row):
            other = first_with.setdefault(key, row)
            both = key[0] == "signature" and row.message_id and other.message_id and row.message_id != other.message_id
            if not both:
                parent[root((row.source, row.id))] = root((other.source, other.id))
    rank = {source: n for n, source in enumerate(order)}
    found: defaultdict[Ref, list[Row[Any]]] = defaultdict(list)
    # The row that points at another (an EmailMessage at its Task) knows more than the one that is pointed at.
    for row in sorted(
        rows, key=lambda r: (r.same_as is None, rank.get(r.source, len(rank)), r.message_id is None, r.id)
    ):
        found[root((row.source, row.id))].append(row)
    return list(found.values())


def _keys(row: Row[Any]) -> list[tuple[str, object]]:
    keys: list[tuple[str, object]] = [("row", (row.source, row.id))]
    if row.same_as:
        keys.append(("row", (row.source, row.same_as)))
    if row.message_id:
        keys.append(("message", row.message_id))
    if row.ical_uid:
        keys.append(("ical", (row.ical_uid, row.starts_at)))  # every meeting of a series has the same UID
    if row.signature:
        keys.append(("signature", row.signature))
    return keys
