"""The commands status and preview."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from daemon.cli import app
from daemon.cli.common import OK, AsOf, ConfigPath, ago, configured, err, instant, out, reading
from store.records import DAY, HOUR, MINUTE, SECOND, Instant

if TYPE_CHECKING:
    from store.status import Status, StreamNow

_CURSOR = 48
"""Characters of a cursor that are shown."""


@app.command()
def status(
    config: ConfigPath = None,
    streams: Annotated[
        bool, typer.Option("--streams", help="Only how each stream was read last: rows, calls, cursor.")
    ] = False,
) -> int:
    """Show how fresh the data is, what ran, what is open, what waits, and what is due next. Works beside the daemon."""
    from daemon.alerting.gaps import find
    from daemon.lock import holder
    from store.status import read, stream_table

    settings = configured(config, needs=())
    with reading(settings) as daemon:
        now = daemon.clock.now()
        writer = holder(daemon.store)
        with daemon.store.read() as connection:
            found = read(connection, now)
            each = stream_table(connection)
            holes = len(find(connection, now, settings.timezone))
    if streams:
        out.print(_streams(each, now))
        return OK
    out.print(f"{writer} is at work" if writer else "no daemon runs on this store", markup=False)
    for what, reason in found.paused.items():
        out.print(f"{what} are paused: {reason}", style="yellow", markup=False)
    out.print(f"{found.accounts:,} accounts, {_evaluated(found, now)}", markup=False)
    for table in (_sources(found, now), _runs(found, now), _quotas(found, now), _alerts(found), _tasks(found, now)):
        if table.row_count:
            out.print(table)
    waiting = sum(found.queue.get(state, 0) for state in ("pending", "sending", "uncertain"))
    oldest = f", the oldest since {ago(found.oldest_waiting, now)}" if found.oldest_waiting is not None else ""
    out.print(f"outbox: {waiting} waiting{oldest}, {found.queue.get('dead', 0)} given up, "
              f"{found.possible_duplicates} possible duplicates", markup=False)  # fmt: skip
    if holes:
        out.print(f"{holes} gaps in the data: `tierd gaps`" if holes > 1 else "1 gap in the data: `tierd gaps`")
    return OK


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column)
    return table


def _evaluated(found: Status, now: Instant) -> str:
    """How many customers there are: the first evaluation says who is one."""
    if found.evaluated_at is None:
        return "not evaluated yet: `tierd run`, or `tierd evaluate --once`"
    return f"{found.customers:,} customers, last full evaluation {ago(found.evaluated_at, now)}"


def _sources(found: Status, now: Instant) -> Table:
    table = _table("\nsources", "source", "stream", "complete up to", "state")
    for stream in found.streams:
        until = f"goes on {ago(stream.deferred_until, now)}" if stream.deferred_until else ""
        late = f"stale by {_span(stream.late)}" if stream.late else ""
        state = ", ".join(part for part in (stream.status, until, late, stream.detail or "") if part)
        table.add_row(stream.source, stream.stream, ago(stream.fresh_at, now), state)
    return table


def _streams(each: Sequence[StreamNow], now: Instant) -> Table:
    columns = (
        "source",
        "stream",
        "complete up to",
        "last read",
        "state",
        "seen",
        "changed",
        "deleted",
        "calls",
        "429s",
    )
    table = _table("streams, as the last run left them", *columns, "deferred until", "cursor")
    for one in each:
        numbers = [f"{number:,}" for number in (one.seen, one.changed, one.deleted, one.calls, one.throttled)]
        until = ago(one.deferred_until, now) if one.deferred_until else ""
        cursor = one.cursor or ""
        short = cursor if len(cursor) <= _CURSOR else cursor[:_CURSOR] + "..."
        seen = (ago(one.fresh_at, now), ago(one.ended_at, now))
        table.add_row(one.source, one.stream, *seen, one.status, *numbers, until, Text(short))
    return table


def _quotas(found: Status, now: Instant) -> Table:
    table = _table("\ndaily calls", "source", "ours in 24 h", "all apps", "allowed", "used", "told")
    for one in found.quotas:
        numbers = [f"{number:,}" for number in (one.ours, one.used, one.allowed)]
        table.add_row(one.source, *numbers, f"{one.used / one.allowed:.0%}" if one.allowed else "", ago(one.at, now))
    return table


def _runs(found: Status, now: Instant) -> Table:
    table = _table("\nlast runs", "source", "what", "started", "state", "seen", "changed", "deleted", "calls")
    for run in found.runs:
        numbers = [f"{number:,}" for number in (run.seen, run.changed, run.deleted, run.calls)]
        table.add_row(run.source, run.kind, ago(run.started_at, now), run.status, *numbers)
    return table


def _alerts(found: Status) -> Table:
    table = _table("\nopen alerts", "rule", "severity", "state", "accounts")
    for (rule, severity, state), count in found.alerts.items():
        table.add_row(rule, severity, state, f"{count:,}")
    for rule, count in found.undecided.items():
        table.add_row(rule, "", "cannot be decided", f"{count:,}")
    return table


def _tasks(found: Status, now: Instant) -> Table:
    table = _table("\ntasks", "task", "due", "last done", "trouble")
    for task in found.tasks:
        table.add_row(task.task, ago(task.next_due, now), ago(task.last_completed, now), task.trouble or "")
    return table


def _span(length: Instant) -> str:
    for size, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if length >= size:
            return f"{length // size} {unit}"
    return f"{length // SECOND} s"


@app.command()
def preview(
    csm: Annotated[str, typer.Option("--csm", metavar="NAME", help="A CSM's name or e-mail address, or a part of it.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="PATH", help="The HTML file to write.", show_default="tierd-preview.html"
        ),
    ] = None,
    as_of: AsOf = None,
    config: ConfigPath = None,
) -> int:
    """Write the exact messages that one CSM would get today as an HTML file. Reads the CRM; needs no Slack, sends nothing."""
    from daemon.preview import preview as rendered

    settings = configured(config, needs=("sources",))
    with err.status("reading the CRM and evaluating ...") if err.is_terminal else nullcontext():
        page = rendered(settings, csm, None if as_of is None else instant(as_of, 0))
    path = output or Path("tierd-preview.html")
    path.write_text(page.html, encoding="utf-8")
    out.print(f"{page.messages} messages for {page.csm}: {path.resolve()}", markup=False)
    return OK
