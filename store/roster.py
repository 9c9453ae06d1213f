"""Carry out the lists of persons and of our own people, and keep what was said of them: absences, what was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, or_, select

from store.records import Instant
from store.refs import upsert
from store.tables import absences, facts, handovers, members, persons


def rows(conn: Connection, query: Select[Any]) -> list[Mapping[str, Any]]:
    """The rows of a list, by column name."""
    return [dict(row) for row in conn.execute(query).mappings()]


def members_like(conn: Connection, text: str) -> list[Mapping[str, Any]]:
    """Our people whose key, address or name is `text`, whatever its case."""
    wanted, c = text.strip().lower(), members.c
    same = or_(func.lower(c.key) == wanted, func.lower(c.email) == wanted, func.lower(c.name) == wanted)
    return rows(conn, select(members).where(same).order_by(c.name, c.id))


def person_keys_like(conn: Connection, text: str) -> list[str]:
    """Keys of the persons whose key or name is `text`, whatever its case; a key comes alone."""
    wanted, c = text.strip(), persons.c
    found = conn.execute(select(c.key).where(c.key.in_([wanted, wanted.lower()])).distinct()).scalars().all()
    if not found:
        found = conn.execute(select(c.key).where(func.lower(c.name) == wanted.lower()).distinct()).scalars().all()
    return sorted(found)


def person(conn: Connection, person_id: int) -> Mapping[str, Any] | None:
    """One person by id."""
    row = conn.execute(select(persons).where(persons.c.id == person_id)).mappings().one_or_none()
    return None if row is None else dict(row)


def csms_with_unknown(conn: Connection) -> list[str]:
    """Keys of the CSMs at whose customers, as last evaluated, is somebody of whom nobody knows who it is."""
    some = func.coalesce(facts.c.unclassified_contacts, 1) > 0
    return sorted(conn.execute(select(facts.c.csm).where(facts.c.csm.is_not(None), some).distinct()).scalars())


def mark_away(conn: Connection, member_id: int, since: Instant, until: Instant, *, author: str, at: Instant) -> int:
    """Keep an absence from `since` to before `until`, as far as none is kept yet; gives how many spells that makes."""
    c = absences.c
    there = select(absences).where(c.member_id == member_id, c.from_at < until, c.until_at > since)
    spells: list[tuple[Instant, Instant]] = []
    begin = since
    for row in conn.execute(there.order_by(c.from_at)):
        if row.from_at > begin:
            spells.append((begin, row.from_at))
        begin = max(begin, row.until_at)
    if begin < until:
        spells.append((begin, until))
    for first, end in spells:
        values = {"from_at": first, "until_at": end, "author": author, "recorded_at": at}
        conn.execute(insert(absences).values(member_id=member_id, **values))
    return len(spells)


def unmark_away(conn: Connection, member_id: int, since: Instant, until: Instant) -> int:
    """Take back absences that begin in this span; gives how many."""
    c = absences.c
    gone = delete(absences).where(c.member_id == member_id, c.from_at >= since, c.from_at < until)
    return int(conn.execute(gone).rowcount)


def told(conn: Connection, lines: Sequence[Mapping[str, Any]], at: Instant) -> None:
    """Keep that these hand-overs were told."""
    names = ("member_id", "account_id", "since")
    found = {tuple(line[name] for name in names): line["recipient"] for line in lines}
    told_rows = [dict(zip(names, key, strict=True)) | {"told_at": at, "told_to": to} for key, to in found.items()]
    upsert(conn, handovers, sorted(told_rows, key=lambda row: [row[name] for name in names]))


def back_again(conn: Connection) -> int:
    """Forget what was told of members who are active again, so that it is told anew should they leave again."""
    active = select(members.c.id).where(members.c.active == 1)
    gone = delete(handovers).where(handovers.c.since == 0, handovers.c.member_id.in_(active))
    return int(conn.execute(gone).rowcount)
