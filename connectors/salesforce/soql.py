"""A mapping's condition as SOQL, for counting and sampling; syncs never filter with it, they test each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.shapes import FieldShape, Kind

FieldOf = Callable[[str], FieldShape | None]
"""A (dotted) field name -> the field that it ends at."""

# Long text, encrypted and compound fields take no filter (describe: filterable); multi-select picklists take INCLUDES.
_TEXT: frozenset[Kind] = frozenset({"choice", "text", "reference", "person"})
_NUMBERS: frozenset[Kind] = frozenset({"money", "number"})


class NotInSoql(ValueError):
    """The condition cannot be said in SOQL; the message names the field."""


def condition(where: Mapping[str, Any], field_of: FieldOf) -> str:
    """`Type = 'Customer' AND Seats__c >= 10`; empty for no condition. Raises NotInSoql."""
    return " AND ".join(_one(name, wanted, field_of(name)) for name, wanted in where.items())


def among(name: str, ids: list[str]) -> str:
    """`AccountId IN ('001...', ...)`."""
    return f"{name} IN ({', '.join(quoted(ref) for ref in ids)})"


def quoted(text: str) -> str:
    """A string literal: backslash and quote are escaped, and line ends spelt out."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def _one(name: str, wanted: Any, field: FieldShape | None) -> str:
    if field is None or not field.filterable or field.kind in ("choices", "long", "other"):
        raise NotInSoql(f"{name} cannot be filtered in SOQL")
    if isinstance(wanted, dict):
        ((test, value),) = wanted.items()
        if test == "known":
            return f"{name} {'!=' if value else '='} null"
        if test == "not":
            # SOQL's != holds for empty values too, a mapping's {not: x} does not.
            values = [_literal(v, field) for v in (value if isinstance(value, list) else [value])]
            return (
                f"{name} NOT IN ({', '.join(values)}) AND {name} != null"
                if _sets(field)
                else " AND ".join([*(f"{name} != {v}" for v in values), f"{name} != null"])
            )
        return f"{name} {'>=' if test == 'at_least' else '<='} {_literal(value, field)}"
    if isinstance(wanted, list) and _sets(field):
        return f"{name} IN ({', '.join(_literal(v, field) for v in wanted)})"
    if isinstance(wanted, list):
        return "(" + " OR ".join(f"{name} = {_literal(v, field)}" for v in wanted) + ")"
    return f"{name} = {_literal(wanted, field)}"


def _sets(field: FieldShape) -> bool:
    return field.kind != "flag"


def _literal(value: Any, field: FieldShape) -> str:
    if field.kind == "flag":
        return "true" if str(value).strip().casefold() == "true" else "false"
    if field.kind in _NUMBERS:
        try:
            return repr(float(value)) if not float(value).is_integer() else str(int(float(value)))
        except (TypeError, ValueError):
            raise NotInSoql(f"{field.name} is a number, {value!r} is none") from None
    if field.kind in ("date", "instant"):
        return str(value)
    if field.kind in _TEXT:
        return quoted(str(value))
    raise NotInSoql(f"{field.name} cannot be filtered in SOQL")
