"""Look before anything is read or sent: connections, permissions, the customer condition, and what a first sync costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from alerts.slack import SCOPES, SlackSender
from connectors.http import Finding as Placed
from connectors.http import Preview, VendorError, remedy
from daemon.config import Config
from daemon.config.document import Document, KeyPath
from daemon.lock import holder
from daemon.map.candidates import Explorer
from daemon.map.customers import conditions
from daemon.rulefiles import read_rules
from daemon.sources import Sources
from rules.language import RuleErrors
from store.engine import Store
from store.migrate import current, head

# What a row takes in the store, indices included, measured on the demo's world.
_BYTES_PER_ROW = 900
# What stands in the file that `tierd init` writes, and in the documentation.
_EXAMPLES = {
    "own_domains": ("example.com",),
    "base_url": ("https://example.my.salesforce.com",),
    "client_id": ("3MVG9...",),
}


class Finding(Protocol):
    """One thing that a part found; every part has its own class of this shape."""

    @property
    def level(self) -> str:
        """One of ok, warning, error."""
        ...

    @property
    def what(self) -> str:
        """In words."""
        ...

    @property
    def remedy(self) -> str:
        """How to mend it; empty where nothing is to be mended."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """A finding of the check itself."""

    level: str
    what: str
    remedy: str = ""


@dataclass(slots=True)
class Section:
    """One part that was looked at. `needs`: the permissions or scopes it has to be given, and why."""

    name: str
    findings: list[Finding] = field(default_factory=list)
    needs: list[tuple[str, str]] = field(default_factory=list)
    preview: Preview | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was looked at."""

    sections: tuple[Section, ...]

    @property
    def ok(self) -> bool:
        """Nothing stands in the way."""
        return all(finding.level != "error" for section in self.sections for finding in section.findings)


def check(
    config: Config, store: Store, sources: Sources, sender: SlackSender | None, document: Document | None = None
) -> Report:
    """Look at every part; the vendors are asked, nothing is changed anywhere. `document`: the file, for places."""
    sections = [_placeholders(config), _store(store), _rules(config)]
    sections = [section for section in sections if section.findings]
    sections += [_placed(_source(config, sources, name), document) for name in sources.names()]
    sections.append(_slack(sender))
    return Report(tuple(sections))


def _placeholders(config: Config) -> Section:
    """What still stands as `tierd init` wrote it: with that, nothing would be found and everybody would be a customer."""
    section = Section("configuration")
    left = [f"own_domains: {domain}" for domain in config.own_domains if domain in _EXAMPLES["own_domains"]]
    for name, source in config.crms.items():
        client_id = getattr(source.auth, "client_id", None)
        left += [f"{name}.base_url: {source.base_url}"] if source.base_url in _EXAMPLES["base_url"] else []
        left += [f"{name}.auth.client_id: {client_id}"] if client_id in _EXAMPLES["client_id"] else []
    remedy = "put your own there; `tierd demo` shows tierd at work without any account"
    section.findings += [Found("error", f"`{text}` is the example's", remedy) for text in left]
    return section


def _store(store: Store) -> Section:
    found = current(store)
    if found is None:
        return Section("store", [Found("ok", "empty; the first sync makes the tables")])
    if found != head():
        remedy = "`tierd run` brings it up to date"
        return Section("store", [Found("warning", f"at revision {found}, this tierd needs {head()}", remedy)])
    writer = holder(store)
    return Section("store", [Found("ok", f"up to date; {writer} writes it" if writer else "up to date")])


def _rules(config: Config) -> Section:
    try:
        rules = read_rules(config.folder, config.rules, config.currency, config.workdays)
    except RuleErrors as errors:
        return Section("rules", [Found("error", error.render(), error.fix) for error in errors.errors])
    return Section("rules", [Found("ok", f"{len(rules.rules)} rules in {len(rules.files)} files")])


def _source(config: Config, sources: Sources, name: str) -> Section:
    section = Section(name)
    connector = sources.reader(name)
    section.needs += connector.permissions()
    if getattr(config.sources[name], "base_url", None) in _EXAMPLES["base_url"]:
        return section  # told above; nobody is there to be asked
    try:
        section.findings += connector.check()
        crm = config.crms.get(name)
        if crm is not None:
            section.findings += _tier(config, sources, name, section)
        if any(finding.level == "error" for finding in section.findings):
            return section
        section.preview = connector.preview()
        if crm is not None:
            section.findings += _customers(section.preview, sources.explorer(name), crm.customer)
    except VendorError as error:
        section.findings.append(Found("error", str(error), remedy(error)))
    section.findings = _once(section.findings)
    return section


def _tier(config: Config, sources: Sources, name: str, section: Section) -> Iterable[Finding]:
    """Whether the tier can be written: an obstacle now where write-back is on, else one for later."""
    crm = config.crms[name]
    wrong = any(getattr(finding, "at", ())[:1] == ("tier",) for finding in section.findings)
    signed_in = len(section.findings) > 1
    if crm.tier is None or wrong or not signed_in:
        return ()
    found = sources.writer(name).check_target()
    if config.writeback.enabled:
        return found
    later = "; nothing is written while `writeback` is off"
    return [Found("warning", one.what + later, one.remedy) if one.level == "error" else one for one in found]


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """Each text once, at its first place."""
    kept: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        kept.setdefault((finding.level, finding.what), finding)
    return list(kept.values())


def _placed(section: Section, document: Document | None) -> Section:
    """The section with file, line and column before each finding that has a place in the file."""
    if document is not None:
        section.findings = [
            replace(found, what=str(document.problem(*_place(document, section.name, found.at))) + found.what)
            if isinstance(found, Placed) and found.at
            else found
            for found in section.findings
        ]
    return section


def _place(document: Document, source: str, at: KeyPath) -> tuple[KeyPath, str]:
    """The path in the file: a single mapped field need not stand in a list."""
    path: KeyPath = ("sources", source)
    for part in at:
        if isinstance(part, str) or isinstance(document.at(path), list):
            path = (*path, part)
    return path, ""


def _customers(preview: Preview, explorer: Explorer, where: Mapping[str, Any]) -> Iterable[Found]:
    """For how many accounts the condition holds, and what else could say who is a customer."""
    home = explorer.shape(explorer.home)
    others = [one for one in conditions(explorer, home, where) if not one.configured] if home is not None else []
    listed = ", ".join(f"`{{{_condition(one.where)}}}` {_count(one.count)}" for one in others)
    if preview.customers == 0:
        help_ = f"; other conditions: {listed}" if listed else " - field name, and the values as the CRM spells them"
        yield Found("error", "the customer condition holds for no account", f"look at `customer:`{help_}")
    elif preview.customers is not None:
        of = max((preview.rows.get(name, 0) for name in ("Account", "companies")), default=0)
        more = f"; other conditions: {listed}" if listed else ""
        yield Found("ok", f"the customer condition holds for {preview.customers:,} of {of:,} accounts{more}")


def _condition(where: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {_word(value)}" for name, value in where.items())


def _word(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + _condition(value) + "}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _count(count: int | None) -> str:
    return "for an unknown number" if count is None else f"for {count:,}"


def _slack(sender: SlackSender | None) -> Section:
    if sender is None:
        what = "no `slack:` section: nothing is sent, messages wait in the store"
        return Section("slack", [Found("warning", what, "`tierd preview --csm NAME` shows what would be sent")])
    needs = [(f"the bot scope {scope}", why) for scope, why in sorted(SCOPES.items())]
    if sender.settings.app_token is not None:
        needs.append(("the scope connections:write on the app-level token", "receive what is pressed (Socket Mode)"))
    return Section("slack", list(sender.check()), needs)


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "ok": report.ok,
        "sections": [
            {
                "name": section.name,
                "findings": [
                    {"level": found.level, "what": found.what, "remedy": found.remedy} for found in section.findings
                ],
                "needs": [{"permission": permission, "why": why} for permission, why in section.needs],
                "first_sync": None if section.preview is None else asdict(section.preview),
            }
            for section in report.sections
        ],
    }


def cost(previews: Sequence[tuple[str, Preview]]) -> list[str]:
    """What the first sync will take, one line per source and one for the disk."""
    lines = []
    total = 0
    for name, preview in previews:
        rows = sum(preview.rows.values())
        total += rows
        share = ""
        if preview.quota_left:
            part = preview.calls / preview.quota_left
            shown = f"{part:.1%}" if part >= 0.001 else "less than 0.1%"
            share = f" ({shown} of the {preview.quota_left:,} that are left today)"
        lines.append(f"{name}: {rows:,} rows, {preview.calls:,} API calls{share}, about {_minutes(preview.minutes)}")
        lines += [f"  {object_}: {count:,}" for object_, count in preview.rows.items()]
    lines.append(f"disk: about {max(1, total * _BYTES_PER_ROW // 1_000_000):,} MB in the store")
    return lines


def _minutes(minutes: float) -> str:
    return "a minute" if minutes <= 1 else f"{minutes:.0f} minutes"
