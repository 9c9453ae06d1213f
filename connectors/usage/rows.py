"""One row of a feed becomes samples, or an error that says where and what."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from connectors.usage.settings import UsageSettings
from store.records import DAY, SECOND, Instant, UsageSample

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadRow(ValueError):
    """A row that cannot be read: the message says which column and how it should look."""


def samples(row: Mapping[str, Any], settings: UsageSettings, *, first_read: bool) -> list[UsageSample]:
    """The samples of one row, one per metric that has a value."""
    columns = settings.columns
    for name in (columns.key, columns.at, *settings.metrics):
        if name not in row:
            known = ", ".join(map(str, row))
            raise BadRow(f"there is no column `{name}` (columns: {known}); mend the header or `columns`/`metrics`")
    key = str(row[columns.key] or "").strip()
    if not key:
        raise BadRow(f"`{columns.key}` is empty: every row names its account")
    at = moment(row[columns.at], columns.at)
    user = str(row.get(columns.user) or "").strip().casefold() if columns.user else ""
    recorded = moment(row[columns.recorded_at], columns.recorded_at) if columns.recorded_at else None
    if recorded is None and first_read and settings.history_known_at_once:
        recorded = at
    return [
        UsageSample(key, metric, at, value, user or None, recorded)
        for metric in settings.metrics
        if (value := _number(row[metric], metric)) is not None
    ]


def moment(raw: Any, column: str) -> Instant:
    """An ISO date or date-time, epoch seconds or milliseconds, or what a database gives, as UTC microseconds."""
    if isinstance(raw, datetime):
        aware = raw if raw.tzinfo else raw.replace(tzinfo=UTC)
        return round((aware - _EPOCH).total_seconds() * SECOND)
    if isinstance(raw, date):
        return (raw - _EPOCH.date()).days * DAY
    text = str(raw if raw is not None else "").strip()
    if text.isdigit() and len(text) >= 9:
        return int(text) * (1_000 if len(text) >= 12 else SECOND)
    try:
        return moment(date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text), column)
    except ValueError:
        raise BadRow(f"`{column}` is {text!r}: write a date as 2026-03-31 or 2026-03-31T06:00:00Z") from None


def _number(raw: Any, column: str) -> float | None:
    text = str(raw if raw is not None else "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise BadRow(f"`{column}` is {text!r}: write a number, or leave it empty") from None
    if not math.isfinite(value) or value < 0:
        raise BadRow(f"`{column}` is {text}: usage is zero or more")
    return value
