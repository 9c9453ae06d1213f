"""What other rule files would change on today's portfolio: per rule, the accounts that are added, dropped, or told differently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from daemon.replay import looking
from rules.facts import FactSettings
from rules.language import Rule, RuleSet
from rules.language.compile import select_findings
from rules.language.values import today_of
from store import trials
from store.engine import Store
from store.records import Instant
from store.trials import Differing

KINDS: Mapping[str, str] = {
    "added": "added",
    "dropped": "dropped",
    "severity": "with another severity",
    "unknown": "that can no longer be told",
    "known": "that can be told now, and are silent",
}
"""What may become of an account, in the order in which it is shown."""


class NoRuleFiles(LookupError):
    """There is no rule file at that path; name a .yaml file or a folder with some."""


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One rule that is new, gone or changed, and what becomes of which accounts (kind -> accounts, by name)."""

    rule: str
    what: str
    """new | removed | changed"""
    accounts: Mapping[str, tuple[Differing, ...]]


@dataclass(frozen=True, slots=True)
class Diff:
    """All rules that mean something else; `same` counts the others."""

    as_of: Instant
    computed: bool
    changes: tuple[RuleChange, ...]
    same: int


def proposed_files(running: Mapping[str, str], path: Path) -> Mapping[str, str]:
    """The rule files as they would be: a folder's instead of all, or one file instead of that of the same name."""
    if path.is_dir():
        found = {file.name: file.read_text(encoding="utf-8") for file in sorted(path.glob("*.y*ml")) if file.is_file()}
        if not found:
            raise NoRuleFiles(f"there is no .yaml file in {path}")
        return found
    if not path.is_file():
        raise NoRuleFiles(f"{path} is no rule file and no folder with rule files")
    same = {name for name in running if Path(name).name == path.name}
    kept = {name: text for name, text in running.items() if name not in same}
    return {**kept, next(iter(sorted(same)), path.name): path.read_text(encoding="utf-8")}


def diff(
    store: Store, settings: FactSettings, before: RuleSet, after: RuleSet, *, now: Instant, as_of: Instant | None = None
) -> Diff:
    """Ask both rule sets of today's portfolio; only reads. Durations (`for`) are not waited for."""
    had, has = ({rule.name: rule for rule in rules.rules} for rules in (before, after))
    names = [*had, *(name for name in has if name not in had)]
    changed = [name for name in names if not _same(had.get(name), has.get(name))]
    asked = [rules[name] for rules in (had, has) for name in changed if name in rules]
    with looking(store, settings, as_of, now, asked) as there:
        today = today_of(there.as_of, ZoneInfo(settings.timezone))
        changes = []
        for name in changed:
            old, new = had.get(name), has.get(name)
            selects = [None if rule is None else select_findings(rule, there.as_of, today) for rule in (old, new)]
            rows = trials.differences(there.connection, *selects)
            what = "new" if old is None else "removed" if new is None else "changed"
            changes.append(RuleChange(name, what, _by_kind(rows)))
    return Diff(there.as_of, there.computed, tuple(changes), len(names) - len(changed))


def _same(old: Rule | None, new: Rule | None) -> bool:
    return old is not None and new is not None and old.version == new.version


def _by_kind(rows: list[Differing]) -> Mapping[str, tuple[Differing, ...]]:
    found: dict[str, list[Differing]] = {kind: [] for kind in KINDS}
    for row in rows:
        found[_kind(row)].append(row)
    return {kind: tuple(some) for kind, some in found.items() if some}


def _kind(row: Differing) -> str:
    if row.outcome_before == row.outcome_after:
        return "severity"
    if row.outcome_after == "fires":
        return "added"
    if row.outcome_before == "fires" and row.outcome_after is None:
        return "dropped"
    return "unknown" if row.outcome_after == "unknown" else "known"
