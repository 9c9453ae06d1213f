"""Results of the Bulk API as rows that look as the REST API gives them: strictly decoded, typed by describe.

CSV says less than JSON: everything is text, null is the empty cell, compound fields are not served. Salesforce keeps no
empty text, so an empty cell is null and nothing else; "NA", "null", NUL and line ends inside a cell are text.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from connectors.http import VendorError
from connectors.salesforce.values import Row

_LONGEST_CELL = 1 << 24
"""Characters; a long text area has 131,072, which is the csv module's own limit and would be refused by one."""
_BLOCK = 1 << 18
_WHOLE, _NUMBERS = frozenset({"int", "long"}), frozenset({"double", "currency", "percent"})
COMPOUND = frozenset({"address", "location"})

Types = Mapping[str, str]
"""Field (`Amount`, `Account.Name`) -> its type in describe."""


class Torn(VendorError):
    """A page of results that is not what its headers promise: it is read again."""

    def __init__(self, why: str) -> None:
        super().__init__("retry", f"a page of Bulk results is not whole: {why}")


@dataclass(frozen=True, slots=True)
class Columns:
    """What to ask the Bulk API for, and how the rows are put together again."""

    asked: tuple[str, ...]
    compounds: Mapping[str, Mapping[str, str]]
    """Compound field -> {key in the REST API's object: component field}."""
    only_parts: frozenset[str]
    """Components that nobody wanted for themselves."""
    types: Types


def columns(fields: Sequence[str], describe: Mapping[str, Any], related: Types) -> Columns:
    """The columns for these fields; a compound field becomes its components. `related`: types of fields with a path."""
    known = {field["name"]: field for field in describe["fields"]}
    asked: dict[str, None] = {}
    compounds: dict[str, dict[str, str]] = {}
    for name in fields:
        if name in known and known[name]["type"] in COMPOUND:
            parts = [f["name"] for f in describe["fields"] if f.get("compoundFieldName") == name and f["name"] != name]
            compounds[name] = {_key(name, part): part for part in parts}
            asked |= dict.fromkeys(parts)
        else:
            asked[name] = None
    types = {name: field["type"] for name, field in known.items() if name in asked}
    only_parts = frozenset(asked) - frozenset(fields)
    return Columns(tuple(asked), compounds, only_parts, {**types, **related})


def _key(compound: str, part: str) -> str:
    """`BillingAddress`, `BillingPostalCode` -> `postalCode`; `Site__c`, `Site__Latitude__s` -> `latitude`."""
    stem = compound.removesuffix("__c").removesuffix("Address")
    bare = part.removesuffix("__s").removesuffix("__pc").removesuffix("__c").removeprefix(stem).lstrip("_")
    return bare[:1].lower() + bare[1:]


def verified(file: IO[bytes], columns_: Columns, count: int) -> None:
    """The file holds the asked columns and so many whole rows; `Torn` where it does not. Reads it through once."""
    _ends_well(file)
    found = 0
    try:
        reader = _reader(file)
        _same_head(next(reader, None), columns_)
        for cells in reader:
            found += 1
            if len(cells) != len(columns_.asked):
                raise Torn(f"row {found} has {len(cells)} cells in place of {len(columns_.asked)}")
    except (csv.Error, UnicodeDecodeError) as error:
        raise Torn(f"row {found + 1} cannot be read ({error})") from error
    if found != count:
        raise Torn(f"{found:,} rows where its header says {count:,}")


def rows(file: IO[bytes], columns_: Columns) -> Iterator[Row]:
    """The rows of a verified file, as the REST API gives them."""
    reader = _reader(file)
    head = next(reader, None) or []
    convert = [(name, _converter(columns_.types.get(name, "string"))) for name in head]
    for cells in reader:
        flat = {name: turn(cell) if cell else None for (name, turn), cell in zip(convert, cells, strict=True)}
        yield _row(flat, columns_)


def _row(flat: dict[str, Any], columns_: Columns) -> Row:
    for name, parts in columns_.compounds.items():
        values = {key: flat[part] for key, part in parts.items()}
        flat[name] = values if any(value is not None for value in values.values()) else None
    for name in columns_.only_parts:
        flat.pop(name, None)
    nested = [name for name in flat if "." in name]
    for name in nested:
        _nest(flat, name.split("."), flat.pop(name))
    return flat


def _nest(row: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """`Owner.Email` as {"Owner": {"Email": ...}}; a reference that leads nowhere is null, as in the REST API."""
    head, *rest = path
    if not rest:
        row[head] = value
        return
    if row.get(head) is None:
        row[head] = None
        if value is None:
            return
        row[head] = {}
    _nest(row[head], rest, value)


def _converter(kind: str) -> Callable[[str], Any]:
    if kind == "boolean":
        return lambda cell: cell == "true"
    if kind in _WHOLE:
        return int
    if kind in _NUMBERS:
        # As JSON reads the same digits: 1000.0 is a float, 1000 an int.
        return lambda cell: int(cell) if cell.lstrip("-").isdecimal() else float(cell)
    if kind == "datetime":
        # In JSON an instant ends in +0000, in CSV in Z.
        return lambda cell: cell.removesuffix("Z") + "+0000" if cell.endswith("Z") else cell
    return str


def _reader(file: IO[bytes]) -> Iterator[list[str]]:
    file.seek(0)
    csv.field_size_limit(_LONGEST_CELL)
    blocks = io.BufferedReader(_Kept(file), _BLOCK)
    return csv.reader(io.TextIOWrapper(blocks, encoding="utf-8", errors="strict", newline=""), strict=True)


class _Kept(io.RawIOBase):
    """The file, left open when a reader of it is dropped."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes."""
        block = self._file.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


def _ends_well(file: IO[bytes]) -> None:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 1))
    if file.read(1) != b"\n":
        raise Torn("it stops in the middle of a row")


def _same_head(head: list[str] | None, columns_: Columns) -> None:
    if head is None or {name.lower() for name in head} != {name.lower() for name in columns_.asked}:
        raise Torn("its first line does not name the columns that were asked for")
