"""Measure facts and rules and write the results page: `python -m bench.rules [--accounts 1000000]`.

Every figure comes from one run on one machine. Stores are made in `--folder` and removed at the end; a million accounts
take about 7 GB on SQLite and 9 GB on PostgreSQL. Libraries are installed from PyPI below `--peers`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from bench.rules import report
from bench.rules.database import POSTGRESQL, Asked, backtested, measured

_PAGE = Path(__file__).parents[1] / "results" / "rules.md"


def main() -> int:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--backtest", type=int, default=50_000, help="accounts of the backtest; 0 leaves it out")
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where stores are made")
    parser.add_argument("--peers", type=Path, default=Path(tempfile.gettempdir()) / "tierd-bench-rules-peers")
    parser.add_argument("--no-peers", action="store_true", help="leave the rule libraries out")
    parser.add_argument("--overlap", action="store_true", help="the backtest of a database while the next is measured")
    parser.add_argument(
        "--once", action="store_true", help="leave out the second refresh of all, which changes nothing"
    )
    parser.add_argument("--page", type=Path, default=_PAGE)
    asked = parser.parse_args()
    page = report.Page(asked.accounts, min(asked.backtest, asked.accounts), POSTGRESQL, overlap=asked.overlap)
    wanted = Asked(
        asked.accounts,
        page.backtest,
        asked.folder,
        None if asked.no_peers else asked.peers,
        again=not asked.once,
    )
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        years = {}
        for name in asked.databases.split(","):
            page.take(name, pool.submit(measured, name, wanted).result())
            if page.backtest:
                years[name] = pool.submit(backtested, name, wanted)
                if not asked.overlap:
                    years[name].result()
        for name, year in years.items():
            page.figures[name].add(year.result())
    asked.page.parent.mkdir(exist_ok=True)
    asked.page.write_text(page.text(), encoding="utf-8")
    sys.stdout.write(f"written: {asked.page}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
