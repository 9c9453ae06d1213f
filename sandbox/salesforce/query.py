"""query, queryAll and the pages behind their locators."""

from __future__ import annotations

import re

from sandbox.salesforce import definitions, ids
from sandbox.salesforce.calls import Call, Reply
from sandbox.salesforce.errors import Refused
from sandbox.salesforce.queryfaults import strike, weigh
from sandbox.salesforce.soql.parse import parse
from sandbox.salesforce.soql.run import Result, run

DEFAULT_PAGE = MAX_PAGE = 2000
MIN_PAGE = 200
_LOCATOR = re.compile(r"(01g[0-9A-Za-z]{15})-(\d+)\Z")


def query(call: Call) -> Reply:
    """GET query?q=..."""
    return _first_page(call, everything=False)


def query_all(call: Call) -> Reply:
    """GET queryAll?q=...: with what was deleted, merged away or archived."""
    return _first_page(call, everything=True)


def tooling(call: Call) -> Reply:
    """GET tooling/query?q=...: the definitions only, which query() reads too."""
    statement = parse(call.query.get("q", ""))
    if statement.object not in definitions.OBJECTS:
        raise Refused(400, "INVALID_TYPE", f"sObject type '{statement.object}' is not supported.")
    return _first_page(call, everything=False)


def next_page(call: Call) -> Reply:
    """GET query/{locator}, as nextRecordsUrl says. INVALID_QUERY_LOCATOR when the cursor is unknown or too old."""
    match = _LOCATOR.match(call.params["locator"])
    name = ids.normal(match.group(1)) if match else None
    cursor = call.state.cursors.get(name or "")
    if match is None or name is None or cursor is None or cursor.ends_at <= call.state.now:
        raise Refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    start = int(match.group(2))
    if not 0 <= start < cursor.result.total:
        raise Refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return _paged(call, cursor.result, name, start, _records(call, cursor.result, start, cursor.page))


def _first_page(call: Call, everything: bool) -> Reply:
    text = call.query.get("q")
    if text is None:
        raise Refused(400, "MALFORMED_QUERY", "A query string has to be specified")
    state = call.state
    statement = parse(text)
    if everything and statement.object.lower() == "emailmessagerelation":
        # Its list of supported calls has query, getDeleted and getUpdated, but no queryAll.
        if state.settings.relation_query_all == "refuse":
            message = "entity type EmailMessageRelation does not support queryAll"
            raise Refused(400, "INVALID_TYPE_FOR_OPERATION", message)
        everything = False
    strike(state.query_faults, text)
    result = run(state.org, text, everything)
    weigh(state.switches, statement.object, result.rows)
    page = _page_size(call)
    if not result.rows:
        return Reply(200, {"totalSize": result.total, "done": True, "records": result.ready})
    records = _records(call, result, 0, page)
    if len(records) == result.total:
        return Reply(200, {"totalSize": result.total, "done": True, "records": records})
    return _paged(call, result, state.open_cursor(result, page), 0, records)


def _records(call: Call, result: Result, start: int, page: int) -> list[dict[str, object]]:
    """The records of one page: so many rows, or fewer when their texts are long."""
    most = call.state.switches.page_characters
    records: list[dict[str, object]] = []
    size = 0
    for row in result.rows[start : start + page]:
        records.append(result.shape(row, call.version))
        if most is not None:
            size += sum(len(value) for value in records[-1].values() if isinstance(value, str))
            if size >= most:
                break
    return records


def _paged(call: Call, result: Result, name: str, start: int, records: list[dict[str, object]]) -> Reply:
    end = start + len(records)
    body: dict[str, object] = {"totalSize": result.total, "done": end >= result.total}
    if end < result.total:
        body["nextRecordsUrl"] = f"/services/data/v{call.version}/query/{name}-{end}"
    body["records"] = records
    return Reply(200, body)


def _page_size(call: Call) -> int:
    """Sforce-Query-Options: batchSize=n, brought into 200..2000: a size is a wish, never a promise."""
    match = re.search(r"batchSize\s*=\s*(\d+)", call.headers.get("sforce-query-options", ""), re.IGNORECASE)
    return DEFAULT_PAGE if match is None else min(max(int(match.group(1)), MIN_PAGE), MAX_PAGE)
