"""What makes two versions of a mirrored row equal, and what a row becomes whose record leaves some of it out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Table

# Columns that no record brings: keys, stamps that are no change by themselves, and what derivation adds.
_NOT_HASHED = frozenset({"source", "payload", "modified_at", "account_id", "evaluated_id", "host", "signature"})


@dataclass(frozen=True, slots=True)
class Draft:
    """A row as its record says it. `also`: what changes the row although it is kept elsewhere (links, participants)."""

    values: Mapping[str, Any]
    also: tuple[object, ...] = ()
    unread: frozenset[str] = frozenset()
    """Columns that the record could not say: the row keeps what it has."""

    @property
    def id(self) -> str:
        """The row's id in its source."""
        return str(self.values["id"])

    def row(self, source: str) -> dict[str, Any]:
        """The row with its payload hash."""
        return {"source": source, **self.values, "payload": payload(self.values, self.also)}

    def over(self, old: Mapping[str, Any]) -> Draft:
        """This draft over the row that is kept: unread columns and fields that it does not name stay."""
        kept = {name: old[name] for name in self.unread if name in self.values}
        values = {**self.values, **kept}
        if "fields" in values and old["fields"] != values["fields"]:
            values["fields"] = as_json(_fields(old["fields"]) | _fields(values["fields"]))
        return Draft(values, self.also, self.unread)


def draft(table: Table, record: object, *also: object, **given: Any) -> Draft:
    """A record as values of the columns that bear the names of its attributes; `given` are those that do not."""
    named = {column.name: getattr(record, column.name) for column in table.c if hasattr(record, column.name)}
    values = {name: _plain(value) for name, value in named.items()} | given
    unread: Iterable[str] = getattr(record, "unread", ())
    columns = {"crm_account_id" if name == "account_id" else name for name in unread}
    return Draft(values, also, frozenset(columns))


def kept(table: Table, row: Mapping[str, Any], *also: object) -> Draft:
    """A row of the store as the draft that would have made it."""
    names = [column.name for column in table.c if column.name not in _NOT_HASHED]
    return Draft({name: row[name] for name in names} | {"modified_at": row["modified_at"]}, also)


def payload(values: Mapping[str, Any], also: Iterable[object] = ()) -> str:
    """The hash of everything that makes a row what it is; the modification stamp alone is no change."""
    content = {name: value for name, value in values.items() if name not in _NOT_HASHED}
    return _digest(content, *also)


def as_json(fields: Mapping[str, object]) -> str:
    """Raw fields as the store keeps them: equal fields are equal text."""
    return json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _fields(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}  # a damaged row: nothing of it can be kept
    return found if isinstance(found, dict) else {}


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Mapping):
        return as_json(value)
    return str(value) if isinstance(value, StrEnum) else value
