"""The last good rule files."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection, insert, select, update

from store.records import Instant
from store.tables import rule_sets


def last(connection: Connection) -> tuple[str, dict[str, str]] | None:
    """Version and files (name -> text) of the rules that were loaded last; None before the first."""
    newest = select(rule_sets.c.version, rule_sets.c.files).order_by(rule_sets.c.loaded_at.desc(), rule_sets.c.version)
    row = connection.execute(newest.limit(1)).one_or_none()
    return None if row is None else (row.version, dict(json.loads(row.files)))


def keep(connection: Connection, version: str, files: Mapping[str, str], now: Instant) -> None:
    """Remember rule files that were read without a mistake; files that come back are the newest again."""
    moved = connection.execute(update(rule_sets).where(rule_sets.c.version == version).values(loaded_at=now))
    if not moved.rowcount:
        text = json.dumps(dict(files), sort_keys=True, ensure_ascii=False)
        connection.execute(insert(rule_sets).values(version=version, files=text, loaded_at=now))
