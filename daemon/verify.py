"""The nightly proof that facts kept up to date bit by bit are those that all rows give: compute them from nothing, and compare.

Facts of an account hold for the instant of the last full evaluation, or of the later one of touched accounts that wrote
them; both are computed again for that very instant. What differs is mended, and told.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import structlog
from sqlalchemy import select

from rules.facts import FactSettings, in_scope, portfolio
from rules.facts.health import stored_past
from store import comparing, facts, findings, flags, touched
from store import tables as t
from store.engine import Store
from store.records import Instant
from store.status import VERIFIED, evaluated_at

_log = structlog.get_logger(__name__)
_NAMED = 20
"""Accounts that are named."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification found, and mended. `accounts`: keys of the first that differ."""

    as_of: Instant
    customers: int
    different: int = 0
    missing: int = 0
    surplus: int = 0
    columns: Mapping[str, int] = field(default_factory=dict)
    """Column -> accounts on which it differed."""
    accounts: Sequence[str] = ()

    @property
    def wrong(self) -> int:
        """Accounts whose facts were not what they should have been."""
        return self.different + self.missing + self.surplus

    def trouble(self) -> str | None:
        """For the operators; None where all was right."""
        if not self.wrong:
            return None
        columns = ", ".join(f"{name} ({count:,})" for name, count in self.columns.items())
        parts = [f"{count:,} {word}" for word, count in (("missing", self.missing), ("surplus", self.surplus)) if count]
        parts += [f"different in {columns}"] if columns else []
        return (
            f"the facts of {self.wrong:,} of {self.customers:,} customers were not what their rows give"
            f" ({'; '.join(parts)}), for example {', '.join(self.accounts[:3])}; they are mended"
        )


def verify(store: Store, settings: FactSettings, now: Instant) -> Verified | None:
    """Compute all facts from nothing, compare, and mend what differs; None before the first full evaluation."""
    with comparing.snapshot(store) as conn:
        full = evaluated_at(conn)
        if full is None:
            return None
        later = comparing.evaluated_since(conn, full)
        last = comparing.last_evaluated(conn) or full
        comparing.compute(conn, portfolio(full, settings, stored=True, past=stored_past()))
        for at in later:
            those = comparing.written_at(at)
            comparing.compute(conn, portfolio(at, settings, those, stored=True, past=stored_past()), instead_of=those)
        found = comparing.differences(conn, in_scope(last, settings) if last > full else None)
        wrong = frozenset(found.all)
        groups = {at: wrong & set(conn.execute(comparing.written_at(at)).scalars()) for at in later}
        keys = conn.execute(select(t.accounts.c.key).where(t.accounts.c.id.in_(found.all[:_NAMED]))).scalars().all()
        customers = findings.customers(conn)
    groups[full] = wrong.difference(*groups.values())
    _mend(store, settings, {at: ids for at, ids in groups.items() if ids}, last)
    done = Verified(
        full, customers, len(found.accounts), len(found.missing), len(found.surplus), found.columns, sorted(keys)
    )
    with store.write() as conn:
        flags.put(conn, VERIFIED, json.dumps({"at": now, "wrong": done.wrong, **asdict(done)}, sort_keys=True))
    log = _log.error if done.wrong else _log.info
    log(
        "facts verified",
        customers=customers,
        wrong=done.wrong,
        columns=dict(done.columns),
        accounts=list(done.accounts),
    )
    return done


def _mend(store: Store, settings: FactSettings, groups: Mapping[Instant, Collection[int]], last: Instant) -> None:
    """Write the facts of these accounts again, each at the instant that they hold for."""
    for at, accounts in groups.items():
        with store.write() as conn:
            within = touched.put(conn, accounts)
            facts.write(conn, portfolio(at, settings, within, stored=True, past=stored_past()))
            facts.drop(conn, in_scope(last, settings, within), within)
