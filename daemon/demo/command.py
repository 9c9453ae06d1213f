"""`tierd demo`: build the made-up company, let the days pass, judge the run, show it, leave a report."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from sqlalchemy import func, select

from daemon import config as configuration
from daemon.cli.common import BadInput, Failed
from daemon.clock import SystemClock
from daemon.demo import crm, days, factcheck, identities, report, setup, shots
from daemon.demo.groundtruth import GroundTruth, TruthFailed
from daemon.demo.people import People
from daemon.demo.picks import Looker, Pick, picks
from daemon.demo.play import Child, Control, DemoFailed, play
from daemon.demo.score import Evidence, passed, score
from daemon.demo.seen import seen
from daemon.demo.show import Show
from daemon.identity import Report
from daemon.identity import report as report_identity
from daemon.wiring import Daemon, build
from sandbox import serve
from sandbox.serve import Sandbox
from sandbox.world import project
from store.engine import Store
from store.records import DAY, HOUR, SECOND
from store.tables import sync_runs, tier_ledger

_KILL_ON, _FEWEST_FOR_KILL = 3, 5
_OURS = "# The made-up company of the demo."
_LEFT_FROM_BEFORE = ("tierd.db", "tierd.db-wal", "tierd.db-shm", "tierd.log", "report.html", "report.png")
_STEP = 0.25  # real seconds between two moves of the clock while the pages are kept up


class FolderTaken(BadInput):
    """The folder holds a configuration that is not the demo's; name another with --keep."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    accounts: int = 750
    days: int = 30
    seed: int = 7
    folder: Path = Path("demo")
    as_json: bool = False
    serve: bool = False


def run(options: Options) -> int:
    """Play the demo; 0 only when nothing was missed, false, lost or doubled. Ctrl-C and SIGTERM end everything it started.

    Raises FolderTaken, and Failed where the demo itself breaks down.
    """
    prepare(options.folder)
    with _interruptible(), ExitStack() as stack:
        try:
            return _Demo(options, stack).run()
        except (DemoFailed, TruthFailed) as error:
            raise Failed(str(error)) from error


def prepare(folder: Path) -> None:
    """An empty place for this run: what an earlier demo left goes. Raises FolderTaken."""
    there = folder / "tierd.yaml"
    if there.exists() and not there.read_text(encoding="utf-8").startswith(_OURS):
        raise FolderTaken(f"{folder} holds a configuration that is not the demo's; name another folder with --keep")
    folder.mkdir(parents=True, exist_ok=True)
    for name in _LEFT_FROM_BEFORE:
        (folder / name).unlink(missing_ok=True)
    if there.exists():
        shutil.rmtree(folder / "rules", ignore_errors=True)


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does, so that nothing it has started outlives it."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Demo:
    """One run, from the sandbox's start to the report."""

    def __init__(self, options: Options, stack: ExitStack) -> None:
        self.options = options
        self.clock = SystemClock()
        self.began = self.clock.monotonic()
        self.show = Show(Console(stderr=options.as_json, highlight=False))
        self.stack = stack
        with self.show.waiting("Making up a company and starting its Salesforce, HubSpot and Slack ..."):
            self.sandbox = self._start()
        self.control = Control(self.sandbox.control_url)
        self.info: Mapping[str, Any] = self.sandbox.info()
        self.truth = GroundTruth(self.sandbox.settings)
        stack.callback(self.truth.close)
        path = setup.write(options.folder.resolve(), self.info)
        self.child = _TellingChild(path, self.info, self.sandbox.settings.start)
        self.child.show = self.show
        stack.callback(self.child.stop)
        # The parent only looks: it reads the store that the child writes.
        self.daemon: Daemon = build(configuration.load(path, os.environ, needs=()), self.clock)
        stack.callback(self.daemon.close)
        self.people = People(self.daemon.store, self.control, self.show)
        self.asked = 0
        self.kills_told = 0

    @property
    def store(self) -> Store:
        """The daemon's store."""
        return self.daemon.store

    @property
    def as_of(self) -> int:
        """The last evaluation."""
        return self.sandbox.settings.start + (self.options.days - 1) * DAY

    def run(self) -> int:
        self._introduce()
        self._first()
        self.show.days(self.options.days)
        kill_on = _KILL_ON if self.options.days >= _FEWEST_FOR_KILL else None
        play(
            self.child,
            self.control,
            self.store,
            self.options.days,
            kill_on=kill_on,
            on_day=self._day,
            during=self.people.work,
        )
        if not self.options.serve:
            self.child.stop()
        with self.show.waiting("Comparing with what should have happened ..."):
            result, evidence = self._judge()
        self._present(result, evidence)
        if self.options.as_json:
            sys.stdout.write(json.dumps(result, ensure_ascii=False, sort_keys=True) + "\n")
            sys.stdout.flush()
        if self.options.serve:
            self._keep_serving()
        return 0 if passed(result) else 1

    # ------------------------------------------------------------ the parts, in order

    def _start(self) -> Sandbox:
        options = self.options
        settings = serve.Settings(seed=options.seed, accounts=options.accounts, days=options.days)
        sandbox = serve.start(settings)
        self.stack.callback(sandbox.stop)
        return sandbox

    def _introduce(self) -> None:
        world = self.sandbox.world
        self.show.world(
            [
                (len(world.companies), "accounts in two CRMs"),
                (sum(person.registered for person in world.persons), "contacts"),
                (len(world.happenings), "activities in 14 months"),
                (sum(mate.role == "csm" for mate in world.teammates), "CSMs"),
            ],
            world.mess,
        )

    def _first(self) -> None:
        self.show.chapter("First sync, and the tiers that stood in the CRMs for years")
        began = self.clock.monotonic()
        with self.show.waiting("Reading everything ..."):
            self.child.first()
        columns = (sync_runs.c.source, sync_runs.c.seen, sync_runs.c.calls)
        with self.store.read() as conn:
            synced = [
                (row.source, row.seen, row.calls) for row in conn.execute(select(*columns).order_by(sync_runs.c.id))
            ]
            written = select(func.count(), func.count(tier_ledger.c.old_value)).select_from(tier_ledger)
            numbers = conn.execute(written).one()
        self.show.first(synced, numbers[0], numbers[1], self.clock.monotonic() - began)

    def _day(self, number: int) -> None:
        requests = self.control.get(f"/requests?since={self.asked}")
        self.asked = requests["last"]
        self.show.day(days.day(self.store, number, self.sandbox.settings.start + number * DAY, requests))
        if self.child.kills > self.kills_told:
            self.kills_told = self.child.kills
            self.show.survived()

    def _judge(self) -> tuple[dict[str, Any], Evidence]:
        truth = self.truth.result()
        evidence = Evidence(
            store=self.store,
            rules=self.daemon.rules.read(),
            start=self.sandbox.settings.start,
            days=self.options.days,
            truth=truth,
            messages=self.control.get("/slack/messages")["messages"],
            requests=self.control.get("/requests?bodies=1")["requests"],
            changes=project.changes(self.sandbox.world),
            wrong_tiers=crm.wrong(truth, self.control.get, self._edited_since()),
            identity=identities.compare(truth["identity"], self._identity()),
            facts=factcheck.compare(self.store, truth, self.as_of),
        )
        self.alerts = seen(self.store, evidence.rules, evidence.messages, evidence.start)
        return score(evidence, self.alerts, self.clock.monotonic() - self.began), evidence

    def _identity(self) -> Report:
        """What `tierd identity` would say."""
        return report_identity(self.store, self.daemon.work.derivation, self.daemon.work.tiers.targets)

    def _edited_since(self) -> set[str]:
        """Accounts whose tier somebody has set by hand after the last run of the tiers."""
        last_run = self.as_of + HOUR
        return {c.key for c in self.sandbox.world.companies if any(at > last_run for at, _, _ in c.tier_edits)}

    def _present(self, result: Mapping[str, Any], evidence: Evidence) -> None:
        looker = Looker(self.store, evidence.rules, self.daemon.work.facts, self.as_of)
        chosen = picks(looker, result["truth_table"])
        tiers, fields = crm.fields(self.store, self.control.get)
        people = crm.people(self.store, self.control.get)
        self.show.verdicts(chosen)
        self.show.tiers(tiers, fields, people)
        self.show.score(result)
        page = self.options.folder / "report.html"
        material = report.Material(
            store=self.store,
            result=result,
            start=evidence.start,
            days=self.options.days,
            kills=self.child.kills,
            picks=chosen,
            alerts=self.alerts,
            tiers=tiers,
            fields=fields,
            people=people,
            slack=self.sandbox.slack,
            channel=self.info["slack"]["channels"]["alerts"],
        )
        report.write(material, page)
        self.show.end(page, self._picture(page), self.options.folder / "tierd.yaml", self.as_of, _named(chosen))

    def _picture(self, page: Path) -> Path | None:
        program = shots.browser(os.environ)
        if program is None:
            return None
        with self.show.waiting("Taking a picture of the report ..."):
            return shots.shoot(page.resolve(), page.resolve().with_suffix(".png"), program) and page.with_suffix(".png")

    def _keep_serving(self) -> None:
        """The pages stay up and the daemon works on, at the pace of real time, until Ctrl-C."""
        self.show.chapter("The pages stay up until Ctrl-C; buttons work, and a tier may be edited")
        self.show.say(f"  Slack  {self.info['slack']['page']}")
        self.show.say(f"  CRMs   {self.info['crm']['page']}")
        now = self.control.now()
        try:
            while True:
                self.clock.sleep(_STEP)
                self.child.check()
                now += round(_STEP * SECOND)
                self.control.limit(now)
        except KeyboardInterrupt:
            self.show.say("Stopping ...")


class _TellingChild(Child):
    """Says so when it is killed."""

    show: Show

    def kill(self) -> None:
        """SIGKILL, told at the very moment."""
        super().kill()
        self.show.killed()


def _named(chosen: list[Pick]) -> str | None:
    return chosen[0].told.account.ids[0][1] if chosen and chosen[0].told.account.ids else None
