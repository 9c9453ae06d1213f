"""On how many customers each fact has a value, and why it has none on the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from store.tables import facts


@dataclass(frozen=True, slots=True)
class FillRate:
    """One fact: customers with a value, with a known never, and without either by reason; `customers` are all."""

    column: str
    customers: int
    values: int
    never: int
    missing: Mapping[str, int]

    @property
    def filled(self) -> float | None:
        """The share on which it can be compared; None where there is no customer."""
        return (self.values + self.never) / self.customers if self.customers else None


def fill_rates(connection: Connection, columns: Sequence[str]) -> list[FillRate]:
    """The rates of these columns over all customers, in their order."""
    customers = int(connection.scalar(select(func.count()).select_from(facts)) or 0)
    found = []
    for name in columns:
        state, there = facts.c[f"{name}_state"], facts.c[name].is_not(None)
        query = select(state, there.label("there"), func.count().label("n")).group_by(state, there)
        rows = connection.execute(query).all()
        values = sum(row.n for row in rows if row[0] is None and row.there)
        never = sum(row.n for row in rows if row[0] == "never")
        missing: dict[str, int] = {}
        for row in rows:
            if row[0] != "never" and not (row[0] is None and row.there):
                reason = row[0] or "not_on_file"
                missing[reason] = missing.get(reason, 0) + int(row.n)
        by_count = dict(sorted(missing.items(), key=lambda item: (-item[1], item[0])))
        found.append(FillRate(name, customers, int(values), int(never), by_count))
    return found
