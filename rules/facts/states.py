"""A fact beside its state: a value, the reason why there is none, or the last known value of a stale source."""

from __future__ import annotations

from sqlalchemy import case

from rules.facts.moment import Expr, word


def fact(name: str, value: Expr, missing: str | Expr, stale: Expr | None = None) -> dict[str, Expr]:
    """A fact with its state: why it is missing, else 'stale' beside the last known value, else NULL."""
    why = word(missing) if isinstance(missing, str) else missing
    whens: list[tuple[Expr, Expr]] = [(value.is_(None), why)]
    if stale is not None:
        whens.append((stale == 1, word("stale")))
    return {name: value, f"{name}_state": case(*whens)}
