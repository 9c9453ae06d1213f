"""The objects of a CRM, and one object's fields with their fill rate and samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.mapping import FieldMapping
from connectors.shapes import FieldShape, Row, names_of, nearest
from daemon.map.candidates import Explorer
from daemon.map.show import wrapped
from daemon.map.values import samples

_WIDTH = 80
_MOST = 500
"""Fields that are counted and sampled of one object."""


def objects_of(explorer: Explorer, word: str = "") -> list[dict[str, Any]]:
    """Every object whose name or label has the word."""
    folded = word.casefold()
    return [
        {"name": one.name, "label": one.label, "custom": one.custom, "known_as": list(one.known_as)}
        for one in explorer.objects()
        if folded in f"{one.name} {one.label} {' '.join(one.known_as)}".casefold()
    ]


def objects_text(objects: Sequence[Mapping[str, Any]]) -> str:
    """One line each."""
    if not objects:
        return "no object is called so; `--object NAME --search WORD` looks for fields"
    width = min(40, max(len(one["name"]) for one in objects))
    lines = []
    for one in objects:
        known = f" ({', '.join(one['known_as'])})" if one["known_as"] else ""
        lines.append(f"{one['name']:<{width}}  {one['label']}{known}{', custom' if one['custom'] else ''}")
    return "\n".join(lines)


def fields_of(explorer: Explorer, mapping: FieldMapping, name: str, word: str | None) -> dict[str, Any]:
    """One object's fields. Of accounts, customers alone are counted. Raises LookupError for an object that is not there."""
    shape = explorer.shape(name)
    if shape is None:
        known = names_of(explorer.objects())
        if known.get(name, name) != name:
            return fields_of(explorer, mapping, known[name], word)
        close = nearest(name, known.values()) or ", or it is not visible with these credentials"
        raise LookupError(f"there is no object `{name}`{close}")
    folded = (word or "").casefold()
    some = [one for one in shape.fields.values() if folded in f"{one.name} {one.label}".casefold()][:_MOST]
    names = [one.name for one in some if one.kind != "other"]
    home = name == explorer.home
    where = mapping.customer if home and set(mapping.customer) <= set(shape.fields) else {}
    counted, total = explorer.filled(name, names, where), explorer.counts(name, [where])[0]
    rows = explorer.accounts(names, where).rows if home else explorer.rows(name, names)
    return {
        "object": name,
        "label": shape.label,
        "of": "customers" if where else "rows",
        "total": total,
        "sampled": len(rows),
        "fields": [_field(one, rows, counted, total or 0) for one in some],
    }


def _field(one: FieldShape, rows: Sequence[Row], counted: Mapping[str, int], total: int) -> dict[str, Any]:
    values = [row.fields.get(one.name) for row in rows]
    some = [value for value in values if value not in (None, "")]
    exact = one.name in counted and total > 0
    fill = counted[one.name] / total if exact else len(some) / len(rows) if rows and one.kind != "other" else None
    return {
        "name": one.name,
        "label": one.label,
        "type": one.type,
        "kind": one.kind,
        "custom": one.custom,
        "writable": one.writable,
        "options": [option.value for option in one.options],
        "refers": list(one.refers),
        "fill": None if fill is None else round(fill, 4),
        "exact": exact,
        "samples": [] if one.kind in ("long", "other") else list(samples(one, values)),
    }


def fields_text(listed: Mapping[str, Any]) -> str:
    """Name, fill and type on a line; label and samples below it."""
    total = "?" if listed["total"] is None else f"{listed['total']:,}"
    lines = wrapped(f"{listed['object']}: {total} {listed['of']}, samples from {listed['sampled']:,} of them")
    for one in listed["fields"]:
        fill = "   ?" if one["fill"] is None else f"{one['fill']:>4.0%}"
        kind = f"{one['type']} of {len(one['options'])}" if one["options"] else one["type"]
        kind += f" to {', '.join(one['refers'][:3])}" if one["refers"] else ""
        lines.append(f"{one['name']:<40} {fill}  {kind}"[:_WIDTH])
        lines += wrapped(f"    {'; '.join(filter(None, (one['label'], ', '.join(one['samples']))))}", "    ")
    return "\n".join(lines if listed["fields"] else [*lines, "no field is called so"])
