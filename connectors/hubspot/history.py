"""Read the past of mapped properties once, so that every field has its intervals from the day the record was made.

A pass of its own: a list with history gives 50 records a page, and HubSpot keeps only so many versions of a property.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from connectors.hubspot.cursor import Cursor
from connectors.hubspot.objects import Objects
from connectors.hubspot.rows import Raw, instant
from connectors.hubspot.streams import Stream
from store.records import Batch, FieldChange, Instant, SyncEvent

_LONGEST = 6 * 1024
"""Characters of property names in one address."""
_BY_HAND = ("CRM_UI", "MOBILE")
"""Kinds of source (`sourceType`) where a person typed the value."""


def name_of(stream: Stream) -> str:
    """The stream under which the past is kept apart."""
    return f"history:{stream.name}"


def history(
    objects: Objects, stream: Stream, cursor: Cursor, users: Mapping[str, str], started: Instant
) -> Iterator[SyncEvent]:
    """Every version that HubSpot still has; once all is read, no call. `users`: id of a user -> id of the owner.

    A field that is mapped later is read then, alone.
    """
    name = name_of(stream)
    while missing := [one for one in stream.history if one not in cursor.fields]:
        some = _fitting(missing)
        if cursor.reading != some:
            cursor.reading, cursor.after = some, None
        page = objects.history(stream.object, some, cursor.after)
        changes = tuple(change for raw in page.rows for change in _changes(stream, raw, users))
        cursor.after = page.after
        if page.after is None:
            cursor.fields, cursor.reading = sorted({*cursor.fields, *some}), []
        yield Batch(name, changes, cursor.text())
    yield Batch(name, (), cursor.text(), fresh_at=started)


def _fitting(names: list[str]) -> list[str]:
    kept: list[str] = []
    length = 0
    for one in sorted(names):
        length += len(quote(one, safe="")) + 3
        if kept and length > _LONGEST:
            break
        kept.append(one)
    return kept


def _changes(stream: Stream, raw: Raw, users: Mapping[str, str]) -> Iterator[FieldChange]:
    created = instant(raw.get("createdAt"))
    for field, versions in sorted((raw.get("propertiesWithHistory") or {}).items()):
        if field not in stream.history:
            continue
        # HubSpot gives the newest first; of two in one millisecond the later one counts.
        for version in reversed(versions):
            at = instant(version.get("timestamp"))
            if at is None:
                continue
            text = version.get("value")
            value = None if text is None or not str(text).strip() else str(text).strip()
            yield FieldChange(
                stream.kind, str(raw["id"]), field, value, 0 if at == created else at, _author(version, users)
            )


def _author(version: Mapping[str, Any], users: Mapping[str, str]) -> str | None:
    """Who typed it, where somebody did; else the kind of source (IMPORT, INTEGRATION, AUTOMATION_PLATFORM, ...)."""
    kind = str(version.get("sourceType") or "")
    said = str(version.get("sourceId") or "")
    user = str(version.get("updatedByUserId") or (said.removeprefix("userId:") if said.startswith("userId:") else ""))
    if user and kind.startswith(_BY_HAND):
        return users.get(user, user)
    return kind or None
