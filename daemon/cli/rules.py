"""The commands rules check and rules test."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daemon.cli import app
from daemon.cli.common import FAILED, OK, ConfigPath, configured, out
from daemon.rulefiles import read_rules

rules_app = typer.Typer(help="Look at the rule files.", no_args_is_help=True)
app.add_typer(rules_app, name="rules")


@rules_app.command()
def check(config: ConfigPath = None) -> int:
    """Read every rule file and tell each mistake, and what is odd, with its place and its fix."""
    from daemon.rulecheck import odd

    settings = configured(config, needs=())
    rules = read_rules(settings.folder, settings.rules, settings.currency, settings.workdays)
    found = odd(settings, rules)
    for one in found:
        out.print(f"{one.render()}\n", markup=False, soft_wrap=True)
    more = f", {len(found)} odd" if found else ""
    out.print(f"{len(rules.rules)} rules in {len(rules.files)} files, no mistake{more}", markup=False)
    return OK


@rules_app.command("test")
def run_tests(
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="PATH", help="Write the results as JUnit XML.")
    ] = None,
    config: ConfigPath = None,
) -> int:
    """Run the tests that stand beside the rules, on the evaluator and on SQL. Ends with 1 where one does not hold."""
    from daemon import ruletests

    settings = configured(config, needs=())
    rules = read_rules(settings.folder, settings.rules, settings.currency, settings.workdays)
    report = ruletests.run(rules)
    if junit is not None:
        junit.write_text(report.junit(), encoding="utf-8")
    out.print(report.text(), markup=False)
    return OK if report.ok else FAILED
