"""Look before anything is read or sent: connections, permissions, the customer condition, and what a first sync costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from alerts.slack import SCOPES, SlackSender
from connectors.http import Finding as Placed
from connectors.http import Preview, VendorError, remedy
from daemon.config import Config
from daemon.config.document import Document, KeyPath
from daemon.lock import holder
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
        rules = read_rules(config.folder, config.rules, config.currency)
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
        if any(finding.level == "error" for finding in section.findings):
            return section
        section.preview = connector.preview()
        section.findings += _customers(section.preview, crm=name in config.crms)
        crm = config.crms.get(name)
        if config.writeback.enabled and crm is not None and crm.tier is not None:
            section.findings += sources.writer(name).check_target()
    except VendorError as error:
        section.findings.append(Found("error", str(error), remedy(error)))
    return section


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


def _customers(preview: Preview, *, crm: bool) -> Iterable[Found]:
    if not crm or preview.customers is None:
        return
    if preview.customers == 0:
        remedy = "look at `customer:` - field name, and the values as the CRM spells them"
        yield Found("error", "the customer condition holds for no account", remedy)
    else:
        of = max((preview.rows.get(name, 0) for name in ("Account", "companies")), default=0)
        yield Found("ok", f"the customer condition holds for {preview.customers:,} of {of:,} accounts")


def _slack(sender: SlackSender | None) -> Section:
    if sender is None:
        what = "no `slack:` section: nothing is sent, messages wait in the store"
        return Section("slack", [Found("warning", what, "`tierd preview --csm NAME` shows what would be sent")])
    needs = [(f"the bot scope {scope}", why) for scope, why in sorted(SCOPES.items())]
    if sender.settings.app_token is not None:
        needs.append(("the scope connections:write on the app-level token", "receive what is pressed (Socket Mode)"))
    return Section("slack", list(sender.check()), needs)


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
