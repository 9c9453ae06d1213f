"""The rows in a pushed body: a JSON array, one object, a list inside an object, or JSON lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from connectors.usage.files import json_row
from connectors.usage.rows import FedRecord, reader
from connectors.usage.settings import UsageSettings
from connectors.usage.values import MISSING, BadRow, look

JSON_LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
JSON_TYPES = ("application/json", *JSON_LINES)
_SHOWN = 10


class BadBody(ValueError):
    """A body that is not applied: the message says why. `rows`: (number from 1, reason) of the first bad ones."""

    def __init__(self, message: str, rows: tuple[tuple[int, str], ...] = (), count: int = 0) -> None:
        super().__init__(message)
        self.rows = rows
        self.count = count


class TooManyRows(BadBody):
    """More rows than one push may have: send them in several."""


def pushed(body: bytes, media_type: str, settings: UsageSettings, most_rows: int) -> list[FedRecord]:
    """Every record of a body, all rows of it valid; BadBody. `media_type`: one of JSON_TYPES."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadBody("the body is not UTF-8") from None
    rows = _lines(text) if media_type in JSON_LINES else _json(text, settings.rows)
    if len(rows) > most_rows:
        raise TooManyRows(
            f"{len(rows):,} rows are more than the {most_rows:,} that one push may have: send them in parts"
        )
    read = reader(settings, first_read=False)
    found: list[FedRecord] = []
    bad: list[tuple[int, str]] = []
    count = 0
    for number, row in enumerate(rows, start=1):
        try:
            if isinstance(row, BadRow):
                raise row
            found += read(row)
        except BadRow as error:
            count += 1
            if len(bad) < _SHOWN:
                bad.append((number, str(error)))
    if bad:
        raise BadBody(f"{count:,} of {len(rows):,} rows cannot be read, so none is applied", tuple(bad), count)
    return found


def _lines(text: str) -> list[Mapping[str, Any] | BadRow]:
    return [json_row(line) for line in text.split("\n") if line.strip()]


def _json(text: str, path: str | None) -> list[Mapping[str, Any] | BadRow]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = f"{error.msg} in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "too deep"
        raise BadBody(f"the body is no valid JSON ({reason}); JSON lines are sent as application/x-ndjson") from None
    if path is not None and isinstance(value, dict):
        value = look(value, path)
        if value is MISSING or not isinstance(value, list):
            raise BadBody(f"there is no list at `{path}` (the feed's `rows`) in the body")
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        raise BadBody("the body is neither a list of objects nor an object")
    return [row if isinstance(row, dict) else BadRow("not an object: a row is one object") for row in value]
