"""Results of a query job as CSV, a few hundred rows at a time, so that gigabytes never stand in memory."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

from sandbox.clock import iso_ms
from sandbox.salesforce.soql.run import Table
from sandbox.salesforce.wire import day
from sandbox.versions import At, On, Row

ROWS_AT_ONCE = 500


def text_of(value: object) -> str:
    """A value as CSV carries it: null is empty, instants end in Z (in JSON they end in +0000)."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, At):
        return iso_ms(value.us - value.us % 1_000_000)
    if isinstance(value, On):
        return day(value.day)
    return str(value)


def quoted(cells: Sequence[str], delimiter: str) -> str:
    """One line without its end: every cell in quotes, quotes doubled."""
    return delimiter.join('"' + cell.replace('"', '""') + '"' for cell in cells)


def pages(
    table: Table,
    rows: Sequence[Row],
    *,
    delimiter: str,
    line_ending: str,
    lock: AbstractContextManager[object],
    cut: bool = False,
    count: Callable[[int], None],
) -> Iterator[bytes]:
    """Head and rows as UTF-8 pieces; `lock` is held while values are read, `count` is told the bytes of each piece.

    `cut`: the last row stops in its middle, as when the vendor's writer dies.
    """
    yield (quoted(table.names, delimiter) + line_ending).encode()
    for start in range(0, len(rows), ROWS_AT_ONCE):
        with lock:
            piece = rows[start : start + ROWS_AT_ONCE]
            lines = [quoted([text_of(get(row)) for get in table.getters], delimiter) + line_ending for row in piece]
        if cut and start + ROWS_AT_ONCE >= len(rows) and lines:
            lines[-1] = lines[-1][: max(1, len(lines[-1]) // 2)]
        data = "".join(lines).encode("utf-8", "surrogatepass")
        count(len(data))
        yield data


def gzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same, compressed as it goes."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    for piece in pieces:
        packed = packer.compress(piece)
        if packed:
            yield packed
    yield packer.flush()
