"""Build the daemon from its configuration: read this file first, it names every part and how they hang together.

    source workers   sync -> derive       one thread per source: rows and cursor in one transaction, then what they touch
    evaluator        facts -> rules -> alerts -> tiers -> digest -> verify      waits for the syncs that were due before it
    deliverer        outbox -> Slack      buttons come back through Socket Mode
    intake           pushed usage -> derive; webhooks and change events bring a source's next sync forward
    health           /healthz /readyz /metrics

All of them meet in the store only. Time and waiting come from the one clock that is handed in.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from threading import Event
from typing import TYPE_CHECKING

from daemon.config import Config
from daemon.rulefiles import Rules
from daemon.schedule import At, Due, Schedule, Task
from daemon.sources import Sources
from daemon.sync import trouble_of
from daemon.workers import TaskLoop, Worker
from store.engine import Store
from store.records import HOUR, Clock, Instant

if TYPE_CHECKING:
    from daemon.ingest.intake import Intake
    from daemon.run import Crew
    from daemon.talk import Talk
    from daemon.work import Work


class Daemon:
    """Every part of one tierd, built and not yet running."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self.config = config
        self.clock = clock
        self.store = Store(config.store_url)
        self.rules = Rules(config.folder, config.rules, config.currency, self.store, config.workdays)
        self.sources = Sources(config, clock, self.store)
        self._wakes: dict[str, Event] = {}

    @cached_property
    def work(self) -> Work:
        """What the tasks do."""
        from daemon.work import Work

        return Work(self.config, self.clock, self.store, self.sources, self.rules)

    @cached_property
    def talk(self) -> Talk:
        """What is said in Slack, and what is said there to us."""
        from daemon.talk import Talk

        return Talk(self.config, self.clock, self.store, self.rules, self.work.policy, derive=self._derive)

    @cached_property
    def intake(self) -> Intake:
        """What comes in instead of being fetched."""
        from daemon.ingest.intake import Intake

        return Intake(self.config, self.clock, self.store, self.sources, derive=self._derive, wake=self._wake)

    @cached_property
    def schedule(self) -> Schedule:
        """The tasks and when they are due."""
        return Schedule(self.store, self._tasks())

    @cached_property
    def crew(self) -> Crew:
        """The threads that work the tasks off, and the health pages."""
        from daemon.health import HealthServer
        from daemon.run import Crew

        workers = [*self._workers(), *self.talk.workers(), *self.intake.workers()]
        dead = lambda: [worker.name for worker in workers if not worker.alive()]  # noqa: E731
        health = HealthServer(self.config.health.bind, self.store, self.clock, dead, self.intake.collectors())
        return Crew(workers, [health, *self.talk.services(), *self.intake.services()], self.work.stop)

    def run(self, ready: Callable[[], None] = lambda: None) -> int:
        """Run until SIGTERM or SIGINT; the exit code. The store is migrated and this process its only writer by now."""
        from daemon.run import serve

        self.work.declare_sources()
        self.schedule.prepare(self.clock.now())
        return serve(self.crew, self.clock, ready)

    def close(self) -> None:
        """Give every connection back."""
        self.sources.close()
        self.store.close()

    # ------------------------------------------------------------ what is done, and when

    def _tasks(self) -> list[Task]:
        tasks = [
            Task(f"sync:{name}", self.sources.trigger(name), partial(self._sync, name))
            for name in self.sources.read_ones()
        ]
        tasks += [
            Task(f"sweep:{name}:{sweep}", trigger, partial(self._sweep, name, sweep))
            for name in self.sources.names()
            for sweep, (trigger, _) in self.sources.sweeps(name).items()
        ]
        tasks.append(Task("evaluate", self.config.evaluate.trigger(HOUR), self._evaluate))
        tasks.append(Task("verify", At(self.config.evaluate.verify_at), self._verify))
        tasks.append(Task("tiers", At(self.config.tiers.at), self._tiers))
        tasks.append(Task("digest", At(self.config.alerts.digest_at), self._digest))
        return tasks

    def _sync(self, source: str, _as_of: Instant) -> str | None:
        return trouble_of(self.work.sync(source))

    def _sweep(self, source: str, name: str, _as_of: Instant) -> str | None:
        return trouble_of(self.work.sweep(source, name))

    def _evaluate(self, as_of: Instant) -> str | None:
        rules, mistake = self.rules.forgiving(self.clock.now())
        errors = self.work.evaluate(as_of, rules).errors
        return mistake or "; ".join(f"{rule}: {error}" for rule, error in sorted(errors.items())) or None

    def _verify(self, _as_of: Instant) -> str | None:
        self._evaluate_touched()  # what waits to be evaluated is no difference
        done = self.work.verify()
        return None if done is None else done.trouble()

    def _tiers(self, _as_of: Instant) -> str | None:
        evaluated = self.work.evaluated_at()
        if evaluated is None:
            return None  # tiers stand on an evaluation; the first has not run yet
        run = self.work.apply_tiers(evaluated)
        return None if run.status == "applied" else "; ".join(run.remarks) or run.status

    def _digest(self, as_of: Instant) -> None:
        self.work.digest(as_of)

    # ------------------------------------------------------------ who does it

    def _workers(self) -> list[Worker]:
        loops = {"evaluator": self._evaluator()}
        for name in self.sources.read_ones():
            loops[name] = TaskLoop(
                self.schedule,
                [f"sync:{name}", *self.schedule.names(f"sweep:{name}:")],
                self.clock,
                troubled=self._troubled,
                after=loops["evaluator"].wake.set,
            )
        self._wakes.update({name: loop.wake for name, loop in loops.items()})
        return [Worker(name, self.clock, loop, loop.wake) for name, loop in loops.items()]

    def _wake(self, worker: str) -> None:
        if worker in self._wakes:
            self._wakes[worker].set()

    def _derive(self) -> None:
        self.work.derive()
        self._wake("evaluator")

    def _evaluator(self) -> TaskLoop:
        return TaskLoop(
            self.schedule,
            ["evaluate", "tiers", "digest", "verify"],
            self.clock,
            before=self._syncs_before,
            between=self._evaluate_touched,
            troubled=self._troubled,
            after=self.talk.wake,
        )

    def _syncs_before(self, due: Due) -> list[str]:
        return self.schedule.waits_for(due.as_of, "sync:")

    def _troubled(self, task: str, trouble: str) -> None:
        self.work.tell(task, trouble)
        self.talk.wake()

    def _evaluate_touched(self) -> None:
        if self.config.evaluate.after_sync:
            rules, _ = self.rules.forgiving(self.clock.now())
            if self.work.evaluate_touched(rules) is not None:
                self.talk.wake()


def build(config: Config, clock: Clock) -> Daemon:
    """The daemon of this configuration on this clock. Nothing is opened, sent or changed yet."""
    return Daemon(config, clock)
