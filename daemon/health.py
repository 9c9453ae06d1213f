"""Is the daemon alive, is its data fit for use, and the numbers behind it: for probes and Prometheus, never account data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from daemon.listening import Listener
from store.engine import Store
from store.records import MINUTE, SECOND, Clock
from store.runs import CONFIGURATION
from store.status import Status, read

_OVERDUE = 30 * MINUTE  # a task may wait for its worker so long
_GOOD = ("ok", "absent")


class HealthServer:
    """Serves /healthz, /readyz and /metrics on an address of its own. `workers` tells which threads have ended."""

    def __init__(
        self,
        bind: str,
        store: Store,
        clock: Clock,
        dead_workers: Callable[[], Sequence[str]],
        collectors: Sequence[Collector] = (),
    ) -> None:
        """`collectors`: numbers that are not in the store."""
        self._listener = Listener("health", bind)
        self._store = store
        self._clock = clock
        self._dead_workers = dead_workers
        self._registry = CollectorRegistry()
        self._registry.register(_StoreCollector(store, clock))
        for collector in collectors:
            self._registry.register(collector)

    @property
    def address(self) -> str:
        """`http://host:port` once it listens."""
        return self._listener.address

    def start(self) -> None:
        """Listen; raises OSError when the address is taken."""
        self._listener.start(self.app())

    def stop(self) -> None:
        """Close the address."""
        self._listener.stop()

    def app(self) -> Starlette:
        """The three pages."""
        return Starlette(
            routes=[
                Route("/healthz", self._healthz),
                Route("/readyz", self._readyz),
                Route("/metrics", self._metrics),
            ]
        )

    def _healthz(self, _request: Request) -> Response:
        dead = self._dead_workers()
        return JSONResponse({"ok": not dead, "dead_workers": list(dead)}, 503 if dead else 200)

    def _readyz(self, _request: Request) -> Response:
        try:
            reasons = self.reasons()
        except SQLAlchemyError:
            reasons = ["the store does not answer"]
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    def reasons(self) -> list[str]:
        """Why what tierd says may be out of date; empty = it is not."""
        now = self._clock.now()
        with self._store.read() as connection:
            status = read(connection, now)
        late = {f"{stream.source} {stream.stream} is stale" for stream in status.streams if stream.late}
        unseen = [s for s in status.streams if not s.fresh_at and s.stream != CONFIGURATION]
        never = {f"{stream.source} {stream.stream} has not been read yet" for stream in unseen}
        bad = {f"{s.source} {s.stream} is {s.status}" for s in status.streams if s.status not in _GOOD}
        overdue = {f"task {task.task} is overdue" for task in status.tasks if now - task.next_due > _OVERDUE}
        failed = {f"task {task.task} has failed" for task in status.tasks if task.trouble}
        unread = {"nothing has been evaluated yet"} if status.evaluated_at is None else set()
        return sorted(late | never | bad | overdue | failed | unread)

    def _metrics(self, _request: Request) -> Response:
        return PlainTextResponse(generate_latest(self._registry), media_type="text/plain; version=0.0.4; charset=utf-8")


class _StoreCollector:
    """Reads the store when it is scraped, so that a restart loses no counter."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """Every number, as Prometheus wants it."""
        now = self._clock.now()
        try:
            with self._store.read() as connection:
                status = read(connection, now)
        except SQLAlchemyError:
            yield GaugeMetricFamily("tierd_store_up", "1 = the store answers.", value=0)
            return
        yield GaugeMetricFamily("tierd_store_up", "1 = the store answers.", value=1)
        yield from _reading(status, now)
        yield from _saying(status, now)

    def describe(self) -> list[Metric]:
        """Nothing beforehand: the store may not be there yet when the collector is registered."""
        return []


def _gauge(name: str, text: str, labels: Sequence[str], rows: Sequence[tuple[Sequence[str], float]]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def _reading(status: Status, now: int) -> Iterator[Metric]:
    read_ones = [s for s in status.streams if s.fresh_at is not None and s.status != "absent"]
    ages = [((s.source, s.stream), (now - (s.fresh_at or 0)) / SECOND) for s in read_ones]
    yield _gauge("tierd_stream_age_seconds", "Since a stream was complete.", ("source", "stream"), ages)
    trouble = [((s.source, s.stream), float(s.status not in _GOOD)) for s in status.streams]
    yield _gauge("tierd_stream_trouble", "1 = a stream was not fully read.", ("source", "stream"), trouble)
    calls = CounterMetricFamily("tierd_api_calls", "API calls of all sync runs.", labels=("source",))
    for source, count in status.calls.items():
        calls.add_metric((source,), count)
    yield calls
    lag = [((task.task,), max(0.0, (now - task.next_due) / SECOND)) for task in status.tasks]
    yield _gauge("tierd_task_overdue_seconds", "Since a task is due.", ("task",), lag)
    failed = [((task.task,), float(task.trouble is not None)) for task in status.tasks]
    yield _gauge("tierd_task_failed", "1 = the last run of a task failed.", ("task",), failed)


def _saying(status: Status, now: int) -> Iterator[Metric]:
    yield _gauge("tierd_accounts", "Accounts on file.", (), [((), status.accounts)])
    yield _gauge("tierd_customers", "Customers in the last evaluation.", (), [((), status.customers)])
    opened = [(key, count) for key, count in status.alerts.items()]
    yield _gauge("tierd_alerts", "Alerts that are not closed.", ("rule", "severity", "state"), opened)
    undecided = [((rule,), count) for rule, count in status.undecided.items()]
    yield _gauge("tierd_undecided", "Accounts where a rule cannot be decided.", ("rule",), undecided)
    queue = [((state,), count) for state, count in status.queue.items()]
    yield _gauge("tierd_deliveries", "Deliveries by state.", ("state",), queue)
    waiting = 0.0 if status.oldest_waiting is None else (now - status.oldest_waiting) / SECOND
    yield _gauge("tierd_delivery_oldest_seconds", "Age of the oldest waiting delivery.", (), [((), waiting)])
    yield CounterMetricFamily(
        "tierd_possible_duplicates", "Messages that may have been sent twice.", value=status.possible_duplicates
    )
    if status.evaluated_at is not None:
        age = (now - status.evaluated_at) / SECOND
        yield _gauge("tierd_evaluation_age_seconds", "Since the last full evaluation.", (), [((), age)])
    if status.verified is not None:
        at, wrong = status.verified
        yield _gauge(
            "tierd_verify_age_seconds", "Since the facts were computed from nothing.", (), [((), (now - at) / SECOND)]
        )
        yield _gauge("tierd_verify_differences", "Accounts whose facts differed then.", (), [((), wrong)])
    yield _gauge("tierd_paused", "1 = this brake is on.", ("what",), [((what,), 1.0) for what in status.paused])
