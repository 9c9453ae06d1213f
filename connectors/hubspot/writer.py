"""Write the tier property: 100 rows a batch, results matched by id, a poison row found by halving."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.http import Finding, VendorError
from connectors.hubspot.session import HubSpotSession
from connectors.hubspot.settings import HubSpotSettings
from store.records import TierWrite, WriteResult

ROWS_PER_BATCH = 100


class HubSpotWriter:
    """The connector's writing side: it can write the mapped tier property of companies, and nothing else."""

    def __init__(self, settings: HubSpotSettings, session: HubSpotSession) -> None:
        if settings.tier is None:
            raise ValueError("a writer needs the `tier` target of its source")
        self._session, self._target = session, settings.tier
        session.work = "increment"
        self._read, self._write = settings.read_version, settings.write_version

    @property
    def calls(self) -> int:
        """API calls made so far."""
        return self._session.calls

    def check_target(self) -> Sequence[Finding]:
        """The property is there, may be written, and takes every value; the first error says how to mend it."""
        name = f"companies.{self._target.field}"
        try:
            found = self._session.get(f"/crm/properties/{self._read}/companies/{self._target.field}")
        except VendorError as error:
            if error.status != 404:
                raise
            return [Finding("error", f"{name} is not there", "create the property, or mend `tier: field`")]
        if (found.get("modificationMetadata") or {}).get("readOnlyValue"):
            return [Finding("error", f"{name} is read-only", "choose a property that may be edited")]
        if found["type"] == "enumeration":
            known = {option["value"] for option in found["options"]}
            missing = [value for value in self._target.values.values() if value not in known]
            if missing:
                return [
                    Finding("error", f"{name} has no option {', '.join(missing)}", "add it to the property's options")
                ]
        return [Finding("ok", f"{name} can be written")]

    def read(self, ids: Sequence[str]) -> Mapping[str, str | None]:
        """The property's current value per company id, 100 a call; ids that are gone are left out."""
        found: dict[str, str | None] = {}
        for start in range(0, len(ids), ROWS_PER_BATCH):
            inputs = [{"id": ref} for ref in ids[start : start + ROWS_PER_BATCH]]
            body = {"inputs": inputs, "properties": [self._target.field], "propertiesWithHistory": []}
            answer = self._session.post(f"/crm/objects/{self._read}/companies/batch/read", body)
            # A merge loser's id answers with the winner's row under its own id: it is not the row that was asked for.
            found |= {row["id"]: row["properties"].get(self._target.field) or None for row in answer["results"]}
        return {ref: found[ref] for ref in ids if ref in found}

    def write(self, changes: Sequence[TierWrite]) -> Iterator[WriteResult]:
        """Write values, one result per change; equal ids are written once, with the last value."""
        latest = list({change.record_id: change for change in changes}.values())
        for start in range(0, len(latest), ROWS_PER_BATCH):
            yield from self._batch(latest[start : start + ROWS_PER_BATCH])

    def _batch(self, group: Sequence[TierWrite]) -> Iterator[WriteResult]:
        inputs = [{"id": c.record_id, "properties": {self._target.field: (c.value or "").strip()}} for c in group]
        try:
            answer = self._session.post(f"/crm/objects/{self._write}/companies/batch/update", {"inputs": inputs})
        except VendorError as error:
            yield from self._refused(group, error)
            return
        written = {str(row["id"]) for row in answer.get("results", ())}
        errors = _errors(answer)
        for change in group:
            if change.record_id in written:
                yield WriteResult(change.record_id, "written")
            elif change.record_id in errors:
                yield errors[change.record_id]
            else:
                # A 2xx that does not name the row is no proof that it was written.
                yield WriteResult(change.record_id, "retry", "NOT_CONFIRMED", "the answer does not name this row")

    def _refused(self, group: Sequence[TierWrite], error: VendorError) -> Iterator[WriteResult]:
        if error.kind in ("auth", "deferred"):
            raise error
        if error.kind == "failed" and len(group) > 1:
            # One bad value fails the whole batch: halve until it stands alone.
            middle = len(group) // 2
            yield from self._batch(group[:middle])
            yield from self._batch(group[middle:])
            return
        outcome = "retry" if error.kind == "retry" else "gone" if error.status == 404 else "parked"
        yield from (WriteResult(change.record_id, outcome, error.code, str(error)) for change in group)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def _errors(answer: Mapping[str, Any]) -> dict[str, WriteResult]:
    """Row errors of a 207, by the ids that they name."""
    found: dict[str, WriteResult] = {}
    for error in answer.get("errors", ()):
        context = error.get("context") or {}
        for ref in [str(i) for name in ("ids", "id", "objectId") for i in context.get(name, ())]:
            gone = error.get("category") == "OBJECT_NOT_FOUND"
            outcome = "gone" if gone else "parked"
            found[ref] = WriteResult(ref, outcome, error.get("category"), error.get("message"))
    return found
