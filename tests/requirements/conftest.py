"""Fixtures of the requirement tests, and what every one of them is held to (R47)."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from sandbox.clock import ScenarioClock
from sandbox.requestlog import RequestLog
from store.engine import Store
from tests.clocks import StepClock
from tests.requirements.hubspot import Desk
from tests.requirements.invariants import Watch, watching
from tests.requirements.salesforce import ORG
from tests.sandbox.hubspot_portal import NOW, TOKEN, Portal
from tests.sandbox.salesforce_org import Org

_PRIVATE = (ORG.client_secret, ORG.access_token, ORG.refresh_token, TOKEN, "@acme.test", "Private subject")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Whatever a test is about: each request has a timeout, and no token or private text is in a log or a run record."""
    with (
        pytest.MonkeyPatch.context() as patch,
        watching(RequestLog(), StepClock(ScenarioClock(NOW)), _PRIVATE, patch) as watch,
    ):
        result = yield
        _hold(watch, getattr(item, "funcargs", {}))
    return result


def _hold(watch: Watch, used: dict[str, object]) -> None:
    """Check against the stores that the test has used; tokens that the vendors gave out meanwhile are secret too."""
    stores = [one for one in used.values() if isinstance(one, Store)]
    for one in used.values():
        if isinstance(one, Org):
            watch.sensitive += tuple(one.state.sessions)
        if isinstance(one, Desk):
            watch.sensitive += tuple(one.portal.state.tokens)
            stores.append(one.store)
    watch.check(*stores)


@pytest.fixture
def hubspot(sqlite_store: Store) -> Iterator[Desk]:
    """A HubSpot portal with two owners, and a store of its own; rate buckets off."""
    portal = Portal()
    desk = Desk(portal, sqlite_store)
    try:
        yield desk
    finally:
        desk.close()
        portal.stop()
