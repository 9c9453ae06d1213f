"""Everything that is measured on one database, in a store that is made for it and removed at the end."""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.rules import peers, report
from bench.rules.filling import fill
from bench.rules.measure import (
    Figures,
    evidence,
    measure_backtest,
    measure_facts,
    measure_rules,
    measure_touched,
    same_findings,
    sample,
)
from store.engine import Store
from tests import postgres

_LONG = 60.0
"""Seconds; a library that takes longer is measured once."""
POSTGRESQL = {
    "shared_buffers": "2GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "16GB",
    "jit": "off",
    "random_page_cost": "1.1",  # of a solid-state disk; with 4 it reads whole tables for a thousand accounts
}


@dataclass(frozen=True)
class Asked:
    """What is to be measured, and where stores and libraries are made."""

    accounts: int
    backtest: int
    folder: Path
    peers: Path | None
    again: bool
    """Refresh all facts a second time, which changes nothing."""


def measured(name: str, asked: Asked) -> report.Part:
    """What is measured of facts and rules on one database; the libraries read their facts from SQLite."""
    say = partial(_say, name)
    figures, compared = Figures(), report.Compared()
    with _store(name, asked.folder, asked.accounts, say) as store:
        version = report.version_of(store)
        measure_facts(store, figures, say, again=asked.again)
        # In several sittings, minutes apart: for minutes at a time a shared machine is half as fast.
        for sitting, library in enumerate(peers.PEERS):
            measure_rules(store, figures, say)
            measure_touched(store, asked.accounts, figures, say, sitting=sitting)
            if name == "sqlite" and asked.peers is not None:
                _peer(store, library, asked.peers, compared, say)
        same_findings(store)
    return report.Part(version, figures, compared)


def backtested(name: str, asked: Asked) -> Figures:
    """A year's backtest on one database, of a store of its own."""
    say, figures = partial(_say, name), Figures()
    with _store(name, asked.folder, asked.backtest, say) as store:
        measure_backtest(store, figures, say)
    return figures


def _peer(store: Store, library: str, folder: Path, found: report.Compared, say: Callable[[str], None]) -> None:
    """One library, twice if that does not take long: the better one counts."""
    rows, all_ours = sample(store, peers.PEERS[library])
    measured = peers.measure(library, folder, rows, evidence())
    if measured.found is not None and measured.seconds < _LONG:
        again = peers.measure(library, folder, rows, evidence())
        if not again.failure:
            measured = min(measured, again, key=lambda one: one.seconds)
    if measured.found is not None:
        ours = {one for one in all_ours if one[0] in measured.found}
        theirs = {
            (outcome, rule, account)
            for outcome, by_rule in measured.found.items()
            for rule, ids in by_rule.items()
            for account in ids
        }
        found.different[library] = dict(Counter(rule for _, rule, _ in ours ^ theirs))
        found.found[library] = len(ours)
    say(f"  {library}: {measured.failure or f'{measured.seconds:.2f} s for {measured.accounts:,} accounts'}")
    found.peers.append(measured)


@contextmanager
def _store(name: str, folder: Path, accounts: int, say: Callable[[str], None]) -> Iterator[Store]:
    """A filled store of that database, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="tierd-bench-", dir=folder) as scratch:
        if name == "sqlite":
            with _filled(f"sqlite:///{scratch}/tierd.db", accounts, say) as store:
                yield store
            return
        with postgres.server(settings=POSTGRESQL) as server, _filled(server.url("postgres"), accounts, say) as store:
            yield store


@contextmanager
def _filled(url: str, accounts: int, say: Callable[[str], None]) -> Iterator[Store]:
    store = Store(url)
    try:
        start = time.perf_counter()
        fill(store, accounts)
        say(f"{accounts:,} accounts made in {time.perf_counter() - start:.0f} s")
        yield store
    finally:
        store.close()


def _say(name: str, words: str) -> None:
    sys.stdout.write(f"{name}: {words}\n")
    sys.stdout.flush()
