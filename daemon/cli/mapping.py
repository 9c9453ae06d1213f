"""The command map."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.cli import app
from daemon.cli.common import OK, BadInput, ConfigPath, Failed, closing, config_path, configured, err, out

if TYPE_CHECKING:
    from connectors.http import Finding
    from connectors.mapping import FieldMapping, MappedField
    from daemon.map.candidates import Explorer
    from daemon.map.edit import Choice
    from daemon.map.given import Given
    from daemon.map.survey import Survey


@app.command("map")
def map_(
    source: Annotated[str, typer.Argument(help="The source of tierd.yaml to look around in.")],
    object_: Annotated[
        str | None, typer.Option("--object", metavar="NAME", help="List the fields of one object, and propose nothing.")
    ] = None,
    search: Annotated[
        str | None,
        typer.Option("--search", metavar="WORD", help="Only objects or fields whose name or label has this word."),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Put the mapping into tierd.yaml; the change is shown first.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take the proposals without asking.")] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FACT=FIELD", help="Decide one fact: arr=ARR__c, or arr={object: ..., field: ...}; "
                     "nothing after = takes it out."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: ConfigPath = None,
) -> int:  # fmt: skip
    """List a CRM's objects and fields with fill rate and samples, propose where each fact is kept, and write it down."""
    from daemon.map.given import NoSuchChoice, given

    settings = configured(config, needs=("sources",))
    mapping = settings.crms.get(source)
    if mapping is None:
        known = ", ".join(settings.crms)
        raise BadInput(f"{source!r} is no CRM in {config_path(config).name}: there is {known}")
    try:
        said = given(set_ or ())
    except NoSuchChoice as error:
        raise BadInput(str(error)) from error
    with closing(settings) as daemon:
        explorer = daemon.sources.explorer(source)
        if object_ is not None or search is not None:
            _list(explorer, mapping, object_, search, as_json=as_json)
            return OK
        _said_fits(said.applied(mapping), explorer, said.names)
        found = _survey(explorer, source, said, mapping, daemon.clock.now(), quiet=as_json)
        try:
            found = said.decided(found, explorer)
        except NoSuchChoice as error:
            raise BadInput(str(error)) from error
        if as_json:
            _json(found)
        else:
            out.print(_text(found), markup=False)
        if not write:
            if not as_json:
                out.print(f"\n`tierd map {source} --write` puts it into {config_path(config).name}", markup=False)
            return OK
        if not yes and sys.stdin.isatty():
            # What was left out is taken out of the file, as after `--set fact=`.
            said = replace(said, facts={**_asked(found, said.facts), **said.facts})
            found = said.decided(found, explorer)
        return _written(config_path(config), found, said, explorer, yes=yes)


def _survey(explorer: Explorer, source: str, said: Given, mapping: FieldMapping, now: int, *, quiet: bool) -> Survey:
    from daemon.map.given import words_of
    from daemon.map.survey import Subject, survey

    def tell(text: str) -> None:
        if not quiet:
            err.print(text, markup=False)

    with err.status("asking the CRM ...") if err.is_terminal else nullcontext():
        try:
            subject = Subject(source, said.applied(mapping), words_of(explorer), said.names)
            return survey(explorer, subject, now, tell)
        except LookupError as error:
            raise Failed(str(error.args[0])) from error


def _text(found: Survey) -> str:
    from daemon.map.show import text

    return text(found)


def _json(value: Any) -> None:
    from daemon.map.show import as_json
    from daemon.map.survey import Survey as Surveyed

    plain = as_json(value) if isinstance(value, Surveyed) else value
    typer.echo(json.dumps(plain, indent=2, ensure_ascii=False))


def _list(explorer: Explorer, mapping: FieldMapping, name: str | None, word: str | None, *, as_json: bool) -> None:
    """The org's objects, or one object's fields."""
    from daemon.map.listing import fields_of, fields_text, objects_of, objects_text

    if name is None:
        objects = objects_of(explorer, word or "")
        _json(objects) if as_json else out.print(objects_text(objects), markup=False)
        return
    try:
        fields = fields_of(explorer, mapping, name, word)
    except LookupError as error:
        raise BadInput(str(error.args[0])) from error
    _json(fields) if as_json else out.print(fields_text(fields), markup=False)


def _asked(found: Survey, decided: Collection[str]) -> dict[str, Sequence[MappedField]]:
    """Each fact with something to choose from, asked in turn; Return takes the proposal, 0 leaves the fact out."""
    from daemon.map.given import NoSuchChoice, option_of
    from daemon.map.show import place

    chosen: dict[str, Sequence[MappedField]] = {}
    for proposal in found.proposals:
        if proposal.fact in ("tier", *decided) or not (proposal.chosen or proposal.alternatives):
            continue
        lists = [[one.option for one in proposal.chosen]] if proposal.chosen else []
        lists += [[one.option] for one in proposal.alternatives]
        shown = "\n".join(f"  {n}  {', then '.join(map(place, options))}" for n, options in enumerate(lists, 1))
        out.print(f"\n{proposal.fact}\n{shown}\n  0  leave it out", markup=False)
        answer = typer.prompt("number, or a field's name", default="1" if proposal.chosen else "0").strip()
        if answer.isdigit() and int(answer) <= len(lists):
            chosen[proposal.fact] = lists[int(answer) - 1] if int(answer) else []
        else:
            try:
                chosen[proposal.fact] = option_of(answer)
            except NoSuchChoice as error:
                raise BadInput(str(error)) from error
    return chosen


def _written(path: Path, found: Survey, said: Given, explorer: Explorer, *, yes: bool) -> int:
    from daemon.map import write
    from daemon.map.edit import CannotEdit, edited

    choice = _choice(found, said)
    try:
        text = edited(write.read(path), found.source, choice)
    except CannotEdit as error:
        raise BadInput(str(error)) from error
    change = write.diff(path, text)
    if not change:
        err.print(f"{path.name} says so already: nothing to write", markup=False)
        return OK
    config = write.checked(path, text, os.environ)
    _fits(config.crms[found.source], explorer, {what for _, what in found.broken})
    err.print(f"\n{change}\n", markup=False)
    if not yes and not (sys.stdin.isatty() and typer.confirm(f"Write this into {path.name}?")):
        err.print("nothing is written; --yes writes it", markup=False)
        return OK
    backup = write.replace(path, text)
    err.print(f"written; what was there before is {backup.name}. Next: `tierd check`", markup=False)
    return OK


def _choice(found: Survey, said: Given) -> Choice:
    """What is written: what works already stays, what is broken and has no successor goes."""
    from daemon.map.edit import Choice

    facts: dict[str, Sequence[MappedField]] = {
        p.fact: [one.option for one in p.chosen] for p in found.proposals if p.fact != "tier" and p.chosen
    }
    facts |= {fact: () for fact, _ in found.broken if fact not in (*facts, "customer", "churned", "tier", "contact")}
    facts |= said.facts
    return Choice(dict(found.where) or None, said.churned or found.churned, facts, found.tier)


def _said_fits(mapping: FieldMapping, explorer: Explorer, said: Collection[str]) -> None:
    """What was said by hand is held against the CRM before anything is counted."""
    if not said:
        return
    _refuse([one for one in _errors(mapping, explorer) if one.at[1 if one.at[0] == "fields" else 0] in said])


def _fits(mapping: FieldMapping, explorer: Explorer, known: Collection[str]) -> None:
    """What is written is held against the CRM as a whole: nothing new that `tierd check` would refuse."""
    _refuse([one for one in _errors(mapping, explorer) if one.what not in known])


def _errors(mapping: FieldMapping, explorer: Explorer) -> list[Finding]:
    from connectors.fit import misfits
    from connectors.shapes import names_of
    from daemon.map.given import words_of

    wrong = misfits(mapping, explorer.shape, lambda: names_of(explorer.objects()), words_of(explorer))
    return [finding for finding in wrong if finding.level == "error"]


def _refuse(errors: Sequence[Finding]) -> None:
    if errors:
        raise BadInput("\n".join((*(f"{one.what}\n  -> {one.remedy}" for one in errors), "nothing is written")))
