"""What a fault does to an answer: cut it, shuffle its rows, lose some, take from its headers or falsify them."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

from sandbox.faults import Fault

GARBAGE = b"\x00<<< not json >>>"
_ROWS = ("results", "records")
_FEW = 2

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Whole:
    """A whole response in memory."""

    status: int
    headers: Headers
    body: bytes

    def header(self, name: str) -> str | None:
        """A header's value; the name in any case."""
        wanted = name.lower().encode()
        return next((v.decode("latin-1") for k, v in self.headers if k.lower() == wanted), None)

    def set(self, name: str, value: str | None) -> None:
        """Put a header in place of those of its name; None takes them away."""
        wanted = name.lower().encode()
        self.headers = [(k, v) for k, v in self.headers if k.lower() != wanted]
        if value is not None:
            self.headers.append((wanted, value.encode("latin-1")))


def spoil(answer: Whole, fault: Fault, before: Whole | None) -> Whole | None:
    """The answer as the fault leaves it, or None if it can do nothing to this one.

    `before` is the answer that the matching request before got, for `repeat`. Delay, duplicate, truncate and a lost
    answer are the connection's matter: with nothing else asked for, the answer comes back as it is.
    """
    spoiled = replace(answer, headers=list(answer.headers))
    done = bool(fault.delay_ms or fault.delay_seconds or fault.duplicate or fault.reset)
    done |= fault.truncate is not None and len(answer.body) > 0
    if fault.repeat and before is not None:
        spoiled, done = replace(before, headers=list(before.headers)), True
    if fault.reorder or fault.drop_rows:
        body = _rows_changed(spoiled, _change(fault))
        if body is not None:
            spoiled.body, done = body, True
    if fault.cut_row and _cut(spoiled.body) is not None:
        spoiled.body, done = _cut(spoiled.body) or b"", True
    if fault.garbage:
        spoiled.body, done = GARBAGE, True
    return spoiled if _headers_changed(spoiled, fault) or done else None


def _headers_changed(answer: Whole, fault: Fault) -> bool:
    before = list(answer.headers)
    for name, wanted in fault.headers.items() if fault.status is None else ():
        answer.set(name, wanted)
    for name in fault.drop_headers:
        answer.set(name, None)
    for name, wrong in fault.off_by.items():
        value = answer.header(name)
        if value is not None and value.lstrip("-").isdigit():
            answer.set(name, str(int(value) + wrong))
    stamp = answer.header("date")
    if fault.skew_seconds and stamp is not None:
        at = parsedate_to_datetime(stamp).timestamp() + fault.skew_seconds
        answer.set("date", formatdate(at, usegmt=True))
    return answer.headers != before


Change = Callable[[list[Any]], list[Any]]


def _change(fault: Fault) -> Change:
    def change(rows: list[Any]) -> list[Any]:
        changed = list(rows)
        if fault.reorder:
            # The rows themselves are the seed: the same page is always shuffled alike, and never back into its order.
            random.Random(repr(rows)).shuffle(changed)
            if changed == rows:
                changed = rows[1:] + rows[:1]
        return changed[: max(0, len(changed) - fault.drop_rows)]

    return change


def _rows_changed(answer: Whole, change: Change) -> bytes | None:
    """The body with its rows changed; None if there are none, or they stay as they are."""
    if "csv" in (answer.header("content-type") or ""):
        return _csv_changed(answer.body, change)
    try:
        body = json.loads(answer.body)
    except ValueError:
        return None
    changed = False
    for holder, key in _row_lists(body):
        rows = change(holder[key])
        changed |= rows != holder[key]
        holder[key] = rows
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() if changed else None


def _row_lists(body: object) -> Iterator[tuple[dict[str, Any], str]]:
    """Where the rows are: at the top, or in the parts of a Salesforce composite, which keep their own order."""
    if not isinstance(body, dict):
        return
    for key in _ROWS:
        if isinstance(body.get(key), list):
            yield body, key
    for part in body.get("compositeResponse") or ():
        if isinstance(part, dict):
            yield from _row_lists(part.get("body"))


def _csv_changed(body: bytes, change: Change) -> bytes | None:
    text = body.decode()
    end = "\r\n" if "\r\n" in text else "\n"
    # Cells hold line ends and quotes: the rows are the parser's, and are written as Salesforce does, all quoted.
    rows = list(csv.reader(io.StringIO(text, newline="")))
    changed = change(rows[1:])
    if changed == rows[1:]:
        return None
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator=end).writerows([*rows[:1], *changed])
    return out.getvalue().encode()


def _cut(body: bytes) -> bytes | None:
    """The body without the second half of its last line (or of itself, if it has but one)."""
    stripped = body.rstrip(b"\r\n")
    start = stripped.rfind(b"\n") + 1
    if len(stripped) - start < _FEW:
        return None
    return stripped[: start + (len(stripped) - start) // 2]
