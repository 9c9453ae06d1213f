"""The real daemon as the demo's child process: the same wiring, on the scenario clock.

`python -P -m daemon.demo.child first|run CONFIG CONTROL_URL AS_OF`
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from daemon import config as configuration
from daemon import tiers
from daemon.demo.clock import RemoteScenarioClock
from daemon.garbage import seldom
from daemon.lock import writer
from daemon.logs import set_up
from daemon.wiring import Daemon, build
from store.migrate import upgrade
from store.records import Instant


def main(command: str, config_path: str, control_url: str, as_of: str) -> int:
    """Run one command of the demo on the scenario clock."""
    config = configuration.load(Path(config_path), os.environ)
    clock = RemoteScenarioClock(control_url)
    set_up(clock, secrets=config.secrets)
    daemon = build(config, clock)
    try:
        with writer(daemon.store, command):
            upgrade(daemon.store)
            return first(daemon, int(as_of)) if command == "first" else daemon.run()
    finally:
        daemon.close()
        clock.close()


def first(daemon: Daemon, as_of: Instant) -> int:
    """What a person does before the first evaluation: read everything, take the old tiers over, apply the policy's."""
    daemon.work.declare_sources()
    for name in daemon.sources.names():
        run = daemon.work.sync(name)
        if run.status != "ok":
            return 1
    tiers.adopt(daemon.store, daemon.work.tiers, daemon.clock.now())
    daemon.work.apply_tiers(as_of)
    return 0


if __name__ == "__main__":
    seldom()
    raise SystemExit(main(*sys.argv[1:]))
