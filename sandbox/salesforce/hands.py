"""What an administrator, the platform or the passing of time does to an org: the hands of tests and of the control server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from sandbox.clock import SECOND
from sandbox.generated import GeneratedTable
from sandbox.salesforce import ids, wire
from sandbox.salesforce.org import Getter, Org
from sandbox.salesforce.relations import RELATION, DirectRelations
from sandbox.salesforce.settings import RowFault
from sandbox.salesforce.switches import Switches
from sandbox.versions import At, Change, On, Row, VendorStore


class Hands:
    """The acts of one org. Its state has the attributes; every act may be done at any time."""

    store: VendorStore
    org: Org
    switches: Switches
    row_faults: list[RowFault]
    forgotten: dict[str, int]
    relations: DirectRelations
    serial: int

    def hide(self, *names: str) -> None:
        """Take objects (`Case`) or fields (`Account.ARR__c`) out of the caller's sight; describe changes with it."""
        self.org.hidden.update(names)
        self._seen_anew(names)

    def show(self, *names: str) -> None:
        """The opposite of `hide`."""
        self.org.hidden.difference_update(names)
        self._seen_anew(names)

    def _seen_anew(self, names: Iterable[str]) -> None:
        if self.switches.sight_moves_describe:
            for name in names:
                self.org.changed[name.partition(".")[0]] = self.store.now()

    def unfilter(self, *names: str) -> None:
        """Make fields (`Task.SystemModstamp`) refuse filters, as describe then says."""
        self.org.unfilterable.update(names)
        self._seen_anew(names)

    def formula(self, object_name: str, field_name: str, getter: Getter) -> None:
        """Compute a field from its row whenever it is read; SystemModstamp does not move when the result does."""
        sobject = self.org.catalogue.objects[object_name]
        known = sobject.by_name[field_name.lower()]
        if known.formula is None:
            changes: dict[str, object] = {"formula": "/* of the org */", "createable": False, "updateable": False}
            self.org.catalogue.alter(object_name, field_name, **changes)
        self.org.formulas[(object_name, known.name)] = getter

    def stored(self, object_name: str, values: Mapping[str, object]) -> dict[str, object]:
        """JSON values as the database keeps them: days and instants are told from text by the field's type."""
        sobject = self.org.catalogue.objects[object_name]
        kept: dict[str, object] = {}
        for name, value in values.items():
            kind = sobject.by_name[name.lower()].type
            day = wire.parse_date(value) if kind == "date" and isinstance(value, str) else None
            instant = wire.parse_stamp(value) if kind == "datetime" and isinstance(value, str) else None
            kept[name] = On(day) if day is not None else At(instant) if instant is not None else value
        return kept

    def put(self, object_name: str, values: Mapping[str, object], row_id: str | None = None) -> str:
        """Create a row or change it without the checks of the API, stamped now; returns its id."""
        sobject = self.org.catalogue.objects[object_name]
        named = row_id or self.new_id(sobject.prefix or "000")
        self.store.upsert_by_api(object_name, named, self.stored(object_name, values))
        return named

    def shift(self, object_name: str, row_id: str, **values: object) -> None:
        """Change stored values and move no stamp, as a formula's result changes. KeyError if there is no such row."""
        with self.store.lock:
            table = self.store.table(object_name)
            row = table.rows[row_id]
            table.put(replace(row, fields={**row.fields, **values}))
            self.store.revision += 1

    def generate(
        self,
        object_name: str,
        count: int,
        fields: Callable[[int], Mapping[str, object]],
        at: int,
        per_second: int = 1000,
    ) -> None:
        """Fill an object with rows that are made on demand: `fields(n)` from n = 0, so many stamped alike from `at` on.

        Rows made later, changed or deleted lie over them. A query job over them keeps 8 bytes a row.
        """
        prefix = self.org.catalogue.objects[object_name].prefix or "000"
        start = at - at % SECOND

        def make(position: int) -> Row:
            stamp = start + position // per_second * SECOND
            return Row(ids.make(prefix, position + 1, "Ge"), fields(position), stamp, stamp, commit_at=stamp)

        def position(row_id: str) -> int | None:
            return ids.number(row_id) - 1 if row_id.startswith(f"{prefix}Ge") else None

        self.store.adopt(object_name, GeneratedTable(str, count, make, position))

    def lock_rows(self, *row_ids: str, times: int = 1) -> None:
        """The next `times` writes to each of these rows find it locked by somebody else (UNABLE_TO_LOCK_ROW)."""
        for row_id in row_ids:
            sobject = self.org.object_of(row_id)
            message = f"unable to obtain exclusive access to this record or 1 records: {row_id}"
            name = "" if sobject is None else sobject.name
            self.row_faults.append(RowFault("UNABLE_TO_LOCK_ROW", message, name, frozenset({row_id}), times))

    def einstein(self, on: bool, **accounts: str) -> None:
        """Turn Einstein Activity Capture on, with the mail addresses of connected users by user id, or off.

        Its objects then exist. Captured mails stay out of EmailMessage, Task and Event: that is what it means for readers.
        """
        names = ("ActivityUsrConnectionStatus", "UserEmailCalendarSync")
        if not on:
            self.hide(*names)
            return
        self.show(*names)
        for number, (user, address) in enumerate(sorted(accounts.items())):
            values = {"UserId": user, "EmailAddress": address, "ConnectivityStatus": "ACTIVE"}
            values |= {"ConfigurationName": "Default"}
            row_id = ids.make("5O0", number + 1)
            self.store.upsert_by_api(names[0], row_id, {**values, "IsTermsOfServiceAccepted": True})
            self.store.upsert_by_api(names[1], ids.make("0y9", number + 1), {"AssignedId": user})

    def purge(self, object_name: str, *row_ids: str) -> None:
        """Empty the recycle bin of these rows: gone from queryAll, still told by /deleted."""
        known = self.store.table(object_name).rows
        self.org.purged.update(row_id for row_id in row_ids if row_id in known)

    def empty_bin(self, object_name: str | None = None, row_ids: Iterable[str] | None = None) -> int:
        """Empty the recycle bin of all rows, of one object's, or of these; how many went."""
        with self.store.lock:
            self.store.catch_up()
            names = self.store.tables() if object_name is None else (object_name,)
            wanted = None if row_ids is None else set(row_ids)
            gone = {
                row.id
                for name in names
                for row in self.store.table(name).by_id(deleted=True)
                if wanted is None or row.id in wanted
            } - self.org.purged
            self.org.purged.update(gone)
            return len(gone)

    def delete(self, object_name: str, row_id: str) -> None:
        """Put a row in the recycle bin, now. KeyError if there is none."""
        self._at_once("delete", object_name, row_id)

    def undelete(self, object_name: str, row_id: str) -> None:
        """Take a row out of the recycle bin, now; /deleted no longer tells it. KeyError once the bin was emptied."""
        if row_id in self.org.purged:
            raise KeyError(row_id)
        self._at_once("restore", object_name, row_id)

    def merge(self, object_name: str, loser: str, winner: str) -> None:
        """Merge one row into another, now: the loser is deleted with MasterRecordId, its children move to the winner."""
        self._at_once("merge", object_name, loser, winner)

    def forget_deletions(self, object_name: str, before: int | None = None) -> None:
        """Purge the log behind /deleted up to an instant (now if None), as the vendor does when it grows too big (R6)."""
        self.forgotten[object_name] = self.store.now() if before is None else before

    def _at_once(self, op: str, object_name: str, row_id: str, into: str = "") -> None:
        with self.store.lock:
            self.store.catch_up()
            self.store.apply(Change(self.store.now(), self.store.vendor, op, object_name, row_id, into=into))

    def multiple_accounts(self, on: bool) -> None:
        """Turn Contacts to Multiple Accounts on, with a direct row for every contact, or off: then it has no such object."""
        if not on:
            self.hide(RELATION)
            return
        self.show(RELATION)
        with self.store.lock:
            self.relations.turn_on()

    def commit_later(self, change: Change, commit_at: int) -> None:
        """Let a change carry the stamp `change.at` and become visible at `commit_at` only (R2)."""
        self.store.schedule(change, commit_at)

    def new_id(self, prefix: str) -> str:
        """The id of the next row that a client creates."""
        self.serial += 1
        return ids.make(prefix, self.serial, "Ap")
