"""Salesforce record ids: 15 case-sensitive characters and the 3-character suffix that makes them case-insensitive."""

from __future__ import annotations

import re
from functools import lru_cache

SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?\Z")


def suffix(fifteen: str) -> str:
    """The three characters that tell which of the fifteen are upper case, five bits per character."""
    out = ""
    for start in (0, 5, 10):
        bits = sum(1 << i for i, c in enumerate(fifteen[start : start + 5]) if "A" <= c <= "Z")
        out += SUFFIX[bits]
    return out


def make(prefix: str, number: int, instance: str = "Hs") -> str:
    """The 18-character id of the number-th record that the API created under a key prefix."""
    serial = ""
    while number:
        number, digit = divmod(number, 62)
        serial = DIGITS[digit] + serial
    fifteen = prefix + instance + serial.rjust(10, "0")
    return fifteen + suffix(fifteen)


_VALUES = {digit: value for value, digit in enumerate(DIGITS)}


def number(row_id: str) -> int:
    """The opposite of `make`: which record of its prefix and instance an id names."""
    total = 0
    for digit in row_id[5:15]:
        total = total * 62 + _VALUES[digit]
    return total


@lru_cache(maxsize=65536)
def normal(text: str) -> str | None:
    """The canonical 18-character id for a 15- or 18-character one, None when it is no id at all."""
    if not _SHAPE.match(text):
        return None
    if len(text) == 15:
        return text + suffix(text)
    return _restore_case(text)


def _restore_case(text: str) -> str | None:
    out = ""
    for part, start in enumerate((0, 5, 10)):
        bits = SUFFIX.find(text[15 + part].upper())
        if bits < 0:
            return None
        for i, c in enumerate(text[start : start + 5]):
            out += c.upper() if bits >> i & 1 else c.lower()
    fixed = out + text[15:].upper()
    return fixed if suffix(out) == text[15:].upper() else None
