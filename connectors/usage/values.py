"""Read single values of a feed's row: texts, numbers, instants, addresses; an error says which column and how to mend it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from store.records import DAY, SECOND, Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 1_000
_MOST_ADDRESSES = 500
_SHORT = 40
_ADDRESS = re.compile(r"[^\s@<>\"(),;:]{1,128}@[^\s@<>\"(),;:]{1,255}")
_NAMED = re.compile(r"<([^<>]*)>\s*$")
_YES, _NO = ("true", "yes", "1", "y", "t"), ("false", "no", "0", "n", "f")
# Years 2000 to 2100: what lies outside is a mistake of unit or of format, and would spoil every trend.
_FIRST, _LAST = 10_957 * DAY, 47_482 * DAY

MISSING = object()
"""What `look` gives where there is no such column."""


class BadRow(ValueError):
    """A row that cannot be read: the message says which column and how it should look."""


class BadValue(BadRow):
    """A value that is not what its column should hold. Messages end up in logs and run records, so it is shown only
    where it is short and no address.
    """

    def __init__(self, column: str, raw: Any, remedy: str) -> None:
        super().__init__(f"`{column}` is {_shown(raw)}: {remedy}")
        self._column, self._remedy = column, remedy

    def unshown(self) -> BadRow:
        """The same without the value: of an activity it may be a piece of a subject in the wrong column."""
        return BadRow(f"`{self._column}` has a value that cannot be read: {self._remedy}")


class Unnamed(BadRow):
    """A row that names neither an account nor a user."""


def look(row: Mapping[str, Any], name: str) -> Any:
    """The value of a column; a name with dots is also a path into nested objects. MISSING where there is none."""
    if name in row:
        return row[name]
    value: Any = row
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return MISSING
        value = value[part]
    return value


def given(row: Mapping[str, Any], name: str | None) -> Any:
    """The value of an optional column; None where it is missing or empty."""
    value = None if name is None else look(row, name)
    return None if value is MISSING or (isinstance(value, str) and not value.strip()) else value


def text(raw: Any, column: str) -> str:
    """A plain text on one line without blanks around it; empty for none."""
    if isinstance(raw, list | tuple) and len(raw) == 1:
        raw = raw[0]  # Amplitude's exports have the groups of an event as lists
    if raw is None:
        return ""
    if isinstance(raw, Mapping | list | tuple):
        raise BadRow(f"`{column}` is a list or an object: write one value")
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)  # a spreadsheet's or a frame's way to write an id
    found = str(raw).strip()
    if len(found) > _LONGEST:
        raise BadRow(f"`{column}` is longer than {_LONGEST:,} characters")
    if not found.isprintable():
        raise BadRow(f"`{column}` has characters that no name has (line breaks, control characters, not UTF-8)")
    return found


def line(raw: Any) -> str:
    """A text for people, on one line, without what cannot be shown."""
    shown = "".join(char if char.isprintable() else " " for char in str(raw))
    return " ".join(shown.split())[:_LONGEST]


def moment(raw: Any, column: str) -> Instant:
    """An ISO date or date-time, epoch seconds or milliseconds, or what a database gives, as UTC microseconds."""
    at = _moment(raw, column)
    if not _FIRST <= at <= _LAST:
        raise BadValue(column, raw, "that is not between the years 2000 and 2100")
    return at


def _moment(raw: Any, column: str) -> Instant:
    if isinstance(raw, datetime):
        aware = raw if raw.tzinfo else raw.replace(tzinfo=UTC)
        return (aware - _EPOCH) // timedelta(microseconds=1)
    if isinstance(raw, date):
        return (raw - _EPOCH.date()).days * DAY
    word = str(raw if raw is not None and not isinstance(raw, bool) else "").strip()
    if word.isascii() and word.isdigit() and 9 <= len(word) <= 14:
        return int(word) * (1_000 if len(word) >= 12 else SECOND)
    try:
        return _moment(date.fromisoformat(word) if len(word) == 10 else datetime.fromisoformat(word), column)
    except (ValueError, OverflowError):
        raise BadValue(column, raw, "write a date as 2026-03-31 or 2026-03-31T06:00:00Z") from None


def number(raw: Any, column: str) -> float | None:
    """A number that is zero or more; None for an empty one."""
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    try:
        value = math.nan if isinstance(raw, bool | Mapping | list) else float(raw)
    except (ValueError, TypeError, OverflowError):
        value = math.nan
    if math.isnan(value):
        raise BadValue(column, raw, "write a number, or leave it empty")
    if math.isinf(value) or value < 0:
        raise BadValue(column, raw, "usage is zero or more")
    return value


def count(raw: Any, column: str) -> int | None:
    """A whole number that is zero or more; None for an empty one."""
    value = number(raw, column)
    if value is not None and (not value.is_integer() or value > 2**31 - 1):
        raise BadValue(column, raw, "write a whole number")
    return None if value is None else int(value)


def flag(raw: Any, column: str) -> bool | None:
    """true, false, or None for an empty one."""
    if raw is None or isinstance(raw, bool):
        return raw
    word = text(raw, column).casefold()
    if word in _YES or word in _NO:
        return word in _YES
    if not word:
        return None
    raise BadValue(column, raw, "write true or false, or leave it empty")


def choice(raw: Any, column: str, words: Mapping[str, str]) -> str | None:
    """What one of `words` means; None for an empty one."""
    word = text(raw, column).casefold().replace(" ", "_").replace("-", "_")
    if word and word not in words:
        raise BadValue(column, raw, f"write one of {', '.join(sorted(set(words)))}")
    return words[word] if word else None


def user_of(raw: Any, column: str) -> str:
    """Who a row is about, in lower case: an e-mail address where it is to find an account."""
    return text(raw, column).casefold()


def addresses(raw: Any, column: str) -> tuple[str, ...]:
    """E-mail addresses in lower case, each once: a list, or a text parted by semicolons or commas, names allowed."""
    parts: Iterable[Any] = raw if isinstance(raw, list | tuple) else re.split(r"[;,]", "" if raw is None else str(raw))
    found: dict[str, None] = {}
    for part in parts:
        word = str(part).strip()
        named = _NAMED.search(word)
        address = (named.group(1) if named else word).strip().casefold()
        # A comma inside a quoted name parts it from its address; what has no @ is such a piece.
        if not address or ("@" not in address and not isinstance(raw, list | tuple) and named is None):
            continue
        if not _ADDRESS.fullmatch(address) or not address.isprintable():
            raise BadRow(f"`{column}` holds something that is no e-mail address: write name@example.com")
        found[address] = None
    if len(found) > _MOST_ADDRESSES:
        raise BadRow(f"`{column}` has more than {_MOST_ADDRESSES} addresses")
    return tuple(found)


def _shown(raw: Any) -> str:
    """A value in a message: short, on one line, and no address."""
    word = str(raw)
    if len(word) > _SHORT or "@" in word:
        return f"a text of {len(word):,} characters"
    return repr(word)


def shown_names(names: Iterable[Any]) -> str:
    """Names of columns in a message; a file without a header has values there."""
    return ", ".join("(an address)" if "@" in str(name) else printable(str(name)[:_SHORT]) for name in names)[:200]


def printable(text: str) -> str:
    """A text that any log, terminal and database takes: what is not UTF-8 or controls something is a question mark."""
    return "".join(char if char.isprintable() else "?" for char in text)
