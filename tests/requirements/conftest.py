"""Fixtures of the requirement tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from store.engine import Store
from tests.requirements.hubspot import Desk
from tests.sandbox.hubspot_portal import Portal


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
