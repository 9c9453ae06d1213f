"""The units that every record uses: instants, days, raw values."""

from __future__ import annotations

Instant = int
"""UTC microseconds since 1970-01-01."""
Day = int
"""Days since 1970-01-01."""
Scalar = str | int | float | bool | None
"""One raw field value as a CRM gives it (JSON scalar)."""

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
