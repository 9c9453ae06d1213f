"""What a person sees and edits in a CRM's own pages: the same records, values checked as the page would, stamps by a human user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from sandbox.hubspot.checks import typed
from sandbox.hubspot.objecttypes import ObjectType
from sandbox.hubspot.state import OWNERS, HubSpotState, value_of
from sandbox.hubspot.values import text_of
from sandbox.hubspot.writes import write
from sandbox.salesforce import derived
from sandbox.salesforce import state as salesforce
from sandbox.salesforce.errors import Refused
from sandbox.salesforce.rows import shape_of
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.writing import checked, writable
from sandbox.versions import Row, VendorStore, Watcher

_API_VERSION = "67.0"
_NAMES = ("Name", "FirstName", "LastName", "Subject", "Email")

INTEGRATION = "integration"

Json = dict[str, object]


class EditRefused(Exception):
    """The CRM's page would not take this value; the text says why."""


class Desk(Protocol):
    """One CRM as its people use it. A record is `{"vendor", "object", "id", "deleted", "modified_at", "fields"}`."""

    def get(self, object_name: str, row_id: str) -> Json | None:
        """One record, deleted ones too; None if there is none. KeyError for an unknown object."""

    def find(self, object_name: str, text: str, limit: int) -> list[Json]:
        """Live records whose name (or e-mail) contains the text, in id order."""

    def edit(self, object_name: str, row_id: str, fields: Mapping[str, object], by: str | None = None) -> Json:
        """Change fields as a person would; `by` is an id or e-mail, else some active user. EditRefused, KeyError."""

    def watch(self, object_name: str, watcher: Watcher) -> None:
        """Tell `watcher` of every new version of this object's rows. KeyError for an unknown object."""

    def people(self) -> list[tuple[str, str]]:
        """(id, name) of everybody who can edit, by name."""

    def writer(self, row: Row) -> str:
        """Who wrote this version of a row: a person's name, `integration` for the API, empty where the CRM kept none."""


class HubSpotDesk:
    """People in HubSpot."""

    def __init__(self, state: HubSpotState) -> None:
        self._state = state

    def get(self, object_name: str, row_id: str) -> Json | None:
        """One record with all its properties."""
        with self._state.store.lock:
            self._state.store.catch_up()
            kind = self._kind(object_name)
            row = self._state.store.get(kind.name, row_id)
            return None if row is None else self._shown(kind, row)

    def find(self, object_name: str, text: str, limit: int) -> list[Json]:
        """Records by name."""
        with self._state.store.lock:
            self._state.store.catch_up()
            kind = self._kind(object_name)
            rows = _named(self._state.store, kind.name, kind.searchable, text, limit)
            return [self._shown(kind, row) for row in rows]

    def edit(self, object_name: str, row_id: str, fields: Mapping[str, object], by: str | None = None) -> Json:
        """Change properties."""
        with self._state.store.lock:
            self._state.store.catch_up()
            kind = self._kind(object_name)
            if self._state.live(kind.name, row_id) is None:
                raise KeyError(row_id)
            values, problems = typed(self._state, kind, fields)
            if problems:
                raise EditRefused("; ".join(str(p["message"]) for p in problems))
            owner = _person(self._state.store, OWNERS, ("email",), by)
            user = int(str(owner.fields.get("userId") or owner.id))
            return self._shown(kind, write(self._state, kind, row_id, values, by=user))

    def watch(self, object_name: str, watcher: Watcher) -> None:
        """Tell of every version of an object's rows."""
        self._state.store.watch(self._kind(object_name).name, watcher)

    def people(self) -> list[tuple[str, str]]:
        """The owners."""
        with self._state.store.lock:
            self._state.store.catch_up()
            rows = [row for row in self._state.store.table(OWNERS).by_id() if row.deleted_at is None]
            return sorted(((row.id, _owner_name(row)) for row in rows), key=lambda person: person[1])

    def writer(self, row: Row) -> str:
        """The owner whose user id the row carries; the app's own id is the integration."""
        by = row.fields.get("hs_updated_by_user_id")
        if by is None:
            return ""
        owners = self._state.store.table(OWNERS).rows.values()
        return next((_owner_name(o) for o in owners if str(o.fields.get("userId") or o.id) == str(by)), INTEGRATION)

    def _kind(self, object_name: str) -> ObjectType:
        kind = self._state.schema.type_of(object_name)
        if kind is None:
            raise KeyError(object_name)
        return kind

    def _shown(self, kind: ObjectType, row: Row) -> Json:
        known = self._state.schema.properties[kind.name]
        values = {name: text_of(value_of(self._state, row, prop, kind), prop) for name, prop in known.items()}
        return _record("hubspot", kind.name, row, {name: v for name, v in values.items() if v is not None})


class SalesforceDesk:
    """People in Salesforce."""

    def __init__(self, state: salesforce.State) -> None:
        self._state = state

    def get(self, object_name: str, row_id: str) -> Json | None:
        """One record with all its fields."""
        with self._state.store.lock:
            self._state.store.catch_up()
            sobject = self._object(object_name)
            row = self._state.store.get(sobject.name, row_id)
            return None if row is None else self._shown(sobject, row)

    def find(self, object_name: str, text: str, limit: int) -> list[Json]:
        """Records by name."""
        with self._state.store.lock:
            self._state.store.catch_up()
            sobject = self._object(object_name)
            rows = _named(self._state.store, sobject.name, _NAMES, text, limit)
            return [self._shown(sobject, row) for row in rows]

    def edit(self, object_name: str, row_id: str, fields: Mapping[str, object], by: str | None = None) -> Json:
        """Change fields; LastModifiedById is the person."""
        state = self._state
        with state.store.lock:
            state.store.catch_up()
            sobject = self._object(object_name)
            if state.store.get(sobject.name, row_id) is None:
                raise KeyError(row_id)
            try:
                row = writable(state, sobject, row_id)
                values = checked(state, sobject, dict(fields), creating=False)
            except Refused as refused:
                raise EditRefused(refused.message) from refused
            person = _person(state.store, "User", ("Email", "Username"), by, other_than=state.settings.user_id)
            extra = derived.of_write(sobject.name, row.fields, values, state.now)
            stamps = {"LastModifiedById": person.id, "LastModifiedDate": None}
            return self._shown(sobject, state.store.upsert_by_api(sobject.name, row.id, {**extra, **values, **stamps}))

    def watch(self, object_name: str, watcher: Watcher) -> None:
        """Tell of every version of an object's rows."""
        self._state.store.watch(self._object(object_name).name, watcher)

    def people(self) -> list[tuple[str, str]]:
        """The active users, without the integration's own."""
        with self._state.store.lock:
            self._state.store.catch_up()
            rows = [
                row
                for row in self._state.store.table("User").by_id()
                if row.deleted_at is None
                and row.fields.get("IsActive", True) is True
                and row.id != self._state.settings.user_id
            ]
            return sorted(((row.id, str(row.fields.get("Name") or row.id)) for row in rows), key=lambda p: p[1])

    def writer(self, row: Row) -> str:
        """The user of LastModifiedById."""
        by = str(row.fields.get("LastModifiedById") or "")
        if by == self._state.settings.user_id:
            return INTEGRATION
        user = self._state.store.get("User", by) if by else None
        return str(user.fields.get("Name") or by) if user else ""

    def _object(self, object_name: str) -> SObject:
        sobject = self._state.org.object(object_name)
        if sobject is None:
            raise KeyError(object_name)
        return sobject

    def _shown(self, sobject: SObject, row: Row) -> Json:
        record = dict(shape_of(self._state.org, sobject, None)(row, _API_VERSION))
        return _record("salesforce", sobject.name, row, {k: v for k, v in record.items() if k != "attributes"})


def _owner_name(row: Row) -> str:
    name = f"{row.fields.get('firstName') or ''} {row.fields.get('lastName') or ''}".strip()
    return name or str(row.fields.get("email") or row.id)


def _record(vendor: str, object_name: str, row: Row, fields: Json) -> Json:
    return {
        "vendor": vendor,
        "object": object_name,
        "id": row.id,
        "deleted": row.deleted_at is not None,
        "merged_into": row.merged_into,
        "created_at": row.created_at,
        "modified_at": row.modified_at,
        "fields": fields,
    }


def _named(store: VendorStore, table: str, names: tuple[str, ...], text: str, limit: int) -> Iterator[Row]:
    wanted = text.casefold()
    found = 0
    for row in store.table(table).by_id():
        if found == limit:
            return
        said = " ".join(str(row.fields.get(name) or "") for name in names)
        if row.deleted_at is None and wanted in said.casefold():
            found += 1
            yield row


def _person(store: VendorStore, table: str, addresses: tuple[str, ...], by: str | None, other_than: str = "") -> Row:
    """The user with this id or address; without one, the first who is active. EditRefused if there is none."""
    for row in store.table(table).by_id():
        known = {row.id, *(str(row.fields.get(name) or "").lower() for name in addresses)}
        if by is not None and by.lower() in {k.lower() for k in known}:
            return row
        active = row.deleted_at is None and row.fields.get("IsActive", True) is True
        if by is None and active and row.id != other_than:
            return row
    raise EditRefused(f"no such user: {by or 'any'}")
