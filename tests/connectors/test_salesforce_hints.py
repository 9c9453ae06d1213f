"""Change events of the imitation org as hints: heard when connected, and after every silence."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from connectors.means import Means
from connectors.salesforce.hints import ChangeEvents
from connectors.salesforce.session import opened
from connectors.salesforce.settings import ChangeEventHints
from daemon.clock import SystemClock
from sandbox.clock import MINUTE, SECOND
from tests.clocks import StepClock
from tests.connectors.test_salesforce import settings
from tests.sandbox.salesforce_org import NOW, Org, serving


@dataclass
class Hasty(SystemClock):
    """A clock whose waits are short; it notes how long they should have been."""

    waits: list[float] = field(default_factory=list)
    waited: threading.Event = field(default_factory=threading.Event)

    def wait(self, event: threading.Event, timeout: float | None) -> bool:
        """Until the event, or hardly at all."""
        assert timeout is not None
        self.waits.append(timeout)
        self.waited.set()
        return event.wait(0.01)


@pytest.fixture
def org() -> Iterator[Org]:
    """An org whose polls come back after a fifth of a second."""
    with serving() as served:
        served.clock.advance_to(NOW + 10 * MINUTE)
        served.switch(comet_timeout_ms=200)
        yield served


@dataclass
class Ear:
    """What was heard: a semaphore, so that a test can wait for the next hint."""

    clock: Hasty = field(default_factory=Hasty)
    hints: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def heard(self) -> bool:
        """One hint came, or comes."""
        return self.hints.acquire(timeout=30)

    def silent(self) -> bool:
        """No hint is left."""
        return not self.hints.acquire(blocking=False)


@contextmanager
def listening(org: Org, channel: str = "/data/ChangeEvents") -> Iterator[Ear]:
    """A listener until the block ends."""
    ear = Ear()
    session = opened(settings(org), StepClock(org.clock), Means())
    events = ChangeEvents(ChangeEventHints.model_validate({"channel": channel}), session, ear.clock, ear.hints.release)
    events.start()
    try:
        yield ear
    finally:
        events.stop()


def polls(org: Org) -> int:
    """How often the Streaming API was asked so far."""
    return sum("cometd" in entry.path for entry in org.log.entries())


def wait_for_polls(org: Org, count: int) -> None:
    """Until so many more calls came in."""
    wanted = polls(org) + count
    while polls(org) < wanted:
        pass


def test_a_change_is_a_hint_and_silence_is_none(org: Org) -> None:
    """One hint for having connected, one for a change, none for polls that come back empty."""
    with listening(org) as ear:
        assert ear.heard()
        wait_for_polls(org, 3)
        assert ear.silent()
        org.add("Account", "001", 1, at=org.clock.now(), Name="Acme")
        assert ear.heard()


def test_an_ended_session_is_renewed(org: Org) -> None:
    """The token is asked for again, and changes are heard after it."""
    with listening(org) as ear:
        assert ear.heard()
        org.state.revoke_sessions()
        wait_for_polls(org, 4)
        org.add("Account", "001", 1, at=org.clock.now(), Name="Acme")
        assert ear.heard()


def test_a_forgotten_client_begins_anew_and_says_that_it_was_deaf(org: Org) -> None:
    """What happened while nobody listened is found by the sync that the new connection asks for."""
    with listening(org) as ear:
        assert ear.heard()
        org.clock.advance(3 * MINUTE)
        assert ear.heard()


@pytest.mark.parametrize("status", [500, 503])
def test_trouble_is_waited_for_longer_and_longer(org: Org, status: int) -> None:
    """Pauses grow; polling is not touched; when it is over, a hint tells so."""
    from sandbox.faults import parse_fault

    with listening(org) as ear:
        assert ear.heard()
        org.faults.add(parse_fault({"vendor": "salesforce", "path": "/cometd/*", "status": status, "times": 3}))
        assert ear.heard()
        grown = [wait for wait in ear.clock.waits if wait >= 10]
        assert [10.0, 20.0, 40.0] == grown[:3]


def test_a_channel_that_is_not_there_is_said_and_hardly_asked_again(org: Org) -> None:
    """Somebody has to select objects: a quarter of an hour between two tries."""
    with listening(org, "/data/Nothing__chn") as ear:
        assert ear.clock.waited.wait(30)
        assert 900.0 == ear.clock.waits[0]
        assert ear.silent()


def test_a_stop_does_not_wait_for_a_long_poll(org: Org) -> None:
    """The poll that hangs is left behind."""
    org.switch(comet_timeout_ms=110_000)
    with listening(org) as ear:
        assert ear.heard()
    assert org.clock.now() < NOW + 10 * MINUTE + 60 * SECOND
