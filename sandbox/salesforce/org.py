"""The org as one caller sees it: which objects and fields exist, which rows a query shows, and what each field's value is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sandbox.clock import DAY
from sandbox.salesforce import definitions
from sandbox.salesforce.catalogue import Catalogue
from sandbox.salesforce.objects import NAME_OBJECT, RELATIONS
from sandbox.salesforce.schema import Field, SObject
from sandbox.versions import At, On, Row, Table, VendorStore

Getter = Callable[[Row], object]
"""Row -> str, int, float, bool, None, At or On."""

ARCHIVED_AFTER = 365
"""Days after which events that ended and tasks that were due leave query()."""

RECYCLE_DAYS = 15
"""Days that a deleted row stays readable by queryAll."""

HISTORY_KEPT = 549 * DAY
"""Field history is kept for 18 months, and up to 24 through the API; less is safe to expect."""


class Org:
    """Reads over one VendorStore; hold the store's lock while you use it.

    `hidden` takes `Object` and `Object.Field` names out of the caller's sight, `unfilterable` makes `Object.Field` refuse
    filters, `purged` holds ids that were emptied from the recycle bin, `archived` tasks and events that are archived
    whatever their age. All may be changed at any time.
    """

    def __init__(self, store: VendorStore, user_id: str) -> None:
        self.store = store
        self.user_id = user_id
        self.hidden: set[str] = set()
        self.unfilterable: set[str] = set()
        self.purged: set[str] = set()
        self.archived: set[str] = set()
        self.history_kept = HISTORY_KEPT
        self.tracked: Callable[[str, str], bool] = lambda _object, _field: False
        self.formulas: dict[tuple[str, str], Getter] = {}
        self.changed: dict[str, int] = {}
        """Object -> when its describe last changed."""
        self.catalogue = Catalogue(self._describe_changed)

    def object(self, name: str) -> SObject | None:
        """The object by its name in any case; None if there is none or the caller may not see it."""
        found = self.catalogue.find(name) or definitions.OBJECTS.get(name)
        return None if found is None or found.name in self.hidden else found

    def objects(self) -> list[SObject]:
        """All that the caller sees."""
        return [o for o in self.every_object() if o.name not in self.hidden]

    def every_object(self) -> list[SObject]:
        """All that exist, hidden or not."""
        return list(self.catalogue.objects.values())

    def fields(self, sobject: SObject) -> list[Field]:
        """Its fields without those that field-level security hides."""
        return [f for f in sobject.fields if f"{sobject.name}.{f.name}" not in self.hidden]

    def field(self, sobject: SObject, name: str) -> Field | None:
        """One field by its name in any case; None if there is none or it is hidden."""
        found = sobject.by_name.get(name.lower())
        return None if found is None or f"{sobject.name}.{found.name}" in self.hidden else found

    def may_filter(self, sobject: SObject, field: Field) -> bool:
        """Whether WHERE may name it."""
        return field.filterable and f"{sobject.name}.{field.name}" not in self.unfilterable

    def object_of(self, row_id: str) -> SObject | None:
        """The object that an id's prefix names."""
        return self.catalogue.of_id(row_id)

    def row(self, row_id: str) -> Row | None:
        """The row of any object by its id, deleted ones too."""
        sobject = self.object_of(row_id)
        return None if sobject is None else self.store.get(sobject.name, row_id)

    def behind(self, field: Field, target: str) -> Row | None:
        """The row that a reference names."""
        if field.reference_to == (definitions.ENTITY,):
            return next((row for row in definitions.entities(self.objects()) if row.id == target), None)
        return self.row(target)

    def source(self, sobject: SObject) -> Table:
        """Where the object's rows are; those of definitions are made now."""
        if sobject.name not in definitions.OBJECTS:
            return self.store.table(sobject.name)
        made = Table(str)
        if sobject.name == definitions.ENTITY:
            rows = definitions.entities(self.objects())
        else:
            rows = definitions.fields(self.objects(), self.fields, self.tracked)
        for row in rows:
            made.put(row)
        return made

    def count(self, sobject: SObject) -> int:
        """How many rows query() shows."""
        source = self.source(sobject)
        if not sobject.archives and not sobject.has("NewValue"):
            return source.count_ids()
        shown = self.shows(sobject, everything=False)
        return sum(1 for row in source.by_id(deleted=False) if shown(row))

    def _describe_changed(self, name: str) -> None:
        self.changed[name] = self.store.clock.now()

    def live(self, sobject: SObject, row_id: str) -> Row | None:
        """The row unless it is deleted."""
        row = self.store.get(sobject.name, row_id)
        return None if row is None or row.deleted_at is not None else row

    def shows(self, sobject: SObject, everything: bool) -> Callable[[Row], bool]:
        """Which rows query() shows, or queryAll() when `everything`."""
        now = self.store.clock.now()
        if sobject.name.endswith("History") and sobject.has("NewValue"):
            return self._shows_history(sobject, now)
        if everything:
            return self._shows_all(sobject, now)
        if not sobject.archives:
            return lambda row: row.deleted_at is None
        archived = self._archived(sobject)
        return lambda row: row.deleted_at is None and not archived(row)

    def _shows_all(self, sobject: SObject, now: int) -> Callable[[Row], bool]:
        oldest = now - RECYCLE_DAYS * DAY
        purged = self.purged
        relation = sobject.name in RELATIONS

        def shown(row: Row) -> bool:
            if row.deleted_at is None:
                return True
            # A participant taken off an activity shows in /deleted only; one that went with its activity shows here.
            if relation and not self._parent_deleted(row):
                return False
            return row.deleted_at > oldest and row.id not in purged

        return shown

    def _shows_history(self, sobject: SObject, now: int) -> Callable[[Row], bool]:
        """History young enough, of fields that the caller may see."""
        oldest = now - self.history_kept
        parent = next(f.reference_to[0] for f in sobject.fields if f.children == "Histories")
        return lambda row: row.created_at >= oldest and f"{parent}.{row.fields.get('Field')}" not in self.hidden

    def _parent_deleted(self, row: Row) -> bool:
        for name in ("TaskId", "EventId", "EmailMessageId"):
            parent = self.row(str(row.fields.get(name) or ""))
            if parent is not None:
                return parent.deleted_at is not None
        return False

    def rows(self, sobject: SObject, since: int | None = None, until: int | None = None) -> Iterator[Row]:
        """All rows whose stamp lies in [since, until), in order of (SystemModstamp, Id)."""
        return self.source(sobject).by_modified(since, until)

    def getter(self, sobject: SObject, field: Field) -> Getter:
        """How to read one field of a row of this object."""
        if sobject is NAME_OBJECT:
            return self._name_getter(field)
        system = self._system(sobject, field.name)
        if system is not None:
            return system
        name = field.name
        formula = self.formulas.get((sobject.name, name))
        if formula is not None:
            return formula
        if field.type == "boolean" and not field.nillable:
            return lambda row: row.fields.get(name) or False
        if field.type == "address":
            return _address(name.removesuffix("Address"))
        if field.name == "OwnerId":
            return lambda row: row.fields.get(name) or self.user_id
        return lambda row: row.fields.get(name)

    def _system(self, sobject: SObject, name: str) -> Getter | None:
        """Values that the platform keeps; a back-dated CreatedDate or LastModifiedDate, as imports write it, wins."""
        user = self.user_id
        match name:
            case "Id":
                return lambda row: row.id
            case "IsDeleted":
                return lambda row: row.deleted_at is not None
            case "MasterRecordId":
                return lambda row: row.merged_into
            case "SystemModstamp":
                return lambda row: At(row.modified_at)
            case "CreatedDate":
                return lambda row: row.fields.get("CreatedDate") or At(row.created_at)
            case "LastModifiedDate":
                return lambda row: row.fields.get("LastModifiedDate") or At(row.modified_at)
            case "CreatedById" | "LastModifiedById":
                return lambda row: row.fields.get(name) or user
            case "IsArchived":
                return self._archived(sobject)
            case "RelationObjectType":
                return lambda row: self._kind(str(row.fields.get("RelationId") or ""))
            case "Name" if sobject.has("LastName"):
                return full_name
        return None

    def _archived(self, sobject: SObject) -> Callable[[Row], bool]:
        limit = self.store.clock.now() - ARCHIVED_AFTER * DAY
        forced = self.archived

        def old_event(row: Row) -> bool:
            return row.id in forced or _instant(row.fields.get("EndDateTime"), row.created_at) < limit

        def old_task(row: Row) -> bool:
            due = _instant(row.fields.get("ActivityDate"), row.created_at)
            return row.id in forced or (due < limit and row.fields.get("Status") == "Completed")

        return old_event if sobject.name == "Event" else old_task

    def _kind(self, row_id: str) -> str | None:
        sobject = self.object_of(row_id)
        return None if sobject is None else sobject.name

    def _name_getter(self, field: Field) -> Getter:
        """A field of the Name object, looked up on the row that a polymorphic reference points to."""
        if field.name == "Type":
            return lambda row: self._kind(row.id)

        def read(row: Row) -> object:
            sobject = self.object_of(row.id)
            own = None if sobject is None else sobject.by_name.get(field.name.lower())
            if sobject is None or own is None:
                return row.fields.get("Subject") if field.name == "Name" else None
            return self.getter(sobject, own)(row)

        return read


_PARTS = ("city", "country", "geocodeAccuracy", "latitude", "longitude", "postalCode", "state", "street")


def _address(prefix: str) -> Getter:
    """A compound field: its component fields as one object, null when all are empty."""
    names = {part: prefix + part[0].upper() + part[1:] for part in _PARTS}

    def read(row: Row) -> object:
        parts = {part: row.fields.get(name) for part, name in names.items()}
        return parts if any(value is not None for value in parts.values()) else None

    return read


def full_name(row: Row) -> object:
    """Name of a person: as given, else first and last name."""
    given = row.fields.get("Name")
    if given:
        return given
    parts = (row.fields.get("FirstName"), row.fields.get("LastName"))
    return " ".join(str(p) for p in parts if p) or None


def _instant(value: object, otherwise: int) -> int:
    if isinstance(value, At):
        return value.us
    if isinstance(value, On):
        return value.day * DAY
    return otherwise
