"""What a refusal means for one stream: whether it passes, and what a person can do about it."""

from __future__ import annotations

from typing import Any

from connectors.http import VendorError, resume_at
from connectors.salesforce.session import reason
from store.records import HOUR, Clock, StreamTrouble

ABSENT = frozenset({"NOT_FOUND", "INVALID_TYPE"})
"""The org has no such object, or the user may not see it: Salesforce does not tell which."""
HIDDEN = frozenset({"INVALID_FIELD"})
_PASSING = frozenset(
    {"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "UNKNOWN_EXCEPTION", "INVALID_QUERY_LOCATOR"}
)


def trouble(stream: str, error: VendorError, clock: Clock) -> StreamTrouble:
    """A vendor's refusal as the trouble of one stream."""
    kind = {"retry": "retry", "deferred": "deferred"}.get(error.kind, "failed")
    return StreamTrouble(stream, kind, str(error), resume_at(clock, error))


def refused(stream: str, object_name: str, body: Any, clock: Clock) -> StreamTrouble:
    """One part of a composite that was refused."""
    code, message = reason(body)
    text = f"{object_name} cannot be read: {code}: {message}"
    if code == "REQUEST_LIMIT_EXCEEDED":
        return StreamTrouble(stream, "deferred", text, clock.now() + HOUR)
    if code in _PASSING:
        return StreamTrouble(stream, "retry", text)
    return StreamTrouble(stream, "failed", f"{text} (check the user's permissions and the field mapping)")


def missing(stream: str, object_name: str) -> StreamTrouble:
    """An object that has to be there and is not."""
    text = f"{object_name} is not there, or tierd's user may not see it: grant Read on {object_name}"
    return StreamTrouble(stream, "failed", f"{text}; what was read before is kept")


def not_visible(stream: str, object_name: str, names: tuple[str, ...], near: dict[str, str]) -> StreamTrouble:
    """Fields that cannot be read; the stream goes on without them. `near`: what a misspelt one may have meant."""
    told = [f"{object_name}.{name}" + (f" (did you mean {near[name]}?)" if name in near else "") for name in names]
    plural = "fields are" if len(names) > 1 else "field is"
    text = f"{', '.join(told)}: the {plural} not visible, the values read before are kept"
    remedy = "grant tierd's user Read on it, or mend its name in the field mapping"
    return StreamTrouble(stream, "partial", f"{text} ({remedy})")


def unfollowable(stream: str, object_name: str, names: tuple[str, ...]) -> StreamTrouble:
    """An object whose changes cannot be told from what was there."""
    text = f"{object_name} has none of {', '.join(names)} that a query may filter by: its rows cannot be followed"
    return StreamTrouble(stream, "failed", f"{text} (take it out of the field mapping)")


def out_of_sight(stream: str, object_name: str, missing_rows: int, met: int) -> StreamTrouble:
    """More than half of an object's rows are not there, and no log says that they were deleted."""
    text = f"{missing_rows:,} of {missing_rows + met:,} rows of {object_name} are not visible any more and no log calls"
    remedy = "has somebody taken View All Data or sharing from tierd's user? Give it back"
    return StreamTrouble(stream, "partial", f"{text} them deleted: they are kept ({remedy})")
