"""What our people said about who somebody is: stronger than every field, role and title."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from store import dirty
from store.records import Instant
from store.refs import chunks, upsert
from store.tables import person_overrides

DIRTY = "persons"
"""On the list of what derivation has to look at: source is empty, id is the person's key."""


@dataclass(frozen=True, slots=True)
class Override:
    """`standing`: exec | user | other; `level` 1..5, None where only the standing was said; since `at`."""

    level: int | None
    standing: str
    author: str
    at: Instant


def overrides(conn: Connection, keys: Collection[str]) -> dict[str, Override]:
    """Person's key -> what was said."""
    c = person_overrides.c
    found: dict[str, Override] = {}
    for some in chunks(sorted(keys)):
        rows = conn.execute(select(person_overrides).where(c.key.in_(some)))
        found |= {row.key: Override(row.level, row.standing, row.author, row.decided_at) for row in rows}
    return found


def decide(conn: Connection, key: str, said: Override) -> bool:
    """Keep what was said of the person with this key, wherever he or she is; False = it was said before."""
    before = overrides(conn, [key]).get(key)
    if before is not None and (before.level, before.standing) == (said.level, said.standing):
        return False
    row = {"key": key, "level": said.level, "standing": said.standing, "author": said.author, "decided_at": said.at}
    upsert(conn, person_overrides, [row])
    dirty.mark(conn, DIRTY, [("", key)])
    return True


def forget(conn: Connection, key: str) -> bool:
    """Take back what was said; False = nothing was."""
    gone = conn.execute(delete(person_overrides).where(person_overrides.c.key == key)).rowcount
    if gone:
        dirty.mark(conn, DIRTY, [("", key)])
    return bool(gone)
