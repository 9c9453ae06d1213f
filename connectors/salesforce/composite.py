"""Several requests in one API call: 25 parts, of which 5 may be queries (resources-composite-composite-post)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.quota import Work
from connectors.salesforce.selects import query_path
from connectors.salesforce.session import PARTS_PER_CALL, QUERIES_PER_CALL, SalesforceSession
from store.records import Instant


@dataclass(frozen=True, slots=True)
class Ask:
    """One GET: an address below the host, escaped."""

    url: str
    heavy: bool = False
    """A query, of which a call takes few."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one part was answered."""

    status: int
    body: Any
    headers: Mapping[str, str]


class Composer:
    """Asks an org, as many requests a call as it takes."""

    def __init__(self, session: SalesforceSession, version: str) -> None:
        self._session = session
        self.root = f"/services/data/v{version}"

    def query(self, soql: str, resource: str = "query") -> Ask:
        """A query; `resource`: query | queryAll."""
        return Ask(query_path(self.root, soql, resource), heavy=True)

    def page(self, address: str) -> Ask:
        """The next page of a query, as `nextRecordsUrl` names it."""
        return Ask(address, heavy=True)

    def now(self) -> Instant:
        """The server's clock."""
        return self._session.server_now()

    def ours(self, at: Instant) -> Instant:
        """An instant of the server's clock on ours."""
        return self._session.ours(at)

    def ask(self, asks: Sequence[Ask], work: Work = "increment") -> list[Answer]:
        """One API call: the answers in the order of what was asked."""
        parts = [
            {"method": "GET", "url": one.url} | ({"httpHeaders": dict(one.headers)} if one.headers else {})
            for one in asks
        ]
        found = self._session.parts(parts, work)
        return [Answer(part["httpStatusCode"], part["body"], part.get("httpHeaders") or {}) for part in found]

    def ask_all(self, asks: Iterable[Ask]) -> Iterator[Answer]:
        """Any number of requests, in as few calls as they fit into."""
        waiting = list(asks)
        while waiting:
            size = fitting(waiting)
            yield from self.ask(waiting[:size])
            waiting = waiting[size:]


def fitting(asks: Sequence[Ask]) -> int:
    """How many of these go into one call."""
    heavy = 0
    for number, one in enumerate(asks[:PARTS_PER_CALL]):
        heavy += one.heavy
        if heavy > QUERIES_PER_CALL:
            return number
    return min(len(asks), PARTS_PER_CALL)
