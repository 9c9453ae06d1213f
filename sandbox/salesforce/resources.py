"""The resources below /services/data/vXX.X and the one function that finds them, for calls alone and in composites."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sandbox.salesforce import describe, externalid, jobs, limits, query, replication, rows, rowsets
from sandbox.salesforce.batch import batch
from sandbox.salesforce.calls import Call, Reply
from sandbox.salesforce.composite import composite
from sandbox.salesforce.errors import Refused, not_found

OLDEST, NEWEST = 31, 67
"""API versions in service; older ones were retired."""

Handler = Callable[[Call], Reply]
Routes = tuple[tuple[re.Pattern[str], Mapping[str, Handler]], ...]


def _composite(call: Call) -> Reply:
    return composite(call, dispatch)


def _batch(call: Call) -> Reply:
    return batch(call, dispatch)


def _routes(*table: tuple[str, Mapping[str, Handler]]) -> Routes:
    return tuple((re.compile(pattern + r"/?\Z"), handlers) for pattern, handlers in table)


_OBJECT = r"(?P<object>[A-Za-z][A-Za-z0-9_]*)"
ROUTES = _routes(
    (r"query", {"GET": query.query}),
    (r"queryAll", {"GET": query.query_all}),
    (r"tooling/query", {"GET": query.tooling}),
    (r"(?:query|queryAll)/(?P<locator>[^/]+)", {"GET": query.next_page}),
    (r"composite", {"POST": _composite}),
    (r"composite/batch", {"POST": _batch}),
    (
        r"composite/sobjects",
        {"POST": rowsets.create, "PATCH": rowsets.change, "DELETE": rowsets.remove},
    ),
    (rf"composite/sobjects/{_OBJECT}", {"GET": rowsets.read, "POST": rowsets.read_posted}),
    (rf"composite/sobjects/{_OBJECT}/(?P<field>\w+)", {"PATCH": externalid.upsert_all}),
    (r"jobs/query", {"GET": jobs.listed, "POST": jobs.create}),
    (r"jobs/query/(?P<job_id>[^/]+)", {"GET": jobs.read, "PATCH": jobs.change, "DELETE": jobs.remove}),
    (r"jobs/query/(?P<job_id>[^/]+)/results", {"GET": jobs.results}),
    (r"jobs/query/(?P<job_id>[^/]+)/resultPages", {"GET": jobs.result_pages}),
    (r"limits", {"GET": limits.limits}),
    (r"limits/recordCount", {"GET": limits.record_count}),
    (r"sobjects", {"GET": describe.describe_global}),
    (rf"sobjects/{_OBJECT}", {"GET": describe.basic_information, "POST": rows.create}),
    (rf"sobjects/{_OBJECT}/describe", {"GET": describe.describe_object}),
    (rf"sobjects/{_OBJECT}/deleted", {"GET": replication.deleted}),
    (rf"sobjects/{_OBJECT}/updated", {"GET": replication.updated}),
    (
        rf"sobjects/{_OBJECT}/(?P<record_id>[^/]+)",
        {"GET": rows.read, "PATCH": rows.change, "DELETE": rows.remove},
    ),
    (
        rf"sobjects/{_OBJECT}/(?P<field>\w+)/(?P<value>[^/]+)",
        {"GET": externalid.read, "PATCH": externalid.upsert},
    ),
)


def dispatch(call: Call) -> Reply:
    """The resource's answer to one call. Refused 404 for an unknown path, 405 for a wrong method."""
    check_version(call.version)
    for pattern, handlers in ROUTES:
        match = pattern.match(call.path)
        if match is None:
            continue
        handler = handlers.get(call.method)
        if handler is None:
            allowed = ",".join(sorted({"HEAD", *handlers}))
            message = f"HTTP Method '{call.method}' not allowed. Allowed are {allowed}"
            raise Refused(405, "METHOD_NOT_ALLOWED", message)
        named = Call(
            call.state, call.version, call.method, call.path, call.query, call.headers, match.groupdict(), call.body
        )
        return handler(named)
    raise not_found()


def check_version(version: str) -> None:
    """NOT_FOUND for a version that is not out, 410 for one that was retired."""
    number = float(version)
    if not version.endswith(".0") or number > NEWEST or number < 7:
        raise not_found()
    if number < OLDEST:
        raise Refused(410, "UNSUPPORTED_API_VERSION", f"API version {version} is retired")


def versions() -> Reply:
    """GET /services/data: the versions in service."""
    seasons = ("Winter", "Spring", "Summer")
    listed = []
    for number in range(OLDEST, NEWEST + 1):
        # 31.0 is Summer '14; three releases a year, and Winter is named after the year to come.
        season, year = seasons[(number - 29) % 3], 14 + (number - 29) // 3
        listed.append({"label": f"{season} '{year}", "url": f"/services/data/v{number}.0", "version": f"{number}.0"})
    return Reply(200, listed)
