"""Write the tier property: 100 rows a batch, results matched by id, a poison row found by halving."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.http import Finding, VendorError
from connectors.hubspot.objects import Objects
from connectors.hubspot.paths import Paths
from connectors.hubspot.session import HubSpotSession
from connectors.hubspot.settings import HubSpotSettings
from store.records import TierWrite, WriteResult

ROWS_PER_BATCH = 100
_COMPANIES = "companies"
_MERGED = "hs_merged_object_ids"


class HubSpotWriter:
    """The connector's writing side: it can write the mapped tier property of companies, and nothing else."""

    def __init__(self, settings: HubSpotSettings, session: HubSpotSession) -> None:
        if settings.tier is None:
            raise ValueError("a writer needs the `tier` target of its source")
        self._session, self._target = session, settings.tier
        session.work = "increment"
        self._objects, self._writing = Objects(session, settings.read_version), Paths(settings.write_version)

    @property
    def calls(self) -> int:
        """API calls made so far."""
        return self._session.calls

    def check_target(self) -> Sequence[Finding]:
        """The property is there, may be written, and takes every value; the first error says how to mend it."""
        name = f"companies.{self._target.field}"
        try:
            found = self._session.get(f"{self._objects.paths.properties(_COMPANIES)}/{self._target.field}")
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
        """The property's current value per company id, 100 a call; ids that are gone are left out.

        The id of a merged company answers with the survivor's row under the survivor's id: it is not the row that was
        asked for, so it is gone. What was planned for it is dropped; the survivor is planned as the account it is now.
        """
        read = self._objects.read(_COMPANIES, list(dict.fromkeys(ids)), (self._target.field,))
        if read.failed:
            raise VendorError("retry", f"{len(read.failed)} companies could not be read before writing")
        found = {str(row["id"]): row["properties"].get(self._target.field) or None for row in read.rows}
        return {ref: found[ref] for ref in ids if ref in found}

    def write(self, changes: Sequence[TierWrite]) -> Iterator[WriteResult]:
        """Write values, one result per change; equal ids are written once, with the last value."""
        latest = list({change.record_id: change for change in changes}.values())
        for start in range(0, len(latest), ROWS_PER_BATCH):
            yield from self._batch(latest[start : start + ROWS_PER_BATCH])

    def _batch(self, group: Sequence[TierWrite]) -> Iterator[WriteResult]:
        inputs = [{"id": c.record_id, "properties": {self._target.field: (c.value or "").strip()}} for c in group]
        try:
            answer = self._session.post(self._writing.update(_COMPANIES), {"inputs": inputs})
        except VendorError as error:
            yield from self._refused(group, error)
            return
        written = {str(row["id"]) for row in answer.get("results", ())}
        errors = _errors(answer)
        merged = self._merged(group, written, errors)
        for change in group:
            if change.record_id in written:
                yield WriteResult(change.record_id, "written")
            elif change.record_id in errors:
                yield errors[change.record_id]
            elif change.record_id in merged:
                text = f"merged into {merged[change.record_id]}, which keeps its own value"
                yield WriteResult(change.record_id, "gone", "MERGED", text)
            else:
                # A 2xx that does not name the row is no proof that it was written.
                yield WriteResult(change.record_id, "retry", "NOT_CONFIRMED", "the answer does not name this row")

    def _merged(self, group: Sequence[TierWrite], written: set[str], errors: Mapping[str, object]) -> Mapping[str, str]:
        """Rows that were merged away between our reading and our writing: id -> survivor.

        HubSpot wrote their values to the survivor. It gets back what it should have: its own new value where one was
        planned, else the one that it had, so that nobody takes ours for a person's choice.
        """
        silent = [c.record_id for c in group if c.record_id not in written and c.record_id not in errors]
        if not silent or not written:
            return {}
        rows = self._objects.read(_COMPANIES, silent, (_MERGED,)).rows
        merged = {
            loser: str(row["id"])
            for row in rows
            if str(row["id"]) not in silent
            for loser in (row["properties"].get(_MERGED) or "").split(";")
            if loser in silent
        }
        planned = {change.record_id: (change.value or "").strip() for change in group}
        for survivor in sorted(set(merged.values())):
            values = self._versions(survivor)
            wanted = planned.get(survivor, next(iter(values[1:]), ""))
            if next(iter(values), "") != wanted:
                inputs = [{"id": survivor, "properties": {self._target.field: wanted}}]
                self._session.post(self._writing.update(_COMPANIES), {"inputs": inputs})
        return merged

    def _versions(self, ref: str) -> list[str]:
        """The property's values, the newest first."""
        path = f"{self._objects.paths.list(_COMPANIES)}/{ref}"
        row = self._session.get(path, {"propertiesWithHistory": self._target.field})
        versions = (row.get("propertiesWithHistory") or {}).get(self._target.field) or ()
        return [str(version.get("value") or "") for version in versions]

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
