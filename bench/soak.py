"""The soak of the suite at full size: `python -m bench.soak [--changes 10000] [--cycles 200] [--kills 50] [--store URL]`.

Prints what was done, which faults struck, how often the process was killed, and every row that differs in the end.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.acceptance.soaking import Size, soak


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
    for title, counted in (("done", outcome.done), ("struck", outcome.struck)):
        sys.stdout.write(f"{title}: {counted.total()}\n")
        sys.stdout.writelines(f"  {count:>6}  {name}\n" for name, count in sorted(counted.items()))
    sys.stdout.write(f"killed: {outcome.kills}; rows compared: {outcome.rows}; differing: {len(outcome.differing)}\n")
    sys.stdout.writelines(f"  {row}\n" for row in outcome.differing[:50])
    sys.stdout.write(f"rounds whose records do not name all faults: {len(outcome.unnamed)}\n")
    sys.stdout.writelines(f"  {row}\n" for row in outcome.unnamed[:50])
    return 1 if outcome.differing or outcome.unnamed else 0


if __name__ == "__main__":
    raise SystemExit(main())
