"""Scripted faults over real sockets: what the client sees and what took effect."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.clock import SECOND, ScenarioClock
from sandbox.faults import Fault, FaultBook, parse_fault
from sandbox.requestlog import RequestLog
from sandbox.serving import COST, Served, Shared


class Shop:
    """A vendor that counts what took effect."""

    def __init__(self) -> None:
        self.sold: list[str] = []
        self.shared = Shared(ScenarioClock(1_000), RequestLog(), FaultBook())
        routes = [Route("/items/{item_id}", self._sell, methods=["POST"])]
        self.served = Served("shop", Starlette(routes=routes), self.shared)

    async def _sell(self, request: Request) -> Response:
        self.sold.append((await request.body()).decode())
        request.scope[COST] = 3
        return JSONResponse({"sold": len(self.sold)})

    def post(self, body: str = "x") -> requests.Response:
        """Sell one."""
        return requests.post(f"{self.served.url}/items/7?a=1", data=body, timeout=0.5)


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A served vendor."""
    shop = Shop()
    yield shop
    shop.served.stop()


def test_log_counts_by_template_and_cost(shop: Shop) -> None:
    """Every request is logged once with its path, its cost and the scenario's time."""
    shop.post()
    shop.post()
    summary = shop.shared.log.summary()
    assert summary["counts"] == [
        {"vendor": "shop", "method": "POST", "path": "/items/{item_id}", "count": 2, "cost": 6}
    ]
    entries = shop.shared.log.entries(since=1)
    assert [(e.seq, e.path, e.at, e.status) for e in entries] == [(2, "/items/7?a=1", 1_000, 200)]


def test_secrets_are_not_logged(shop: Shop) -> None:
    """A form's client secret is starred in the log."""
    shop.post("client_id=a&client_secret=hush")
    assert [e.body for e in shop.shared.log.entries()] == ["client_id=a&client_secret=***"]


def test_status_fault_answers_in_the_vendors_place(shop: Shop) -> None:
    """A scripted status comes with its body and headers, and nothing takes effect."""
    shop.shared.faults.add(Fault(path="/items/", nth=2, status=429, body={"no": 1}, headers={"Retry-After": "3"}))
    first, second, third = shop.post(), shop.post(), shop.post()
    assert [first.status_code, second.status_code, third.status_code] == [200, 429, 200]
    assert (second.json(), second.headers["Retry-After"]) == ({"no": 1}, "3")
    assert len(shop.sold) == 2


@pytest.mark.parametrize(("when", "sold"), [("before", 0), ("after", 1)])
def test_reset_drops_the_connection(shop: Shop, when: str, sold: int) -> None:
    """A reset ends the call without an answer; `after` has taken effect, `before` has not."""
    shop.shared.faults.add(Fault(reset=when))
    with pytest.raises(requests.ConnectionError):
        shop.post()
    assert len(shop.sold) == sold
    assert shop.shared.log.entries()[0].status is None
    assert shop.post().status_code == 200


def test_hang_never_answers(shop: Shop) -> None:
    """A hanging vendor is ended by the client's timeout; the next call is fine."""
    shop.shared.faults.add(Fault(hang=True))
    with pytest.raises(requests.ReadTimeout):
        shop.post()
    assert shop.post().status_code == 200


def test_truncated_answer_is_an_error_for_the_client(shop: Shop) -> None:
    """A body shorter than promised is not taken for an answer."""
    shop.shared.faults.add(Fault(truncate=4))
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        shop.post()
    assert len(shop.sold) == 1


def test_garbage_and_duplicate(shop: Shop) -> None:
    """Garbage keeps the status but is no JSON; a duplicate takes effect twice."""
    shop.shared.faults.add(Fault(garbage=True))
    with pytest.raises(requests.exceptions.JSONDecodeError):
        shop.post().json()
    shop.shared.faults.add(Fault(duplicate=True))
    assert shop.post().json() == {"sold": 3}


def test_fault_can_pick_a_body_and_scenario_delay_moves_the_clock(shop: Shop) -> None:
    """A script may look into the body; a scenario delay takes scenario time."""
    shop.shared.faults.add(Fault(contains="slow", delay_seconds=2.5, times=0))
    shop.post("fast")
    assert shop.shared.clock.now() == 1_000
    shop.post("slow")
    assert shop.shared.clock.now() == 1_000 + 5 * SECOND // 2


def test_held_vendor_waits(shop: Shop) -> None:
    """A vendor on hold does not answer until it is let go."""
    shop.shared.faults.hold("shop", True)
    with pytest.raises(requests.ReadTimeout):
        shop.post()
    shop.shared.faults.hold("shop", False)
    assert shop.post().status_code == 200


@pytest.mark.parametrize("raw", [{"colour": 1}, {"reset": "now"}, {"nth": 0}, {"path": "("}])
def test_wrong_fault_is_refused(raw: dict[str, object]) -> None:
    """A script with a wrong key or value is named as such."""
    with pytest.raises(ValueError, match=r"colour|reset|nth|path"):
        parse_fault(raw)
