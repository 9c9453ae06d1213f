"""The syntax tree of one SOQL statement; every node knows where in the text it began, for the vendor's error text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Path:
    """`Name` or `Owner.Manager.Name`."""

    names: tuple[str, ...]
    at: int

    def __str__(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant. `kind`: null | bool | number | string | datetime (µs) | date (days) | relative (from, to: days from today)."""

    kind: str
    value: object
    at: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path op literal`; op is one of = != < <= > >= like in not-in, the last two with several literals."""

    path: Path
    op: str
    literals: tuple[Literal, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Not:
    """`NOT condition`."""

    inner: Condition


@dataclass(frozen=True, slots=True)
class All:
    """Conditions joined by AND."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """Conditions joined by OR."""

    parts: tuple[Condition, ...]


Condition = Comparison | Not | All | Any


@dataclass(frozen=True, slots=True)
class Order:
    """One key of ORDER BY; nulls come first unless told otherwise, in both directions."""

    path: Path
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Counted:
    """`COUNT(path)` in the select list, with its alias."""

    path: Path
    alias: str | None


@dataclass(frozen=True, slots=True)
class Statement:
    """SELECT `fields` FROM `object`; `count_all` is SELECT COUNT() with no fields at all."""

    text: str
    fields: tuple[Path | Counted, ...]
    count_all: bool
    object: str
    object_at: int
    where: Condition | None
    order: tuple[Order, ...]
    limit: int | None
    offset: int
