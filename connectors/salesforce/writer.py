"""Write the tier field: 200 rows a collection, five collections a composite call, each row's result by its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from connectors.http import Finding, VendorError
from connectors.salesforce.session import SalesforceSession, reason
from connectors.salesforce.settings import SalesforceSettings
from store.records import TierWrite, WriteResult

T = TypeVar("T")

ROWS_PER_COLLECTION, COLLECTIONS_PER_CALL = 200, 5
# A tier write must not run assignment rules, which could move the account to another owner or territory.
_NO_ASSIGNMENT = {"Sforce-Auto-Assign": "FALSE"}
_PASSES = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "REQUEST_RUNNING_TOO_LONG"})
_GONE = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"})


class SalesforceWriter:
    """The connector's writing side: it can write the mapped tier field of Account, and nothing else."""

    def __init__(self, settings: SalesforceSettings, session: SalesforceSession) -> None:
        if settings.tier is None:
            raise ValueError("a writer needs the `tier` target of its source")
        self._session, self._target = session, settings.tier
        self._root = f"/services/data/v{settings.api_version}"

    @property
    def calls(self) -> int:
        """API calls made so far."""
        return self._session.calls

    def check_target(self) -> Sequence[Finding]:
        """The field is there, may be written, and takes every value; the first error says how to mend it."""
        describe = self._session.call("GET", "sobjects/Account/describe")
        field = next((f for f in describe["fields"] if f["name"] == self._target.field), None)
        name = f"Account.{self._target.field}"
        if field is None:
            return [
                Finding("error", f"{name} is not there or not visible", "create it, or grant the user access to it")
            ]
        if not field["updateable"]:
            return [Finding("error", f"{name} is read-only for this user", "grant edit access to the field")]
        if field["type"] in ("picklist", "combobox"):
            known = {value["value"] for value in field["picklistValues"] if value["active"]}
            missing = [v for v in self._target.values.values() if v not in known]
            if missing and (field["restrictedPicklist"] or field["type"] == "picklist"):
                return [Finding("error", f"{name} has no value {', '.join(missing)}", "add it to the picklist")]
        elif field.get("length") and max(map(len, self._target.values.values())) > field["length"]:
            return [Finding("error", f"{name} holds {field['length']} characters only", "shorten the tier values")]
        return [Finding("ok", f"{name} can be written")]

    def read(self, ids: Sequence[str]) -> Mapping[str, str | None]:
        """The field's current value per account id, at most 1,000 ids a call; ids that are gone are left out."""
        found: dict[str, str | None] = {}
        size = ROWS_PER_COLLECTION * COLLECTIONS_PER_CALL
        for start in range(0, len(ids), size):
            groups = _groups(ids[start : start + size])
            paths = [self._soql(group) for group in groups]
            for status, body in self._session.composite([{"method": "GET", "url": path} for path in paths]):
                if status != 200:
                    raise VendorError("failed", "the accounts about to be written cannot be read: " + str(reason(body)))
                found |= {row["Id"]: row.get(self._target.field) for row in body["records"]}
        return found

    def _soql(self, ids: Sequence[str]) -> str:
        listed = ", ".join(f"'{_safe(ref)}'" for ref in ids)
        soql = f"SELECT Id, {self._target.field} FROM Account WHERE Id IN ({listed})"
        return f"{self._root}/query?q={quote(soql)}"

    def write(self, changes: Sequence[TierWrite]) -> Iterator[WriteResult]:
        """Write values, one result per change; equal ids are written once, with the last value."""
        latest = list({change.record_id: change for change in changes}.values())
        size = ROWS_PER_COLLECTION * COLLECTIONS_PER_CALL
        for start in range(0, len(latest), size):
            groups = _groups(latest[start : start + size])
            answers = self._session.composite([self._patch(group) for group in groups])
            for group, (status, body) in zip(groups, answers, strict=True):
                yield from _results(group, status, body)

    def _patch(self, group: Sequence[TierWrite]) -> dict[str, Any]:
        records = [
            {"attributes": {"type": "Account"}, "id": change.record_id, self._target.field: change.value}
            for change in group
        ]
        return {
            "method": "PATCH",
            "url": f"{self._root}/composite/sobjects",
            "httpHeaders": _NO_ASSIGNMENT,
            "body": {"allOrNone": False, "records": records},
        }

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def _groups(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[start : start + ROWS_PER_COLLECTION] for start in range(0, len(items), ROWS_PER_COLLECTION)]


def _safe(ref: str) -> str:
    if not ref.isalnum():
        raise ValueError(f"{ref!r} is no Salesforce id")
    return ref


def _results(group: Sequence[TierWrite], status: int, body: Any) -> Iterator[WriteResult]:
    if status != 200 or not isinstance(body, list) or len(body) != len(group):
        code, message = reason(body)
        outcome = "retry" if status >= 500 or code in _PASSES else "parked"
        yield from (WriteResult(change.record_id, outcome, code, message) for change in group)
        return
    # Results come in the order of the request; a failed one carries no id.
    for change, result in zip(group, body, strict=True):
        if result.get("success"):
            yield WriteResult(change.record_id, "written")
            continue
        error = (result.get("errors") or [{}])[0]
        code = error.get("statusCode")
        outcome = "retry" if code in _PASSES else "gone" if code in _GONE else "parked"
        yield WriteResult(change.record_id, outcome, code, error.get("message"))
