"""One sync of ours in a process of its own: `python -m bench.sync.ours` reads a JSON request, prints a JSON result.

Request: `{"vendor", "url", "store", "credentials": {...}, "settings": {...}}`; result: `{"seconds", "rows", "changed", "calls",
"growth_mib", "peak_mib"}`. The store stays, so that the next process goes on from its cursor.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.known import nothing_known
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings
from daemon.clock import SystemClock
from daemon.sync import run_sync
from store.engine import Store
from store.migrate import upgrade

_FAST = 1_000_000.0
"""Calls per second: the brake that spares a real portal would be all that is measured."""


def _connector(asked: dict[str, Any]) -> SalesforceConnector | HubSpotConnector:
    credentials = asked["credentials"]
    if asked["vendor"] == "salesforce":
        org = {
            "kind": "salesforce",
            "base_url": asked["url"],
            "auth": {"method": "client_credentials", **credentials},
            "customer": {"Type": "Customer"},
            "fields": {"seats": {"field": "NumberOfEmployees"}, "segment": {"field": "Description"}},
            **asked["settings"],
        }
        return SalesforceConnector(SalesforceSettings.model_validate(org), SystemClock())
    portal = {
        "kind": "hubspot",
        "base_url": asked["url"],
        "auth": credentials,
        "customer": {"lifecyclestage": "customer"},
    }
    settings = HubSpotSettings.model_validate(portal)
    fast = settings.model_copy(update={"calls_per_second": _FAST, "searches_per_second": _FAST})
    return HubSpotConnector(fast, SystemClock(), nothing_known)


def _peak() -> int:
    """Mebibytes of memory that the process has held at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024


def main() -> None:
    """Sync once and say what it took."""
    asked = json.load(sys.stdin)
    store = Store(asked["store"])
    upgrade(store)
    connector = _connector(asked)
    before = _peak()
    began = time.monotonic()
    run = run_sync(store, "bench", connector, SystemClock())
    seconds = time.monotonic() - began
    connector.close()
    store.close()
    result = {
        "status": run.status,
        "troubles": dict(run.troubles),
        "seconds": round(seconds, 3),
        "rows": run.saved.seen,
        "changed": run.saved.changed,
        "calls": run.calls,
        "growth_mib": _peak() - before,
        "peak_mib": _peak(),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
