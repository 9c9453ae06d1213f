"""The resources below jobs/query: make a query job, look at it, read its results, abort and delete it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from typing import Any

from sandbox.salesforce import bulkcsv, bulkrules, ids
from sandbox.salesforce.bulk import DELIMITERS, LINE_ENDINGS, RUNNING, Fate, Job, Order
from sandbox.salesforce.calls import Call, Reply
from sandbox.salesforce.errors import Refused, not_found
from sandbox.salesforce.queryfaults import strike, weigh
from sandbox.salesforce.soql.parse import parse
from sandbox.salesforce.soql.run import Table, table
from sandbox.salesforce.wire import stamp

OLDEST = 47
"""Query jobs came with API 47.0."""
PAGES_SINCE = 58
PAGES_AT_ONCE = 5
"""Addresses in one answer of resultPages."""
LISTED = 1000
"""Jobs in one answer of the list."""
_KEYS = frozenset({"operation", "query", "contentType", "columnDelimiter", "lineEnding"})


def create(call: Call) -> Reply:
    """POST jobs/query: 200 with the job. Refused for a query that Bulk does not take, and when the day's jobs are used up."""
    _since(call, OLDEST)
    body = call.record()
    order, found = _order(call, body)
    jobs = call.state.bulk
    jobs.check()
    call.state.serial += 1
    job = jobs.add(ids.make("750", call.state.serial), order, found)
    try:
        strike(call.state.query_faults, order.query)
        weigh(call.state.switches, order.object, found.rows)
    except Refused as refused:
        # What takes too long or is too large shows once the job runs.
        job.fate = Fate("Failed", f"{refused.code}: {refused.message}")
    return Reply(200, _info(call, job))


def listed(call: Call) -> Reply:
    """GET jobs/query: the org's query jobs, the newest first."""
    _since(call, OLDEST)
    start = _number(call, "queryLocator", 0)
    jobs = call.state.bulk.all()
    kept = jobs[start : start + LISTED]
    more = start + LISTED < len(jobs)
    following = f"/services/data/v{call.version}/jobs/query?queryLocator={start + LISTED}" if more else None
    return Reply(200, {"done": not more, "nextRecordsUrl": following, "records": [_info(call, job) for job in kept]})


def read(call: Call) -> Reply:
    """GET jobs/query/{id}."""
    job = _job(call)
    call.state.bulk.poll(job)
    complete = job.state not in RUNNING
    extra = {
        "jobType": "V2Query",
        "numberRecordsProcessed": len(job.table.rows) if job.state == "JobComplete" else 0,
        "retries": 0,
        "totalProcessingTime": (job.moved_at - job.created_at) // 1000 + 334 if complete else 0,
        "isPkChunkingSupported": True,
    }
    message = {"errorMessage": job.fate.message} if job.state == "Failed" else {}
    return Reply(200, {**_info(call, job), **extra, **message})


def change(call: Call) -> Reply:
    """PATCH jobs/query/{id} with `{"state": "Aborted"}`, the only change there is."""
    job, body = _job(call), call.record()
    if body != {"state": "Aborted"}:
        raise Refused(400, "INVALIDJOB", "The only change of a query job is to the state Aborted")
    if job.state not in RUNNING:
        raise Refused(400, "INVALIDJOBSTATE", "Aborting already Completed Job not allowed")
    call.state.bulk.move(job, "Aborted")
    return Reply(200, _info(call, job))


def remove(call: Call) -> Reply:
    """DELETE jobs/query/{id}: 204; its results go with it. A job under way must be aborted first."""
    job = _job(call)
    if job.state in RUNNING:
        raise Refused(400, "INVALIDJOBSTATE", f"Deleting a job in the state {job.state} is not allowed")
    call.state.bulk.drop(job)
    return Reply(204)


def results(call: Call) -> Reply:
    """GET jobs/query/{id}/results?locator=&maxRecords=: one page of CSV; the last page's Sforce-Locator is the text `null`."""
    job = _job(call)
    _same_version(call, job)
    if not _takes_csv(call.headers.get("accept", "*/*")):
        raise Refused(406, "NOT_ACCEPTABLE", "The results of a query job are text/csv")
    if job.state != "JobComplete":
        return _early(call, job)
    size = _page_size(call)
    start = _start(call, job)
    rows = job.rows[start : start + size]
    page, fate = start // size + 1, job.fate
    _expire(job, page)
    count = len(rows) + (fate.count_off if page == fate.count_page else 0)
    following = _locator(start + size) if start + size < len(job.rows) else "null"
    pieces = bulkcsv.pages(
        job.table,
        rows,
        delimiter=DELIMITERS[job.order.delimiter],
        line_ending=LINE_ENDINGS[job.order.line_ending],
        lock=call.state.store.lock,
        cut=page == fate.cut_page,
        count=call.state.bulk.store,
    )
    headers = {"Content-Type": "text/csv", "Sforce-NumberOfRecords": str(count), "Sforce-Locator": following}
    if call.state.switches.bulk_gzip and "gzip" in call.headers.get("accept-encoding", ""):
        return Reply(200, None, {**headers, "Content-Encoding": "gzip"}, bulkcsv.gzipped(pieces))
    return Reply(200, None, headers, pieces)


def result_pages(call: Call) -> Reply:
    """GET jobs/query/{id}/resultPages: the addresses of up to five pages, to be read side by side."""
    _since(call, PAGES_SINCE)
    job = _job(call)
    _same_version(call, job)
    if job.state != "JobComplete":
        return _early(call, job)
    base = f"/services/data/v{call.version}/jobs/query/{job.id}"
    size = call.state.switches.bulk_page
    first = _start(call, job)
    starts = range(first, max(len(job.rows), first + 1), size)
    body: dict[str, object] = {
        "resultPages": [{"resultUrl": f"{base}/results?locator={_locator(s)}"} for s in starts[:PAGES_AT_ONCE]],
        "done": len(starts) <= PAGES_AT_ONCE,
    }
    if len(starts) > PAGES_AT_ONCE:
        body["nextRecordsUrl"] = f"{base}/resultPages?locator={_locator(starts[PAGES_AT_ONCE])}"
    return Reply(200, body)


def _order(call: Call, body: dict[str, Any]) -> tuple[Order, Table]:
    unknown = sorted(set(body) - _KEYS)
    if unknown:
        raise Refused(400, "JSON_PARSER_ERROR", f'Unrecognized field "{unknown[0]}" (Class QueryJob)')
    operation, query = body.get("operation"), body.get("query")
    if operation not in ("query", "queryAll"):
        raise Refused(400, "INVALIDJOB", f"Invalid operation: {operation}; a query job takes query or queryAll")
    if not isinstance(query, str):
        raise Refused(400, "INVALIDJOB", "A query job needs a query")
    content, delimiter = body.get("contentType", "CSV"), body.get("columnDelimiter", "COMMA")
    ending = body.get("lineEnding", "LF")
    for key, value, known in (
        ("contentType", content, ("CSV",)),
        ("columnDelimiter", delimiter, DELIMITERS),
        ("lineEnding", ending, LINE_ENDINGS),
    ):
        if value not in known:
            raise Refused(400, "INVALIDJOB", f"Invalid {key}: {value}; one of {', '.join(known)}")
    found = _found(call, query, operation == "queryAll")
    return Order(operation, query, found.sobject.name, call.version, delimiter, ending), found


def _found(call: Call, query: str, everything: bool) -> Table:
    switches = call.state.switches
    try:
        bulkrules.check_text(query)
        found = table(call.state.org, query, everything, bulkrules.checker(call.state.no_bulk, switches.bulk_history))
    except Refused as refused:
        if switches.bulk_codes == "own" or refused.code == "INVALIDENTITY":
            raise
        raise Refused(400, "API_ERROR", refused.message) from refused
    if switches.bulk_shuffle and not parse(query).order and isinstance(found.rows, list):
        # Three hands dealt and laid on each other: any order, and the same each time.
        return replace(found, rows=[row for first in (1, 2, 0) for row in found.rows[first::3]])
    return found


def _info(call: Call, job: Job) -> dict[str, object]:
    return {
        "id": job.id,
        "operation": job.order.operation,
        "object": job.order.object,
        "createdById": call.state.settings.user_id,
        "createdDate": stamp(job.created_at),
        "systemModstamp": stamp(job.moved_at),
        "state": job.state,
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(job.order.version),
        "lineEnding": job.order.line_ending,
        "columnDelimiter": job.order.delimiter,
    }


def _job(call: Call) -> Job:
    _since(call, OLDEST)
    name = ids.normal(call.params["job_id"])
    job = call.state.bulk.get(name or "")
    if job is None:
        raise not_found()
    return job


def _since(call: Call, version: int) -> None:
    if float(call.version) < version:
        raise not_found()


def _same_version(call: Call, job: Job) -> None:
    if call.version != job.order.version:
        message = (
            f"The job was created with API version {job.order.version}, its results were asked for with {call.version}"
        )
        raise Refused(409, "API_ERROR", message)


def _early(call: Call, job: Job) -> Reply:
    if call.state.switches.bulk_early == 204:
        return Reply(204)
    raise Refused(400, "INVALIDJOBSTATE", f"Results are not available: the job's state is {job.state}")


def _takes_csv(accept: str) -> bool:
    kinds = {part.split(";")[0].strip().lower() for part in accept.split(",")}
    # The guide asks for text/csv; clients that send application/json are served all the same (simple-salesforce does).
    return bool(kinds & {"text/csv", "text/*", "*/*", "application/json", ""})


def _page_size(call: Call) -> int:
    most = call.state.switches.bulk_page
    wanted = _number(call, "maxRecords", most)
    if wanted < 1:
        raise Refused(400, "INVALIDJOB", "maxRecords must be a positive number")
    return min(wanted, most)


def _number(call: Call, name: str, otherwise: int) -> int:
    text = call.query.get(name)
    if text is None:
        return otherwise
    if not text.isdecimal():
        raise Refused(400, "INVALIDJOB", f"{name} must be a positive number: {text}")
    return int(text)


def _locator(start: int) -> str:
    return base64.b64encode(str(start).encode()).decode().rstrip("=")


def _start(call: Call, job: Job) -> int:
    text = call.query.get("locator")
    if not text:
        return 0
    try:
        start = int(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except (binascii.Error, ValueError):
        start = -1
    if start < 0 or start >= max(len(job.rows), 1):
        raise Refused(400, "INVALID_QUERY_LOCATOR", f"invalid locator: {text}")
    return start


def _expire(job: Job, page: int) -> None:
    if page == job.fate.expired_page and page not in job.troubled:
        job.troubled.add(page)
        raise Refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
