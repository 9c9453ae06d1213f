"""The commands rules try, rules diff and rules backtest: what a rule would say, of now and of the past; they only read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.status import Status

from daemon.cli.common import OK, AsOf, BadInput, ConfigPath, configured, err, instant, out, reading
from daemon.cli.rules import Json, print_json, rules_app
from store.records import Instant


@rules_app.command("try")
def try_rule(
    rule: Annotated[str, typer.Argument(metavar="PHRASE", help="A phrase, a line of phrases, or the name of a rule.")],
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="So many accounts are shown.", min=0)] = 20,
    as_of: AsOf = None,
    as_json: Json = False,
    config: ConfigPath = None,
) -> int:
    """Show which accounts a phrase matches now, why, and on which it cannot be told. Changes and tells nothing."""
    from daemon import ruletext
    from daemon.ruletry import attempt, rule_of

    settings = configured(config, needs=())
    with reading(settings) as daemon:
        now = daemon.clock.now()
        tried = rule_of(daemon.rules.read(), rule, daemon.rules.of)
        then = None if as_of is None else instant(as_of, now)
        found = attempt(
            daemon.store, daemon.work.facts, tried, now=now, as_of=then, limit=limit, currency=settings.currency
        )
    if as_json:
        print_json(ruletext.tried_data(found))
    else:
        out.print(ruletext.tried(found, settings.currency))
    return OK


@rules_app.command("diff")
def diff_rules(
    path: Annotated[Path, typer.Argument(metavar="FILE|FOLDER", help="One rule file, or a folder with all of them.")],
    as_of: AsOf = None,
    as_json: Json = False,
    config: ConfigPath = None,
) -> int:
    """Show which accounts other rule files would add, drop or tell differently, against the rules that run."""
    from daemon import ruletext
    from daemon.rulediff import NoRuleFiles, diff, proposed_files

    settings = configured(config, needs=())
    with reading(settings) as daemon:
        now = daemon.clock.now()
        running = daemon.rules.running()
        try:
            files = proposed_files(running.files, path)
        except NoRuleFiles as error:
            raise BadInput(str(error)) from None
        then = None if as_of is None else instant(as_of, now)
        found = diff(daemon.store, daemon.work.facts, running, daemon.rules.of(files), now=now, as_of=then)
    if as_json:
        print_json(ruletext.diff_data(found))
    else:
        out.print(ruletext.diff(found, settings.currency))
    return OK


@rules_app.command("backtest")
def backtest_rule(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The name of a rule, or a phrase.")],
    since: Annotated[str, typer.Option("--since", metavar="DATE", help="The first week: 2025-01-06.")],
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="The last week.", show_default="now")
    ] = None,
    outcome: Annotated[
        str, typer.Option("--outcome", metavar="WHAT", help="`churn`, or a rule or phrase: the week it turns true.")
    ] = "churn",
    lead: Annotated[
        str, typer.Option("--lead", metavar="TIME", help="A warning must come so long before.")
    ] = "30 days",
    horizon: Annotated[
        str, typer.Option("--horizon", metavar="TIME", help="An alert is right when the outcome comes within it.")
    ] = "180 days",
    sweep: Annotated[
        str | None,
        typer.Option(
            "--sweep", metavar="N..M", help="Compare other numbers in the rule's phrase; `auto`: around its own."
        ),
    ] = None,
    one_clock: Annotated[
        bool, typer.Option("--one-clock", help="Take late entries as if they had been made at once.")
    ] = False,
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="PATH", help="Write a chart (needs `tierd[charts]`).")
    ] = None,
    as_json: Json = False,
    config: ConfigPath = None,
) -> int:
    """Run a rule over past weeks, each with what was on record by then, and say how good its alerts were."""
    from daemon import backtest as back
    from daemon.backtest import chart, text
    from daemon.backtest.judging import Terms
    from daemon.backtest.sweep import NothingToSweep, variants
    from daemon.ruletry import rule_of

    settings = configured(config, needs=())
    with reading(settings) as daemon:
        rules, now = daemon.rules.read(), daemon.clock.now()
        tried = rule_of(rules, rule, daemon.rules.of)
        end = min(instant(until, now, "--until"), now)
        begin = instant(since, now, "--since")
        if begin >= end:
            raise BadInput(f"--since: {since} is not before the end, {until or 'now'}")
        terms = Terms(end, _length("--lead", lead), _length("--horizon", horizon))
        other = None if outcome == "churn" else rule_of(rules, outcome, daemon.rules.of)
        try:
            moved = () if sweep is None else variants(tried, None if sweep == "auto" else sweep)
        except NothingToSweep as error:
            raise BadInput(str(error)) from None
        asked = back.Asked(tried, begin, terms, other, moved, one_clock)
        with err.status("computing ...") if err.is_terminal else nullcontext() as status:
            found = back.backtest(
                daemon.store, daemon.work.facts, asked, currency=settings.currency, progress=_progress(status)
            )
    if svg is not None:
        svg.write_text(chart.svg(found), encoding="utf-8")
    if as_json:
        print_json(text.as_data(found))
    else:
        out.print(text.rendered(found, settings.currency))
    return OK


def _progress(status: Status | None) -> Callable[[int, int], None]:
    """Says which week is computed, where somebody looks on."""

    def tell(done: int, of: int) -> None:
        if status is not None:
            status.update(f"week {done + 1} of {of} ...")

    return tell


def _length(option: str, text: str) -> Instant:
    from rules.language.values import duration

    found = duration(text)
    if found is None:
        raise BadInput(f"{option}: {text!r} is no length of time; write for example 30 days")
    return found
