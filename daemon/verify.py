"""The nightly proof that facts kept up to date bit by bit are those that all rows give: compute them from nothing, and compare.

Facts of an account hold for the instant of the last full evaluation, or of the later one of touched accounts that wrote
them; both are computed again for that very instant. What differs is mended, and told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import structlog
from sqlalchemy import select

from daemon.factrows import distances
from daemon.proof import Proof
from rules.facts import FactSettings
from rules.facts.health import CHANGE_DAYS
from rules.language.needs import Cut
from store import comparing, facts, findings, flags
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
    wrong: int = 0
    """Accounts whose facts were not what they should have been."""
    columns: Mapping[str, int] = field(default_factory=dict)
    """Column -> accounts on which it differed; those of other tables than `facts` have its name before."""
    missing: Mapping[str, int] = field(default_factory=dict)
    """Table -> accounts of which it had lost a row."""
    surplus: Mapping[str, int] = field(default_factory=dict)
    """Table -> accounts of which it had a row too many."""
    statistics: Sequence[str] = ()
    """Names of the portfolio's statistics, rank cuts included, that differed."""
    accounts: Sequence[str] = ()

    def trouble(self) -> str | None:
        """For the operators; None where all was right."""
        if not self.wrong and not self.statistics:
            return None
        parts = [
            f"{word} {_counted(found)}"
            for word, found in (
                ("missing in", self.missing),
                ("surplus in", self.surplus),
                ("different in", self.columns),
            )
            if found
        ]
        said = []
        if self.wrong:
            said.append(
                f"the facts of {self.wrong:,} of {self.customers:,} customers were not what their rows give"
                f" ({'; '.join(parts)}), for example {', '.join(self.accounts[:3])}"
            )
        if self.statistics:
            said.append(f"statistics of the portfolio were not what the facts give ({', '.join(self.statistics)})")
        return f"{'; '.join(said)}; they are mended"


def _counted(found: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count:,})" for name, count in found.items())


def verify(store: Store, settings: FactSettings, now: Instant) -> Verified | None:
    """Compute all facts from nothing, compare, and mend what differs; None before the first full evaluation."""
    with store.read() as conn:
        full = evaluated_at(conn)
        if full is None:
            return None
        last = comparing.last_evaluated(conn) or full
        past, cuts = comparing.computed_beside(conn, full)
        days = sorted({CHANGE_DAYS, *past, *distances(facts.statistics(conn))})
    proof = Proof(store, settings, full, last, days, [Cut.of(name) for name in cuts])
    found = proof.found()
    with store.read() as conn:
        wrong = comparing.ids_of([one for _, one in found])
        named = select(t.accounts.c.key).where(t.accounts.c.id.in_(sorted(wrong)[:_NAMED]))
        keys = sorted(conn.execute(named).scalars())
        customers = findings.customers(conn)
    done = Verified(
        full,
        customers,
        len(wrong),
        {name: count for _, one in found for name, count in one.columns.items()},
        {kept.table.name: len(one.missing) for kept, one in found if one.missing},
        {kept.table.name: len(one.surplus) for kept, one in found if one.surplus},
        tuple(sorted(proof.statistics)),
        keys,
    )
    with store.write() as conn:
        flags.put(conn, VERIFIED, json.dumps({"at": now, **asdict(done)}, sort_keys=True))
    log = _log.error if done.trouble() else _log.info
    log(
        "facts verified",
        customers=customers,
        wrong=done.wrong,
        columns=dict(done.columns),
        statistics=list(done.statistics),
        accounts=keys,
    )
    return done
