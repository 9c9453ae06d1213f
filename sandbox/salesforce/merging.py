"""What follows from a merge: every row that pointed to the loser points to the winner, with a new SystemModstamp (R5)."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import Field, SObject
from sandbox.versions import Change, Row, VendorStore

_KEPT = frozenset({"MasterRecordId", "Id"})


def follow_merges(org: Org) -> None:
    """From now on, re-parent the children of each loser the moment it loses. Triggers do not run for them, stamps move."""
    for sobject in org.every_object():
        if sobject.has("MasterRecordId"):
            org.store.watch(sobject.name, _Follower(org, sobject))


class _Follower:
    """Watches one object for losers."""

    def __init__(self, org: Org, sobject: SObject) -> None:
        self._org = org
        self._sobject = sobject

    def __call__(self, before: Row | None, after: Row) -> None:
        """Move children if this version is the one that lost."""
        if after.merged_into is None or (before is not None and before.merged_into is not None):
            return
        store = self._org.store
        for child, field, row_id in list(self._children(after.id)):
            change = {field.name: after.merged_into}
            store.apply(Change(after.modified_at, store.vendor, "update", child.name, row_id, change))

    def _children(self, loser: str) -> Iterator[tuple[SObject, Field, str]]:
        for child in self._org.every_object():
            fields = [f for f in child.fields if self._sobject.name in f.reference_to and f.name not in _KEPT]
            for field in fields:
                for row_id in pointing(self._org.store, child.name, field.name, loser):
                    yield child, field, row_id


def pointing(store: VendorStore, object_name: str, field: str, target: str) -> Iterator[str]:
    """Ids of the live rows whose reference names `target`."""
    for row in store.table(object_name).by_id(deleted=False):
        if row.fields.get(field) == target:
            yield row.id
