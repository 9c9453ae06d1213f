"""Section `identity` of tierd.yaml: which rows are one account, whose value counts, which account of a tree is evaluated."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from rules.identity import Ref, pair

_FROZEN = ConfigDict(frozen=True, extra="forbid")
_COLUMNS = ("verdict", "row", "other")
VERDICTS = ("link", "part")

FIELDS = frozenset(
    [
        "default", "name", "customer", "churned", "csm", "owner", "domain", "parent",
        "arr", "potential", "market_fit", "strategic", "contract_start", "renewal", "auto_renews", "term", "seats",
        "team_size", "segment", "tags", "ltv", "usage_key",
    ]
)  # fmt: skip
"""What a precedence may be set for."""


class LinksFileWrong(ValueError):
    """The file of links cannot be used; the message says which line, and what to write there."""


def row_ref(text: str) -> Ref:
    """`salesforce:001A0000012xyzIAA` -> (source, id). Raises ValueError."""
    source, _, ref = text.strip().partition(":")
    if not source.strip() or not ref.strip():
        raise ValueError(f"{text!r} names no row; write source:id, for example salesforce:001A0000012xyzIAA")
    return source.strip(), ref.strip()


def _pair_of(value: object) -> object:
    """`[salesforce:001, hubspot:42]`, or one text with `=` or a blank between them, as a list of two."""
    if isinstance(value, str):
        return [part for part in value.replace("=", " ").split() if part]
    return value


def _two_rows(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(value) != 2:
        raise ValueError("a pair is two rows: [salesforce:001A0000012xyzIAA, hubspot:42]")
    if row_ref(value[0]) == row_ref(value[1]):
        raise ValueError(f"both rows of the pair are {value[0]}")
    return value


RowPair = Annotated[tuple[str, ...], BeforeValidator(_pair_of), AfterValidator(_two_rows)]
"""Two rows as source:id."""


class IdentitySettings(BaseModel):
    """Section `identity`."""

    model_config = _FROZEN

    links: tuple[RowPair, ...] = ()
    """Pairs of rows that are one account, whatever their domains say."""
    parted: tuple[RowPair, ...] = ()
    """Pairs of rows that are not, whatever joins them."""
    file: str | None = None
    """A CSV file of more such pairs: verdict (link or part), row, other."""
    precedence: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Field (or `default`) -> sources, the first that has a value counts."""
    evaluate: Literal["arr_carrier", "top", "each"] = "arr_carrier"
    """Which account of a tree is evaluated."""

    @model_validator(mode="after")
    def _fields_known(self) -> IdentitySettings:
        unknown = sorted(set(self.precedence) - FIELDS)
        if unknown:
            raise ValueError(f"`precedence` of {unknown[0]!r}: known here are {', '.join(sorted(FIELDS))}")
        both = {pair(*map(row_ref, p)) for p in self.links} & {pair(*map(row_ref, p)) for p in self.parted}
        if both:
            a, b = min(both)
            raise ValueError(f"{':'.join(a)} and {':'.join(b)} are linked and parted: keep one of the two")
        return self

    def decided(self, folder: Path) -> dict[tuple[Ref, Ref], str]:
        """Every pair that the configuration decides -> link | part. Raises LinksFileWrong."""
        found = {pair(*map(row_ref, p)): "link" for p in self.links}
        found |= {pair(*map(row_ref, p)): "part" for p in self.parted}
        return (read_links(folder / self.file) if self.file else {}) | found

    def sources_named(self) -> set[str]:
        """The sources that the section names."""
        named = {source for order in self.precedence.values() for source in order}
        return named | {row_ref(text)[0] for pairs in (self.links, self.parted) for rows in pairs for text in rows}


def read_links(path: Path) -> dict[tuple[Ref, Ref], str]:
    """Pairs of a CSV file with the columns verdict, row, other. Raises LinksFileWrong with the line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LinksFileWrong(f"{path}: cannot be read: {error}") from error
    reader = csv.DictReader(text.splitlines())
    if not set(_COLUMNS) <= set(reader.fieldnames or ()):
        raise LinksFileWrong(f"{path}:1: the first line must name the columns {', '.join(_COLUMNS)}")
    return dict(_read(path, reader))


def _read(path: Path, lines: Iterable[Mapping[str, str | None]]) -> Iterable[tuple[tuple[Ref, Ref], str]]:
    for number, line in enumerate(lines, start=2):
        verdict = (line["verdict"] or "").strip().casefold()
        if verdict not in VERDICTS:
            raise LinksFileWrong(f"{path}:{number}: {verdict!r} is no verdict; write link or part")
        try:
            a, b = row_ref(line["row"] or ""), row_ref(line["other"] or "")
        except ValueError as error:
            raise LinksFileWrong(f"{path}:{number}: {error}") from error
        if a == b:
            raise LinksFileWrong(f"{path}:{number}: both rows are {':'.join(a)}; name two")
        yield pair(a, b), verdict
