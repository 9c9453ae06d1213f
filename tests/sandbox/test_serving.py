"""Scripted faults over real sockets: what the client sees and what took effect."""

from __future__ import annotations

import csv
import io
import json
import threading
import time
from collections.abc import Iterator

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.clock import SECOND, ScenarioClock
from sandbox.faults import Fault, FaultBook, parse_fault, parse_soak
from sandbox.requestlog import RequestLog
from sandbox.serving import COST, Served, Shared
from sandbox.spoil import Whole, spoil


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

    def post(self, body: str = "x", patience: float = 30) -> requests.Response:
        """Sell one."""
        return requests.post(f"{self.served.url}/items/7?a=1", data=body, timeout=patience)


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
        shop.post(patience=0.5)
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


def test_delay_takes_real_time_and_may_outlast_the_client(shop: Shop) -> None:
    """The answer comes whole after its delay; for a client with less patience the request has taken effect."""
    shop.shared.faults.add(Fault(delay_ms=150))
    begun = time.monotonic()
    assert shop.post().json() == {"sold": 1}
    assert time.monotonic() - begun >= 0.15
    shop.shared.faults.add(Fault(delay_ms=1_000))
    with pytest.raises(requests.ReadTimeout):
        shop.post(patience=0.5)
    assert shop.post().json() == {"sold": 3}
    assert [e.fault for e in shop.shared.log.entries()][:1] == ["delay"]


def test_held_vendor_waits(shop: Shop) -> None:
    """A vendor on hold does not answer until it is let go."""
    shop.shared.faults.hold("shop", True)
    with pytest.raises(requests.ReadTimeout):
        shop.post(patience=0.5)
    shop.shared.faults.hold("shop", False)
    assert shop.post().status_code == 200


@pytest.mark.parametrize("raw", [{"colour": 1}, {"reset": "now"}, {"nth": 0}, {"path": "("}])
def test_wrong_fault_is_refused(raw: dict[str, object]) -> None:
    """A script with a wrong key or value is named as such."""
    with pytest.raises(ValueError, match=r"colour|reset|nth|path"):
        parse_fault(raw)


class Library:
    """A vendor whose pages of rows come by cursor, as JSON and as CSV."""

    def __init__(self) -> None:
        self.shared = Shared(ScenarioClock(1_772_431_200 * SECOND), RequestLog(), FaultBook())
        routes = [Route("/books", self._page, methods=["GET"]), Route("/books.csv", self._table, methods=["GET"])]
        self.served = Served("library", Starlette(routes=routes), self.shared)

    async def _page(self, request: Request) -> Response:
        after = int(request.query_params.get("after", "0"))
        return JSONResponse({"results": [{"id": str(after + n)} for n in range(5)], "next": after + 5})

    async def _table(self, _: Request) -> Response:
        lines = ['"id","text"', *(f'"{n}","a ""quoted""\nbook"' for n in range(5))]
        return Response("\n".join(lines) + "\n", media_type="text/csv", headers={"Sforce-NumberOfRecords": "5"})

    def get(self, path: str) -> requests.Response:
        """One page."""
        return requests.get(self.served.url + path, timeout=30)

    def ids(self, path: str) -> list[str]:
        """Ids of one page."""
        return [row["id"] for row in self.get(path).json()["results"]]


@pytest.fixture
def library() -> Iterator[Library]:
    """A served vendor with pages."""
    library = Library()
    yield library
    library.served.stop()


def test_date_is_the_scenarios_and_can_be_skewed(library: Library) -> None:
    """Answers are dated by the scenario clock; a skew moves the header alone."""
    assert library.get("/books").headers["Date"] == "Mon, 02 Mar 2026 06:00:00 GMT"
    library.shared.faults.add(Fault(skew_seconds=-600))
    assert library.get("/books").headers["Date"] == "Mon, 02 Mar 2026 05:50:00 GMT"
    assert [e.fault for e in library.shared.log.entries()] == [None, "skew"]


def test_repeat_gives_the_page_before_again(library: Library) -> None:
    """The second request gets the first one's page; without a page before it nothing strikes."""
    library.shared.faults.add(Fault(path="/books", repeat=True, nth=2))
    assert library.ids("/books?after=0") == ["0", "1", "2", "3", "4"]
    assert library.ids("/books?after=5") == ["0", "1", "2", "3", "4"]
    assert library.ids("/books?after=5") == ["5", "6", "7", "8", "9"]
    library.shared.faults.clear()
    library.shared.faults.add(Fault(repeat=True))
    library.ids("/books?after=0")
    assert [e.fault for e in library.shared.log.entries()] == [None, "repeat", None, None]


def test_reorder_shuffles_the_same_rows_alike(library: Library) -> None:
    """All rows are there, never in their order, and the same page always comes in the same one."""
    library.shared.faults.add(Fault(reorder=True, times=2))
    first, second = library.ids("/books"), library.ids("/books")
    assert first == second != ["0", "1", "2", "3", "4"]
    assert sorted(first) == ["0", "1", "2", "3", "4"]


def test_csv_is_cut_in_a_row_with_a_length_that_fits(library: Library) -> None:
    """A half-written file is whole for HTTP: only its last row, and the count, tell."""
    whole = library.get("/books.csv").text
    library.shared.faults.add(Fault(path="csv", cut_row=True))
    cut = library.get("/books.csv")
    assert (cut.status_code, len(cut.content)) == (200, int(cut.headers["Content-Length"]))
    assert whole.startswith(cut.text)
    assert whole[len(cut.text)] != "\n"
    assert cut.text.splitlines()[:-1] == whole.splitlines()[: len(cut.text.splitlines()) - 1]
    assert [e.fault for e in library.shared.log.entries()] == [None, "cut row"]


@pytest.mark.parametrize("first", range(8))
def test_reorder_never_leaves_the_order(first: int) -> None:
    """Two rows that a shuffle would leave as they are change places; one row cannot be reordered."""
    rows = [{"id": first}, {"id": first + 1}]
    kind = [(b"content-type", b"application/json")]
    spoiled = spoil(Whole(200, kind, json.dumps({"records": rows}).encode()), Fault(reorder=True), None)
    assert spoiled is not None
    assert json.loads(spoiled.body)["records"] == rows[::-1]
    alone = Whole(200, kind, json.dumps({"records": rows[:1]}).encode())
    assert spoil(alone, Fault(reorder=True), None) is None


def test_composite_rows_shuffle_part_by_part() -> None:
    """The parts of a Salesforce composite keep their places; the rows of each are shuffled."""
    part = {"httpStatusCode": 200, "body": {"done": True, "records": [{"Id": str(n)} for n in range(5)]}}
    body = {"compositeResponse": [part | {"referenceId": name} for name in ("a", "b")]}
    answer = Whole(200, [(b"content-type", b"application/json")], json.dumps(body).encode())
    spoiled = spoil(answer, Fault(reorder=True), None)
    assert spoiled is not None
    parts = json.loads(spoiled.body)["compositeResponse"]
    assert [p["referenceId"] for p in parts] == ["a", "b"]
    for shuffled in parts:
        ids = [row["Id"] for row in shuffled["body"]["records"]]
        assert (sorted(ids), ids == sorted(ids)) == (["0", "1", "2", "3", "4"], False)


def test_csv_rows_shuffle_and_vanish_while_the_header_counts_them(library: Library) -> None:
    """Rows with line ends in their cells stay whole; a dropped one is still counted, and a count can be wrong."""
    library.shared.faults.add(Fault(path="csv", reorder=True, drop_rows=1))
    library.shared.faults.add(Fault(path="csv", nth=2, off_by={"Sforce-NumberOfRecords": -1}))
    library.shared.faults.add(Fault(path="csv", nth=3, drop_headers=["sforce-numberofrecords"]))
    dropped, wrong, bare = (library.get("/books.csv") for _ in range(3))
    rows = list(csv.reader(io.StringIO(dropped.text, newline="")))
    assert (rows[0], len(rows), rows[1][1]) == (["id", "text"], 5, 'a "quoted"\nbook')
    assert dropped.headers["Sforce-NumberOfRecords"] == "5"
    assert (wrong.headers["Sforce-NumberOfRecords"], wrong.text) == ("4", bare.text)
    assert "Sforce-NumberOfRecords" not in bare.headers


def test_headers_are_set_on_the_vendors_own_answer(library: Library) -> None:
    """Without a status a fault's headers replace those of the answer."""
    library.shared.faults.add(Fault(headers={"X-Left": "0", "Content-Type": "text/plain"}))
    answer = library.get("/books")
    assert (answer.headers["X-Left"], answer.headers["Content-Type"]) == ("0", "text/plain")
    assert len(answer.json()["results"]) == 5


KINDS = [{"status": 503}, {"garbage": True}, {"repeat": True}, {"reorder": True}, {"drop_headers": ["content-type"]}]


def _soaked(library: Library, seed: int) -> list[str | None]:
    library.shared.faults.clear()
    library.shared.log.clear()
    library.shared.faults.soak(parse_soak({"rate": 0.2, "seed": seed, "faults": KINDS}))
    for n in range(200):
        library.get(f"/books?after={n % 7}")
    return [e.fault for e in library.shared.log.entries()]


def test_soak_strikes_a_share_by_a_seed_with_every_kind(library: Library) -> None:
    """About a fifth of 200 requests go wrong, with each fault, the same ones for the same seed; the log names them."""
    struck = _soaked(library, 7)
    assert 25 <= sum(f is not None for f in struck) <= 55
    assert set(struck) == {None, "status 503", "garbage", "repeat", "reorder", "drop headers"}
    assert _soaked(library, 7) == struck
    assert _soaked(library, 8) != struck


def test_soak_gives_way_where_a_fault_can_do_nothing(shop: Shop) -> None:
    """An answer without rows cannot be reordered: the next fault strikes, or none."""
    shop.shared.faults.soak(parse_soak({"rate": 1, "faults": [{"reorder": True}]}))
    assert shop.post().json() == {"sold": 1}
    shop.shared.faults.clear()
    shop.shared.faults.soak(parse_soak({"rate": 1, "faults": [{"reorder": True}, {"skew_seconds": 5}], "times": 1}))
    shop.post()
    shop.post()
    assert [e.fault for e in shop.shared.log.entries()] == [None, "skew", None]


def test_soak_repeats_only_pages_of_the_same_question(library: Library) -> None:
    """A page is repeated for the same list with another cursor, never for another list."""
    library.shared.faults.soak(parse_soak({"rate": 1, "faults": [{"repeat": True}]}))
    library.ids("/books?after=0&of=a")
    assert library.ids("/books?after=5&of=b") == ["5", "6", "7", "8", "9"]
    assert library.ids("/books?after=10&of=a") == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    "raw",
    [{"rate": 0, "faults": [{}]}, {"rate": 0.1, "faults": []}, {"rate": 0.1, "faults": [{"colour": 1}]}, {"share": 1}],
)
def test_wrong_soak_is_refused(raw: dict[str, object]) -> None:
    """A soak needs a share and faults that make sense."""
    with pytest.raises(ValueError, match=r"rate|faults|colour|share"):
        parse_soak(raw)


def test_hang_ends_when_the_server_stops() -> None:
    """Neither a hanging request nor a held vendor keeps the server from ending."""
    shop = Shop()
    shop.shared.faults.add(Fault(hang=True))
    ended: list[Exception] = []

    def ask() -> None:
        try:
            requests.post(f"{shop.served.url}/items/7", data="x", timeout=60)
        except requests.RequestException as error:
            ended.append(error)

    client = threading.Thread(target=ask)
    client.start()
    while not shop.shared.log.entries():
        continue
    shop.served.stop()
    client.join(timeout=20)
    assert not client.is_alive()
    assert len(ended) == 1
