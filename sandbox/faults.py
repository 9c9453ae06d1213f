"""Scripted trouble: which requests go wrong, and how.

Two kinds of script: a `Fault` strikes the requests it names; a `Soak` strikes a share of all requests, picked by a seed,
with one of several faults.
"""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import islice

_RESETS = (None, "before", "after")
_KEPT = 64
"""So many answers are kept for repeats."""
# Where the cursor stands: `?after=` (HubSpot), `?locator=` (bulk results), `/query/01g...-2000` (Salesforce).
_CURSOR = re.compile(r"(?<=[?&])(?:after|locator)=[^&]*|-\d+$")


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
    """Those of the scripted status; without one they are set on the vendor's own answer."""
    delay_ms: int = 0
    """Real milliseconds that the answer is held back: the request has taken effect by then."""
    delay_seconds: float = 0
    """Scenario seconds that the answer takes: the scenario clock moves on by them."""
    hang: bool = False
    """Take the request and never answer; ends when the client gives up or the server stops."""
    reset: str | None = None
    """`before`: drop the connection with nothing done; `after`: the request takes effect, the answer is lost."""
    truncate: int | None = None
    """Send so many bytes of the body, then close: less than the length header promised."""
    garbage: bool = False
    """The vendor's status with a body that is no JSON."""
    cut_row: bool = False
    """The body ends in the middle of its last row, with a length header that fits: a half-written CSV, or JSON that
    stops short."""
    duplicate: bool = False
    """The request takes effect twice; the second answer is sent."""
    repeat: bool = False
    """The request takes effect, but the answer that the matching request before it got is sent: the same page twice.
    In a soak it is the answer to the same question asked with another cursor."""
    reorder: bool = False
    """The rows of the answer (`results`, `records`, the lines of a CSV) come shuffled, the same way for the same rows."""
    drop_rows: int = 0
    """So many rows are missing at the end of the answer; its headers still count them."""
    drop_headers: Sequence[str] = ()
    """Headers that the answer lacks."""
    off_by: Mapping[str, int] = field(default_factory=dict)
    """Numeric headers that are wrong by so much, such as `{"Sforce-NumberOfRecords": 1}`."""
    skew_seconds: int = 0
    """The answer's `Date` is wrong by so much; stamps in the body are the vendor's own (see `VendorStore.skew`)."""

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
            (self.cut_row, "cut row"),
            (self.duplicate, "duplicate"),
            (self.repeat, "repeat"),
            (self.reorder, "reorder"),
            (bool(self.drop_rows), "drop rows"),
            (bool(self.drop_headers), "drop headers"),
            (bool(self.off_by), "off by"),
            (bool(self.skew_seconds), "skew"),
            (self.status is None and bool(self.headers), "headers"),
            (bool(self.delay_ms or self.delay_seconds), "delay"),
        ]
        return " ".join(name for holds, name in marks if holds) or "none"

    @property
    def early(self) -> bool:
        """Does it strike before the vendor has looked at the request."""
        return self.status is not None or self.hang or self.reset == "before"


@dataclass(frozen=True, slots=True)
class Soak:
    """A share of all requests goes wrong: each request that some of `faults` match is struck with probability `rate`.

    Which ones, and by which fault, follows from `seed` and the request's number, so a run can be repeated. `nth` and
    `times` of the faults mean nothing here. A fault that cannot do anything to an answer (a reorder of one row) gives
    way to the next one of the list; if none can, the request is well and the log names no fault.
    """

    rate: float
    faults: Sequence[Fault]
    seed: int = 0
    vendor: str | None = None
    times: int = 0
    """Ends after so many requests were picked; 0: never."""

    def picks(self, number: int, vendor: str, method: str, path: str, body: bytes) -> list[Fault]:
        """The faults to try on the vendor's request of this number, in order; none: it is well."""
        if self.vendor not in (None, vendor):
            return []
        dice = random.Random(f"{self.seed}/{vendor}/{number}")
        if dice.random() >= self.rate:
            return []
        fitting = [f for f in self.faults if f.matches(vendor, method, path, body)]
        first = dice.randrange(len(fitting)) if fitting else 0
        return fitting[first:] + fitting[:first]


_NAMES = frozenset(f.name for f in fields(Fault))


def parse_fault(raw: Mapping[str, object]) -> Fault:
    """A fault from its JSON form. ValueError names what is wrong."""
    unknown = sorted(set(raw) - _NAMES)
    if unknown:
        raise ValueError(f"unknown key: {unknown[0]}; known: {', '.join(sorted(_NAMES))}")
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


def parse_soak(raw: Mapping[str, object]) -> Soak:
    """A soak from its JSON form, `faults` as for `parse_fault`. ValueError names what is wrong."""
    known = {f.name for f in fields(Soak)}
    unknown = sorted(set(raw) - known)
    if unknown:
        raise ValueError(f"unknown key: {unknown[0]}; known: {', '.join(sorted(known))}")
    rate, listed = raw.get("rate"), raw.get("faults")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= 1:
        raise ValueError("rate is a share above 0 and up to 1")
    if not isinstance(listed, list) or not listed or not all(isinstance(f, dict) for f in listed):
        raise ValueError("faults is a list of faults that is not empty")
    return Soak(**{**raw, "faults": tuple(parse_fault(f) for f in listed)})  # type: ignore[arg-type]


def body_bytes(body: object) -> tuple[bytes, str]:
    """A scripted body and its content type."""
    if isinstance(body, str):
        kind = "text/html" if body.lstrip().startswith("<") else "application/json;charset=utf-8"
        return body.encode(), kind
    return (b"" if body is None else json.dumps(body).encode()), "application/json;charset=utf-8"


@dataclass(frozen=True, slots=True)
class Strike:
    """What goes wrong with one request: `tries` in order, of which the first that can do anything does."""

    tries: tuple[Fault, ...] = ()
    remember: bool = False
    """A script wants the answer kept, to give it again later."""
    keys: tuple[object, ...] = ()
    """Where the answer is kept: one key per script with `repeat`."""


class FaultBook:
    """The faults in force and the vendors on hold; thread safe. The first script that strikes wins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[tuple[Fault, list[int]]] = []
        self._soaks: list[tuple[Soak, list[int]]] = []
        self._numbers: dict[str, int] = {}
        self._held: set[str] = set()
        self._kept: dict[object, object] = {}

    def add(self, fault: Fault) -> None:
        """Put a fault in force; its count of matches starts at 0."""
        with self._lock:
            self._faults.append((fault, [0]))

    def soak(self, soak: Soak) -> None:
        """Put a soak in force; requests are counted from the first one on."""
        with self._lock:
            self._soaks.append((soak, [0]))

    def clear(self) -> None:
        """Forget all faults and soaks, and let go of held vendors."""
        with self._lock:
            self._faults.clear()
            self._soaks.clear()
            self._numbers.clear()
            self._held.clear()
            self._kept.clear()

    def hold(self, vendor: str, held: bool) -> None:
        """While a vendor is held its requests wait, unanswered."""
        with self._lock:
            (self._held.add if held else self._held.discard)(vendor)

    def held(self, vendor: str) -> bool:
        """Does the vendor keep its requests waiting."""
        return vendor in self._held

    def strike(self, vendor: str, method: str, path: str, body: bytes) -> Strike | None:
        """What happens to this request, counting it as a match of every script it fits; None: nothing."""
        if not self._faults and not self._soaks:
            return None
        tries: list[Fault] = []
        keys: list[object] = []
        with self._lock:
            for fault, seen in self._faults:
                if not fault.matches(vendor, method, path, body):
                    continue
                seen[0] += 1
                due = seen[0] >= fault.nth and (fault.times == 0 or seen[0] < fault.nth + fault.times)
                if due and not tries:
                    tries.append(fault)
                if fault.repeat:
                    keys.append(id(fault))
            number = self._numbers[vendor] = self._numbers.get(vendor, 0) + 1
            for soak, struck in self._soaks:
                if any(f.repeat for f in soak.faults):
                    keys.append(_question(vendor, method, path, body))
                if tries or (soak.times and struck[0] >= soak.times):
                    continue
                tries += soak.picks(number, vendor, method, path, body)
                struck[0] += bool(tries)
        return Strike(tuple(tries), bool(keys), tuple(keys))

    def kept(self, strike: Strike, fault: Fault) -> object | None:
        """The answer that was kept for this fault, if any."""
        with self._lock:
            own = id(fault)
            return self._kept.get(own if own in strike.keys else strike.keys[-1]) if strike.keys else None

    def keep(self, strike: Strike, answer: object) -> None:
        """Keep the vendor's answer for a later repeat."""
        with self._lock:
            for key in strike.keys:
                self._kept.pop(key, None)
                self._kept[key] = answer
            for key in list(islice(self._kept, max(0, len(self._kept) - _KEPT))):
                del self._kept[key]

    def waiting(self) -> list[dict[str, object]]:
        """Each fault in force with the number of requests it has matched, and each soak with its strikes."""
        with self._lock:
            single: list[dict[str, object]] = [
                {"vendor": f.vendor, "method": f.method, "path": f.path, "kind": f.kind(), "matched": seen[0]}
                for f, seen in self._faults
            ]
            soaking: list[dict[str, object]] = [
                {"vendor": s.vendor, "rate": s.rate, "kinds": [f.kind() for f in s.faults], "struck": struck[0]}
                for s, struck in self._soaks
            ]
            return single + soaking


def _question(vendor: str, method: str, path: str, body: bytes) -> object:
    """What is asked, without the cursor: requests for two pages of one list are the same question."""
    bare = _CURSOR.sub("", path)
    try:
        parsed = json.loads(body) if body[:1] == b"{" else body
    except ValueError:
        parsed = body
    if isinstance(parsed, dict):
        parsed.pop("after", None)
    return vendor, method, bare, repr(parsed)
