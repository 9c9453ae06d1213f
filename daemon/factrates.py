"""The fact catalogue with the fill rates of the store: what a rule may name here, and how often it could be told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text
from sqlalchemy import Connection

from rules.facts.notes import HISTORY, NOTES
from rules.language.catalogue import BY_COLUMN, FACTS, Fact
from store.factrates import FillRate, fill_rates


def rates(connection: Connection) -> list[FillRate]:
    """The fill rate of every fact of the catalogue, in its order."""
    return fill_rates(connection, [fact.column for fact in FACTS])


def rendered(found: Sequence[FillRate]) -> RenderableType:
    """A table of 100 columns: name, type, how many have a value, why not, and where it comes from."""
    customers = found[0].customers if found else 0
    table = Table("fact", "type", Column("filled", justify="right"), "not, because", "comes from", box=SIMPLE_HEAD)
    for rate in found:
        fact, note = BY_COLUMN[rate.column], NOTES[rate.column]
        why = [f"{_share(n, rate.customers)} {reason.replace('_', ' ')}" for reason, n in rate.missing.items()]
        filled = "-" if rate.filled is None else f"{rate.filled:.0%}"
        style = "dim" if rate.filled == 0 else ""
        table.add_row(Text(fact.name), fact.kind.value, filled, Text("\n".join(why)), Text(note.source), style=style)
    return Group(Text(f"{customers:,} customers; a known never counts as filled"), table)


def as_data(found: Sequence[FillRate]) -> list[dict[str, Any]]:
    """Everything that is known of each fact; an open end of a range is null."""
    return [{**_described(BY_COLUMN[rate.column]), **_rate(rate)} for rate in found]


def _described(fact: Fact) -> dict[str, Any]:
    note = NOTES[fact.column]
    return {
        "name": fact.name,
        "column": fact.column,
        "label": fact.shown,
        "type": fact.kind.value,
        "unit": fact.unit or None,
        "low": None if math.isinf(fact.low) else fact.low,
        "high": None if math.isinf(fact.high) else fact.high,
        "choices": list(fact.choices),
        "synonyms": list(fact.synonyms),
        "source": note.source,
        "fields": list(note.fields),
        "stale_by": list(note.streams),
        "history": HISTORY[note.history],
        "evidence": note.evidence,
    }


def _rate(rate: FillRate) -> dict[str, Any]:
    counts = {"customers": rate.customers, "values": rate.values, "never": rate.never, "missing": dict(rate.missing)}
    return {**counts, "filled": rate.filled}


def _share(part: int, of: int) -> str:
    share = part / of if of else 0.0
    return f"{share:.0%}" if share >= 0.01 else "<1%"
