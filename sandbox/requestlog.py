"""What was asked of the sandbox: one entry per request, and counts per vendor, method and path."""

from __future__ import annotations

import re
import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

_BODY_KEPT = 16_384
_SECRET = re.compile(
    r"((?:client_secret|assertion|token|access_token|refresh_token)=|/(?:access|refresh)-tokens/)[^&\s]+"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One request. `at` is scenario time in UTC microseconds; tokens are never kept."""

    seq: int
    at: int
    vendor: str
    method: str
    path: str
    """With its query string."""
    template: str
    """The path with ids replaced by `{name}`."""
    status: int | None
    """None: the connection was cut before an answer."""
    cost: int
    """What it took from the vendor's quota, in calls."""
    fault: str | None = None
    body: str = ""
    """The request's body as text, cut to 16 KiB."""


class RequestLog:
    """Append-only until cleared; thread safe. Sequence numbers go on after a clear. `keep` bounds it to the last so many."""

    def __init__(self, keep: int | None = None) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=keep)
        self._next = 1

    def add(self, entry: Entry) -> Entry:
        """Keep the entry under the next sequence number, which is returned in it."""
        with self._lock:
            numbered = replace(
                entry,
                seq=self._next,
                path=_SECRET.sub(r"\1***", entry.path),
                body=_SECRET.sub(r"\1***", entry.body[:_BODY_KEPT]),
            )
            self._next += 1
            self._entries.append(numbered)
            return numbered

    def entries(self, since: int = 0, vendor: str | None = None) -> list[Entry]:
        """Entries with seq > since, in order."""
        with self._lock:
            return [e for e in self._entries if e.seq > since and vendor in (None, e.vendor)]

    def clear(self) -> None:
        """Forget the entries."""
        with self._lock:
            self._entries.clear()

    def summary(self, since: int = 0, vendor: str | None = None, bodies: bool = False) -> dict[str, object]:
        """`{"last", "total", "counts": [{vendor, method, path, count, cost}], "vendors": {name: {requests, cost}}, "requests": [...]}`."""
        entries = self.entries(since, vendor)
        counts: Counter[tuple[str, str, str]] = Counter()
        costs: Counter[tuple[str, str, str]] = Counter()
        for e in entries:
            counts[(e.vendor, e.method, e.template)] += 1
            costs[(e.vendor, e.method, e.template)] += e.cost
        by_path = [
            {"vendor": key[0], "method": key[1], "path": key[2], "count": count, "cost": costs[key]}
            for key, count in sorted(counts.items())
        ]
        vendors: dict[str, dict[str, int]] = {}
        for e in entries:
            totals = vendors.setdefault(e.vendor, {"requests": 0, "cost": 0})
            totals["requests"] += 1
            totals["cost"] += e.cost
        dropped = () if bodies else ("body",)
        requests = [{k: v for k, v in asdict(e).items() if k not in dropped} for e in entries]
        return {
            "last": self._next - 1,
            "total": len(entries),
            "counts": by_path,
            "vendors": vendors,
            "requests": requests,
        }


def template_of(path: str, path_params: Mapping[str, object]) -> str:
    """The path with the values of parameters named `...id`, `...locator` or `token` replaced by their names, so that counts group."""
    named = {str(v): k for k, v in path_params.items() if k.endswith(("id", "locator", "token"))}
    return "/".join("{" + named[part] + "}" if part in named else part for part in path.split("/"))
