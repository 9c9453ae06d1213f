"""The soak of the suite at full size: `python -m bench.soak [--changes 10000] [--cycles 200] [--kills 50] [--store URL]`.

Writes what was done, which faults struck, how often the process was killed, and every row that differs in the end, to
`bench/results/soak.md`, and prints it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.acceptance.soaking import Outcome, Size, soak

PAGE = Path(__file__).parent / "results" / "soak.md"
_MOST = 50


def main() -> int:
    """Run it; 0 = the store has every row as the CRMs have it, and the run records name every fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=20_260_302)
    parser.add_argument("--store", help="database URL; SQLite in a temporary folder without it")
    asked = parser.parse_args()
    size = Size(asked.changes, asked.cycles, asked.kills, asked.rate, asked.seed)
    with tempfile.TemporaryDirectory(prefix="tierd-soak-") as scratch:
        outcome = soak(size, Path(scratch), asked.store or f"sqlite:///{scratch}/store.db")
    text = page(size, outcome)
    PAGE.write_text(text)
    sys.stdout.write(text)
    return 1 if outcome.differing or outcome.unnamed else 0


def page(size: Size, outcome: Outcome) -> str:
    """The result as Markdown; of what is wrong at most 50 rows."""
    return f"""# Soak: changes, faults and kills

Written by `python -m bench.soak`: people change rows in both CRMs ({size.changes:,} changes over {size.cycles} cycles of reading),
{size.rate:.0%} of all requests are spoiled, and the process is killed in the middle. After one calm cycle the store is
compared with the CRMs, row for row.

| killed | rows compared | differing | cycles whose run records do not name every fault |
| ---: | ---: | ---: | ---: |
| {outcome.kills} | {outcome.rows:,} | {len(outcome.differing)} | {len(outcome.unnamed)} |
{_wrong(outcome)}
## What people did

{_table("operation", outcome.done)}
## What struck

{_table("fault", outcome.struck)}"""


def _table(title: str, counted: Counter[str]) -> str:
    rows = [f"| {name} | {count:,} |\n" for name, count in sorted(counted.items())]
    return f"| {title} | times |\n| --- | ---: |\n{''.join(rows)}| together | {counted.total():,} |\n"


def _wrong(outcome: Outcome) -> str:
    rows = [f"- `{row}`\n" for row in (*outcome.differing[:_MOST], *outcome.unnamed[:_MOST])]
    return "\n" + "".join(rows) if rows else ""


if __name__ == "__main__":
    raise SystemExit(main())
