"""The syntax tree of one SOQL statement; every node knows where in the text it began, for the vendor's error text."""

from __future__ import annotations

from dataclasses import dataclass, replace


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
class Aggregate:
    """`FUNCTION(path)` with its alias; `function` is one of count count_distinct sum avg min max."""

    function: str
    path: Path
    alias: str | None
    at: int


@dataclass(frozen=True, slots=True)
class SemiJoin:
    """`(SELECT path FROM object WHERE ...)` behind IN."""

    path: Path
    object: str
    object_at: int
    where: Condition | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path op literal`; op is one of = != < <= > >= like in not-in includes excludes, the last four with several literals.

    `path` is an Aggregate in HAVING only; `join` stands in for the literals of in and not-in.
    """

    path: Path | Aggregate
    op: str
    literals: tuple[Literal, ...]
    at: int
    join: SemiJoin | None = None


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

    path: Path | Aggregate
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Column:
    """A field in the select list; aliases belong to grouped queries only."""

    path: Path
    alias: str | None


@dataclass(frozen=True, slots=True)
class Children:
    """`(SELECT ... FROM relationship ...)` in the select list; `statement.object` is the relationship's name."""

    statement: Statement


@dataclass(frozen=True, slots=True)
class TypeOf:
    """`TYPEOF reference WHEN object THEN fields ... ELSE fields END`; `branches` are (object, its place, fields)."""

    path: Path
    branches: tuple[tuple[str, int, tuple[Path, ...]], ...]
    otherwise: tuple[Path, ...]


Item = Column | Aggregate | Children | TypeOf


@dataclass(frozen=True, slots=True)
class Statement:
    """SELECT `items` FROM `object`; `count_all` is SELECT COUNT() with no fields at all."""

    text: str
    items: tuple[Item, ...]
    count_all: bool
    object: str
    object_at: int
    where: Condition | None
    group: tuple[Path, ...]
    having: Condition | None
    order: tuple[Order, ...]
    limit: int | None
    offset: int

    @property
    def paths(self) -> list[Path]:
        """The plain fields of the select list."""
        return [item.path for item in self.items if isinstance(item, Column)]


def without_limit(statement: Statement) -> Statement:
    """The same statement with all its rows: LIMIT counts per parent among children."""
    return replace(statement, limit=None, offset=0)


def bare(statement: Statement) -> Statement:
    """The rows that a grouped statement groups: its conditions alone."""
    return replace(statement, order=(), limit=None, offset=0)
