"""The commands rules check and rules test, and what they share with the other commands about rules."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.cli import app
from daemon.cli.common import FAILED, OK, ConfigPath, configured, out, reading

if TYPE_CHECKING:
    from daemon.config import Config
    from rules.language import RuleSet

rules_app = typer.Typer(help="Look at the rule files.", no_args_is_help=True)
app.add_typer(rules_app, name="rules")

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def print_json(data: Any) -> None:
    """One JSON document on standard output, as a program wants it."""
    out.print(json.dumps(data, indent=2, ensure_ascii=False), markup=False)


@rules_app.command()
def check(config: ConfigPath = None) -> int:
    """Read every rule file and tell each mistake, and what is odd, with its place and its fix."""
    from daemon.clock import SystemClock
    from daemon.rulecheck import odd

    settings = configured(config, needs=())
    rules = _rules(settings)
    found = odd(settings, rules, SystemClock().now())
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
    as_json: Json = False,
    config: ConfigPath = None,
) -> int:
    """Run the tests that stand beside the rules, on the evaluator and on SQL. Ends with 1 where one does not hold."""
    from daemon import ruletests

    settings = configured(config, needs=())
    rules = _rules(settings)
    report = ruletests.run(rules)
    if junit is not None:
        junit.write_text(report.junit(), encoding="utf-8")
    if as_json:
        print_json(report.data())
    else:
        out.print(report.text(), markup=False)
    return OK if report.ok else FAILED


@rules_app.command()
def schema() -> int:
    """Print the JSON Schema of rule files, for editors; `tierd init` writes it beside the rules."""
    from daemon.ruleschema import shipped

    out.print(shipped(), markup=False, end="")
    return OK


@rules_app.command("complete")
def complete_phrase(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The beginning of a line.")],
    as_json: Json = False,
    config: ConfigPath = None,
) -> int:
    """Say what may follow the beginning of a line, one candidate a line: for editors."""
    from rules.language.complete import complete

    found = complete(text, _vocabulary(config))
    if as_json:
        print_json([{"text": one.text, "start": one.start} for one in found])
    elif found:
        out.print("\n".join(one.text for one in found), markup=False)
    return OK


def _rules(settings: Config) -> RuleSet:
    from daemon.rulefiles import read_rules

    return read_rules(settings.folder, settings.rules, settings.currency, settings.workdays)


def _vocabulary(config: Path | None) -> Collection[str]:
    """The names that the rule files define; none while there are no files, or some with a mistake."""
    from daemon.config import ConfigError
    from rules.language import RuleErrors

    try:
        return _rules(configured(config, needs=())).vocabulary.keys()
    except (ConfigError, RuleErrors):
        return ()


@rules_app.command()
def facts(as_json: Json = False, config: ConfigPath = None) -> int:
    """Show what a rule may name, where each fact comes from, and on how many customers it has a value, and why not."""
    from daemon import factrates

    settings = configured(config, needs=())
    with reading(settings) as daemon, daemon.store.read() as connection:
        rates = factrates.rates(connection)
    if as_json:
        print_json(factrates.as_data(rates))
    else:
        out.print(factrates.rendered(rates))
    return OK
