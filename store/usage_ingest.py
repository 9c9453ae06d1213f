"""Pushes and hints that were taken: rows, freshness and the key of a push in one transaction; a repeat is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from store.records import DAY, MINUTE, Instant, Record
from store.sync import save_records, set_freshness
from store.tables import hint_nonces, ingest_keys

_KEPT = 7 * DAY
"""A sender that repeats a push does so within hours."""
_NONCES_KEPT = 15 * MINUTE
"""Longer than a signature is valid."""


class KeyReused(Exception):
    """The Idempotency-Key was used for another body: a new push needs a new key."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a push. `repeated`: it had been taken before, and nothing was done."""

    rows: int
    changed: int
    repeated: bool = False


def take(
    conn: Connection, source: str, stream: str, records: Sequence[Record], now: Instant, *, key: str | None, digest: str
) -> Taken:
    """Keep a push. `digest` is the body's; raises KeyReused."""
    if key is not None:
        found = _known(conn, source, key, digest)
        if found is not None:
            return found
    saved = save_records(conn, source, records, now)
    set_freshness(conn, source, stream, "ok", None, fresh_at=now)
    taken = Taken(len(records), saved.changed)
    if key is not None:
        conn.execute(delete(ingest_keys).where(ingest_keys.c.at < now - _KEPT))
        answer = json.dumps({"rows": taken.rows, "changed": taken.changed})
        conn.execute(insert(ingest_keys).values(source=source, key=key, digest=digest, answer=answer, at=now))
    return taken


def _known(conn: Connection, source: str, key: str, digest: str) -> Taken | None:
    c = ingest_keys.c
    row = conn.execute(select(c.digest, c.answer).where(c.source == source, c.key == key)).one_or_none()
    if row is None:
        return None
    if row.digest != digest:
        raise KeyReused(str(KeyReused.__doc__))
    return Taken(**json.loads(row.answer), repeated=True)


def take_nonce(conn: Connection, nonce: str, now: Instant) -> bool:
    """Note a signed call; False = it was taken before, so this one is a replay."""
    conn.execute(delete(hint_nonces).where(hint_nonces.c.at < now - _NONCES_KEPT))
    if conn.execute(select(hint_nonces.c.at).where(hint_nonces.c.nonce == nonce)).first() is not None:
        return False
    conn.execute(insert(hint_nonces).values(nonce=nonce, at=now))
    return True
