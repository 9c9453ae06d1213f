"""Salesforce's values as ours: instants, dates, money, ids."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from store.records import DAY, Day, Instant

Row = dict[str, Any]
_EPOCH = date(1970, 1, 1).toordinal()


def pick(row: Row, path: str) -> Any:
    """A field by its path: `Name`, or `Opportunity.AccountId` through the nested record (in a CSV: its own column)."""
    if path in row:
        return row[path]
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def selected(row: Row, path: str) -> bool:
    """Whether the query asked for this field: what is hidden from the user is not asked for."""
    return path in row or ("." in path and path.split(".", 1)[0] in row)


def unread(row: Row, **sources: str | tuple[str, ...]) -> tuple[str, ...]:
    """Attributes whose fields the query did not ask for. `sources`: attribute -> the field or fields it is made of."""
    needed = {name: (given,) if isinstance(given, str) else given for name, given in sources.items()}
    return tuple(name for name, fields in needed.items() if not all(selected(row, field) for field in fields))


def instant(raw: Any) -> Instant | None:
    """`2022-03-17T16:21:26.000+0000` (never Z) as UTC microseconds; a bare date is its noon."""
    if not raw:
        return None
    text = str(raw)
    if len(text) == 10:
        return (date.fromisoformat(text).toordinal() - _EPOCH) * DAY + DAY // 2
    parsed = datetime.fromisoformat(text)
    at = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return round((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000) * 1000


def soql_instant(at: Instant) -> str:
    """An instant as SOQL writes it, to the millisecond."""
    return datetime.fromtimestamp(at / 1_000_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamp(row: Row, name: str) -> Instant:
    """A stamp that every row has."""
    at = instant(row.get(name))
    if at is None:
        raise ValueError(f"{row.get('attributes', {}).get('type', 'a row')} {row.get('Id')} has no {name}")
    return at


def day(raw: Any) -> Day | None:
    """An ISO date as days since 1970."""
    return date.fromisoformat(str(raw)[:10]).toordinal() - _EPOCH if raw else None


def cents(raw: Any) -> int | None:
    """An amount as minor units."""
    if raw is None or isinstance(raw, bool):
        return None
    try:
        return int((Decimal(str(raw)) * 100).to_integral_value(ROUND_HALF_UP))
    except (InvalidOperation, OverflowError):
        return None


def addresses(raw: Any) -> tuple[str, ...]:
    """The addresses of a ToAddress field: separated by semicolons, sometimes by commas, sometimes with names."""
    found = []
    for part in str(raw or "").replace(",", ";").split(";"):
        address = part.strip().rpartition("<")[2].rstrip("> ").strip()
        if "@" in address:
            found.append(address)
    return tuple(found)


def of_kind(ref: Any, prefix: str) -> str | None:
    """A polymorphic id if it names that kind of row (key prefix 003 Contact, 005 User, 001 Account)."""
    return str(ref) if ref and str(ref).startswith(prefix) else None


def kind_of(ref: Any) -> str:
    """The key prefix of an id: which object it names."""
    return str(ref or "")[:3]


def deleted_at(row: Row) -> Instant | None:
    """When the row was soft-deleted; None while it lives."""
    # A soft delete moves the stamp; there is no separate one.
    return modified_at(row) if row.get("IsDeleted") else None


def modified_at(row: Row) -> Instant:
    """When the row last changed, by the best stamp it has."""
    stamps = (instant(row.get(name)) for name in ("SystemModstamp", "LastModifiedDate", "CreatedDate", "LoginTime"))
    found = next((at for at in stamps if at is not None), None)
    return stamp(row, "SystemModstamp") if found is None else found
