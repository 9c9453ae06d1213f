"""The usage connector: what is new in the files or behind the query, as samples.

A file with a bad row is not applied at all, and the message names file, line and remedy; the other files are.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from connectors.http import Finding, Preview
from connectors.usage.rows import BadRow, samples
from connectors.usage.settings import UsageSettings
from store.records import Batch, Clock, Instant, StreamTrouble, SyncEvent, UsageSample

STREAM = "samples"
_BATCH = 5_000
_MOST_BYTES = 2_000_000_000


class UsageConnector:
    """One feed. `calls` counts queries; files cost none. `folder` is what file patterns are relative to."""

    def __init__(self, settings: UsageSettings, clock: Clock, folder: Path) -> None:
        self.calls = 0
        self._settings, self._clock, self._folder = settings, clock, folder

    def streams(self) -> tuple[str, ...]:
        """The one stream."""
        return (STREAM,)

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
        """Samples of the files that are new or differ from when they were last read, or of the query."""
        return self._query(cursors.get(STREAM)) if self._settings.url else self._files(cursors.get(STREAM))

    # ------------------------------------------------------------ files

    def _files(self, stored: str | None) -> Iterator[SyncEvent]:
        started = self._clock.now()
        before: dict[str, Any] = json.loads(stored) if stored else {}
        known: dict[str, str] = before.get("files", {})
        # A first read that was cut short goes on as one: its samples are the history, not today's news.
        first = before.get("first", stored is None)
        paths = self.files()
        if not paths:
            patterns = ", ".join(self._settings.files)
            yield StreamTrouble(
                STREAM, "failed", f"no file matches {patterns} below {self._folder.name}/: mend `files`"
            )
            return
        bad: list[str] = []
        for path in paths:
            name = path.relative_to(self._folder).as_posix() if path.is_relative_to(self._folder) else path.name
            try:
                mark = _mark(path)
                if known.get(name) == mark:
                    continue
                found = self._read(path, name, first_read=first)
            except (OSError, BadRow) as error:
                bad.append(f"{name}: {error.strerror}" if isinstance(error, OSError) else str(error))
                continue
            known = known | {name: mark}
            yield from self._batches(found, _cursor(known, first=first))
        cursor = _cursor(known, first=False)
        if bad:
            if first:
                yield Batch(STREAM, (), cursor)
            yield StreamTrouble(STREAM, "partial", "; ".join(bad))
        else:
            yield Batch(STREAM, (), cursor, fresh_at=started)

    def files(self) -> list[Path]:
        """The files that the patterns name, in the order of their names."""
        found = {path for pattern in self._settings.files for path in self._matching(pattern) if path.is_file()}
        return sorted(found)

    def _matching(self, pattern: str) -> Iterator[Path]:
        if Path(pattern).is_absolute():
            base = Path(pattern).anchor
            return Path(base).glob(str(Path(pattern).relative_to(base)))
        return self._folder.glob(pattern)

    def _read(self, path: Path, name: str, *, first_read: bool) -> list[UsageSample]:
        """Every sample of one file; BadRow with file and line at the first row that cannot be read."""
        if path.stat().st_size > _MOST_BYTES:
            raise BadRow(f"{name}: larger than {_MOST_BYTES:,} bytes: split it by day")
        rows = _jsonl(path, name) if path.suffix in (".jsonl", ".ndjson") else _csv(path, name)
        found: list[UsageSample] = []
        for line, row in rows:
            try:
                found += samples(row, self._settings, first_read=first_read)
            except BadRow as error:
                raise BadRow(f"{name}:{line}: {error}") from None
        return found

    def _batches(self, found: Sequence[UsageSample], cursor: str) -> Iterator[SyncEvent]:
        # The cursor of a file covers all its rows: until the last batch it stays where it was, and rows are idempotent.
        for start in range(0, len(found) or 1, _BATCH):
            last = start + _BATCH >= len(found)
            some = tuple(found[start : start + _BATCH])
            yield Batch(STREAM if last else f"{STREAM}:part", some, cursor if last else "{}")

    # ------------------------------------------------------------ query

    def _query(self, stored: str | None) -> Iterator[SyncEvent]:
        from sqlalchemy.exc import SQLAlchemyError

        started = self._clock.now()
        try:
            rows = self._rows()
            found = [s for row in rows for s in samples(row, self._settings, first_read=stored is None)]
        except BadRow as error:
            yield StreamTrouble(STREAM, "failed", f"query: {error}")
            return
        except SQLAlchemyError as error:
            # The driver's text may carry the address with its password; its class says enough.
            name = type(error).__name__
            yield StreamTrouble(
                STREAM, "retry", f"the usage database does not answer ({name}): check `url` and `query`"
            )
            return
        yield from self._batches(found, json.dumps({"query": _digest(self._settings.query or "")}))
        yield Batch(STREAM, (), json.dumps({"query": _digest(self._settings.query or "")}), fresh_at=started)

    def _rows(self) -> list[Mapping[str, Any]]:
        from sqlalchemy import create_engine, text
        from sqlalchemy.pool import NullPool

        assert self._settings.url is not None
        assert self._settings.query is not None
        engine = create_engine(self._settings.url.get_secret_value(), poolclass=NullPool)
        self.calls += 1
        try:
            with engine.connect() as connection:
                if engine.dialect.name == "postgresql":
                    connection.execute(text("SET TRANSACTION READ ONLY"))
                elif engine.dialect.name == "sqlite":
                    connection.exec_driver_sql("PRAGMA query_only=ON")
                rows = connection.execute(text(self._settings.query)).mappings().all()
                connection.rollback()
        finally:
            engine.dispose()
        return [dict(row) for row in rows]

    # ------------------------------------------------------------ check and preview

    def check(self) -> Sequence[Finding]:
        """Can everything be read as it is."""
        events = list(self.sync({}))
        troubles = [event for event in events if isinstance(event, StreamTrouble)]
        if troubles:
            return [Finding("error", trouble.message, "then check again") for trouble in troubles]
        count = sum(len(event.records) for event in events if isinstance(event, Batch))
        return [Finding("ok", f"{count:,} samples of {', '.join(self._settings.metrics)} readable")]

    def permissions(self) -> list[tuple[str, str]]:
        """What the feed needs."""
        if self._settings.url:
            return [("SELECT on what the query reads", "samples of usage; nothing is ever written there")]
        return [("read access to the files", "samples of usage; nothing is ever written there")]

    def preview(self) -> Preview:
        """How many samples a first read brings."""
        count = sum(len(event.records) for event in self.sync({}) if isinstance(event, Batch))
        return Preview({STREAM: count}, 0, 0.0, None, None)


def _cursor(files: Mapping[str, str], *, first: bool) -> str:
    return json.dumps({"files": files} | ({"first": True} if first else {}), sort_keys=True)


def _mark(path: Path) -> str:
    """Changes when the file's content does."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:32]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _csv(path: Path, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            for row in reader:
                if None in row or None in row.values():
                    raise BadRow(
                        f"{name}:{reader.line_num}: this row has not as many fields as the header: complete it"
                    )
                yield reader.line_num, row
        except csv.Error as error:
            raise BadRow(f"{name}:{reader.line_num}: no valid CSV ({error}): mend the quotes") from None
        except UnicodeDecodeError:
            raise BadRow(f"{name}: not UTF-8: save it with that encoding") from None


def _jsonl(path: Path, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(encoding="utf-8") as file:
        try:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise BadRow(f"{name}:{number}: no valid JSON ({error}): one object a line") from None
                if not isinstance(row, dict):
                    raise BadRow(f"{name}:{number}: not an object: write one object a line")
                yield number, row
        except UnicodeDecodeError:
            raise BadRow(f"{name}: not UTF-8: save it with that encoding") from None
