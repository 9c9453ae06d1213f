"""Why a query that is right may still fail: too long a run, too many parents of activities, or a scripted refusal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sandbox.salesforce.errors import Refused
from sandbox.salesforce.switches import Switches
from sandbox.versions import Row

_ACTIVITIES = ("Task", "Event")


@dataclass(frozen=True, slots=True)
class QueryFault:
    """The next `times` queries (0: all) whose SOQL the pattern is found in are refused, alone or inside a composite."""

    pattern: str
    code: str
    message: str
    status: int = 400
    times: int = 1


def strike(faults: list[QueryFault], soql: str) -> None:
    """Raise the first scripted refusal that means this query, and use it up."""
    for index, fault in enumerate(faults):
        if re.search(fault.pattern, soql):
            left = [] if fault.times == 1 else [replace(fault, times=max(0, fault.times - 1))]
            faults[index : index + 1] = left
            raise Refused(fault.status, fault.code, fault.message)


def weigh(switches: Switches, object_name: str, rows: Sequence[Row]) -> None:
    """Refuse a result that is too big for the limits in force."""
    most = switches.query_rows
    if most is not None and len(rows) > most:
        raise Refused(400, "QUERY_TIMEOUT", "Your query request was running for too long.")
    parents = switches.activity_parents
    if parents is None or object_name not in _ACTIVITIES:
        return
    seen = {row.fields.get(name) for row in rows for name in ("WhoId", "WhatId")} - {None}
    if len(seen) > parents:
        raise Refused(400, "OPERATION_TOO_LARGE", f"exceeded {parents} distinct who/what's")
