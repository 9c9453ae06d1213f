"""Whether tierd's report on identity says what the world knows: links, conflicts, persons in no CRM."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from daemon.identity import Report
from daemon.identitykinds import CONFLICTING, LINKED

_JUDGED = ("arr", "renewal")
"""Of owners only those are judged of which the world is sure; the tier fields tierd writes itself."""


def compare(truth: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Per kind how many there should be, and what is missing or too much, as JSON."""
    rows = [entry for entry in report.entries if entry.kind in (LINKED, CONFLICTING)]
    linked = {
        (_id(entry.row), _id(other))
        for entry in rows
        for other in entry.others
        if entry.row.startswith("salesforce:") and other.startswith("hubspot:")
    }
    told = {(_id(e.row), c.field) for e in rows for c in e.conflicts if e.row.startswith("salesforce:")}
    sure = {tuple(pair) for pair in truth["conflicts"]}
    judged = {one for one in told if one[1] in _JUDGED or one in sure}
    return {
        "linked": _difference(map(tuple, truth["linked"]), linked),
        "conflicts": _difference(sure, judged),
        "unregistered": _difference(truth["unregistered"], {one.address for one in report.unregistered}),
    }


def right(found: Mapping[str, Mapping[str, Any]]) -> bool:
    """Is nothing missing and nothing too much."""
    return not any(kind["missed"] or kind["false"] for kind in found.values())


def _difference(expected: Iterable[Any], told: Iterable[Any]) -> dict[str, Any]:
    wanted, there = set(expected), set(told)
    return {"there": len(wanted), "missed": sorted(wanted - there), "false": sorted(there - wanted)}


def _id(row: str) -> str:
    return row.partition(":")[2]
