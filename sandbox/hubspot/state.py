"""One HubSpot portal: its records, its schema, its tokens, what it has used, and how it reads one record."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, uuid5

from sandbox.clock import MILLISECOND, ScenarioClock, iso_ms
from sandbox.hubspot.limits import Buckets
from sandbox.hubspot.schema import ALL_SCOPES, ObjectType, Property, Schema, build_schema
from sandbox.hubspot.switches import Switches
from sandbox.hubspot.values import text_of
from sandbox.versions import At, Row, VendorStore

VENDOR = "hubspot"
OWNERS = "owners"
APP_USER = 2_506_672
"""The user whose private app writes through the API."""
_CREATED = ("createdate", "hs_createdate")


@dataclass(slots=True)
class Token:
    """An access token. `expires_at`: UTC microseconds, None for a private app's."""

    scopes: frozenset[str] = ALL_SCOPES
    oauth: bool = False
    expires_at: int | None = None


def new_store(clock: ScenarioClock) -> VendorStore:
    """An empty HubSpot database: stamps in milliseconds, an archive does not move them, ids are numbers."""
    return VendorStore(VENDOR, clock, resolution=MILLISECOND, delete_moves_stamp=False, id_order=int)


@dataclass(slots=True)
class HubSpotState:
    """Everything behind the HubSpot app. Guarded by `store.lock`."""

    store: VendorStore
    tokens: dict[str, Token]
    portal_id: int = 48_103_927
    switches: Switches = field(default_factory=Switches)
    schema: Schema = field(default_factory=build_schema)
    buckets: Buckets = field(init=False)
    _calls: itertools.count[int] = field(default_factory=itertools.count)
    _next_id: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.buckets = Buckets(self.switches)

    @property
    def now(self) -> int:
        """Scenario time in UTC microseconds."""
        return self.store.clock.now()

    def correlation_id(self) -> str:
        """An id for one answer; the same run gives the same ids."""
        return str(uuid5(NAMESPACE_URL, f"{self.portal_id}/{next(self._calls)}"))

    def new_id(self, object_name: str) -> str:
        """A numeric id above all that the type has."""
        rows = self.store.table(object_name).rows
        highest = self._next_id.get(object_name) or max((int(i) for i in rows), default=90_000_000_000)
        self._next_id[object_name] = highest + 1
        return str(highest + 1)

    def live(self, object_name: str, row_id: str) -> Row | None:
        """The record under this id, or the one it was merged into; None if it is archived or was never there."""
        row = self.store.get(object_name, row_id)
        while row is not None and row.merged_into is not None:
            row = self.store.get(object_name, row.merged_into)
        return row if row is not None and row.deleted_at is None else None

    def owner_exists(self, owner_id: str) -> bool:
        """Is this the id of an owner who is not archived."""
        owner = self.store.get(OWNERS, owner_id)
        return owner is not None and owner.deleted_at is None


def value_of(row: Row, prop: Property, kind: ObjectType) -> object:
    """The stored or derived value of one property."""
    name = prop.name
    if name == kind.modified:
        return At(row.modified_at)
    if name == "hs_object_id":
        return row.id
    stored = row.fields.get(name)
    if stored is not None:
        return stored
    if name in _CREATED:
        return At(row.created_at)
    if name in ("hs_is_closed", "hs_is_closed_won"):
        stage = row.fields.get("dealstage")
        return stage == "closedwon" or (stage == "closedlost" and name == "hs_is_closed")
    if name == "hs_email_domain":
        return str(row.fields.get("email") or "").partition("@")[2] or None
    return None


def shown(state: HubSpotState, kind: ObjectType, row: Row, asked: tuple[str, ...]) -> dict[str, object]:
    """A record as the API gives it: the asked properties (else the default ones) and always stamps and id; unknown names are left out."""
    known = state.schema.properties[kind.name]
    created = "createdate" if "createdate" in known else "hs_createdate"
    names = (*asked, created, kind.modified, "hs_object_id") if asked else kind.defaults
    properties = {name: text_of(value_of(row, known[name], kind), known[name]) for name in names if name in known}
    body: dict[str, object] = {
        "id": row.id,
        "properties": dict(sorted(properties.items())),
        "createdAt": properties[created],
        "updatedAt": iso_ms(row.modified_at),
        "archived": row.deleted_at is not None,
    }
    if row.deleted_at is not None:
        body["archivedAt"] = iso_ms(row.deleted_at)
    body["url"] = f"https://app.hubspot.com/contacts/{state.portal_id}/record/{kind.type_id}/{row.id}"
    return body
