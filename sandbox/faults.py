"""Scripted trouble: which requests go wrong, and how."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

_RESETS = (None, "before", "after")


@dataclass(frozen=True, slots=True)
class Fault:
    """One script. It matches by vendor, method, path (regular expression, searched in path and query) and body text.

    It strikes from the `nth` match on, `times` times (0: for ever). `status` answers in place of the vendor;
    everything else happens to the vendor's own answer.
    """

    vendor: str | None = None
    method: str | None = None
    path: str = ""
    contains: str = ""
    nth: int = 1
    times: int = 1
    status: int | None = None
    body: object = None
    """Text, or a value that is sent as JSON."""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_ms: int = 0
    """Real milliseconds before the request is looked at."""
    delay_seconds: float = 0
    """Scenario seconds that the answer takes: the scenario clock moves on by them."""
    hang: bool = False
    """Take the request and never answer."""
    reset: str | None = None
    """`before`: drop the connection with nothing done; `after`: the request takes effect, the answer is lost."""
    truncate: int | None = None
    """Send so many bytes of the body, then close."""
    garbage: bool = False
    """The vendor's status with a body that is no JSON."""
    duplicate: bool = False
    """The request takes effect twice; the second answer is sent."""

    def matches(self, vendor: str, method: str, path: str, body: bytes) -> bool:
        """Is this request one that the script means; `path` is with its query string."""
        return (
            self.vendor in (None, vendor)
            and self.method in (None, method)
            and re.search(self.path, path) is not None
            and self.contains.encode() in body
        )

    def kind(self) -> str:
        """What it does, in a word or two, for the request log."""
        marks = [
            (self.status is not None, f"status {self.status}"),
            (self.hang, "hang"),
            (self.reset is not None, f"reset {self.reset}"),
            (self.truncate is not None, "truncate"),
            (self.garbage, "garbage"),
            (self.duplicate, "duplicate"),
            (bool(self.delay_ms or self.delay_seconds), "delay"),
        ]
        return " ".join(name for holds, name in marks if holds) or "none"


_NAMES = frozenset(f.name for f in fields(Fault))


def parse_fault(raw: Mapping[str, object]) -> Fault:
    """A fault from its JSON form. ValueError names what is wrong."""
    unknown = sorted(set(raw) - _NAMES)
    if unknown:
        raise ValueError(f"unknown fault key: {unknown[0]}; known: {', '.join(sorted(_NAMES))}")
    fault = Fault(**dict(raw))  # type: ignore[arg-type]
    if fault.reset not in _RESETS:
        raise ValueError("reset is 'before' or 'after'")
    if not isinstance(fault.nth, int) or fault.nth < 1:
        raise ValueError("nth counts from 1")
    try:
        re.compile(fault.path)
    except re.error as broken:
        raise ValueError(f"path is no regular expression: {broken}") from broken
    return fault


def body_bytes(body: object) -> tuple[bytes, str]:
    """A scripted body and its content type."""
    if isinstance(body, str):
        kind = "text/html" if body.lstrip().startswith("<") else "application/json;charset=utf-8"
        return body.encode(), kind
    return (b"" if body is None else json.dumps(body).encode()), "application/json;charset=utf-8"


class FaultBook:
    """The faults in force and the vendors on hold; thread safe. The first fault that strikes wins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[tuple[Fault, list[int]]] = []
        self._held: set[str] = set()

    def add(self, fault: Fault) -> None:
        """Put a fault in force; its count of matches starts at 0."""
        with self._lock:
            self._faults.append((fault, [0]))

    def clear(self) -> None:
        """Forget all faults and let go of held vendors."""
        with self._lock:
            self._faults.clear()
            self._held.clear()

    def hold(self, vendor: str, held: bool) -> None:
        """While a vendor is held its requests wait, unanswered."""
        with self._lock:
            (self._held.add if held else self._held.discard)(vendor)

    def held(self, vendor: str) -> bool:
        """Does the vendor keep its requests waiting."""
        return vendor in self._held

    def strike(self, vendor: str, method: str, path: str, body: bytes) -> Fault | None:
        """The fault for this request, counting it as a match of every script it fits."""
        struck: Fault | None = None
        with self._lock:
            for fault, seen in self._faults:
                if not fault.matches(vendor, method, path, body):
                    continue
                seen[0] += 1
                due = seen[0] >= fault.nth and (fault.times == 0 or seen[0] < fault.nth + fault.times)
                if due and struck is None:
                    struck = fault
        return struck

    def waiting(self) -> list[dict[str, object]]:
        """Each fault in force with the number of requests it has matched."""
        with self._lock:
            return [
                {"vendor": f.vendor, "method": f.method, "path": f.path, "kind": f.kind(), "matched": seen[0]}
                for f, seen in self._faults
            ]
