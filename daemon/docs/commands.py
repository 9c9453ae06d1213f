"""Every command with its arguments and options, as the command line itself knows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from daemon.cli import app, explaining, gaps, identity, looking, mapping, process, rules, sandbox, setup, tiers, usage
from daemon.docs.markdown import code, table

del (
    explaining,
    gaps,
    identity,
    looking,
    mapping,
    process,
    rules,
    sandbox,
    setup,
    tiers,
    usage,
)  # importing them has registered their commands


def command_tree() -> dict[str, Any]:
    """`tierd ...` -> its command, groups left out but for those that do something themselves."""
    return dict(sorted(_leaves("tierd", typer.main.get_command(app))))


def options_of(command: Any) -> set[str]:
    """Every spelling of every option."""
    options = [p for p in command.params if p.param_type_name == "option"]
    return {spelling for option in options for spelling in (*option.opts, *option.secondary_opts)}


def _leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    if name != "tierd" and command.invoke_without_command:
        yield name, command
    for word, sub in inner.items():
        yield from _leaves(f"{name} {word}", sub)


def commands() -> str:
    """One section per command: what it does, and a table of what it takes."""
    sections = []
    for name, command in command_tree().items():
        parts = [f"### `{name}`", " ".join((command.help or "").split())]
        rows = [_row(parameter) for parameter in command.params if not getattr(parameter, "hidden", False)]
        if rows:
            parts.append(table(("argument or option", "default", "meaning"), rows))
        sections.append("\n\n".join(parts))
    return "\n\n".join(sections)


def _row(parameter: Any) -> tuple[str, str, str]:
    option = parameter.param_type_name == "option"
    name = ", ".join((*parameter.opts, *parameter.secondary_opts)) if option else parameter.name.upper()
    if option and parameter.metavar:
        name = f"{name} {parameter.metavar}"
    return code(name), _default(parameter), parameter.help or ""


def _default(parameter: Any) -> str:
    if parameter.required:
        return "must be given"
    shown = parameter.show_default if isinstance(parameter.show_default, str) else parameter.default
    return "" if shown in (None, False, ()) else code(shown)
