"""The commands init and check."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from daemon.cli import app
from daemon.cli.common import BAD_INPUT, OK, ConfigPath, closing, config_path, configured, err, out
from daemon.profiles import Profile, choices

_MARKS = {"ok": "ok     ", "warning": "warning", "error": "error  "}
_STYLES = {"ok": None, "warning": "yellow", "error": "red"}


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where to write.", show_default="here")] = Path(),
    profile: Annotated[
        Profile | None,
        typer.Option(
            help="The rules to start with: enterprise (all, relationships first) or smb (100 accounts and more per CSM).",
            show_default="asked on a terminal, else enterprise",
        ),
    ] = None,
) -> int:
    """Write a commented tierd.yaml and the rules of a profile, never over files that are there."""
    from daemon.init import initialise

    chosen = profile or _asked()
    done = initialise(folder, chosen)
    for path in done.written:
        out.print(f"written  {path}", markup=False)
    for path in done.kept:
        out.print(f"kept     {path} (it was there)", markup=False)
    changed = choices(chosen)
    for what, rules in (("off", changed.off), ("shadow", changed.shadow)):
        for rule, why in rules.items():
            out.print(f"{what:8} {rule}: {why}", markup=False)
    out.print(
        "\nNext: in tierd.yaml put your own_domains, base_url and client_id; export SF_CLIENT_SECRET=...;\n"
        "`tierd map salesforce` finds the CRM's fields, and with --write puts them into the file;\n"
        "then `tierd check` tests everything and says what a first sync costs.\n"
        "To see tierd at work without any account: `tierd demo`."
    )
    return OK


def _asked() -> Profile:
    """The profile that somebody at a terminal chooses; enterprise where nobody is there."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return Profile.ENTERPRISE
    out.print("enterprise: 30 to 50 accounts per CSM, every rule, relationships first")
    out.print("smb:        100 accounts and more per CSM, fewer rules, led by usage")
    answer: Profile = typer.prompt("Rules for", default=Profile.ENTERPRISE, type=Profile)
    return answer


@app.command()
def check(
    show_config: Annotated[
        bool, typer.Option("--show-config", help="Show the configuration in force, secrets masked, and end.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: ConfigPath = None,
) -> int:
    """Validate the configuration and rules, test every connection and permission, and say what a first sync costs."""
    from daemon.check import Section, cost
    from daemon.check import as_json as plain
    from daemon.check import check as look
    from daemon.config import dump
    from daemon.config.document import read

    settings = configured(config)
    if show_config:
        out.print(dump(settings), markup=False, end="")
        return OK
    with closing(settings) as daemon, err.status("asking the vendors ...") if err.is_terminal else nullcontext():
        report = look(settings, daemon.store, daemon.sources, daemon.talk.sender, read(config_path(config)))

    if as_json:
        typer.echo(json.dumps(plain(report), indent=2, ensure_ascii=False))
        return OK if report.ok else BAD_INPUT

    def show(section: Section) -> None:
        out.print(f"\n{section.name}", style="bold", markup=False)
        for finding in section.findings:
            out.print(f"  {_MARKS[finding.level]} {finding.what}", style=_STYLES[finding.level], markup=False)
            if finding.remedy and finding.level != "ok" and finding.remedy not in finding.what:
                out.print(f"          -> {finding.remedy}", markup=False)
        for permission, why in section.needs:
            out.print(f"  needs   {permission} - {why}", markup=False)

    for section in report.sections:
        show(section)
    previews = [(section.name, section.preview) for section in report.sections if section.preview is not None]
    if previews:
        out.print("\nthe first sync", style="bold")
        for line in cost(previews):
            out.print(f"  {line}", markup=False)
    errors = sum(finding.level == "error" for section in report.sections for finding in section.findings)
    broken = "the error" if errors == 1 else f"the {errors} errors"
    out.print("\nready: `tierd run`" if report.ok else f"\nnot ready: mend {broken} above")
    return OK if report.ok else BAD_INPUT
