"""One HubSpot portal: its records, its schema, its tokens, what it has used, and how it reads one record."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, uuid5

from sandbox.clock import DAY, MILLISECOND, ScenarioClock, iso_ms
from sandbox.hubspot.grants import OAuthApp
from sandbox.hubspot.history import Histories, Version
from sandbox.hubspot.limits import Buckets
from sandbox.hubspot.linktypes import CHILD
from sandbox.hubspot.objecttypes import ALL_SCOPES, ObjectType
from sandbox.hubspot.schema import Property, Schema, build_schema
from sandbox.hubspot.switches import Switches
from sandbox.hubspot.values import text_of
from sandbox.versions import At, Change, Row, VendorStore

VENDOR = "hubspot"
OWNERS = "owners"
APP_USER = 2_506_672
"""The user whose private app writes through the API."""
_CREATED = ("createdate", "hs_createdate")


@dataclass(slots=True)
class Token:
    """An access token: a private app's, a service key, or with `oauth` one of an OAuth app. `expires_at`: UTC
    microseconds, None for those that live until they are revoked. The scopes may be changed at any time.
    """

    scopes: frozenset[str] = ALL_SCOPES
    oauth: bool = False
    expires_at: int | None = None
    service_key: bool = False
    may_link: bool = True
    """The user behind an OAuth token has the Edit Associations permission (asked for from 2026-09 on)."""


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
    oauth: OAuthApp = field(default_factory=OAuthApp)
    buckets: Buckets = field(init=False)
    _calls: itertools.count[int] = field(default_factory=itertools.count)
    _next_id: dict[str, int] = field(default_factory=dict)
    _held_back: dict[str, dict[str, tuple[int, Row | None]]] = field(default_factory=dict)
    _histories: dict[str, Histories] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.buckets = Buckets(self.switches)
        for kind in self.schema.kinds():
            self._keep_history(kind.name)

    @property
    def now(self) -> int:
        """Scenario time in UTC microseconds."""
        return self.store.clock.now()

    def correlation_id(self) -> str:
        """An id for one answer; the same run gives the same ids."""
        return str(uuid5(NAMESPACE_URL, f"{self.portal_id}/{next(self._calls)}"))

    def new_id(self, object_name: str) -> str:
        """A numeric id above all that the type has."""
        there = int(self.store.table(object_name).last_id() or 90_000_000_000)
        highest = max(there, self._next_id.get(object_name, 0))
        self._next_id[object_name] = highest + 1
        return str(highest + 1)

    def add_type(self, name: str, properties: Iterable[Property], **more: Iterable[str] | None) -> ObjectType:
        """Make a custom object (see `Schema.add_type`) and keep the history of its records."""
        kind = self.schema.add_type(name, portal_id=self.portal_id, properties=properties, **more)  # type: ignore[arg-type]
        self._keep_history(kind.name)
        return kind

    def history(self, object_name: str) -> Histories:
        """The versions of an object's properties."""
        return self._histories[object_name]

    def put_history(self, object_name: str, row_id: str, name: str, versions: list[Version]) -> None:
        """Give a property of a record another past; its present value should be the last of it."""
        self._histories[object_name].put(row_id, name, versions)

    def hold_back(self, object_name: str, row_id: str, until: int, known: Row | None) -> None:
        """Let search see this record as `known` (None: not at all) until then; lists and reads see it as it is."""
        self._held_back.setdefault(object_name, {})[row_id] = (until, known)

    def lags(self, object_name: str) -> bool:
        """Does search know less than there is of this object."""
        return self.switches.search_lag > 0 or bool(self._held_back.get(object_name))

    def behind(self, object_name: str) -> dict[str, Row | None]:
        """Ids of records that search has not seen the newest version of -> the one it knows, None if none."""
        held = self._held_back.get(object_name, {})
        for row_id in [i for i, (until, _) in held.items() if until <= self.now]:
            del held[row_id]
        found: dict[str, Row | None] = {}
        lag = self.switches.search_lag
        if lag:
            for row in self.store.table(object_name).by_modified(self.now - lag + 1):
                found[row.id] = row.as_of(self.now - lag)
        return found | {row_id: known for row_id, (_, known) in held.items()}

    def stumbles(self, row_id: str) -> bool:
        """Does a batch read fail for this record now, and work later."""
        return _count_down(self.switches.batch_retryable, row_id)

    def is_locked(self, row_id: str) -> bool:
        """Is this record locked against the write at hand."""
        return _count_down(self.switches.locked, row_id)

    def purge_expired(self) -> None:
        """Forget what was archived longer ago than records are kept, if the switch says for how long that is."""
        if not self.switches.retention_days:
            return
        limit = self.now - self.switches.retention_days * DAY
        for kind in self.schema.kinds():
            rows = self.store.table(kind.name).by_id(deleted=True)
            for row in [r for r in rows if r.deleted_at is not None and r.deleted_at <= limit]:
                self.store.apply(Change(self.now, VENDOR, "purge", kind.name, row.id))

    def _keep_history(self, object_name: str) -> None:
        histories = self._histories[object_name] = Histories(APP_USER)
        self.store.watch(object_name, histories.watch)

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


def _count_down(left: dict[str, int], row_id: str) -> bool:
    """Take one from the record's count; true as long as there was one."""
    times = left.get(row_id, 0)
    if times > 1:
        left[row_id] = times - 1
    else:
        left.pop(row_id, None)
    return times > 0


def value_of(state: HubSpotState, row: Row, prop: Property, kind: ObjectType) -> object:
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
        stage = state.schema.stage(kind.name, row.fields.get("dealstage"))
        about = stage.metadata if stage is not None else {}
        closed = about.get("isClosed") == "true"
        return closed and (name == "hs_is_closed" or about.get("probability") == "1.0")
    if name == "hs_num_child_companies":
        links = state.store.links(kind.name, row.id, kind.name)
        return sum(CHILD in labels for labels in links.values()) or None
    if name == "hs_email_domain":
        return str(row.fields.get("email") or "").partition("@")[2] or None
    return None


def shown(
    state: HubSpotState, kind: ObjectType, row: Row, asked: tuple[str, ...], histories: tuple[str, ...] = ()
) -> dict[str, object]:
    """A record as the API gives it: the asked properties (else the default ones) and always stamps and id; unknown names
    are left out. `histories`: properties that come with their versions.
    """
    known = state.schema.properties[kind.name]
    created = "createdate" if "createdate" in known else "hs_createdate"
    names = (*asked, created, kind.modified, "hs_object_id") if asked else (*kind.defaults, *histories)
    properties = {
        name: text_of(value_of(state, row, prop, kind), prop)
        for name in names
        if (prop := known.get(name)) is not None and not prop.archived
    }
    body: dict[str, object] = {
        "id": row.id,
        "properties": dict(sorted(properties.items())),
        "createdAt": properties[created],
        "updatedAt": iso_ms(row.modified_at),
        "archived": row.deleted_at is not None,
    }
    if histories:
        kept, most = state.history(kind.name), state.switches.history_versions
        body["propertiesWithHistory"] = {
            name: kept.shown(row, prop, value_of(state, row, prop, kind), most)
            for name in histories
            if (prop := known.get(name)) is not None and not prop.archived
        }
    if row.deleted_at is not None:
        body["archivedAt"] = iso_ms(row.deleted_at)
    body["url"] = f"https://app.hubspot.com/contacts/{state.portal_id}/record/{kind.type_id}/{row.id}"
    return body
