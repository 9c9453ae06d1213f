"""Query jobs of Bulk API 2.0: ask for one, look how far it is, read its pages into a file, put it away.

Facts: the job's states, the header `Sforce-Locator` whose last value is the text `null`, and 409 for results asked with
another API version (https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/queries.htm).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, Any

from connectors.http import VendorError
from connectors.salesforce.bulkcsv import Columns, Torn, verified
from connectors.salesforce.session import SalesforceSession

PAGE = 50_000
"""Rows of one page of results, each a file of its own."""
_NOT_SERVED = (
    # Strings that vendors' clients fall back on (estuary's bulk_job_manager.py; crm-sync R21).
    "compound data not supported",
    "not supported by the bulk",
    "not supported in bulk",
    "max bulk v2 query",
    "exceeds the limit of query jobs",
)
_NOT_SERVED_CODES = frozenset({"INVALIDENTITY", "LIMIT_EXCEEDED", "FEATURENOTENABLED", "API_DISABLED_FOR_ORG"})
_TOO_MUCH = (
    # A job that ends like this is good with less rows (tap-salesforce's bulk.py and rest.py; crm-sync R23).
    "query_timeout",
    "retried more",
    "failed to write query result",
    "query is either selecting too many fields",
    "distinct who/what",
)


class NotServed(VendorError):
    """The Bulk API does not serve this object or query, or no more jobs today: the REST API does."""


@dataclass(frozen=True, slots=True)
class JobState:
    """How far a job is. `state`: UploadComplete | InProgress | Aborted | JobComplete | Failed."""

    state: str
    processed: int
    message: str

    @property
    def running(self) -> bool:
        """Is it worth looking again."""
        return self.state in ("UploadComplete", "InProgress")

    @property
    def too_much(self) -> bool:
        """Would it have ended well with less rows."""
        return any(words in self.message.lower() for words in _TOO_MUCH)


class Jobs:
    """The query jobs of one org."""

    def __init__(self, session: SalesforceSession) -> None:
        self._session = session

    def create(self, soql: str, resource: str) -> str:
        """The new job's id. `NotServed` where only the REST API will do."""
        body = {"operation": resource, "query": soql, "contentType": "CSV", "lineEnding": "LF"}
        try:
            made = self._session.call("POST", "jobs/query", json=body, work="backfill")
        except VendorError as error:
            if error.status == 400 and _not_served(error):
                raise NotServed("failed", str(error), status=error.status, code=error.code) from error
            raise
        return _text(made, "id")

    def look(self, job: str) -> JobState:
        """How far the job is now."""
        found = self._session.call("GET", f"jobs/query/{job}", work="backfill")
        processed = found.get("numberRecordsProcessed") if isinstance(found, dict) else None
        count = processed if isinstance(processed, int) else 0
        return JobState(_text(found, "state"), count, str(found.get("errorMessage") or ""))

    def page(self, job: str, locator: str, into: IO[bytes], columns: Columns) -> tuple[int, str]:
        """Read one page into the file and verify it; (rows, locator of the next page or "")."""
        params = {"maxRecords": str(PAGE)} | ({"locator": locator} if locator else {})
        headers = self._session.download(f"jobs/query/{job}/results", params, into)
        count, following = headers.get("Sforce-NumberOfRecords"), headers.get("Sforce-Locator")
        if count is None or not count.isdecimal() or following is None:
            raise Torn("its headers Sforce-NumberOfRecords and Sforce-Locator are missing")
        verified(into, columns, int(count))
        return int(count), "" if following == "null" else following

    def drop(self, job: str, *, running: bool = False) -> None:
        """Delete the job, which otherwise stands in the org's list for seven days; a failure to do so does no harm."""
        try:
            if running:
                self._session.call("PATCH", f"jobs/query/{job}", json={"state": "Aborted"}, work="backfill")
            self._session.call("DELETE", f"jobs/query/{job}", work="backfill")
        except VendorError as error:
            if error.kind in ("auth", "deferred"):
                raise


def _not_served(error: VendorError) -> bool:
    words = str(error).lower()
    return (error.code or "").upper() in _NOT_SERVED_CODES or any(some in words for some in _NOT_SERVED)


def _text(body: Any, name: str) -> str:
    found = body.get(name) if isinstance(body, dict) else None
    if not isinstance(found, str) or not found:
        raise VendorError("retry", f"Salesforce answered a query job without `{name}`")
    return found
