"""The command usage unmatched."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from daemon.cli import app
from daemon.cli.common import OK, BadInput, ConfigPath, ago, configured, out, reading, shown
from daemon.cli.reports import Format, unmarked, write_csv

usage_app = typer.Typer(help="Look at product usage: what finds no account.", no_args_is_help=True)
app.add_typer(usage_app, name="usage")


@usage_app.command()
def unmatched(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="How many names to show.")] = 20,
    source: Annotated[str | None, typer.Option("--source", "-s", metavar="NAME", help="Only this feed.")] = None,
    output: Annotated[Format, typer.Option("--format", "-f", help="text, json or csv.")] = Format.TEXT,
    config: ConfigPath = None,
) -> int:
    """List the usage that belongs to no account, the largest first, with the accounts that are called most like it."""
    from daemon.config.problems import nearest
    from daemon.usagehints import unmatched as report

    settings = configured(config, needs=())
    if source is not None and source not in settings.feeds:
        raise BadInput(f"--source {source}: there is no such feed{nearest(source, settings.feeds)}")
    with reading(settings) as daemon:
        now = daemon.clock.now()
        with daemon.store.read() as connection:
            found = report(connection, settings.usage.metric, limit, source)
    if output is Format.JSON:
        typer.echo(json.dumps(asdict(found), indent=2, ensure_ascii=False))
        return OK
    head = ("feed", "name", "why", "rows", "users", "last seen", found.metric, "perhaps")
    lines = [
        (
            one.source, one.name, one.reason.replace("_", " "), str(one.rows), str(one.users), shown(one.last_at),
            f"{one.total:g}", "; ".join(one.nearest),
        )
        for one in found.lost
    ]  # fmt: skip
    if output is Format.CSV:
        write_csv(head, lines)
        return OK
    table = Table(*head, box=None, pad_edge=False)
    for one, line in zip(found.lost, lines, strict=True):
        table.add_row(*(unmarked(cell) for cell in (*line[:5], ago(one.last_at, now), *line[6:])))
    if found.lost:
        out.print(table)
    whole = found.lost_rows + found.matched_rows
    share = f" ({found.lost_rows / whole:.1%})" if whole else ""
    more = f"; the {limit} largest are shown, --limit shows more" if found.lost_names > limit else ""
    out.print(f"{found.lost_rows:,} of {whole:,} rows{share} under {found.lost_names:,} names have no account{more}")
    return OK
