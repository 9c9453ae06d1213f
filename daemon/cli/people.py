"""The commands people unknown, set, coverage, away, handover and holders."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.table import Table

from daemon.cli import app
from daemon.cli.common import OK, BadInput, ConfigPath, configured, out, reading, shown, writing
from daemon.cli.reports import Format, unmarked, write_csv
from store.records import DAY, Instant

people_app = typer.Typer(
    no_args_is_help=True,
    help="Persons and our own people: who is not known, who holds which relationship, whose mail is captured, who is away.",
)
app.add_typer(people_app, name="people")

Row = Mapping[str, Any]
Output = Annotated[Format, typer.Option("--format", "-f", help="text, json or csv.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=0, help="How many to show as text.")]
Member = Annotated[str, typer.Argument(metavar="MEMBER", help="One of ours: address or full name.")]


@people_app.command()
def unknown(
    csm: Annotated[str | None, typer.Option("--csm", metavar="MEMBER", help="Only of this CSM's accounts.")] = None,
    limit: Limit = 20,
    output: Output = Format.TEXT,
    config: ConfigPath = None,
) -> int:
    """List the persons of whom nobody knows who they are: those first who would settle the most answers."""
    from daemon.people import PeopleError, one_of_ours
    from rules.facts import unknown_people
    from store import roster

    with reading(configured(config, needs=())) as daemon, daemon.store.read() as connection:
        try:
            key = one_of_ours(connection, csm)["key"] if csm else None
        except PeopleError as error:
            raise BadInput(f"--csm: {error}") from None
        rows = roster.rows(connection, unknown_people(daemon.clock.now(), [key] if key else None))
    columns = {
        "person": lambda row: row["person"],
        "key": lambda row: row["key"],
        "title": lambda row: row["title"] or "",
        "account": lambda row: row["account"],
        "csm": lambda row: row["csm"] or "",
        "last touch": lambda row: _day(row["last_contact"]),
        "settles": lambda row: str(row["settles"]),
    }
    _report(rows, columns, output, limit, "nobody: of every person on file it is known who that is")
    if output is Format.TEXT and rows:
        out.print("`tierd people set KEY exec|user|other` settles one of them", markup=False)
    return OK


@people_app.command("set")
def set_(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="E-mail address, source:id, or full name.")],
    who: Annotated[
        str,
        typer.Argument(
            metavar="WHO",
            help="exec, user, other (neither), a level (c_level, vp, director, manager, individual), forget.",
        ),
    ],
    config: ConfigPath = None,
) -> int:
    """Say who somebody is: stronger than any field, role and title, at every account that the person is at."""
    from daemon.people import PeopleError, say

    with writing(configured(config, needs=()), "people set") as daemon:
        try:
            with daemon.store.write() as connection:
                key, changed = say(connection, person, who, getpass.getuser(), daemon.clock.now())
        except PeopleError as error:
            raise BadInput(str(error)) from None
        touched = daemon.work.derive()
    if changed:
        out.print(f"{key}: {who}; {len(touched)} accounts were derived anew", markup=False)
    else:
        out.print(f"{key}: nothing to change", markup=False)
    return OK


@people_app.command()
def coverage(output: Output = Format.TEXT, config: ConfigPath = None) -> int:
    """Show of whom of ours mail and meetings are captured, by each one's own rhythm; those who are not come first."""
    from rules.facts import team_coverage
    from store import roster

    with reading(configured(config, needs=())) as daemon, daemon.store.read() as connection:
        rows = roster.rows(connection, team_coverage(daemon.clock.now()))
    columns = {
        "member": lambda row: row["name"],
        "captured": lambda row: "yes" if row["captured"] else "no",
        "accounts": lambda row: str(row["accounts"]),
        "last mail": lambda row: _day(row["last_email"]),
        "last meeting": lambda row: _day(row["last_meeting"]),
        "quiet": lambda row: _days(row["quiet"]),
        "patience": lambda row: _days(row["patience"]),
        "away until": lambda row: _day(row["away_until"]) if row["away_until"] else "",
    }
    _report(rows, columns, output, len(rows), "none of ours is on file")
    return OK


@people_app.command()
def away(
    member: Member,
    first: Annotated[str, typer.Argument(metavar="FROM", help="The first day, for example 2026-07-01.")],
    last: Annotated[str, typer.Argument(metavar="TO", help="The last day.")],
    back: Annotated[bool, typer.Option("--back", help="Take back absences that begin in these days.")] = False,
    config: ConfigPath = None,
) -> int:
    """Mark days on which one of ours is away: that nothing is captured then does not count against coverage."""
    from daemon.people import PeopleError, one_of_ours, spell_of
    from store import roster

    settings = configured(config, needs=())
    with writing(settings, "people away") as daemon, daemon.store.write() as connection:
        try:
            since, until = spell_of(first, last, settings.timezone)
            who = one_of_ours(connection, member)
        except PeopleError as error:
            raise BadInput(str(error)) from None
        if back:
            gone = roster.unmark_away(connection, who["id"], since, until)
            done = "is not away" if gone else "was not marked away"
        else:
            roster.mark_away(connection, who["id"], since, until, author=getpass.getuser(), at=daemon.clock.now())
            done = "is away"
    out.print(f"{who['name']} {done} from {first} to {last}; the next evaluation heeds it", markup=False)
    return OK


@people_app.command()
def handover(
    member: Annotated[
        str | None, typer.Argument(metavar="MEMBER", help="One of ours; without: everybody who has left.")
    ] = None,
    limit: Limit = 50,
    output: Output = Format.TEXT,
    config: ConfigPath = None,
) -> int:
    """List the relationships (strength 20 or more) that one of ours has to hand over."""
    from daemon.people import PeopleError, one_of_ours
    from rules.facts import hand_overs
    from store import roster

    with reading(configured(config, needs=())) as daemon, daemon.store.read() as connection:
        try:
            key = one_of_ours(connection, member)["key"] if member else None
        except PeopleError as error:
            raise BadInput(str(error)) from None
        rows = roster.rows(connection, hand_overs(daemon.clock.now(), key))
    columns = {
        "member": lambda row: row["member"],
        "account": lambda row: row["account"],
        "csm": lambda row: row["csm"] or "",
        "person": lambda row: row["person"],
        "title": lambda row: row["title"] or "",
        "strength": lambda row: _points(row["strength"]),
        "last touch": lambda row: _day(row["last_contact"]),
    }
    _report(rows, columns, output, limit, "no relationship is to be handed over")
    return OK


@people_app.command()
def holders(
    account: Annotated[str, typer.Argument(help="A part of its name, its id in a CRM, or its key.")],
    limit: Limit = 20,
    output: Output = Format.TEXT,
    config: ConfigPath = None,
) -> int:
    """Show who of ours holds which relationship at an account, by the strength of each pair."""
    from daemon.explain import find
    from rules.facts import holders as held
    from store import roster

    with reading(configured(config, needs=())) as daemon:
        found = find(daemon.store, account)
        with daemon.store.read() as connection:
            rows = roster.rows(connection, held(daemon.clock.now(), found.id))
    columns = {
        "person": lambda row: row["person"],
        "member": lambda row: row["member"] if row["active"] else f"{row['member']} (has left)",
        "strength": lambda row: _points(row["strength"]),
        "last touch": lambda row: _day(row["last_contact"]),
    }
    _report(rows, columns, output, limit, "nobody of ours touched anybody there within 365 days")
    return OK


# ---------------------------------------------------------------- as text, JSON, CSV


def _report(rows: Sequence[Row], columns: Mapping[str, Any], output: Format, limit: int, nothing: str) -> None:
    cells = [{name: cell(row) for name, cell in columns.items()} for row in rows]
    if output is Format.JSON:
        typer.echo(json.dumps(cells, indent=2, ensure_ascii=False))
    elif output is Format.CSV:
        write_csv(tuple(columns), (tuple(line.values()) for line in cells))
    elif not cells:
        out.print(nothing, markup=False)
    else:
        table = Table(*columns, box=None, pad_edge=False)
        for line in cells[:limit]:
            table.add_row(*map(unmarked, line.values()))
        out.print(table)
        if len(cells) > limit:
            out.print(f"... and {len(cells) - limit:,} more; --limit shows them, --format csv or json gives all")


def _day(at: Instant | None) -> str:
    return "never" if at is None else shown(at)[:10]


def _days(length: int | None) -> str:
    return "" if length is None else f"{length / DAY:.1f} d"


def _points(hundredths: int) -> str:
    return f"{hundredths / 100:.0f}"
