"""The reading half of the daemon in a process that can be killed: reads two sources when told, answers how it went.

`python -m tests.acceptance.soak_child` takes one line of JSON (`store`, `salesforce`, `hubspot`, `spool`), then one per
cycle: `{"now": <instant>, "sweeps": true | false}`. It never sleeps for real: its clock moves when it waits.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.means import Means
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings
from daemon.sync import Connector, run_sweep, run_sync
from store.engine import Store
from store.migrate import upgrade
from store.records import SECOND
from tests.known import known_of

SOURCES = ("sf", "hs")


class Skipping:
    """A clock that stands still between cycles and jumps over waits."""

    def __init__(self) -> None:
        self.at = 0

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return self.at / SECOND

    def sleep(self, seconds: float) -> None:
        self.at += round(seconds * SECOND)

    def wait(self, event: threading.Event, timeout: float | None) -> bool:
        if not event.is_set() and timeout is not None:
            self.sleep(timeout)
        return event.is_set()


def main() -> None:
    asked = json.loads(sys.stdin.readline())
    clock, store = Skipping(), Store(asked["store"])
    upgrade(store)
    means = Means(spool=Path(asked["spool"]))
    # Two seconds are long on loopback: what hangs is to be given up.
    org = SalesforceSettings.model_validate({"timeout_seconds": 2, **asked["salesforce"]})
    portal = HubSpotSettings.model_validate({"timeout_seconds": 2, **asked["hubspot"]})
    connectors: dict[str, Connector] = {
        "sf": SalesforceConnector(org, clock, means, known_of(store, "sf")),
        "hs": HubSpotConnector(portal, clock, known_of(store, "hs"), means),
    }
    for line in sys.stdin:
        told = json.loads(line)
        clock.at = max(clock.at, told["now"])
        runs = []
        for source in SOURCES:
            runs.append(run_sync(store, source, connectors[source], clock))
            if told["sweeps"]:
                names = connectors[source].sweeps()
                runs += [run_sweep(store, source, connectors[source], name, clock) for name in names]
        answer = [
            {
                "source": r.source,
                "kind": r.kind,
                "status": r.status,
                "troubles": dict(r.troubles),
                "faults": dict(r.faults),
            }
            for r in runs
        ]
        sys.stdout.write(json.dumps({"now": clock.at, "runs": answer}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
