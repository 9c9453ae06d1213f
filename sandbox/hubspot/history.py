"""What each property's value was before: kept from the records' changes, or put in by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.clock import iso_ms
from sandbox.hubspot.schema import Property
from sandbox.hubspot.values import text_of
from sandbox.versions import Row

_BY = "hs_updated_by_user_id"


@dataclass(frozen=True, slots=True)
class Version:
    """A property's value from `at` (UTC microseconds) on. `source` is HubSpot's `sourceType`."""

    at: int
    value: object
    source: str = "CRM_UI"
    source_id: str | None = None
    user: int | None = None


class Histories:
    """The versions of one object's properties. Only what changed is kept: a value that never did is its own history."""

    def __init__(self, app_user: int) -> None:
        self._app_user = app_user
        self._versions: dict[tuple[str, str], list[Version]] = {}

    def watch(self, before: Row | None, after: Row) -> None:
        """Keep what changed between two versions of a row."""
        if before is None:
            return
        for name, value in after.fields.items():
            old = before.fields.get(name)
            if old == value or name == _BY:
                continue
            kept = self._versions.setdefault((after.id, name), [])
            if not kept and old is not None:
                kept.append(self._version(before.created_at, old, None))
            kept.append(self._version(after.modified_at, value, after.fields.get(_BY)))

    def put(self, row_id: str, name: str, versions: list[Version]) -> None:
        """Set the versions of one property, in any order; the last one should be the row's value."""
        self._versions[row_id, name] = sorted(versions, key=lambda version: version.at)

    def shown(self, row: Row, prop: Property, value: object, most: int) -> list[dict[str, object]]:
        """The versions as the API gives them, newest first, at most so many (0: all)."""
        kept = self._versions.get((row.id, prop.name))
        if kept is None:
            kept = [self._version(row.created_at, value, row.fields.get(_BY))] if value is not None else []
        versions = [_shown(version, prop) for version in reversed(kept)]
        return versions[:most] if most else versions

    def _version(self, at: int, value: object, by: object) -> Version:
        if by == self._app_user:
            return Version(at, value, "INTEGRATION", str(self._app_user))
        if by is not None:
            return Version(at, value, "CRM_UI", f"userId:{by}", int(str(by)))
        return Version(at, value, "MIGRATION")


def _shown(version: Version, prop: Property) -> dict[str, object]:
    body: dict[str, object] = {
        "value": text_of(version.value, prop) or "",
        "timestamp": iso_ms(version.at),
        "sourceType": version.source,
    }
    more: Iterator[tuple[str, object]] = iter((("sourceId", version.source_id), ("updatedByUserId", version.user)))
    return body | {key: value for key, value in more if value is not None}
