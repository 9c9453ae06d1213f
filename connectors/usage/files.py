"""Read the files of a feed row by row: CSV, JSON lines and Parquet, plain or gzipped, never a whole file in memory."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from connectors.usage.values import BadRow, shown_names
from store.records import SECOND, Clock

Line = tuple[int, "Mapping[str, Any] | BadRow"]
"""Where a row begins, counted from 1, and the row or what is wrong with it."""


class Table(NamedTuple):
    """What a file holds."""

    names: Sequence[str] | None
    """Of the columns; None where every row brings its own (JSON)."""
    rows: Iterator[Line]


_JSON = (".jsonl", ".ndjson", ".json")

_UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".filepart", ".inprogress", ".swp")
_LONGEST_LINE = 1 << 20
_PARQUET_ROWS = 5_000


class BadFile(ValueError):
    """A file that cannot be read at all: the message says why and how to mend it."""


def matching(folder: Path, patterns: Sequence[str], marker: str | None) -> list[Path]:
    """The files that the patterns name and that are said to be finished, in the order of their names."""
    found: set[Path] = set()
    for pattern in patterns:
        base, relative = (folder, pattern)
        if Path(pattern).is_absolute():
            base = Path(Path(pattern).anchor)
            relative = str(Path(pattern).relative_to(base))
        found |= {path for path in base.glob(relative) if path.is_file() and _finished(path, marker)}
    return sorted(found)


def _finished(path: Path, marker: str | None) -> bool:
    if path.name.startswith((".", "~")) or path.suffix.casefold() in _UNFINISHED:
        return False
    if marker is None:
        return True
    return not path.name.endswith(marker) and path.with_name(path.name + marker).exists()


def settled(paths: Sequence[Path], seconds: float, clock: Clock) -> list[Path]:
    """Those of the files that nobody is writing: old enough, or of one size and time before and after a wait."""
    now = clock.now()
    looks = {path: look for path in paths if (look := size_and_time(path)) is not None}
    if any(now - time // 1_000 < seconds * SECOND for _, time in looks.values()):
        clock.sleep(seconds)
    return [path for path, look in looks.items() if size_and_time(path) == look]


def size_and_time(path: Path) -> tuple[int, int] | None:
    """Bytes and the time of the last write, nanoseconds; None for a file that has gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def digest(path: Path) -> str:
    """Changes when the file's content does."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()[:32]


@contextmanager
def lines(path: Path) -> Iterator[Table]:
    """The columns and the rows of a file that is open inside the block; raises BadFile, OSError."""
    suffixes = [suffix.casefold() for suffix in path.suffixes]
    packed = bool(suffixes) and suffixes[-1] == ".gz"
    kind = suffixes[-2] if packed and len(suffixes) > 1 else suffixes[-1] if suffixes else ""
    if kind == ".parquet":
        if packed:
            raise BadFile("Parquet is packed by itself: unpack the .gz around it")
        with _parquet(path) as table:
            yield table
        return
    raw = gzip.open(path, "rb") if packed else path.open("rb")  # noqa: SIM115 - closed two lines below
    # What is not UTF-8 spoils the value it stands in, not the file: no name has such characters.
    with raw, io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        try:
            yield Table(None, _jsonl(file)) if kind in _JSON else _csv(file)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise BadFile(f"cannot be unpacked ({error}): write it again") from None


def _csv(file: IO[str]) -> Table:
    reader = csv.reader(_bounded(file), strict=True)
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise BadFile(f"no valid CSV ({error}): mend the first line") from None
    if not header:
        raise BadFile("is empty: write at least the header, so that no rows and no export are told apart")
    names = [name.strip() for name in header]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadFile(f"the column `{shown_names([twice])}` is there twice: rename one of them")
    return Table(names, _csv_rows(reader, names))


def _csv_rows(reader: Any, names: Sequence[str]) -> Iterator[Line]:
    while True:
        start = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield start, BadRow(f"no valid CSV ({error}): mend the quotes")
            continue
        if row is None:
            return
        if row and len(row) != len(names):
            yield start, BadRow("this row has not as many fields as the header: complete it")
        elif row:
            yield start, dict(zip(names, row, strict=True))


def _bounded(file: IO[str]) -> Iterator[str]:
    """The lines of a file; one that never ends comes in pieces, so that it cannot fill the memory."""
    while piece := file.readline(_LONGEST_LINE):
        yield piece


def _jsonl(file: IO[str]) -> Iterator[Line]:
    number, too_long = 0, False
    while piece := file.readline(_LONGEST_LINE):
        ended = piece.endswith("\n") or len(piece) < _LONGEST_LINE
        if not too_long:
            number += 1
        if not too_long and not ended:
            yield number, BadRow(f"longer than {_LONGEST_LINE:,} characters: one object a line")
        elif not too_long and piece.strip():
            yield number, json_row(piece)
        too_long = not ended


def json_row(line: str) -> Mapping[str, Any] | BadRow:
    """One line of JSON as a row."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
        return BadRow(f"no valid JSON ({reason}): one object a line")
    return row if isinstance(row, dict) else BadRow("not an object: write one object a line")


@contextmanager
def _parquet(path: Path) -> Iterator[Table]:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise BadFile("Parquet needs a library that is not installed: pip install 'tierd[parquet]'") from None
    try:
        with ParquetFile(path) as file:
            groups = (batch.to_pylist() for batch in file.iter_batches(batch_size=_PARQUET_ROWS))
            yield Table(file.schema_arrow.names, enumerate((row for rows in groups for row in rows), start=1))
    except (ArrowException, OSError) as error:
        raise BadFile(f"no valid Parquet ({str(error)[:120]}): write it again") from None
