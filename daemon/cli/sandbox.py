"""The commands sandbox and demo: the only ones that know the imitation vendors."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from daemon.cli import app
from daemon.cli.common import OK
from store.records import SECOND

_TICK = 0.1
"""Seconds between two moves of the vendors' clock."""


@app.command()
def sandbox(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print addresses and credentials as one line of JSON.")
    ] = False,
    seed: Annotated[int, typer.Option(help="The same seed makes the same world.")] = 7,
    accounts: Annotated[int, typer.Option(min=60, help="Accounts in the CRMs; four in ten are customers.")] = 750,
    days: Annotated[int, typer.Option(min=1, help="Days the world goes on after its start.")] = 30,
    history_days: Annotated[int, typer.Option(min=60, help="Days of history before the start.")] = 425,
    usage_dir: Annotated[
        Path | None, typer.Option(help="Where the usage files go.", show_default="a temporary folder")
    ] = None,
    salesforce_port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    hubspot_port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    slack_port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    crm_port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    control_port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    still: Annotated[
        bool,
        typer.Option("--still", help="The vendors' time stands still until POST /clock, and so do their rate limits."),
    ] = False,
) -> int:
    """Start an imitated Salesforce, HubSpot and Slack on loopback, with a made-up world, until SIGTERM or Ctrl-C."""
    from daemon.run import StopRequest
    from sandbox import serve

    ports = serve.Ports(
        salesforce=salesforce_port, hubspot=hubspot_port, slack=slack_port, crm=crm_port, control=control_port
    )
    settings = serve.Settings(
        seed=seed, accounts=accounts, days=days, history_days=history_days, usage_dir=usage_dir, ports=ports
    )
    request = StopRequest()
    with request.on_signals():
        running = serve.start(settings)
        try:
            info = running.info()
            typer.echo(json.dumps(info) if as_json else json.dumps(info, indent=2))
            began, moved = time.monotonic(), 0
            while not request.wait(None if still else _TICK):
                # A tierd of its own lives by the system's clock: rate limits must let it in again as time goes by.
                passed = int((time.monotonic() - began) * SECOND)
                running.clock.advance(passed - moved)
                moved = passed
        finally:
            running.stop()
            request.close()
    return OK


@app.command()
def demo(
    as_json: Annotated[
        bool, typer.Option("--json", help="The result as one line of JSON on stdout; what people read goes to stderr.")
    ] = False,
    serve: Annotated[bool, typer.Option("--serve", help="Keep the Slack and CRM pages up until Ctrl-C.")] = False,
    accounts: Annotated[int, typer.Option(min=60, help="Accounts in the CRMs; four in ten are customers.")] = 750,
    days: Annotated[int, typer.Option(min=1, help="Scenario days that pass.")] = 30,
    seed: Annotated[int, typer.Option(help="The same seed makes the same world.")] = 7,
    keep: Annotated[Path, typer.Option(metavar="DIR", help="Where configuration, store, log and report go.")] = Path(
        "demo"
    ),
) -> int:
    """See tierd work, without any account anywhere: a made-up company, an imitated Salesforce, HubSpot and Slack."""
    from daemon.demo import command

    return command.run(
        command.Options(accounts=accounts, days=days, seed=seed, folder=keep, as_json=as_json, serve=serve)
    )
