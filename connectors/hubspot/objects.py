"""The object endpoints of one portal: pages of a list, pages of a search, and records by id."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from connectors.http import VendorError
from connectors.hubspot.paths import Paths
from connectors.hubspot.rows import Raw, next_after
from connectors.hubspot.session import HubSpotSession

SEARCH_PAGE, LIST_PAGE, HISTORY_PAGE, READ_BATCH = 200, 100, 50, 100
SEARCH_CAP = 10_000
"""A search answers 400 beyond this."""
_LONGEST_LIST = 6 * 1024
"""Characters of the property names in an address: HubSpot answers 414 above 8 KiB, and the rest needs room too."""
_TRIES = 3
"""For the rows of a 207 that failed for no reason of their own."""


@dataclass(slots=True)
class Batch:
    """What became of the ids of a batch read. Of a merged record's id the survivor comes, under its own id."""

    rows: list[Raw] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    """Archived, purged, or merged into one of `rows`."""
    failed: list[str] = field(default_factory=list)
    """Still not told after all tries."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list and the cursor of the next one."""

    rows: list[Raw]
    after: str | None


class Objects:
    """Reads records of one portal."""

    def __init__(self, session: HubSpotSession, version: str) -> None:
        self.session, self.paths = session, Paths(version)

    def page(
        self,
        name: str,
        properties: Sequence[str],
        after: str | None,
        *,
        links: Sequence[str] = (),
        archived: bool = False,
    ) -> Page:
        """A page of the list, 100 records in the order of their ids.

        Property names that do not fit into one address are asked for by batch read instead: two calls a page however
        many there are, and no record is put together from two moments. A record that is gone by then is left out.
        """
        fits = sum(len(quote(one, safe="")) + 3 for one in properties) <= _LONGEST_LIST
        params = {"limit": str(LIST_PAGE), "properties": ",".join(properties) if fits else "hs_object_id"}
        if links:
            params["associations"] = ",".join(links)
        if archived:
            params["archived"] = "true"
        if after is not None:
            params["after"] = after
        body = _moving(lambda: self.session.get(self.paths.list(name), params), after)
        rows, following = list(body["results"]), next_after(body)
        return Page(rows if fits or not rows else self._filled(name, rows, properties), following)

    def _filled(self, name: str, rows: list[Raw], properties: Sequence[str]) -> list[Raw]:
        read = self.read(name, [row["id"] for row in rows], properties)
        if read.failed:
            raise VendorError("retry", f"{len(read.failed)} {name} could not be read, after {_TRIES} tries")
        links = {row["id"]: row.get("associations") for row in rows}
        return [{**row, "associations": links[row["id"]]} for row in read.rows if row["id"] in links]

    def pages(self, name: str, properties: Sequence[str], *, archived: bool = False) -> Iterator[list[Raw]]:
        """Every page of the list."""
        after: str | None = None
        while True:
            page = self.page(name, properties, after, archived=archived)
            yield page.rows
            after = page.after
            if after is None:
                return

    def history(self, name: str, properties: Sequence[str], after: str | None) -> Page:
        """A page of the list with the past of some properties: 50 records is the most that HubSpot gives then."""
        params = {"limit": str(HISTORY_PAGE), "propertiesWithHistory": ",".join(properties)}
        if after is not None:
            params["after"] = after
        body = _moving(lambda: self.session.get(self.paths.list(name), params), after)
        return Page(list(body["results"]), next_after(body))

    def search(
        self,
        name: str,
        filters: Sequence[Mapping[str, str]],
        properties: Sequence[str],
        *,
        sort: str,
        after: str | None = None,
    ) -> Mapping[str, Any]:
        """A page of a search, as it is answered; properties go into the body, so any number of them fits."""
        body: dict[str, Any] = {
            "limit": SEARCH_PAGE,
            "filterGroups": [{"filters": list(filters)}],
            "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
            "properties": list(properties),
        }
        if after is not None:
            body["after"] = after
        return _moving(lambda: self.session.post(self.paths.search(name), body), after)

    def total(self, name: str, filters: Sequence[Mapping[str, str]] = ()) -> int:
        """How many live records a search finds."""
        groups = [{"filters": list(filters)}] if filters else []
        return int(self.session.post(self.paths.search(name), {"limit": 1, "filterGroups": groups}).get("total", 0))

    def read(self, name: str, ids: Sequence[str], properties: Sequence[str]) -> Batch:
        """Records by id, 100 a call. A 207 names what is missing: gone for good, or worth another try."""
        done = Batch()
        for start in range(0, len(ids), READ_BATCH):
            asking = list(ids[start : start + READ_BATCH])
            for _ in range(_TRIES):
                asking = self._read_once(name, asking, properties, done)
                if not asking:
                    break
            done.failed += asking
        return done

    def _read_once(self, name: str, asking: Sequence[str], properties: Sequence[str], done: Batch) -> list[str]:
        """One call; gives the ids to ask for again."""
        body = {"inputs": [{"id": ref} for ref in asking], "properties": list(properties), "propertiesWithHistory": []}
        answer = self.session.post(self.paths.read(name), body)
        done.rows += answer.get("results", ())
        found = {str(row["id"]) for row in answer.get("results", ())}
        missing = [ref for ref in asking if ref not in found]
        again = unsettled(answer, missing)
        done.gone += [ref for ref in missing if ref not in again]
        return again


def _moving(ask: Callable[[], Mapping[str, Any]], after: str | None) -> Mapping[str, Any]:
    """An answer whose next page is another one than was asked for: one that stands still is an older answer given once
    more, and following it would never end.
    """
    for _ in range(_TRIES):
        body = ask()
        if after is None or next_after(body) != after:
            return body
    raise VendorError("retry", f"HubSpot gave the page before {after} again, {_TRIES} times")


_GONE = frozenset({"OBJECT_NOT_FOUND", "VALIDATION_ERROR"})
"""Categories of a 207's entries that another try does not mend: no such record, or no such id."""


def unsettled(answer: Mapping[str, Any], missing: Sequence[str]) -> list[str]:
    """Which ids of a batch are worth another try: those that an entry of `errors` names for a passing reason. An entry
    that names none (recorded ones may) concerns every id that neither came nor is named otherwise.
    """
    settled: set[str] = set()
    named: set[str] = set()
    nameless = False
    for error in answer.get("errors") or ():
        ids = {ref for values in (error.get("context") or {}).values() if isinstance(values, list) for ref in values}
        ids = {str(ref) for ref in ids} & set(missing)
        if str(error.get("category")) in _GONE:
            settled |= ids or {ref for ref in missing if f"={ref} " in str(error.get("message"))}
        elif ids:
            named |= ids
        else:
            nameless = True
    return [ref for ref in missing if ref in named or (nameless and ref not in settled)]


def condition(name: str, operator: str, value: object) -> dict[str, str]:
    """One filter of a search."""
    return {"propertyName": name, "operator": operator, "value": str(value)}
