"""Turn raw CRM values into the account fields that facts read: which row, which aggregate, which unit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from store.records import Day, Instant, Scalar

_EPOCH = date(1970, 1, 1).toordinal()

# Unit of each mapped field, as `account_fields.num` keeps it; what is not named here is text.
MONEY = frozenset({"arr", "potential", "ltv"})
DATES = frozenset({"renewal", "contract_start"})
FLAGS = frozenset({"strategic", "auto_renews"})
COUNTS = frozenset({"seats", "team_size", "term"})
SCORES = frozenset({"market_fit"})
# A segment in a CRM's spelling, without case, blanks, hyphens and underscores.
SEGMENTS = {"enterprise": "enterprise", "midmarket": "mid_market", "smb": "smb"}


_SEVERAL = re.compile(r"[;,\n]")


@dataclass(frozen=True, slots=True)
class RawRow:
    """One CRM row as the mapping reads it."""

    id: str
    modified_at: Instant
    fields: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Option:
    """One way to find a field: rows of `object` (None: the account's own row) that `holds`, aggregated over `column`."""

    object: str | None
    column: str
    holds: Callable[[Mapping[str, Scalar]], bool | None] | None = None
    aggregate: str = "latest"
    """sum | min | max | latest"""
    by: str | None = None
    """For latest: the CRM field that orders the rows; None: the modification stamp."""
    rate: Callable[[Mapping[str, Scalar]], Decimal | None] | None = None
    """What one of a row's currency is in the reporting one, None where that is not known; without it all are alike."""


@dataclass(frozen=True, slots=True)
class SourceMapping:
    """How one CRM's rows become account fields."""

    fields: Mapping[str, tuple[Option, ...]]
    csm: tuple[Option, ...] = ()
    """Each yields the CRM's id of the user who is the CSM, or that user's e-mail."""
    churned: Callable[[Mapping[str, Scalar]], bool | None] | None = None
    user_field: str | None = None
    """Contact field that flags a user of the product."""
    level_field: str | None = None
    """Contact field that holds the decision level."""
    tier_field: str | None = None
    """Account field that the tier is written to."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """Everything that derivation needs to know of the configuration."""

    order: tuple[str, ...]
    """Source names by precedence."""
    own_domains: frozenset[str]
    mappings: Mapping[str, SourceMapping]
    active_users: str = "active_users_28d"
    """The metric that counts the active users of an account."""
    precedence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Field -> source names by precedence; sources that are not named follow in `order`. `default`: of all fields."""
    evaluate: str = "arr_carrier"
    """Which account of a tree is evaluated: arr_carrier | top | each."""
    links: Mapping[tuple[tuple[str, str], tuple[str, str]], str] = field(default_factory=dict)
    """Pairs of rows that the configuration links or parts: (ref, ref) in the order of `identity.pair` -> link | part."""
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    """Kind of row (accounts, contacts, activities) -> hash of the settings that its derivation stands on."""

    def ranks(self, name: str) -> Mapping[str, int]:
        """Source -> its place for a field, the first is 0."""
        first = self.precedence.get(name, self.precedence.get("default", ()))
        ordered = dict.fromkeys((*first, *self.order))
        return {source: place for place, source in enumerate(ordered)}


@dataclass(frozen=True, slots=True)
class Value:
    """A field's value in its unit: `num` (money in minor units, day, 0/1, count, hundredths) or `text`."""

    num: int | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A value that an account holds, and the source that says so."""

    num: int | None
    text: str | None
    source: str


def money(raw: Scalar) -> int | None:
    """Minor units (two decimals, half up); None for what is no amount."""
    if raw is None or isinstance(raw, bool):
        return None
    try:
        amount = Decimal(str(raw).strip())
    except InvalidOperation:
        return None
    return int((amount * 100).to_integral_value(ROUND_HALF_UP)) if amount.is_finite() else None


def day(raw: Scalar) -> Day | None:
    """Days since 1970 of an ISO date or date-time, or of HubSpot's epoch milliseconds; None for anything else."""
    text = str(raw).strip() if raw is not None else ""
    if re.fullmatch(r"\d{12,14}", text):
        return int(text) // 86_400_000
    if not re.match(r"\d{4}-\d\d-\d\d", text):
        return None
    try:
        return date.fromisoformat(text[:10]).toordinal() - _EPOCH
    except ValueError:
        return None


def flag(raw: Scalar) -> int | None:
    """1 or 0 of a CRM's boolean (HubSpot's are the words); None for an empty one."""
    if isinstance(raw, bool):
        return int(raw)
    return {"true": 1, "false": 0, "yes": 1, "no": 0, "1": 1, "0": 0}.get(str(raw).strip().casefold())


def words(text: str) -> tuple[str, ...]:
    """The values of a field that holds several: `a;b` of a multi-select in both CRMs, or a text with commas; in order."""
    return tuple(sorted({part.strip() for part in _SEVERAL.split(text)} - {""}))


def _hundredths(raw: Scalar) -> int | None:
    return money(raw)


def _count(raw: Scalar) -> int | None:
    hundredths = money(raw)
    return None if hundredths is None else hundredths // 100


def convert(field: str, raw: Scalar) -> Value | None:
    """The value of `field` in its unit; None when the CRM's value is empty or no such value."""
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    for names, parse in ((MONEY, money), (DATES, day), (FLAGS, flag), (COUNTS, _count), (SCORES, _hundredths)):
        if field in names:
            num = parse(raw)
            return None if num is None else Value(num=num)
    if field == "segment":
        word = SEGMENTS.get(re.sub(r"[\s_-]+", "", str(raw)).casefold())
        return None if word is None else Value(text=word)
    if field == "tags":
        return Value(text=";".join(words(str(raw))))
    return Value(text=str(raw).strip())


def find(field: str, options: Sequence[Option], own: RawRow, related: Mapping[str, Sequence[RawRow]]) -> Value | None:
    """The first option that yields a value; `related` holds the account's rows per object."""
    for option in options:
        rows = [own] if option.object is None else related.get(option.object, ())
        chosen = [row for row in rows if option.holds is None or option.holds(row.fields) is True]
        value = _aggregate(field, option, chosen)
        if value is not None:
            return value
    return None


def _aggregate(field: str, option: Option, rows: Sequence[RawRow]) -> Value | None:
    filled = [(row, v) for row in rows if (v := convert(field, row.fields.get(option.column))) is not None]
    if option.aggregate == "latest":
        filled = sorted(filled, key=lambda pair: (_order(option, pair[0]), pair[0].id), reverse=True)[:1]
    values = [value for row, v in filled if (value := _reported(field, option, row, v)) is not None]
    if len(values) < len(filled):
        return None  # an amount without a rate: the others alone would be a wrong sum
    if option.aggregate == "latest":
        return values[0] if values else None
    nums = [v.num for v in values if v.num is not None]
    if not nums:
        return None
    return Value(num=sum(nums) if option.aggregate == "sum" else (min if option.aggregate == "min" else max)(nums))


def _reported(field: str, option: Option, row: RawRow, value: Value) -> Value | None:
    """Money in the reporting currency; None where the row's currency has no rate."""
    if option.rate is None or field not in MONEY or value.num is None:
        return value
    rate = option.rate(row.fields)
    return None if rate is None else Value(num=int((value.num * rate).to_integral_value(ROUND_HALF_UP)))


def _order(option: Option, row: RawRow) -> str:
    if option.by is None:
        return f"{row.modified_at:020d}"
    raw = row.fields.get(option.by)
    return "" if raw is None else str(raw)
