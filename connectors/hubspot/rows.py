"""One HubSpot record as the API gives it, and how its properties are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from store.records import Instant, Scalar

Properties = Mapping[str, Any]
Raw = Mapping[str, Any]
"""A record as the API gives it: id, properties, createdAt, updatedAt, archived."""
Linked = Mapping[str, tuple[str, ...]]
"""companies | contacts -> ids of the associated rows, the primary one first."""

_MILLISECOND = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """One HubSpot record with what it is associated with."""

    id: str
    properties: Properties
    linked: Linked

    def text(self, name: str) -> str | None:
        """A property; empty ones are None."""
        value = self.properties.get(name)
        return str(value).strip() or None if value is not None else None

    def at(self, name: str) -> Instant | None:
        """A property that is an instant: ISO text, or epoch milliseconds."""
        return instant(self.text(name))

    def raw(self, names: tuple[str, ...]) -> dict[str, Scalar]:
        """Several properties by name."""
        return {name: self.text(name) for name in names}

    @property
    def created(self) -> Instant:
        """When the record was made; activities name it otherwise than the rest."""
        return self.at("createdate") or self.at("hs_createdate") or 0

    @property
    def modified(self) -> Instant:
        """The newest change that HubSpot stamps."""
        return self.at("hs_lastmodifieddate") or self.at("lastmodifieddate") or self.created


def instant(text: str | None) -> Instant | None:
    """ISO text or epoch milliseconds as UTC microseconds."""
    if not text:
        return None
    if text.isdigit():
        return int(text) * _MILLISECOND
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return round((parsed - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000) * _MILLISECOND


def stamp(raw: Raw, cursor: str) -> int:
    """The stamp that increments follow, in milliseconds; `cursor` is the property that holds it."""
    at = instant(raw["properties"].get(cursor)) or instant(raw.get("updatedAt")) or 0
    return at // _MILLISECOND


def next_after(body: Mapping[str, Any]) -> str | None:
    """Where the next page begins. The link beside it leads to another path: only the cursor is followed."""
    after = ((body.get("paging") or {}).get("next") or {}).get("after")
    return None if after is None else str(after)


def in_order(ref: str) -> tuple[int, str]:
    """Sorting key of an id: ids are numbers as text."""
    return (int(ref), "") if ref.isdigit() else (0, ref)


_SPLIT = re.compile(r"[;,]")


def merged_ids(row: Row) -> tuple[str, ...]:
    """Ids of every record that was merged into this one.

    `hs_merged_object_ids` is the complete list; `hs_calculated_merged_vids` (contacts: `vid:when;...`) misses chains
    (github.com/fivetran/dbt_hubspot/issues/172), so both are read.
    """
    names = _SPLIT.split(row.text("hs_merged_object_ids") or "")
    names += [part.partition(":")[0] for part in _SPLIT.split(row.text("hs_calculated_merged_vids") or "")]
    return tuple(dict.fromkeys(ref for name in names if (ref := name.strip()) and ref != row.id))
