"""What was deleted or changed in a window of time: getDeleted and getUpdated."""

from __future__ import annotations

from sandbox.clock import DAY, MINUTE
from sandbox.salesforce.calls import Call, Reply
from sandbox.salesforce.errors import Refused
from sandbox.salesforce.wire import parse_stamp, stamp

OLDEST_START = 30 * DAY


def deleted(call: Call) -> Reply:
    """GET sobjects/{object}/deleted?start=&end=: ids and when, seconds of the window ignored."""
    sobject, (start, end) = call.object(), _window(call)
    state = call.state
    earliest = max(state.now - state.switches.deleted_kept, state.forgotten.get(sobject.name, 0))
    gone = [
        (row.deleted_at, row.id)
        for row in state.org.rows(sobject, since=max(start, earliest))
        if row.deleted_at is not None and max(start, earliest) <= row.deleted_at < end
    ]
    if len(gone) > state.switches.deleted_limit:
        raise Refused(400, "EXCEEDED_ID_LIMIT", "exceeded maximum number of ids")
    records = [{"id": row_id, "deletedDate": stamp(at)} for at, row_id in sorted(gone)]
    return Reply(
        200,
        {
            "deletedRecords": records,
            "earliestDateAvailable": stamp(earliest - earliest % MINUTE),
            "latestDateCovered": stamp(_covered(call, end)),
        },
    )


def updated(call: Call) -> Reply:
    """GET sobjects/{object}/updated?start=&end=: ids of rows that were created or changed and still live."""
    sobject, (start, end) = call.object(), _window(call)
    found = [row.id for row in call.state.org.rows(sobject, start, end) if row.deleted_at is None]
    if len(found) > call.state.switches.deleted_limit:
        raise Refused(400, "EXCEEDED_ID_LIMIT", "exceeded maximum number of ids")
    return Reply(200, {"ids": found, "latestDateCovered": stamp(_covered(call, end))})


def _covered(call: Call, end: int) -> int:
    latest = call.state.now - call.state.switches.replication_lag
    return min(end, latest - latest % MINUTE)


def _window(call: Call) -> tuple[int, int]:
    """[start, end) in µs on whole minutes. INVALID_REPLICATION_DATE when start + 1 min > end, or start is too long ago."""
    sobject = call.object()
    if not sobject.replicateable:
        message = f"entity type {sobject.name} is not replicateable"
        raise Refused(400, "INVALID_TYPE_FOR_OPERATION", message)
    start, end = (_minute(call, name) for name in ("start", "end"))
    shortest = MINUTE + (1 if call.state.switches.replication_strict else 0)
    if start + shortest > end:
        raise Refused(400, "INVALID_REPLICATION_DATE", "startDate must be at least one minute before endDate")
    if start < call.state.now - OLDEST_START:
        raise Refused(400, "INVALID_REPLICATION_DATE", "startDate cannot be more than 30 days ago")
    return start, end


def _minute(call: Call, name: str) -> int:
    text = call.query.get(name)
    if text is None:
        raise Refused(400, "MISSING_ARGUMENT", f"The {name} parameter is required")
    instant = parse_stamp(text)
    if instant is None:
        # An unescaped + reaches the server as a space and ends here.
        raise Refused(400, "ILLEGAL_QUERY_PARAMETER_VALUE", f"{name} is not a valid dateTime: {text}")
    return instant - instant % MINUTE
