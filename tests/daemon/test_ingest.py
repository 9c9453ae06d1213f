"""Pushes over real HTTP: all rows or none, once however often they are sent, and a clear answer to everything else."""

from __future__ import annotations

import base64
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from connectors.usage.settings import UsageSettings
from daemon.clock import SystemClock
from daemon.health import HealthServer
from daemon.ingest.pushes import Pushes
from daemon.ingest.settings import IngestSettings
from store import tables as t
from store.engine import Store
from store.records import DAY
from tests.daemon.listener import KEY, ROW, SAMPLES, Listener, rows, samples


@pytest.fixture
def listener(store: Store) -> Iterator[Listener]:
    """A listener with a feed of each kind."""
    with Listener(store) as made:
        yield made


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ([ROW, ROW | {"workspace": "ws-2"}], "application/json"),
        ([ROW, ROW | {"workspace": "ws-2"}], "application/json; charset=UTF-8"),
        (
            b"\n".join(json.dumps(ROW | {"workspace": w}).encode() for w in ("ws-1", "ws-2")) + b"\n\n",
            "application/x-ndjson",
        ),
    ],
)
def test_pushed_samples_are_kept(listener: Listener, store: Store, body: Any, kind: str) -> None:
    """JSON array or JSON lines; the answer counts rows, the feed is fresh, derivation is woken."""
    answer = listener.post("/usage/samples", body, Content_Type=kind)
    assert (200, {"feed": "samples", "rows": 2, "changed": 2, "repeated": False}) == (answer.status_code, answer.json())
    assert [("ws-1", "", 5.0), ("ws-2", "", 5.0)] == samples(store)
    assert [("samples", "samples", listener.clock.at, "ok")] == rows(
        store, t.freshness, "source", "stream", "fresh_at", "status"
    )
    assert listener.pushes.wake.is_set()


def test_features_and_activities_are_pushed_too(listener: Listener, store: Store) -> None:
    """One object is one row; the columns are those of the feed."""
    used = {"date": "2026-02-20T10:00:00Z", "workspace": "ws-1", "feature": "sso"}
    mail = {"kind": "email", "start": 1_771_545_600, "from": "a@ours.test", "to": ["b@acme.test"]}
    assert 200 == listener.post("/usage/features", used).status_code
    assert 200 == listener.post("/usage/activities", [mail]).status_code
    assert [("ws-1", "sso", 1.0)] == rows(store, t.feature_uses, "key", "feature", "uses")
    assert [("email", 20_504 * DAY)] == rows(store, t.crm_activities, "kind", "starts_at")


def test_lists_inside_an_object_and_nested_names(sqlite_store: Store) -> None:
    """As product analytics send them: `rows` says where the list is, columns may be paths."""
    feed = UsageSettings.model_validate(
        {
            "kind": "usage", "push": True, "content": "features", "rows": "data.members",
            "columns": {"key": None, "user": "traits.email", "at": "ts", "feature": "name"},
        }
    )  # fmt: skip
    with Listener(sqlite_store, {"only": feed}) as listener:
        row = {"traits": {"email": "Ann@Acme.test"}, "ts": "2026-02-20", "name": "SSO"}
        assert 1 == listener.post("/usage", {"data": {"members": [row]}, "action": "add"}).json()["rows"]
        assert "no list at `data.members`" in listener.post("/usage", {"data": {}}).json()["error"]
    assert [("", "ann@acme.test", "SSO")] == rows(sqlite_store, t.feature_uses, "key", "user", "feature")


def test_an_empty_push_says_that_the_feed_is_alive(listener: Listener, store: Store) -> None:
    """No row, and the feed is fresh all the same."""
    assert 0 == listener.post("/usage/samples", []).json()["rows"]
    assert [(listener.clock.at,)] == rows(store, t.freshness, "fresh_at")


def test_one_bad_row_and_nothing_is_applied(listener: Listener, store: Store) -> None:
    """The answer has the number of each bad row and what is wrong with it."""
    bad = [ROW, ROW | {"active_users": "many"}, 7, {"workspace": "x"}]
    answer = listener.post("/usage/samples", bad)
    told = answer.json()
    assert (422, 3) == (answer.status_code, told["bad_rows"])
    assert [2, 3, 4] == [row["row"] for row in told["rows"]]
    assert "write a number" in told["rows"][0]["error"]
    assert "3 of 4 rows cannot be read, so none is applied" == told["error"]
    assert [] == samples(store) == rows(store, t.freshness, "source")


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "said"),
    [
        ("/usage/samples", [ROW], {"Authorization": "Bearer wrong-key-of-some-length"}, 401, "Authorization: Bearer"),
        ("/usage/samples", [ROW], {"Authorization": KEY}, 401, "Authorization: Bearer"),
        ("/usage/samples", [ROW], {"Authorization": "Basic !!"}, 401, "Authorization: Bearer"),
        ("/usage/other", [ROW], {}, 404, "/usage/samples, /usage/features"),
        ("/usage", [ROW], {}, 404, "there is no such feed"),
        ("/usage/samples", [ROW], {"Content_Type": "text/csv"}, 415, "application/json"),
        ("/usage/samples", [ROW], {"Content_Type": "application/json; charset=latin-1"}, 415, "UTF-8"),
        ("/usage/samples", [ROW], {"Content_Encoding": "gzip"}, 415, "unpacked"),
        ("/usage/samples", b"[{", {}, 400, "no valid JSON"),
        ("/usage/samples", b"[" * 100_000, {}, 400, "no valid JSON"),
        ("/usage/samples", b'"\xff"', {}, 400, "not UTF-8"),
        ("/usage/samples", b"7", {}, 400, "neither a list"),
        ("/usage/samples", [ROW] * 51, {}, 413, "51 rows are more than the 50"),
        ("/usage/samples", b" " * 200_001, {}, 413, "larger than 200,000 bytes"),
        ("/usage/samples", [ROW], {"Idempotency_Key": "k" * 256}, 400, "1 to 255"),
    ],
)
def test_what_cannot_be_taken_gets_a_clear_answer(
    sqlite_store: Store, *, path: str, body: Any, headers: dict[str, str], status: int, said: str
) -> None:
    """Status and remedy; nothing is kept."""
    with Listener(sqlite_store, settings={"max_rows": 50, "max_body": 200_000}) as listener:
        answer = listener.post(path, body, **headers)
    assert (status, True) == (answer.status_code, said in answer.json()["error"]), answer.text
    assert KEY not in answer.text
    assert [] == samples(sqlite_store)


def test_a_body_without_a_length_is_cut_off(sqlite_store: Store) -> None:
    """A chunked body that goes on is not read to its end."""
    with Listener(sqlite_store, settings={"max_body": 1_000}) as listener:
        assert 413 == listener.post("/usage/samples", iter([b"[" + b" " * 900, b" " * 900])).status_code


def test_other_methods_and_places_are_refused(listener: Listener) -> None:
    """Nothing but POST, nowhere but there; without keys there is no /usage."""
    import requests

    address = listener.server.address
    assert 405 == requests.get(f"{address}/usage/samples", timeout=10).status_code
    assert 404 == requests.get(f"{address}/metrics", timeout=10).status_code
    with Listener(listener.store, settings={"keys": []}) as keyless:
        assert 404 == keyless.post("/usage/samples", [ROW]).status_code


def test_any_of_the_keys_opens_and_basic_authentication_too(sqlite_store: Store) -> None:
    """So that keys can be changed without a gap, and senders that know only passwords can send."""
    with Listener(sqlite_store, settings={"keys": ["another-key-of-length", KEY]}) as listener:
        basic = base64.b64encode(f"anybody:{KEY}".encode()).decode()
        assert 200 == listener.post("/usage/samples", [ROW]).status_code
        assert 200 == listener.post("/usage/samples", [ROW], Authorization=f"Basic {basic}").status_code


def test_the_same_push_again_is_done_once(listener: Listener, store: Store) -> None:
    """By its key, whatever came in between; without a key by the rows themselves."""
    first = listener.post("/usage/samples", [ROW], Idempotency_Key='"k-1"').json()
    assert 1 == listener.post("/usage/samples", [ROW | {"active_users": 9}]).json()["changed"]
    again = listener.post("/usage/samples", [ROW], Idempotency_Key="k-1").json()
    assert first | {"repeated": True} == again
    assert [("ws-1", "", 9.0)] == samples(store), "an old repeat undoes nothing"
    assert 0 == listener.post("/usage/samples", [ROW | {"active_users": 9}]).json()["changed"]
    other = listener.post("/usage/samples", [ROW | {"active_users": 1}], Idempotency_Key="k-1")
    assert (422, True) == (other.status_code, "needs a new key" in other.json()["error"])
    listener.clock.at += 8 * DAY
    listener.post("/usage/samples", [], Idempotency_Key="k-2")
    assert [("k-2",)] == rows(store, t.ingest_keys, "key"), "old keys are forgotten"


def test_too_many_calls_are_told_when_to_come_back(sqlite_store: Store) -> None:
    """429 with Retry-After; after that time there is room."""
    with Listener(sqlite_store, settings={"per_second": 0.5, "burst": 2}) as listener:
        assert [200, 200, 429] == [listener.post("/usage/samples", [ROW]).status_code for _ in range(3)]
        answer = listener.post("/usage/samples", [ROW])
        assert "2" == answer.headers["Retry-After"]
        listener.clock.at += 2_000_000
        assert 200 == listener.post("/usage/samples", [ROW]).status_code


def test_a_busy_store_and_a_full_house_say_come_back(store: Store) -> None:
    """503 with Retry-After, after its patience or at once; nothing is half applied."""
    with Listener(store, settings={"at_once": 1, "patience_seconds": 0.3}) as listener:
        with store.write():
            assert 503 == (busy := listener.post("/usage/samples", [ROW])).status_code
        assert "5" == busy.headers["Retry-After"]
        assert [] == samples(store)
        assert 200 == listener.post("/usage/samples", [ROW]).status_code


def test_a_full_house_turns_away_at_once_and_a_stop_finishes_what_it_has(store: Store) -> None:
    """Of two calls one waits for the store and the other is turned away; the stop waits for the first one's answer."""
    listener = Listener(store, settings={"at_once": 1, "patience_seconds": 60})
    listener.server.start()
    with store.write():
        answers = listener.posted_by_two("/usage/samples", [ROW])
        assert 503 == answers.get(timeout=60).status_code
        stopping = threading.Thread(target=listener.server.stop)
        stopping.start()
    assert 200 == answers.get(timeout=60).status_code
    stopping.join()
    assert [("ws-1", "", 5.0)] == samples(store)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(listener.server.address.rpartition(":")[2])), timeout=5)


_KILLED = """
import os, signal, sys
from daemon.ingest.pushes import Pushes
from store.engine import Store
from tests.daemon.listener import Listener, SAMPLES

class Dying(Pushes):
    def take(self, *args, **named):
        super().take(*args, **named)
        os.kill(os.getpid(), signal.SIGKILL)

listener = Listener(Store(sys.argv[1]), {"samples": SAMPLES}, takes=Dying)
listener.server.start()
print(listener.server.address, flush=True)
signal.pause()
"""


@pytest.mark.parametrize("key", ["k-1", None])
def test_a_kill_between_commit_and_answer_doubles_nothing(store: Store, key: str | None) -> None:
    """The sender got no answer and sends again: the repeat is known, or changes nothing."""
    import requests

    headers = {"Authorization": f"Bearer {KEY}"} | ({"Idempotency-Key": key} if key else {})
    with subprocess.Popen(
        [sys.executable, "-c", _KILLED, store.url], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as child:
        assert child.stdout is not None
        address = child.stdout.readline().strip()
        with pytest.raises(requests.ConnectionError):
            requests.post(f"{address}/usage/samples", json=[ROW], headers=headers, timeout=30)
        assert -signal.SIGKILL == child.wait(30)
    assert [("ws-1", "", 5.0)] == samples(store)
    with Listener(store, {"samples": SAMPLES}) as listener:
        answer = requests.post(f"{listener.server.address}/usage/samples", json=[ROW], headers=headers, timeout=30)
    assert (200, bool(key)) == (answer.status_code, answer.json()["repeated"])
    assert [("ws-1", "", 5.0)] == samples(store)


def test_derivation_is_done_by_a_worker_of_its_own(sqlite_store: Store) -> None:
    """At the start, for what a kill may have left, then after each push."""
    done, stop = threading.Semaphore(0), threading.Event()
    pushes = Pushes(sqlite_store, SystemClock(), done.release)
    thread = threading.Thread(target=pushes.loop, args=(stop,))
    thread.start()
    assert done.acquire(timeout=30)
    pushes.take("samples", "samples", [], key=None, digest="", patience=5)
    assert not pushes.wake.is_set(), "nothing changed"
    pushes.wake.set()
    assert done.acquire(timeout=30)
    stop.set()
    pushes.wake.set()
    thread.join(30)
    assert not thread.is_alive()


def test_calls_are_counted_on_the_metrics_page(sqlite_store: Store) -> None:
    """By route and status, rows by feed; names of accounts never."""
    with Listener(sqlite_store) as listener:
        listener.post("/usage/samples", [ROW])
        listener.post("/usage/samples", [ROW], key=None)
        health = HealthServer("127.0.0.1:0", sqlite_store, SystemClock(), list, [listener.server.counts])
        health.start()
        with urlopen(f"{health.address}/metrics", timeout=10) as page:
            text = page.read().decode()
        health.stop()
    assert 'tierd_ingest_calls_total{route="usage",status="200"} 1.0' in text
    assert 'tierd_ingest_calls_total{route="usage",status="401"} 1.0' in text
    assert 'tierd_ingest_rows_total{feed="samples"} 1.0' in text
    assert "ws-1" not in text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"bind": "0.0.0.0:9465"}, "allow_remote: true"),
        ({"bind": "[::]:9465"}, "allow_remote: true"),
        ({"bind": "ingest.example:9465"}, "allow_remote: true"),
        ({"keys": ["short"]}, "shorter than 16 characters"),
        ({"bind": "9465"}, "is no address"),
    ],
)
def test_unsafe_settings_are_refused(given: dict[str, Any], said: str) -> None:
    """An address that others reach must be wanted; a key must be long."""
    with pytest.raises(ValueError, match="Value error") as refused:
        IngestSettings.model_validate(given)
    assert said in str(refused.value)
    assert IngestSettings.model_validate({"bind": "0.0.0.0:9465", "allow_remote": True})
    assert IngestSettings.model_validate({"bind": "[::1]:9465"})
