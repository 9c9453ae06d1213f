"""The usage connector: what is new in the files or behind the query, as records.

A row that cannot be read is counted, the first few are named with file and line, and the rest is applied. A file that
cannot be read at all is tried again at the next sync.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.http import Finding, Preview
from connectors.usage import files
from connectors.usage.query import query_rows
from connectors.usage.rows import FedRecord, check_header, reader
from connectors.usage.settings import UsageSettings
from connectors.usage.values import BadRow, printable
from store.records import Batch, Clock, Instant, StreamTrouble, SyncEvent, UsageMap

MAP = "map"
_BATCH = 5_000
_SHOWN = 3
"""How many bad rows of a file are named."""


@dataclass
class _Bad:
    """Rows that could not be read: how many, and the first few."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, place: str, error: BadRow) -> None:
        self.count += 1
        if len(self.first) < _SHOWN:
            self.first.append(f"{place}: {error}")

    def text(self) -> str:
        more = self.count - len(self.first)
        return "; ".join(self.first) + (f"; and {more:,} more such rows" if more else "")


class UsageConnector:
    """One feed. `calls` counts queries; files cost none. `folder` is what file patterns are relative to."""

    def __init__(self, settings: UsageSettings, clock: Clock, folder: Path) -> None:
        self.calls = 0
        self._settings, self._clock, self._folder = settings, clock, folder

    def streams(self) -> tuple[str, ...]:
        """What the feed brings, and its explicit map where it has one."""
        return (self._settings.content, *((MAP,) if self._settings.accounts else ()))

    def sweeps(self) -> Mapping[str, Instant]:
        """None."""
        return {}

    def sweep(self, name: str, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
        """None."""
        del name, cursors
        return iter(())

    def close(self) -> None:
        """Nothing is kept open."""

    def sync(self, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
        """The map, then the rows of files that are new or differ from when they were last read, or of the query."""
        if self._settings.accounts:
            yield from self._map(self._settings.accounts, cursors.get(MAP))
        stored = cursors.get(self._settings.content)
        if self._settings.url:
            yield from self._query(stored)
        elif self._settings.files:
            yield from self._files(stored)

    # ------------------------------------------------------------ files

    def _files(self, stored: str | None) -> Iterator[SyncEvent]:
        stream, started = self._settings.content, self._clock.now()
        before: dict[str, Any] = json.loads(stored) if stored else {}
        # A first read that was cut short goes on as one: its rows are the history, not today's news.
        first = before.get("first", stored is None)
        paths = {self._name(path): path for path in self.files()}
        if not paths:
            patterns = ", ".join(self._settings.files)
            yield StreamTrouble(
                stream, "failed", f"no file matches {patterns} below {self._folder.name}/: mend `files`"
            )
            return
        known = {name: entry for name, entry in before.get("files", {}).items() if name in paths}
        fresh = {name: path for name, path in paths.items() if not _unchanged(known.get(name), path)}
        ready = set(files.settled(list(fresh.values()), self._settings.settle_seconds, self._clock))
        broken: list[str] = []
        for name, path in fresh.items():
            if path not in ready:
                continue
            bad = _Bad()
            try:
                look, mark = files.size_and_time(path), files.digest(path)
                entry = known.get(name)
                if entry is None or entry["mark"] != mark:
                    yield from self._batches(self._records(path, name, bad, first_read=first), _cursor(known, first))
            except (OSError, files.BadFile, BadRow) as error:
                broken.append(f"{printable(name)}: {error.strerror if isinstance(error, OSError) else error}")
                continue
            if look != files.size_and_time(path):
                ready.discard(path)  # it was written while it was read: what was seen is kept, and it is read again
                continue
            known = known | {name: {"look": look, "mark": mark} | ({"bad": bad.text()} if bad.count else {})}
            yield Batch(stream, (), _cursor(known, first))
        complete = not broken and len(ready) == len(fresh)
        yield Batch(stream, (), _cursor(known, first and not complete and not broken), started if complete else None)
        broken += [entry["bad"] for _, entry in sorted(known.items()) if "bad" in entry]
        if broken:
            yield StreamTrouble(stream, "partial", "; ".join(broken))

    def files(self) -> list[Path]:
        """The files that the patterns name and that are finished, in the order of their names."""
        return files.matching(self._folder, self._settings.files, self._settings.marker)

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix() if path.is_relative_to(self._folder) else path.as_posix()

    def _records(self, path: Path, name: str, bad: _Bad, *, first_read: bool) -> Iterator[FedRecord]:
        """Every record of one file; rows that cannot be read are noted in `bad`. BadFile, BadRow (of the header)."""
        read = reader(self._settings, first_read=first_read)
        with files.lines(path) as table:
            if table.names:
                check_header(table.names, self._settings)
            for line, row in table.rows:
                try:
                    if isinstance(row, BadRow):
                        raise row
                    yield from read(row)
                except BadRow as error:
                    bad.add(f"{printable(name)}:{line}", error)

    def _batches(self, records: Iterator[FedRecord], cursor: str) -> Iterator[SyncEvent]:
        """Batches that move no cursor: it covers a file once all its rows are there, and rows may come twice."""
        some: list[FedRecord] = []
        for record in records:
            some.append(record)
            if len(some) == _BATCH:
                yield Batch(self._settings.content, tuple(some), cursor)
                some = []
        if some:
            yield Batch(self._settings.content, tuple(some), cursor)

    # ------------------------------------------------------------ query

    def _query(self, stored: str | None) -> Iterator[SyncEvent]:
        from sqlalchemy.exc import SQLAlchemyError

        stream, started, bad = self._settings.content, self._clock.now(), _Bad()
        done = json.dumps({"query": _digest(self._settings.query or "")})
        self.calls += 1
        try:
            yield from self._batches(self._queried(bad, first_read=stored in (None, "{}")), stored or "{}")
        except BadRow as error:
            yield StreamTrouble(stream, "failed", f"query: {error}")
            return
        except SQLAlchemyError as error:
            # The driver's text may carry the address with its password; its class says enough.
            name = type(error).__name__
            yield StreamTrouble(
                stream, "retry", f"the usage database does not answer ({name}): check `url` and `query`"
            )
            return
        yield Batch(stream, (), done, fresh_at=started)
        if bad.count:
            yield StreamTrouble(stream, "partial", bad.text())

    def _queried(self, bad: _Bad, *, first_read: bool) -> Iterator[FedRecord]:
        assert self._settings.url is not None
        assert self._settings.query is not None
        read, number = reader(self._settings, first_read=first_read), 0
        groups = query_rows(self._settings.url, self._settings.query)
        check_header(next(groups)[0], self._settings)
        for rows in groups:
            for row in rows:
                number += 1
                try:
                    yield from read(row)
                except BadRow as error:
                    bad.add(f"row {number} of the query", error)

    # ------------------------------------------------------------ the explicit map

    def _map(self, name: str, stored: str | None) -> Iterator[SyncEvent]:
        started, path = self._clock.now(), self._folder / name
        try:
            mark = json.dumps({"mark": files.digest(path)})
            pairs = () if mark == stored else tuple(_pairs(path))
        except (OSError, files.BadFile, BadRow) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            yield StreamTrouble(MAP, "failed", f"{name}: {reason}: mend `accounts`")
            return
        yield Batch(MAP, () if mark == stored else (UsageMap(pairs),), mark, fresh_at=started)

    # ------------------------------------------------------------ check and preview

    def check(self) -> Sequence[Finding]:
        """Can everything be read as it is."""
        if self._settings.push:
            return [Finding("ok", f"{self._settings.content} are pushed to the ingest listener")]
        rows, troubles = 0, []
        for event in self.sync({}):
            if isinstance(event, StreamTrouble):
                level = "warning" if event.kind == "partial" and rows else "error"
                troubles.append(Finding(level, event.message, "then check again"))
            else:
                rows += len(event.records) if event.stream != MAP else 0
        what = f"{self._settings.content} of {', '.join(self._settings.metrics)}" if self._settings.metrics else (
            self._settings.content
        )  # fmt: skip
        return troubles or [Finding("ok", f"{rows:,} {what} readable")]

    def permissions(self) -> list[tuple[str, str]]:
        """What the feed needs."""
        what = f"{self._settings.content}; nothing is ever written there"
        if self._settings.url:
            return [("SELECT on what the query reads", what)]
        return [("read access to the files", what)] if self._settings.files else []

    def preview(self) -> Preview:
        """How many records a first read brings."""
        count = sum(len(event.records) for event in self.sync({}) if isinstance(event, Batch))
        return Preview({self._settings.content: count}, 0, 0.0, None, None)


def _cursor(known: Mapping[str, Any], first: bool) -> str:
    return json.dumps({"files": known} | ({"first": True} if first else {}), sort_keys=True)


def _unchanged(entry: Any, path: Path) -> bool:
    look = files.size_and_time(path)
    return entry is not None and look is not None and list(look) == list(entry["look"])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    with files.lines(path) as table:
        if not {"key", "account"} <= set(table.names or ()):
            raise BadRow("the columns `key` and `account` are missing in the first line")
        for line, row in table.rows:
            if isinstance(row, BadRow):
                raise BadRow(f"line {line}: {row}")
            key, account = str(row["key"]).strip(), str(row["account"]).strip()
            if not key or not account or not (key + account).isprintable():
                raise BadRow(f"line {line}: `key` and `account` both need a name")
            yield key, account
