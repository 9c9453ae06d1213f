"""The command `tierd`: each command's module imports its own work, so that `tierd --help` is quick."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from daemon.garbage import seldom

_ORDER = ("demo", "init", "map", "check", "preview", "run", "status", "explain", "rules", "tiers", "pause", "resume")


class _Commands(TyperGroup):
    """The commands in the order in which they are needed, then the rest."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names, as --help shows them."""
        rank = {name: number for number, name in enumerate(_ORDER)}
        return sorted(super().list_commands(ctx), key=lambda name: rank.get(name, len(rank)))


app = typer.Typer(
    name="tierd",
    cls=_Commands,
    help="Reads Salesforce, HubSpot and product usage, tells customer success managers in Slack which account needs "
    "them today, and writes the customer's tier back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"tierd {version('tierd')}")
        raise typer.Exit


@app.callback()
def options(
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="PATH", help="The configuration file.", show_default="tierd.yaml"),
    ] = None,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Options that stand before the command."""
    del show_version  # its callback has dealt with it
    if config is not None:
        os.environ["TIERD_CONFIG"] = str(config)  # where every command looks


def main() -> None:
    """Run the command line; ends the process with 0 (fine), 2 (bad input or configuration) or 1 (anything else)."""
    seldom()
    raise SystemExit(run())


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code; expected errors become one clear message, never a traceback."""
    from daemon.cli import (
        explaining,
        gaps,
        identity,
        looking,
        mapping,
        people,
        process,
        rules,
        sandbox,
        setup,
        tiers,
        trying,
        usage,
    )

    del (
        explaining,
        gaps,
        identity,
        looking,
        mapping,
        people,
        process,
        rules,
        sandbox,
        setup,
        tiers,
        trying,
        usage,
    )  # importing them has registered their commands
    try:
        result = app(arguments, standalone_mode=False)
    except typer.TyperException as error:
        message = error.format_message()
        hint = "" if message.startswith("Usage:") else "; `tierd COMMAND --help` shows what is possible"
        typer.echo(f"{message}{hint}", err=True)
        return 2
    except (typer.Abort, KeyboardInterrupt):
        return 1
    except Exception as error:
        if os.environ.get("TIERD_DEBUG"):
            raise
        from daemon.cli.errors import tell  # knows the errors of every part, so it loads them all

        return tell(error)
    return result if isinstance(result, int) else 0
