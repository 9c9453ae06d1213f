"""The commands identity show, link, part and forget."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from daemon.cli import app
from daemon.cli.common import OK, BadInput, ConfigPath, configured, out, reading, shown, writing
from daemon.cli.reports import Format, unmarked, write_csv
from daemon.identitykinds import CONFLICTING, GONE, KINDS, MERGED

if TYPE_CHECKING:
    from daemon.config import Config
    from daemon.identity import Entry, Report
    from rules.identity import Ref
    from store.engine import Store

identity_app = typer.Typer(help="One account in several CRMs: what is linked, and by what; link and part rows.")
app.add_typer(identity_app, name="identity")

_PEOPLE = ("unregistered", "decided")
_WIDTH = 80
_PIECE = 30
"""Characters of a row's name (source:id) that are not broken."""
_TITLES = {
    "linked": "one account in several CRMs",
    CONFLICTING: "linked, but the rows contradict each other; the first value counts (of tiers each CRM has its own)",
    "ambiguous": "nobody can say which rows belong together: `tierd identity link`, or `part`",
    "unmatched": "in one CRM only",
    MERGED: "merged into another row of its CRM",
    GONE: "deleted in its CRM",
}

RowName = Annotated[str, typer.Argument(metavar="ROW", help="source:id, for example salesforce:001A0000012xyzIIAQ.")]


@identity_app.callback(invoke_without_command=True)
def show(
    ctx: typer.Context,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", "-k", metavar="KIND", help=f"Only {', '.join((*KINDS, *_PEOPLE))}; several times."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="How many of a kind to show as text.")] = 20,
    output: Annotated[Format, typer.Option("--format", "-f", help="text, json or csv.")] = Format.TEXT,
    config: ConfigPath = None,
) -> int:
    """Show which rows are one account and by what rule, which contradict each other, and what nobody can say."""
    from daemon.identity import report

    if ctx.invoked_subcommand is not None:
        return OK
    unknown = sorted(set(kind or ()) - {*KINDS, *_PEOPLE})
    if unknown:
        raise BadInput(f"--kind {unknown[0]}: there are {', '.join((*KINDS, *_PEOPLE))}")
    wanted = set(kind or (*KINDS[:4], *_PEOPLE))
    settings = configured(config, needs=())
    with reading(settings) as daemon:
        found = report(daemon.store, daemon.work.derivation, daemon.work.tiers.targets, wanted)
    if output is Format.JSON:
        typer.echo(json.dumps(_chosen(found, wanted), indent=2, ensure_ascii=False))
    elif output is Format.CSV:
        head = ("kind", "row", "name", "domain", "account", "by", "others", "field", "said", "wins", "why")
        write_csv(head, (line for entry in found.entries for line in _lines(entry)))
    else:
        _tell(found, wanted, limit)
    return OK


@identity_app.command()
def link(a: RowName, b: RowName, config: ConfigPath = None) -> int:
    """Say that two rows are one account, whatever their domains say."""
    return _decide(a, b, "link", config)


@identity_app.command()
def part(a: RowName, b: RowName, config: ConfigPath = None) -> int:
    """Say that two rows are not one account, whatever joins them. Each has again what is its own; nothing is lost."""
    return _decide(a, b, "part", config)


@identity_app.command()
def forget(a: RowName, b: RowName, config: ConfigPath = None) -> int:
    """Take back what was said of two rows: properties and domains decide again."""
    return _decide(a, b, None, config)


def _decide(a: str, b: str, verdict: str | None, config: ConfigPath) -> int:
    from rules.identity import pair
    from store import dirty, linking

    settings = configured(config, needs=())
    rows = pair(_ref(a, settings), _ref(b, settings))
    with writing(settings, f"identity {verdict or 'forget'}") as daemon:
        now = daemon.clock.now()
        with daemon.store.write() as connection:
            there = {(row.source, row.id) for row in linking.rows(connection, rows)}
            missing = [f"{source}:{ref}" for source, ref in rows if (source, ref) not in there]
            if missing:
                raise BadInput(f"{missing[0]} is no account row that a sync has brought; `tierd identity` lists them")
            before = linking.decision(connection, *rows)
            if before is not None and before.author == linking.CONFIGURED:
                raise BadInput(
                    f"tierd.yaml decides about these rows ({before.verdict}): change it there, under `identity`"
                )
            if verdict is None:
                if not linking.forget(connection, *rows):
                    raise BadInput("nothing was said of these two rows")
            else:
                linking.decide(connection, rows, verdict, author=getpass.getuser(), at=now)
            dirty.mark(connection, "accounts", rows)
        touched = daemon.work.derive()
        together = _together(daemon.store, rows)
    said = "one account" if together else "two accounts"
    out.print(f"{a} and {b} are {said} now; {len(touched)} accounts were derived anew", markup=False)
    if verdict is not None and together != (verdict == "link"):
        out.print("another decision is stronger: `tierd identity --kind decided` lists them", style="yellow")
    return OK


def _ref(text: str, settings: Config) -> Ref:
    from daemon.config.identity import row_ref

    try:
        ref = row_ref(text)
    except ValueError as error:
        raise BadInput(str(error)) from None
    if ref[0] not in settings.crms:
        raise BadInput(f"{ref[0]!r} is no CRM here; there are {', '.join(settings.crms)}")
    return ref


def _together(store: Store, rows: tuple[Ref, Ref]) -> bool:
    from store import linking

    with store.read() as connection:
        return len({row.account_id for row in linking.rows(connection, rows)}) == 1


# ---------------------------------------------------------------- as text, JSON, CSV


def _chosen(found: Report, wanted: set[str]) -> dict[str, object]:
    data = asdict(found)
    if "decided" not in wanted:
        data.pop("decisions")
    if "unregistered" not in wanted:
        data["unregistered"] = len(found.unregistered)
    return data


def _lines(entry: Entry) -> Iterator[Sequence[str]]:
    head = (entry.kind, entry.row, entry.name, entry.domain or "", entry.account or "", ", ".join(entry.by))
    others = ", ".join(entry.others)
    if not entry.conflicts:
        yield *head, others, "", "", "", entry.why
    for conflict in entry.conflicts:
        said = "; ".join(f"{row} = {value}" for row, value in conflict.said)
        yield *head, others, conflict.field, said, conflict.wins, entry.why


def _tell(found: Report, wanted: set[str], limit: int) -> None:
    console = out if out.is_terminal else Console(width=_WIDTH, highlight=False)
    counts = Table("rows", "kind", box=None, pad_edge=False)
    for kind in KINDS:
        counts.add_row(f"{found.counts[kind]:,}", f"{kind}: {_TITLES[kind]}")
    counts.add_row(f"{found.rows:,}", "all rows of all CRMs")
    console.print(counts)
    console.print(
        f"besides: {len(found.unregistered):,} persons in no CRM, {found.role_addresses:,} role addresses and "
        f"{found.person_accounts:,} person accounts, which are no persons",
        soft_wrap=False,
    )
    for kind in (k for k in KINDS if k in wanted):
        entries = [entry for entry in found.entries if entry.kind == kind]
        _section(console, kind, entries[:limit], len(entries))
    if "decided" in wanted and found.decisions:
        table = Table(
            "row", "other", "verdict", "by", title="\ndecided", title_justify="left", box=None, pad_edge=False
        )
        for one in found.decisions:
            table.add_row(*map(unmarked, (one.row, one.other, one.verdict, one.author)))
        console.print(table)
    if "unregistered" in wanted and found.unregistered and limit:
        table = Table(
            "address", "account", "since", title="\nunregistered", title_justify="left", box=None, pad_edge=False
        )
        for who in found.unregistered[:limit]:
            table.add_row(*map(unmarked, (who.address, who.account, shown(who.since)[:10])))
        console.print(table)
        _more(console, len(found.unregistered), limit)


def _section(console: Console, kind: str, entries: Sequence[Entry], total: int) -> None:
    if not entries:
        return
    columns = {
        "ambiguous": ("row", "name", "perhaps with", "why"),
        CONFLICTING: ("name", "field", "row, the first counts", "value"),
    }
    table = Table(*columns.get(kind, ("row", "name", "with", "by")), title=f"\n{kind}", title_justify="left", box=None,
                  pad_edge=False)  # fmt: skip
    for column in table.columns:
        column.overflow = "fold"
    seen: set[str | None] = set()
    for entry in entries:
        if kind == CONFLICTING:
            if entry.account in seen:
                continue
            seen.add(entry.account)
            for conflict in entry.conflicts:
                head = (entry.name, conflict.field)
                for row, value in conflict.said:
                    table.add_row(*map(unmarked, (*head, row, value)))
                    head = ("", "")
            continue
        last = entry.why if kind == "ambiguous" else ", ".join(entry.by)
        table.add_row(*map(unmarked, (entry.row, entry.name, "\n".join(entry.others), last)))
    for column in table.columns:
        # A row's name is copied into `identity link`: it stays in one piece, and other columns break.
        if str(column.header).split(",")[0] in ("row", "with", "perhaps with"):
            column.no_wrap = all(len(line) <= _PIECE for cell in column.cells for line in str(cell).splitlines())
    console.print(table)
    _more(console, total, len(entries))


def _more(console: Console, total: int, shown_: int) -> None:
    if total > shown_:
        console.print(f"... and {total - shown_:,} more; --limit shows them, --format csv or json gives all")
