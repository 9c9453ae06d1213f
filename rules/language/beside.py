"""What a phrase reads beside the current facts, and under which keys a row has it: past values, cuts, sets, narrowed events.

A row of the evaluator has `health@30` and `health_state@30` of past facts, each cut under its key, `fact_sets` by (set,
value) and `narrowed` by (level or function, value). Evidence is flat: the same under plain names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from rules.language.catalogue import Fact, coverage_column, role_columns
from rules.language.sets import HIDDEN_FUNCTION, REACHED
from rules.language.tree import Cut, Happened, InSet, Leaf, Moved, Narrow, Ranked, Silence

Row = Mapping[str, object]
NOT_RANKED = "not_ranked_yet"
"""Why nothing is known of a cut that no full evaluation has computed."""
_LONG = 24


def past_key(column: str, days: int) -> str:
    """`health@30`: the column `days` days ago."""
    return f"{column}@{days}"


def member_key(fact: Fact, value: str) -> str:
    """`set:tags:beta`, in signs that need no care in SQL and JSON."""
    slug = quote(value, safe=" ").replace("%", "~")
    if len(slug) > _LONG:  # a name of PostgreSQL has 63 bytes
        slug = f"{slug[: _LONG - 9]}~{hashlib.sha256(value.encode()).hexdigest()[:8]}"
    return f"set:{fact.column}:{slug}"


def narrowed_key(by: str, value: str, column: str) -> str:
    """`narrowed:level:c_level:last_contact`; the value is empty for persons of whom it is not known."""
    return f"narrowed:{by}:{value}:{column}"


def member_of(row: Row, fact: Fact, value: str) -> object:
    """The state of a value in a set, True where it has none; None = it is not in there."""
    sets = row.get("fact_sets")
    if isinstance(sets, Mapping):
        return sets.get((fact.column, value))
    return row.get(member_key(fact, value))


def narrowed_of(row: Row, by: str, value: str, column: str) -> object:
    """One column of a narrowed event; None where nobody of that level or function is on file."""
    narrowed = row.get("narrowed")
    if isinstance(narrowed, Mapping):
        found = narrowed.get((by, value))
        return found.get(column) if isinstance(found, Mapping) else None
    return row.get(narrowed_key(by, value, column))


def cut_of(row: Row, cut: Cut) -> tuple[object, str | None]:
    """The value of a cut for this account (None = nobody is beyond it), or why nothing is known of it."""
    if cut.own in row:
        state = row.get(f"{cut.own}_state")
        return row[cut.own], None if state is None else str(state)
    segment = row.get("segment") if row.get("segment_state") is None else None
    if cut.by_segment and segment is None:
        return None, "no_segment"
    key = cut.key(str(segment) if cut.by_segment else None)
    return (row[key], None) if key in row else (None, NOT_RANKED)


def narrowed_columns(fact: Fact, narrow: Narrow) -> Iterator[tuple[str, str]]:
    """(value, column) of the narrowed facts that decide: those of the value, and of persons of whom it is not known."""
    for value in (narrow.value, ""):
        for column in ("contacts", "since", fact.column, "not_covered"):
            yield value, column
    yield narrow.value, "next_meeting"


def members_of(leaf: InSet) -> tuple[str, ...]:
    """The values of the set that decide: this one, the sign that the whole set is missing, and what may hide this one."""
    return (leaf.value, "", HIDDEN_FUNCTION) if leaf.fact is REACHED else (leaf.value, "")


def columns_of(leaf: Leaf) -> tuple[str, ...]:
    """The plain columns of store.tables.facts that decide such a phrase, besides those of its own fact."""
    match leaf:
        case Silence(narrow=Narrow()) | Happened(narrow=Narrow()):
            return ("activity_stale",)
        case Ranked(cut=cut) if cut.by_segment:
            return ("segment", "segment_state")
        case InSet(fact=fact) if fact is REACHED:
            return ("activity_stale", coverage_column("any"))
        case Silence(fact=fact) | Happened(fact=fact) if fact.role:
            count, since = role_columns(fact.role)
            found = [since, "activity_stale", coverage_column(fact.role)]
            found += [count, "unclassified_contacts", "unclassified_since"] if count else []
            return tuple(found + ([fact.unclassified] if fact.unclassified else []))
    return ()


def values_of(leaf: Leaf, row: Row) -> Iterator[tuple[str, object]]:
    """Key and value of everything that such a phrase reads beside the facts: its evidence."""
    match leaf:
        case Moved(fact=fact, days=days):
            for column in (fact.column, f"{fact.column}_state", *([f"{fact.column}_u"] if fact.interval else [])):
                yield past_key(column, days), row.get(past_key(column, days))
        case Ranked(cut=cut):
            value, state = cut_of(row, cut)
            yield cut.own, value
            yield f"{cut.own}_state", state
        case InSet(fact=fact):
            for value in members_of(leaf):
                member = member_of(row, fact, value)
                yield member_key(fact, value), "yes" if member is True else member
        case Silence(narrow=Narrow() as narrow, fact=fact) | Happened(narrow=Narrow() as narrow, fact=fact):
            for value, column in narrowed_columns(fact, narrow):
                yield narrowed_key(narrow.by, value, column), narrowed_of(row, narrow.by, value, column)
