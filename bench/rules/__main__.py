"""Measure facts and rules and write the results page: `python -m bench.rules [--accounts 1000000]`.

Every figure comes from one run on one machine. Stores are made in `--folder` and removed at the end; a million accounts
take about 7 GB on SQLite and 9 GB on PostgreSQL, one after the other. Libraries are installed from PyPI below `--peers`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
    sample,
)
from store.engine import Store
from tests import postgres

_PAGE = Path(__file__).parents[1] / "results" / "rules.md"
POSTGRESQL = {
    "shared_buffers": "2GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "16GB",
    "jit": "off",
}


def main() -> int:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--backtest", type=int, default=50_000, help="accounts of the backtest; 0 leaves it out")
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where stores are made")
    parser.add_argument("--peers", type=Path, default=Path(tempfile.gettempdir()) / "tierd-bench-rules-peers")
    parser.add_argument("--no-peers", action="store_true", help="leave the rule libraries out")
    parser.add_argument(
        "--once", action="store_true", help="leave out the second refresh of all, which changes nothing"
    )
    parser.add_argument("--page", type=Path, default=_PAGE)
    asked = parser.parse_args()
    page = report.Page(asked.accounts, min(asked.backtest, asked.accounts), POSTGRESQL)
    for name in asked.databases.split(","):
        page.figures[name] = figures = Figures()
        with _store(name, asked.folder, asked.accounts) as store:
            page.databases[name] = report.version_of(store)
            measure_facts(store, figures, _say, again=not asked.once)
            measure_rules(store, figures, _say)
            if name == "sqlite" and not asked.no_peers:
                page.peers = _peers(store, asked.peers, page)
            measure_touched(store, asked.accounts, figures, _say)
        if page.backtest:
            with _store(name, asked.folder, page.backtest) as store:
                measure_backtest(store, figures, _say)
    asked.page.parent.mkdir(exist_ok=True)
    asked.page.write_text(page.text(), encoding="utf-8")
    _say(f"written: {asked.page}")
    return 0


def _peers(store: Store, folder: Path, page: report.Page) -> list[peers.Measured]:
    found = []
    for library, accounts in peers.PEERS.items():
        rows, fires = sample(store, accounts)
        measured = peers.measure(library, folder, rows, evidence())
        if measured.fires is not None:
            wrong = {rule: len(fires[rule] ^ set(measured.fires[rule])) for rule in fires}
            page.different[library] = {rule: count for rule, count in wrong.items() if count}
            page.fired[library] = sum(map(len, fires.values()))
        _say(f"  {library}: {measured.failure or f'{measured.seconds:.2f} s for {measured.accounts:,} accounts'}")
        found.append(measured)
    return found


@contextmanager
def _store(name: str, folder: Path, accounts: int) -> Iterator[Store]:
    """A filled store of that database, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="tierd-bench-", dir=folder) as scratch:
        if name == "sqlite":
            with _filled(f"sqlite:///{scratch}/tierd.db", accounts) as store:
                yield store
            return
        with postgres.server(settings=POSTGRESQL) as server, _filled(server.url("postgres"), accounts) as store:
            yield store


@contextmanager
def _filled(url: str, accounts: int) -> Iterator[Store]:
    store = Store(url)
    try:
        start = time.perf_counter()
        fill(store, accounts)
        _say(f"{'SQLite' if store.is_sqlite else 'PostgreSQL'}, {accounts:,} accounts made in"
             f" {time.perf_counter() - start:.0f} s")  # fmt: skip
        yield store
    finally:
        store.close()


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
