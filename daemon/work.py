"""What the daemon does with its parts, one method per task; the commands with --once call the same methods."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence

import structlog

from alerts import message
from daemon import alerting, tiers
from daemon.alerting import AlertPolicy, gaps, who
from daemon.alerting.outbox import operators_row
from daemon.config import Config
from daemon.derive import derive
from daemon.evaluate import Evaluation, evaluate
from daemon.masking import masking
from daemon.parts import alert_policy, catalogue, derivation, fact_settings, tier_setup
from daemon.rulefiles import Rules
from daemon.sources import Sources
from daemon.sync import Connector, OnRows, SyncRun, run_sweep, run_sync, toll
from daemon.tiers import TierRun
from daemon.verify import Verified, verify
from daemon.workers import Stopped
from daemon.writeback import TierWriter
from rules.language import RuleSet
from store import deliveries, flags, runs, usage_features
from store.engine import Store
from store.records import DAY, Clock, Instant, StreamTrouble, SyncEvent, Toll
from store.status import evaluated_at
from store.sync import save_trouble

_log = structlog.get_logger(__name__)


class Work:
    """The tasks over one store. Derivation is done by one thread at a time; everything else by its own worker."""

    def __init__(self, config: Config, clock: Clock, store: Store, sources: Sources, rules: Rules) -> None:
        self.config = config
        self.clock = clock
        self.store = store
        self.sources = sources
        self.rules = rules
        self.derivation = derivation(config)
        self.facts = fact_settings(config)
        self.policy: AlertPolicy = alert_policy(config)
        self.tiers = tier_setup(config, self.facts)
        self.stop = threading.Event()
        self._mask = masking(config.secrets)
        self._deriving = threading.Lock()
        self._touched: set[int] = set()
        self._touched_lock = threading.Lock()

    # ------------------------------------------------------------ reading

    def declare_sources(self) -> None:
        """Note the configured sources and their intervals: staleness is measured by them."""
        with self.store.write() as connection:
            usage_features.save_catalogue(connection, catalogue(self.config))
            runs.keep_sources(connection, [*self.config.sources, *self.config.left_out])
            for name, source in self.config.sources.items():
                runs.declare_source(connection, name, source.kind, self.sources.interval(name), _tenant(source))
                reader = self.sources.reader(name)
                runs.keep_streams(connection, name, [*reader.streams(), *(f"sweep:{s}" for s in reader.sweeps())])

    def leave_out(self, source: str, problem: str) -> None:
        """Note that a source cannot be read because of its section in tierd.yaml; the others go on."""
        _log.error("source left out: its section has a mistake", source=source, problem=problem)
        with self.store.write() as connection:
            save_trouble(connection, source, StreamTrouble(runs.CONFIGURATION, "failed", problem))
        self.tell(f"sync:{source}", problem)

    def sync(self, source: str, on_rows: OnRows = lambda _rows: None) -> SyncRun:
        """Read what changed in a source, then derive what that touches."""
        connector = _Stoppable(self.sources.reader(source), self.stop)
        run = run_sync(self.store, source, connector, self.clock, on_rows, mask=self._mask)
        return self._after(run)

    def sweep(self, source: str, name: str) -> SyncRun:
        """Read what increments of a source cannot see, then derive what that touches."""
        connector = _Stoppable(self.sources.reader(source), self.stop)
        _, interval = self.sources.sweeps(source)[name]
        run = run_sweep(self.store, source, connector, name, self.clock, interval=interval, mask=self._mask)
        return self._after(run)

    def derive(self) -> Collection[int]:
        """Work off what syncs have left; the accounts touched."""
        with self._deriving:
            done = derive(self.store, self.derivation, self.clock.now())
        if done.rows:
            _log.info("derived", rows=done.rows, accounts=len(done.accounts))
        with self._touched_lock:
            self._touched |= done.accounts
        return done.accounts

    def _after(self, run: SyncRun) -> SyncRun:
        log = _log.info if run.status == "ok" else _log.warning
        saved = run.saved
        log("synced", source=run.source, kind=run.kind, status=run.status, seen=saved.seen, changed=saved.changed,
            deleted=saved.deleted, calls=run.calls, **({"faults": dict(run.faults)} if run.faults else {}))  # fmt: skip
        for complaint in run.complaints():
            _log.warning("not fully read", source=run.source, reason=complaint)
        if self.stop.is_set() and run.status != "ok":
            raise Stopped
        self.derive()
        return run

    # ------------------------------------------------------------ evaluating

    def evaluate(self, as_of: Instant, ruleset: RuleSet) -> Evaluation:
        """Evaluate all customers at `as_of`, and bring alerts in line."""
        with self._touched_lock:
            self._touched.clear()
        return self._evaluate(as_of, ruleset, None)

    def evaluate_touched(self, ruleset: RuleSet) -> Evaluation | None:
        """Evaluate the accounts that syncs have touched since; None = there are none, or no full evaluation yet."""
        with self._touched_lock:
            touched, self._touched = self._touched, set()
        if not touched or self.evaluated_at() is None:
            return None  # before the first full evaluation there are no medians; that one covers them
        return self._evaluate(self.clock.now(), ruleset, touched)

    def _evaluate(self, as_of: Instant, ruleset: RuleSet, accounts: Collection[int] | None) -> Evaluation:
        done = evaluate(
            self.store, ruleset, self.facts, as_of, accounts,
            advance=lambda store, rules, at: alerting.advance(store, rules, self.policy, at),
            clock=self.clock,
        )  # fmt: skip
        _log.info(
            "evaluated", scope=done.scope, customers=done.customers, facts=done.facts_changed, changed=done.changed
        )
        return done

    def verify(self) -> Verified | None:
        """Compute all facts from nothing, compare, mend; None before the first full evaluation."""
        return verify(self.store, self.facts, self.clock.now())

    def digest(self, as_of: Instant) -> int:
        """Queue the daily digests, the weekly questions who somebody is, and what nobody takes over; how many.

        The operators get a note on new gaps in the data besides, as far as these are nobody else's to mend.
        """
        ruleset, _ = self.rules.forgiving(self.clock.now())
        gaps.tell(self.store, self.policy, as_of)
        queued = alerting.digest(self.store, ruleset, self.policy, as_of)
        return queued + who.ask(self.store, self.policy, as_of) + who.tell_hand_overs(self.store, self.policy, as_of)

    def evaluated_at(self) -> Instant | None:
        """`as_of` of the last full evaluation."""
        with self.store.read() as connection:
            return evaluated_at(connection)

    # ------------------------------------------------------------ tiers

    def apply_tiers(self, as_of: Instant, approve: Collection[int] = ()) -> TierRun:
        """Record the tiers of `as_of` and write them where write-back is enabled and not paused."""
        return tiers.apply(self.store, self.tiers, self.writers(), as_of, approve, clock=self.clock)

    def writers(self) -> Mapping[str, TierWriter]:
        """The CRMs that may be written to now: none while the brake is on."""
        paused = self.paused("writes")
        if paused:
            _log.warning("writes are paused: tiers are recorded, not written", reason=paused)
        return {} if paused else self.sources.writers()

    # ------------------------------------------------------------ telling the operators

    def tell(self, task: str, trouble: str) -> None:
        """Tell the operators that a task does not do all it should: once a day and task, however often it fails."""
        now = self.clock.now()
        note = message.operators(f"{task} does not work as it should: {trouble}", "`tierd status` shows what is stale")
        row = operators_row(
            note, cause=("trouble", task, now // DAY), destination=self.policy.operators_channel, at=now
        )
        with self.store.write() as connection:
            deliveries.enqueue(connection, [row])

    # ------------------------------------------------------------ brakes

    def paused(self, what: str) -> str | None:
        """Why writes or messages are paused; None = they are not."""
        with self.store.read() as connection:
            return flags.paused(connection, what)


def _tenant(source: object) -> str | None:
    return getattr(source, "org_id", None) or getattr(source, "portal_id", None)


class _Stoppable:
    """A connector whose reading ends after the batch in hand once a stop was asked for."""

    def __init__(self, connector: Connector, stop: threading.Event) -> None:
        self._connector = connector
        self._stop = stop

    @property
    def calls(self) -> int:
        return self._connector.calls

    def toll(self) -> Toll:
        return toll(self._connector)

    def streams(self) -> tuple[str, ...]:
        return self._connector.streams()

    def sweeps(self) -> Mapping[str, Instant]:
        return self._connector.sweeps()

    def sync(self, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
        return self._until_stop(self._connector.sync(cursors))

    def sweep(self, name: str, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
        return self._until_stop(self._connector.sweep(name, cursors))

    def close(self) -> None:
        self._connector.close()

    def _until_stop(self, events: Iterator[SyncEvent]) -> Iterator[SyncEvent]:
        for event in events:
            yield event
            if self._stop.is_set():
                yield StreamTrouble(event.stream, "retry", "stopped before the end; the next start goes on from here")
                return


def summary(runs_done: Sequence[SyncRun]) -> str:
    """How syncs went, in a sentence each."""
    return "\n".join(
        f"{run.source}: {run.status}, {run.saved.seen:,} rows seen, {run.saved.changed:,} changed, "
        f"{run.saved.deleted:,} deleted, {run.calls:,} API calls"
        for run in runs_done
    )
