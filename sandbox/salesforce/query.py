"""query, queryAll and the pages behind their locators."""

from __future__ import annotations

import re

from sandbox.salesforce import definitions, ids
from sandbox.salesforce.calls import Call, Reply
from sandbox.salesforce.errors import Refused
from sandbox.salesforce.soql.parse import parse
from sandbox.salesforce.soql.run import run
from sandbox.salesforce.state import Cursor

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
    return _page(call, cursor, name, start)


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
    result = run(state.org, text, everything)
    page = _page_size(call)
    if len(result.rows) <= page:
        records = result.ready or [result.shape(row, call.version) for row in result.rows]
        return Reply(200, {"totalSize": result.total, "done": True, "records": records})
    name = state.open_cursor(result, page)
    return _page(call, state.cursors[name], name, 0)


def _page(call: Call, cursor: Cursor, name: str, start: int) -> Reply:
    result, end = cursor.result, start + cursor.page
    body: dict[str, object] = {"totalSize": result.total, "done": end >= result.total}
    if end < result.total:
        body["nextRecordsUrl"] = f"/services/data/v{call.version}/query/{name}-{end}"
    body["records"] = [result.shape(row, call.version) for row in result.rows[start:end]]
    return Reply(200, body)


def _page_size(call: Call) -> int:
    """Sforce-Query-Options: batchSize=n, brought into 200..2000: a size is a wish, never a promise."""
    match = re.search(r"batchSize\s*=\s*(\d+)", call.headers.get("sforce-query-options", ""), re.IGNORECASE)
    return DEFAULT_PAGE if match is None else min(max(int(match.group(1)), MIN_PAGE), MAX_PAGE)
