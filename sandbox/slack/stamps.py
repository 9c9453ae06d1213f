"""Slack's text stamps: seconds with six decimals, as a key within one channel."""

from __future__ import annotations

import re

SECOND = 1_000_000
_FORM = re.compile(r"\d{1,12}(\.\d{1,6})?")


def to_ts(at: int) -> str:
    """UTC microseconds -> "1503435956.000247"."""
    return f"{at // SECOND}.{at % SECOND:06d}"


def from_ts(text: str) -> int | None:
    """A stamp, or seconds with fewer decimals, -> UTC microseconds; None where it is neither."""
    if not _FORM.fullmatch(text):
        return None
    whole, _, part = text.partition(".")
    return int(whole) * SECOND + int(part.ljust(6, "0") or "0")
