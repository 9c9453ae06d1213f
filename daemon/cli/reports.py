"""What commands that report share: as text, JSON or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from enum import StrEnum

import typer
from rich.markup import escape


class Format(StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


def write_csv(head: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """A table as CSV on stdout."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([head, *(tuple(map(_plain, line)) for line in lines)])
    typer.echo(text.getvalue(), nl=False)


def _plain(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def unmarked(cell: str) -> str:
    """A cell that no brackets of a name turn into colours."""
    return escape(cell)
