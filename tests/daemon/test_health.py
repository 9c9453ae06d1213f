"""The health pages say whether the daemon lives and whether its data is fit for use, without account data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from sqlalchemy import insert

from daemon.clock import SystemClock
from daemon.health import HealthServer
from store import tables
from store.engine import Store
from store.records import DAY, HOUR, MINUTE
from store.runs import CONFIGURATION, keep_sources, keep_streams


class _Noon(SystemClock):
    def now(self) -> int:
        return 20_500 * DAY + 12 * HOUR


@pytest.fixture
def dead() -> list[str]:
    """The workers that have ended; a test may add one."""
    return []


@pytest.fixture
def server(store: Store, dead: list[str]) -> Iterator[HealthServer]:
    """The pages over an empty store."""
    made = HealthServer("127.0.0.1:0", store, _Noon(), lambda: dead)
    made.start()
    yield made
    made.stop()


def _get(server: HealthServer, page: str) -> tuple[int, str]:
    try:
        with urlopen(f"{server.address}{page}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def _put(store: Store, fresh_at: int, status: str = "ok", next_due: int = _Noon().now() + HOUR) -> None:
    with store.write() as connection:
        source = {"source": "crm", "kind": "salesforce", "interval_us": 5 * MINUTE}
        connection.execute(insert(tables.sources).values(**source))
        row = {"source": "crm", "stream": "accounts", "fresh_at": fresh_at, "status": status}
        connection.execute(insert(tables.freshness).values(**row))
        connection.execute(insert(tables.schedule).values(task="sync:crm", next_due=next_due))
        evaluated = {"as_of": fresh_at, "scope": "full", "started_at": fresh_at, "ended_at": fresh_at}
        connection.execute(insert(tables.evaluations).values(**evaluated))


def _stream(store: Store, stream: str, age: int | None, status: str = "ok", interval: int | None = None) -> None:
    at = None if age is None else _Noon().now() - age
    row = {"source": "crm", "stream": stream, "fresh_at": at, "status": status, "interval_us": interval}
    with store.write() as connection:
        connection.execute(insert(tables.freshness).values(**row))


def _reasons(server: HealthServer) -> list[str]:
    code, body = _get(server, "/readyz")
    answer = json.loads(body)
    assert (code == 200) == answer["ready"] == (not answer["reasons"])
    return list(answer["reasons"])


def test_fresh_and_evaluated_is_ready(server: HealthServer, store: Store) -> None:
    """Nothing late, nothing failed: ready."""
    _put(store, _Noon().now() - 10 * MINUTE)
    assert _reasons(server) == []


def test_new_store_is_not_ready(server: HealthServer) -> None:
    """Before the first evaluation tierd has nothing to say."""
    assert _reasons(server) == ["nothing has been evaluated yet"]


def test_stale_source_and_overdue_task_are_named(server: HealthServer, store: Store) -> None:
    """A source two hours behind, read every five minutes, and its task that nobody has taken up."""
    _put(store, _Noon().now() - 2 * HOUR, next_due=_Noon().now() - HOUR)
    assert _reasons(server) == ["crm accounts is stale", "task sync:crm is overdue"]


def test_sweep_is_judged_by_its_own_interval(server: HealthServer, store: Store) -> None:
    """A daily sweep of a source that is read every five minutes is fit for use a day later, and not after four."""
    _put(store, _Noon().now() - MINUTE)
    _stream(store, "sweep:associations", DAY, interval=DAY)
    assert _reasons(server) == []
    _stream(store, "sweep:archived-owners", 4 * DAY, interval=DAY)
    assert _reasons(server) == ["crm sweep:archived-owners is stale"]


def test_what_a_source_does_not_have_is_never_late(server: HealthServer, store: Store) -> None:
    """An org without relation objects said so once, long ago."""
    _put(store, _Noon().now() - MINUTE)
    _stream(store, "task_relations", 90 * DAY, "absent")
    assert _reasons(server) == []
    text = _get(server, "/metrics")[1]
    assert 'tierd_stream_trouble{source="crm",stream="task_relations"} 0.0' in text
    assert 'tierd_stream_age_seconds{source="crm",stream="task_relations"}' not in text


def test_mistake_in_the_configuration_is_told_until_it_is_mended(server: HealthServer, store: Store) -> None:
    """One reason for a section with a mistake; the next start with a good one forgets it, and streams not read any more."""
    _put(store, _Noon().now() - MINUTE)
    _stream(store, CONFIGURATION, None, "failed")
    _stream(store, "objects:Gone__c", 9 * DAY)
    assert _reasons(server) == ["crm configuration is failed", "crm objects:Gone__c is stale"]
    with store.write() as connection:
        keep_streams(connection, "crm", ["accounts", "sweep:associations"])
    assert _reasons(server) == []


def test_a_source_that_is_configured_no_longer_is_forgotten(server: HealthServer, store: Store) -> None:
    """Nothing can make it fresh again, so nobody is called for it."""
    _put(store, _Noon().now() - 9 * DAY)
    assert _reasons(server) == ["crm accounts is stale"]
    with store.write() as connection:
        keep_sources(connection, ["another"])
    assert _reasons(server) == []


def test_failed_stream_is_named(server: HealthServer, store: Store) -> None:
    """A stream that could not be read keeps its stamp and says so."""
    _put(store, _Noon().now() - MINUTE, status="partial")
    assert _reasons(server) == ["crm accounts is partial"]


def test_dead_worker_is_not_healthy(server: HealthServer, dead: list[str]) -> None:
    """A thread that has ended makes a supervisor start the process anew."""
    assert _get(server, "/healthz")[0] == 200
    dead.append("evaluator")
    assert _get(server, "/healthz") == (503, '{"ok":false,"dead_workers":["evaluator"]}')


def test_metrics_hold_ages_and_states(server: HealthServer, store: Store) -> None:
    """Prometheus reads how old each stream is, and which tasks are late."""
    _put(store, _Noon().now() - 10 * MINUTE, next_due=_Noon().now() - MINUTE)
    code, text = _get(server, "/metrics")
    assert code == 200
    assert 'tierd_stream_age_seconds{source="crm",stream="accounts"} 600.0' in text
    assert 'tierd_task_overdue_seconds{task="sync:crm"} 60.0' in text
    assert "tierd_store_up 1.0" in text


def test_store_that_is_gone_is_told(server: HealthServer, store: Store) -> None:
    """The pages answer even when the store does not."""
    with store.write() as connection:
        connection.exec_driver_sql("DROP TABLE evaluations")
    assert _reasons(server) == ["the store does not answer"]
    assert "tierd_store_up 0.0" in _get(server, "/metrics")[1]
