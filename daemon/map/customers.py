"""Who may be a customer: conditions that the CRM's own fields offer, each with the number of accounts it holds for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from connectors.shapes import ObjectShape
from daemon.map.candidates import Explorer
from daemon.map.words import CUSTOMERS, FORMER, VOCABULARY, match

_MOST = 10
_SURE = 0.6


@dataclass(frozen=True, slots=True)
class Condition:
    """One way to say who is a customer. `count`: accounts for which it holds; None where the CRM cannot count it."""

    where: Mapping[str, Any]
    why: str
    score: float
    count: int | None = None
    configured: bool = False


def conditions(explorer: Explorer, shape: ObjectShape, configured: Mapping[str, Any]) -> list[Condition]:
    """Best first: the configured one where it holds for somebody, then by name, counted by the CRM."""
    found = [Condition(configured, "as configured", 2.0, configured=True)] if _all_there(configured, shape) else []
    found += [one for one in _offered(shape) if one.where != configured]
    found = sorted(found, key=lambda one: -one.score)[:_MOST]
    counts = explorer.counts(shape.name, [one.where for one in found])
    counted = [replace(one, count=count) for one, count in zip(found, counts, strict=True)]
    return sorted((one for one in counted if one.count != 0), key=lambda one: -one.score)


def former(shape: ObjectShape, where: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The condition for accounts that were customers, where the same field has a value for it."""
    if len(where) != 1:
        return None
    one = shape.fields.get(next(iter(where)))
    for option in one.options if one is not None else ():
        if match(FORMER, option.value, option.label)[0] >= _SURE:
            return {one.name: option.value} if one is not None else None
    return None


def _all_there(where: Mapping[str, Any], shape: ObjectShape) -> bool:
    return bool(where) and all(name in shape.fields for name in where)


def _offered(shape: ObjectShape) -> Iterator[Condition]:
    for one in shape.fields.values():
        named, word = match(VOCABULARY["customer"], one.name, one.label)
        if one.kind == "choice" and named >= _SURE:
            for option in one.options:
                meant, _ = match(CUSTOMERS, option.value, option.label)
                if meant >= 0.3:
                    why = f"{one.label} is {option.label}"
                    yield Condition({one.name: option.value}, why, named * meant)
        elif one.kind == "flag" and named >= _SURE and word not in ("type", "status"):
            yield Condition({one.name: True}, f"{one.label} is ticked", 0.8 * named)
    if "total_revenue" in shape.fields:
        # HubSpot adds up the closed-won deals of a company here.
        yield Condition({"total_revenue": {"at_least": 0.01}}, "a closed-won deal with an amount", 0.5)
