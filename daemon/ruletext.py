"""Show what was tried or compared on a terminal, and as plain data for --json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from daemon.explainrows import moment
from daemon.rulediff import KINDS, Diff, RuleChange
from daemon.ruletry import Tried
from rules.language import wording
from store.records import Instant
from store.trials import Differing

_MARKS = {"added": ("+", "green"), "dropped": ("-", "red"), "severity": ("~", "yellow"), "unknown": ("?", "yellow")}


def tried(found: Tried, currency: str) -> RenderableType:
    """How many it fires on, the first of them with their facts, and the unknown ones by reason."""
    totals = found.totals
    share = f" ({totals.fires / totals.customers:.1%})" if totals.customers else ""
    money = f", ARR {wording.money(totals.arr, currency)}" if totals.fires else ""
    parts: list[RenderableType] = [
        Text(f"{_basis(found.as_of, computed=found.computed)}\n", style="dim"),
        Text.assemble(
            ("✔ ", "green"), (f"fires on {totals.fires:,} of {totals.customers:,} customers{share}{money}", "bold")
        ),
    ]
    if found.matches:
        table = Table("account", Column("CSM", overflow="fold"), Column("ARR", justify="right"), "severity", "because")
        for match in found.matches:
            arr = "unknown" if match.arr is None else wording.money(match.arr, currency)
            cells = (Text(match.name), Text(match.csm or "none"), arr, match.severity, Text("\n".join(match.evidence)))
            table.add_row(*cells)
        parts.append(table)
    if totals.fires > len(found.matches):
        parts.append(Text(f"and {totals.fires - len(found.matches):,} more (--limit shows others)", style="dim"))
    parts.append(Text.assemble(("✘ ", "red"), f"does not hold on {found.silent:,}"))
    unknown = sum(totals.unknown.values())
    parts.append(Text.assemble(("? ", "yellow"), f"cannot be told on {unknown:,}" + (", because:" if unknown else "")))
    parts += [Text(f"{count:>8,}  {reason}") for reason, count in totals.unknown.items()]
    return Group(*parts)


def tried_data(found: Tried) -> Mapping[str, Any]:
    """The same; ARR in minor units."""
    return {
        "rule": found.rule.name,
        "as_of": moment(found.as_of),
        "customers": found.totals.customers,
        "fires": found.totals.fires,
        "silent": found.silent,
        "unknown": dict(found.totals.unknown),
        "arr": found.totals.arr,
        "matches": [asdict(match) for match in found.matches],
    }


def diff(found: Diff, currency: str) -> RenderableType:
    """Per rule that changes something: the accounts, by what becomes of them."""
    parts: list[RenderableType] = [Text(_basis(found.as_of, computed=found.computed), style="dim")]
    for change in found.changes:
        parts.append(Text.assemble("\n", (change.rule, "bold"), f" ({change.what}): {_counts(change)}"))
        for kind, rows in change.accounts.items():
            sign, style = _MARKS.get(kind, (" ", ""))
            parts += [Text(f"  {sign} {_line(kind, row, currency)}", style=style) for row in rows]
    changes = len(found.changes)
    same = f"{found.same} {'rule means' if found.same == 1 else 'rules mean'} the same as before"
    parts.append(Text(f"\n{same}, {changes} {'does' if changes == 1 else 'do'} not."))
    return Group(*parts)


def diff_data(found: Diff) -> Mapping[str, Any]:
    """The same; a rule that is not named means what it meant."""
    return {
        "as_of": moment(found.as_of),
        "same": found.same,
        "rules": [
            {
                "rule": change.rule,
                "what": change.what,
                "accounts": {kind: [asdict(row) for row in rows] for kind, rows in change.accounts.items()},
            }
            for change in found.changes
        ],
    }


def _counts(change: RuleChange) -> str:
    return (
        ", ".join(f"{len(rows):,} {KINDS[kind]}" for kind, rows in change.accounts.items())
        or "no account changes today"
    )


def _line(kind: str, row: Differing, currency: str) -> str:
    arr = "" if row.arr is None else f", {wording.money(row.arr, currency)}"
    more = {
        "added": f": {row.severity_after}",
        "severity": f": {row.severity_before} becomes {row.severity_after}",
        "unknown": f": {row.reason}",
    }
    return f"{row.name} ({row.csm or 'no CSM'}{arr}){more.get(kind, '')}"


def _basis(as_of: Instant, *, computed: bool) -> str:
    how = "computed as it was known then" if computed else "as the last full evaluation left it"
    return f"portfolio of {moment(as_of)} UTC, {how}"
