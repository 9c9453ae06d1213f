"""Kill the daemon again and again over a durable PostgreSQL, and compare with a run that is left alone.

`python -m bench.kill_postgresql [--kills 20] [--days 6] [--accounts 60] [--seed 20260302]`
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import fields
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from sandbox.serve import Settings
from tests import postgres
from tests.acceptance.killing import Killer, Outcome, outcome
from tests.acceptance.world import stage


def main() -> int:
    """Run both and print what was met and what differs; 0 = nothing differs and nothing was said twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--days", type=int, default=6)
    parser.add_argument("--accounts", type=int, default=60)
    parser.add_argument("--seed", type=int, default=20_260_302)
    asked = parser.parse_args()
    world = Settings(accounts=asked.accounts, days=asked.days, history_days=90)
    with tempfile.TemporaryDirectory(prefix="tierd-bench-") as scratch, postgres.server(durable=True) as server:
        expected, calm = _run(Path(scratch) / "calm", world, _database(server, "calm"))
        found, killed = _run(Path(scratch) / "killed", world, _database(server, "killed"), asked)
    _say(f"calm: {calm:.1f} s; killed {asked.kills} times in {asked.days} days: {killed:.1f} s")
    differing = [f.name for f in fields(Outcome) if getattr(expected, f.name) != getattr(found, f.name)]
    for field in fields(Outcome):
        count = len(getattr(expected, field.name))
        _say(f"  {field.name:9} {count:>6}  {'DIFFERS' if field.name in differing else 'equal'}")
    for name in sorted({*expected.messages, *found.messages}):
        before, after = expected.messages.get(name), found.messages.get(name)
        if before != after:
            _say(f"message {name}\n  calm:   {before}\n  killed: {after}")
    _say(f"doubled messages: {len(found.repeated)}")
    return 1 if differing or found.repeated else 0


def _database(server: postgres.Server, name: str) -> str:
    engine = create_engine(server.url("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.url(name)


def _run(folder: Path, world: Settings, url: str, kill: argparse.Namespace | None = None) -> tuple[Outcome, float]:
    """One run over a store; with `kill` it is killed on the way. What came of it, and the seconds it took."""
    began = time.monotonic()
    with stage(folder, world, store_url=url) as opened:
        if kill is None:
            opened.child.first()
            opened.days(world.days)
        else:
            killer = Killer(opened, kill.seed, kill.kills, kill.days)
            killer.first()
            opened.days(world.days, killer.during)
            _say("met: " + ", ".join(f"{what} {count}" for what, count in sorted(killer.met.items())))
        code = opened.child.stop()
        assert code == 0, f"the daemon ended with {code}; see {opened.child.log}"
        return outcome(opened), time.monotonic() - began


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
