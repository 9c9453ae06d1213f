"""Fields that the platform sets by itself when others are written: closed flags, closing stamps, and the like."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.clock import MINUTE
from sandbox.versions import At

_WON = "Closed Won"
_LOST = "Closed Lost"


def of_write(
    object_name: str, before: Mapping[str, object], given: Mapping[str, object], now: int
) -> dict[str, object]:
    """The extra fields that a write of `given` over `before` causes; instants in microseconds."""
    if object_name == "Opportunity" and "StageName" in given:
        stage = given["StageName"]
        return {"IsClosed": stage in (_WON, _LOST), "IsWon": stage == _WON}
    if object_name == "Case" and "Status" in given:
        return _closed(before, given["Status"] == "Closed", "ClosedDate", now)
    if object_name == "Task" and "Status" in given:
        return _closed(before, given["Status"] == "Completed", "CompletedDateTime", now)
    if object_name == "Event" and isinstance(start := given.get("ActivityDateTime", given.get("StartDateTime")), At):
        return _event(before, given, start)
    if object_name in ("Contact", "Lead", "User") and ("FirstName" in given or "LastName" in given):
        names = {**before, **given}
        return {"Name": " ".join(str(names[n]) for n in ("FirstName", "LastName") if names.get(n))}
    return {}


def _event(before: Mapping[str, object], given: Mapping[str, object], start: At) -> dict[str, object]:
    """ActivityDateTime and DurationInMinutes are the older way to say StartDateTime and EndDateTime."""
    end = given.get("EndDateTime")
    minutes = given.get("DurationInMinutes", before.get("DurationInMinutes"))
    if not isinstance(end, At):
        end = At(start.us + (minutes if isinstance(minutes, int) else 0) * MINUTE)
    length = (end.us - start.us) // MINUTE
    return {"ActivityDateTime": start, "StartDateTime": start, "EndDateTime": end, "DurationInMinutes": length}


def _closed(before: Mapping[str, object], closed: bool, stamp: str, now: int) -> dict[str, object]:
    if not closed:
        return {"IsClosed": False, stamp: None}
    return {"IsClosed": True, stamp: before.get(stamp) or At(now)}
