"""The generated parts of the documentation: tables that must say what the code says, kept current by a test."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from daemon.docs import catalogue, commands, tables

FOLDER = Path(__file__).resolve().parents[2] / "docs"
_BLOCK = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

BLOCKS: Mapping[str, Callable[[], str]] = {
    "facts": catalogue.facts,
    "states": catalogue.states,
    "error-codes": catalogue.error_codes,
    "rule-findings": catalogue.rule_findings,
    "commands": commands.commands,
    "store": tables.store,
    "slack-scopes": catalogue.slack_scopes,
    "hubspot-scopes": catalogue.hubspot_scopes,
    "salesforce-permissions": catalogue.salesforce_permissions,
}
"""Name in the page -> its text. A page holds `<!-- generated: name -->` ... `<!-- end -->`."""


def pages(folder: Path = FOLDER) -> list[Path]:
    """Every page below `folder`; raises FileNotFoundError where there is none (tierd installed without its sources)."""
    found = sorted(folder.rglob("*.md"))
    if not found:
        raise FileNotFoundError(f"no pages below {folder}: run this in a clone of the repository")
    return found


def current(text: str) -> str:
    """A page's text with every generated block as the code has it now; raises KeyError for a block nobody makes."""
    return _BLOCK.sub(lambda match: f"{match[1]}\n{BLOCKS[match['name']]()}\n{match[3]}", text)


def outdated(folder: Path = FOLDER) -> dict[Path, str]:
    """Pages that differ from what the code says, with their new text."""
    texts = {path: path.read_text(encoding="utf-8") for path in pages(folder)}
    return {path: new for path, text in texts.items() if (new := current(text)) != text}
