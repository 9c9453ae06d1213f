"""Commands that work: run, sync, evaluate, verify, deliver, pause, resume."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from daemon.cli import app
from daemon.cli.common import (
    BAD_INPUT,
    FAILED,
    OK,
    AsOf,
    ConfigPath,
    Failed,
    Once,
    closing,
    configured,
    err,
    instant,
    out,
    shown,
    writing,
)
from daemon.cli.progress import progress


class Brake(StrEnum):
    """What can be paused."""

    WRITES = "writes"
    MESSAGES = "messages"
    ALL = "all"


@app.command()
def run(config: ConfigPath = None) -> int:
    """Run in the foreground: sync, evaluate, deliver, on schedule. SIGTERM or Ctrl-C finishes the work in hand and ends."""
    settings = configured(config, forgiving=True)
    with writing(settings, "run") as daemon:
        daemon.rules.forgiving(daemon.clock.now())  # a first start needs rules without a mistake
        for source, problem in settings.left_out.items():
            daemon.work.leave_out(source, problem)
        return daemon.run(lambda: err.print("tierd runs; Ctrl-C ends it") if err.is_terminal else None)


@app.command()
def sync(
    once: Once = False,
    source: Annotated[
        list[str] | None, typer.Option("--source", "-s", metavar="NAME", help="Only this source; may be repeated.")
    ] = None,
    config: ConfigPath = None,
) -> int:
    """Read what changed in the sources into the store, one time, and end."""
    from daemon.work import summary

    _once(once)
    settings = configured(config, needs=("sources",))
    names = source or list(settings.sources)
    unknown = sorted(set(names) - set(settings.sources))
    if unknown:
        raise typer.BadParameter(f"no source is called {unknown[0]}; there are {', '.join(settings.sources)}")
    with writing(settings, "sync") as daemon:
        daemon.work.declare_sources()
        runs = []
        with progress() as bars:
            for name in names:
                runs.append(daemon.work.sync(name, bars.of(name)))
                bars.done(name)
    out.print(summary(runs), markup=False)
    for done in runs:
        for complaint in done.complaints():
            err.print(f"{done.source} {complaint}", markup=False)
    return BAD_INPUT if any(done.troubles for done in runs) else OK


@app.command()
def evaluate(once: Once = False, as_of: AsOf = None, config: ConfigPath = None) -> int:
    """Evaluate every rule over all customers, and queue what is to be told."""
    _once(once)
    settings = configured(config, needs=())
    with writing(settings, "evaluate") as daemon:
        now = daemon.clock.now()
        rules = daemon.rules.strict(now)
        at = instant(as_of, now)
        daemon.work.derive()
        done = daemon.work.evaluate(at, rules)
    out.print(f"as of {shown(at)} UTC: {done.customers:,} customers, {done.changed:,} findings changed", markup=False)
    for rule in done.rules:
        unknown = sum(rule.unknown.values())
        out.print(f"  {rule.rule}: {rule.fires} fire, {unknown} cannot be decided", markup=False)
    for rule_name, error in done.errors.items():
        err.print(f"{rule_name}: {error}", markup=False)
    return FAILED if done.errors else OK


@app.command()
def verify(config: ConfigPath = None) -> int:
    """Compute all facts from nothing, compare them with those that are kept, and mend what differs."""
    settings = configured(config, needs=())
    with writing(settings, "verify") as daemon:
        rules = daemon.rules.strict(daemon.clock.now())
        daemon.work.derive()
        daemon.work.evaluate_touched(rules)
        done = daemon.work.verify()
    if done is None:
        raise Failed("nothing has been evaluated yet, so there are no facts to verify: `tierd evaluate --once`")
    trouble = done.trouble()
    if trouble is None:
        out.print(f"as of {shown(done.as_of)} UTC: the facts of {done.customers:,} customers are what their rows give")
        return OK
    err.print(trouble, markup=False)
    return FAILED


@app.command()
def deliver(once: Once = False, config: ConfigPath = None) -> int:
    """Send what waits in the outbox to Slack."""
    _once(once)
    settings = configured(config, needs=("slack",))
    if settings.slack is None:
        raise Failed("there is no `slack:` section in tierd.yaml, so there is nowhere to send to")
    with writing(settings, "deliver") as daemon:
        paused = daemon.work.paused("messages")
        if paused:
            raise Failed(f"messages are paused ({paused}): `tierd resume messages`")
        assert daemon.talk.deliverer is not None
        done = daemon.talk.deliverer.run_once()
    out.print(
        f"{done.sent} sent, {done.retried} to be tried again, {done.uncertain} uncertain, {done.dead} given up, "
        f"{done.waiting} waiting",
        markup=False,
    )
    if done.paused:
        raise Failed(f"Slack refuses us: {done.paused}; `tierd check` says what is missing. Nothing is lost.")
    return FAILED if done.dead else OK


@app.command()
def pause(
    what: Annotated[Brake, typer.Argument(help="Writes to the CRM, messages to Slack, or all.")],
    reason: Annotated[str, typer.Option("--reason", help="Shown wherever the brake is felt.")] = "by hand",
    config: ConfigPath = None,
) -> int:
    """Stop writing to the CRM or to Slack within a second, until `tierd resume`; a restart changes nothing."""
    from store import flags
    from store.migrate import upgrade

    with closing(configured(config, needs=())) as daemon:
        upgrade(daemon.store)
        with daemon.store.write() as connection:
            for brake in _brakes(what):
                flags.pause(connection, brake, reason)
    out.print(f"paused: {', '.join(_brakes(what))}")
    return OK


@app.command()
def resume(
    what: Annotated[Brake, typer.Argument(help="Writes to the CRM, messages to Slack, or all.")],
    config: ConfigPath = None,
) -> int:
    """Go on with what was paused."""
    from store import flags
    from store.migrate import check

    with closing(configured(config, needs=())) as daemon:
        check(daemon.store)
        with daemon.store.write() as connection:
            done = [brake for brake in _brakes(what) if flags.resume(connection, brake)]
    out.print(f"resumed: {', '.join(done)}" if done else "nothing was paused")
    return OK


def _brakes(what: Brake) -> tuple[str, ...]:
    from store import flags

    return flags.BRAKES if what is Brake.ALL else (what.value,)


def _once(once: bool) -> None:
    if not once:
        raise typer.BadParameter("add --once to do it now and end; `tierd run` does it on schedule")
