"""Which of the shipped rules a kind of business starts with: on, off, as a shadow, or with windows of its own.

A profile is data beside the rules (`rules/shipped/profiles`). The files are cut by rule and joined again as text, so that
comments and tests stay as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from itertools import zip_longest

from ruamel.yaml import YAML

_BLOCK = re.compile(r"^  - rule: (\S+)\n", re.MULTILINE)
_SEVERITY = re.compile(r"^    severity: .*\n", re.MULTILINE)


class Profile(StrEnum):
    """The kinds of business that `tierd init` knows."""

    ENTERPRISE = "enterprise"
    """30 to 50 accounts per CSM: every rule, relationships first."""
    SMB = "smb"
    """100 accounts and more per CSM: fewer rules, led by usage, with larger windows."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What a profile changes. `off` and `shadow`: rule -> why; `own`: rule -> its text instead of the shipped one."""

    off: Mapping[str, str]
    shadow: Mapping[str, str]
    own: Mapping[str, str]


def shipped() -> Mapping[str, str]:
    """File name -> text of the rules that come with tierd, all of them on."""
    found = [entry for entry in (files("rules") / "shipped").iterdir() if entry.name.endswith(".yaml")]
    return {entry.name: entry.read_text(encoding="utf-8") for entry in sorted(found, key=lambda entry: entry.name)}


def choices(profile: Profile) -> Choices:
    """What the profile's file says."""
    text = (files("rules") / "shipped" / "profiles" / f"{profile}.yaml").read_text(encoding="utf-8")
    said = YAML(typ="safe").load(text) or {}
    return Choices(said.get("off", {}), said.get("shadow", {}), dict(_cut(text)))


def rules_of(profile: Profile) -> Mapping[str, str]:
    """File name -> text of the rules that this profile starts with; a file without any rule is left out."""
    chosen = choices(profile)
    written = {name: _chosen(text, chosen, profile) for name, text in shipped().items()}
    return {name: text for name, text in written.items() if text}


def _chosen(text: str, chosen: Choices, profile: Profile) -> str:
    blocks = list(_cut(text))
    if not blocks:
        return text
    head = text[: _begin(text)].rstrip("\n")
    kept = [_block(name, chosen.own.get(name, block), chosen) for name, block in blocks if name not in chosen.off]
    left = [f"  #   {name}: {chosen.off[name]}" for name, _ in blocks if name in chosen.off]
    notes = ["\n".join([f"  # Left out by the profile {profile}:", *left])] if left else []
    return "\n".join((head, "\n\n".join((*kept, *notes)), "")) if kept else ""


def _block(name: str, block: str, chosen: Choices) -> str:
    why = chosen.shadow.get(name)
    if why is None:
        return block
    return _SEVERITY.sub(lambda line: f"{line[0]}    status: shadow                # {why}\n", block, count=1)


def _begin(text: str) -> int:
    found = _BLOCK.search(text)
    return found.start() if found else len(text)


def _cut(text: str) -> Iterator[tuple[str, str]]:
    """Name and text of each rule of a file."""
    found = list(_BLOCK.finditer(text))
    for match, behind in zip_longest(found, found[1:]):
        end = len(text) if behind is None else behind.start()
        yield match[1], text[match.start() : end].rstrip("\n")
