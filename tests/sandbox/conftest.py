"""Served vendors for the sandbox's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.hubspot_portal import Portal


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A HubSpot portal on loopback, rate limits off."""
    portal = Portal()
    yield portal
    portal.stop()
