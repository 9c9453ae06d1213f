"""Contacts to Multiple Accounts: with it on, every contact's own account stands in AccountContactRelation as IsDirect."""

from __future__ import annotations

from sandbox.salesforce import ids
from sandbox.salesforce.org import Org
from sandbox.versions import Change, Row

RELATION = "AccountContactRelation"


class DirectRelations:
    """Keeps the direct rows of all contacts; hold the store's lock while you use it."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._serial = 0
        self._of_contact: dict[str, str] = {}
        self._on = False

    def turn_on(self) -> None:
        """Make a row for each contact that has an account, and follow the contacts from now on."""
        if self._on:
            return
        self._on = True
        for contact in list(self._org.store.table("Contact").by_id(deleted=False)):
            self._follow(None, contact)
        self._org.store.watch("Contact", self._follow)

    def _follow(self, before: Row | None, after: Row) -> None:
        was = None if before is None or before.deleted_at is not None else before.fields.get("AccountId")
        account = None if after.deleted_at is not None else after.fields.get("AccountId")
        if was == account:
            return
        store = self._org.store
        old = self._of_contact.pop(after.id, None)
        if old is not None:
            store.apply(Change(after.modified_at, store.vendor, "delete", RELATION, old))
        if account is not None:
            self._serial += 1
            row_id = ids.make("07k", self._serial, "Di")
            values = {"AccountId": account, "ContactId": after.id, "IsDirect": True, "IsActive": True}
            store.apply(Change(after.modified_at, store.vendor, "create", RELATION, row_id, values))
            self._of_contact[after.id] = row_id
