"""The results page: one table per vendor and size, ours first, with ratios."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Line:
    """One read by one tool. `what`: first | changed | idle; memory in MiB; `failure` instead of figures."""

    table: str
    vendor: str
    rows: int
    tool: str
    what: str
    seconds: float = 0.0
    read: int = 0
    calls: int = 0
    object_calls: int = 0
    peak_mib: int = 0
    growth_mib: int | None = None
    failure: str = ""


_HEAD = """# Reading: calls, rows per second, memory

Written by `python -m bench.sync`; every figure is of one run on one machine ({machine}).
The sandbox serves one object with so many rows (Salesforce: Account; HubSpot: contacts) over real HTTP from a process of
its own, with its rate buckets off; our own limiter is off too, because at 2 searches a second nothing else would be
seen. `first`: the store is empty. `changed`: 4.5 % of the rows have new values. `idle`: nothing has changed. tierd
asks for all its objects each time (11 in Salesforce, 9 and the owners in HubSpot), the peers for the one object;
calls for that object are in brackets. tierd's seconds include deciding what differs and writing it to SQLite; the
taps and Airbyte's sources only print what they read, dlt loads it into DuckDB. A peer's seconds include its start.
"""
_NAMES = {"salesforce": "Salesforce", "hubspot": "HubSpot"}
_COLUMNS = ("tool", "read", "calls", "rows", "seconds", "rows/s", "peak MiB", "seconds against tierd")


def told(line: Line) -> str:
    """One line for the terminal."""
    head = f"{line.vendor} {line.rows:,} {line.tool} {line.what}:"
    if line.failure:
        return f"{head} {line.failure}"
    return f"{head} {line.calls} calls, {line.read} rows, {line.seconds:.2f} s, {line.peak_mib} MiB"


def page(lines: Sequence[Line]) -> str:
    """The whole page as Markdown."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    parts = [_HEAD.format(machine=machine)]
    compared = [line for line in lines if line.table == "side by side"]
    for (vendor, rows), some in groupby(compared, key=lambda line: (line.vendor, line.rows)):
        parts.append(f"## {_NAMES[vendor]}, {rows:,} rows\n\n{_compared(list(some))}")
    alone = [line for line in lines if line.table == "alone"]
    if alone:
        parts.append(f"## tierd alone, {alone[0].rows:,} rows of one object\n\n{_alone(alone)}")
    bulk = [line for line in lines if line.table == "bulk"]
    if bulk:
        parts.append(
            "## A large Bulk result\n\nRows of 2,000 characters of text each, read by Bulk API 2.0 through a file; the"
            f" process's memory must not grow with the result.\n\n{_alone(bulk)}"
        )
    return "\n".join(parts)


def _compared(some: Sequence[Line]) -> str:
    ours = {line.what: line for line in some if line.tool == "tierd"}
    rows = []
    for line in some:
        if line.failure:
            rows.append((line.tool, line.what, f"does not run: {line.failure}", *[""] * 5))
            continue
        ratio = line.seconds / ours[line.what].seconds if ours[line.what].seconds else 0.0
        rows.append((*_figures(line), f"{ratio:.1f} x"))
    return _table(_COLUMNS, rows)


def _alone(some: Sequence[Line]) -> str:
    rows = [(_NAMES[line.vendor], *_figures(line)[1:], f"{line.growth_mib}") for line in some]
    return _table(("vendor", *_COLUMNS[1:-1], "growth MiB"), rows)


def _figures(line: Line) -> tuple[str, ...]:
    rate = f"{line.read / line.seconds:,.0f}" if line.seconds and line.read else ""
    own = f"{line.calls:,} ({line.object_calls:,})" if line.object_calls != line.calls else f"{line.calls:,}"
    return (line.tool, line.what, own, f"{line.read:,}", f"{line.seconds:.2f}", rate, f"{line.peak_mib}")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    marks = ["---"] * 2 + ["---:"] * (len(head) - 2)
    listed = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (head, marks, *rows)]
    return "\n".join(listed) + "\n"
