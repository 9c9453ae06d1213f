"""The command explain: why a rule fires on an account, does not, or cannot be decided."""

from __future__ import annotations

from typing import Annotated

import typer

from daemon.cli import app
from daemon.cli.common import OK, AsOf, ConfigPath, configured, instant, out, reading


@app.command()
def explain(
    account: Annotated[str, typer.Argument(help="A part of its name, its id in a CRM, or its key.")],
    as_of: AsOf = None,
    all_facts: Annotated[bool, typer.Option("--all-facts", help="Also the facts that no rule asks for.")] = False,
    config: ConfigPath = None,
) -> int:
    """Explain what tierd makes of one account, now or at any past instant, with the rows behind each fact."""
    from daemon.explain import explain as explained
    from daemon.explaintext import rendered
    from daemon.healthtext import rendered as health_shown
    from daemon.healthwhy import health_why

    settings = configured(config, needs=())
    with reading(settings) as daemon:
        now = daemon.clock.now()
        rules = daemon.rules.read()
        told = explained(
            daemon.store, rules, daemon.work.facts, account, instant(as_of, now), currency=settings.currency
        )
        why = health_why(daemon.store, daemon.work.facts, told.as_of, told.row) if told.in_scope else None
    out.print(rendered(told, all_facts=all_facts))
    if why is not None:
        out.print(health_shown(why))
    return OK
