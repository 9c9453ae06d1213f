"""The documentation says what the program does: commands, options, keys, defaults, rules, links and generated tables."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML

from alerts.settings import AlertSettings, Channels, SlackSettings
from alerts.writeback import WritebackSettings
from connectors.hubspot.hints import HubSpotHints
from connectors.hubspot.settings import ActivityProperties, HubSpotSettings, OAuth, Token
from connectors.mapping import ContactField, ContactMapping, Currencies, FieldMapping, MappedField, TierTarget
from connectors.quota import Quota
from connectors.salesforce.settings import (
    AccessToken,
    ActivityFields,
    ChangeEventHints,
    ClientCredentials,
    JwtBearer,
    RefreshToken,
    SalesforceSettings,
)
from connectors.usage.settings import Columns, UsageSettings
from daemon.config import load
from daemon.config.identity import IdentitySettings
from daemon.config.settings import Config, Evaluation, Health, Paced, Tiers
from daemon.config.workdays import CalendarSettings
from daemon.docs import FOLDER, outdated
from daemon.docs.commands import command_tree, options_of
from daemon.ingest.settings import IngestSettings
from daemon.profiles import shipped
from rules.facts.healthsettings import HealthScales, HealthSettings, HealthWeights
from rules.facts.settings import Feature, Offering, OpportunityTypes, Segments, UsageNames
from rules.language import load as load_rules
from rules.language.reading import _RULE_KEYS, _TEST_KEYS
from rules.tiers import TierSettings, Weights

ROOT = FOLDER.parent
_OTHERS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "deploy/README.md")
PAGES = sorted([*FOLDER.rglob("*.md"), *(ROOT / name for name in _OTHERS)])
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_INLINE = re.compile(r"`(tierd(?: [^`]+)?)`")
_CALL = re.compile(r"^(?:sudo -u tierd (?:--\S+ )?)?(?:\S*/bin/)?(tierd(?: .*)?)$")
_SECRETS = dict.fromkeys(
    (
        "SF_CLIENT_SECRET",
        "SF_WRITE_SECRET",
        "TIERD_INGEST_KEY",
        "HUBSPOT_APP_SECRET",
        "SF_REFRESH_TOKEN",
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "HUBSPOT_TOKEN",
    ),
    "secret",
)
# Heading or line above a table of the configuration page -> the settings class it describes.
SECTIONS: dict[str, type[BaseModel]] = {
    "## The file": Config,
    "## `calendar`": CalendarSettings,
    "## Salesforce": SalesforceSettings,
    "`auth` with `method: client_credentials`": ClientCredentials,
    "`auth` with `method: jwt`": JwtBearer,
    "`auth` with `method: refresh_token`": RefreshToken,
    "`auth` with `method: token`": AccessToken,
    "`quota` of a CRM": Quota,
    "`activities` of Salesforce": ActivityFields,
    "## HubSpot": HubSpotSettings,
    "`auth` of HubSpot": Token,
    "`auth` of HubSpot with `method: oauth`": OAuth,
    "`activities` of HubSpot": ActivityProperties,
    "## The mapping of a CRM": FieldMapping,
    "A mapped field": MappedField,
    "`contact`": ContactMapping,
    "A field of the contact": ContactField,
    "`tier`": TierTarget,
    "`currencies`": Currencies,
    "## Usage feed": UsageSettings,
    "`columns`": Columns,
    "## `features`": Feature,
    "## `offerings`": Offering,
    "## `opportunities`": OpportunityTypes,
    "## `identity`": IdentitySettings,
    "## `usage`": UsageNames,
    "## `segments`": Segments,
    "## `health_score`": HealthSettings,
    "`weights` of health": HealthWeights,
    "`scales` of health": HealthScales,
    "## `slack`": SlackSettings,
    "`channels`": Channels,
    "## `alerts`": AlertSettings,
    "## `tiers`": Tiers,
    "`weights`": Weights,
    "## `writeback`": WritebackSettings,
    "## `evaluate`": Evaluation,
    "## `health`": Health,
    "## `ingest`": IngestSettings,
    "`hints` of HubSpot": HubSpotHints,
    "`hints` of Salesforce": ChangeEventHints,
}


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _blocks(document: Path, language: str) -> list[str]:
    return [text for kind, text in _FENCE.findall(document.read_text(encoding="utf-8")) if kind == language]


def _yaml(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def _yaml_blocks() -> list[Any]:
    return [
        pytest.param(text, id=f"{_named(page)}-{number}")
        for page in PAGES
        for number, text in enumerate(_blocks(page, "yaml"))
    ]


def _table_below(text: str, line: str) -> dict[str, str]:
    """First column -> second column of the first table below this line; code marks and all."""
    rest = text.split(f"\n{line}\n", 1)[1]
    rows = re.search(r"(?:^\|.*\n)+", rest, re.MULTILINE)
    assert rows is not None
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[0].splitlines()[2:]]
    return {row[0].strip("` "): row[1] for row in cells}


def _invocations(document: Path) -> Iterator[str]:
    """Every `tierd ...` in code, one command each."""
    text = document.read_text(encoding="utf-8")
    for block in _blocks(document, ""):
        for line in block.splitlines():
            found = _CALL.match(line.split(" #")[0].rstrip())
            if found:
                yield found[1]
    yield from _INLINE.findall(_FENCE.sub("", text))


def _unknown_words(invocation: str) -> list[str]:
    """The parts of `tierd ...` that the command line does not know."""
    words = shlex.split(invocation)[1:]
    known = command_tree()
    while words and words[0] in ("--config", "-c"):
        words = words[2:]
    for length in (2, 1):
        command = known.get(" ".join(["tierd", *words[:length]]))
        if command is not None:
            return [word for word in words[length:] if word.startswith("-") and word not in options_of(command)]
    groups = {name.split()[1] for name in known if len(name.split()) == 3}
    fine = not words or words[0] in (*groups, "COMMAND", "--help", "--version")
    return [] if fine else words[:1]


@pytest.mark.parametrize("document", PAGES, ids=_named)
def test_every_command_in_the_docs_exists(document: Path) -> None:
    """A command or option that the program does not have is not documented."""
    wrong = {call: unknown for call in _invocations(document) if (unknown := _unknown_words(call))}
    assert {} == wrong


def test_an_unknown_command_or_option_would_be_noticed() -> None:
    """The check itself tells a wrong command and a wrong option from right ones."""
    assert ["frobnicate"] == _unknown_words("tierd frobnicate")
    assert ["--no-such"] == _unknown_words("tierd sync --once --no-such")
    assert [] == _unknown_words('tierd tiers apply --approve "Acme"')


def test_the_generated_tables_are_current() -> None:
    """`python -m daemon.docs` has nothing to change: the reference says what the code says."""
    assert [] == [_named(page) for page in outdated()]


@pytest.mark.parametrize("document", PAGES, ids=_named)
def test_internal_links_resolve(document: Path) -> None:
    """A link leads to a file that is there, and to a heading that is in it."""
    for link in _LINK.findall(_FENCE.sub("", document.read_text(encoding="utf-8"))):
        if "://" in link:
            continue
        target, _, anchor = link.partition("#")
        path = (document.parent / target).resolve() if target else document
        assert path.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in _anchors(path), f"{link}: no such heading"


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("text", _yaml_blocks())
def test_every_yaml_block_is_valid(text: str, tmp_path: Path) -> None:
    """A whole configuration loads, a rule file is read, and a part of a configuration stands in a valid whole."""
    data = _yaml(text)
    if {"rules", "vocabulary"} >= set(data) and isinstance(data.get("rules", [None])[0], dict):
        extra = {} if "vocabulary" in data else {"shipped.yaml": shipped()["vocabulary.yaml"]}
        assert load_rules({"mine.yaml": text, **extra}).rules
        return
    path = tmp_path / "tierd.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(_whole(data), file)
    (tmp_path / "server.key").write_text("secret", encoding="utf-8")
    environ = {
        **_SECRETS,
        "USAGE_DB_URL": "sqlite:///usage.db",
        "TIERD_INGEST_KEY": "secret" * 5,
        "TIERD_STORE": "postgresql://tierd:password@db.internal/tierd",
    }
    assert load(path, environ).sources


def _whole(data: dict[str, Any]) -> dict[str, Any]:
    """The block inside a configuration that is complete: top-level keys as they are, keys of a source in a source."""
    source: dict[str, Any] = {
        "kind": "salesforce",
        "base_url": "https://acme.my.salesforce.com",
        "auth": {"method": "client_credentials", "client_id": "3MVG9", "client_secret": {"env": "SF_CLIENT_SECRET"}},
        "customer": {"Type": "Customer"},
    }
    top = set(Config.model_fields)
    within = {key: value for key, value in data.items() if key not in top}
    whole = {"own_domains": ["acme.com"], **{key: value for key, value in data.items() if key in top}}
    given = whole.get("sources", {})
    if any(one["kind"] != "usage" for one in given.values()) and not within:
        return whole
    kind = HubSpotSettings if within and not set(within) <= set(SalesforceSettings.model_fields) else SalesforceSettings
    assert set(within) <= set(kind.model_fields), f"no such keys of a source: {within}"
    if kind is HubSpotSettings:
        token = {"access_token": {"env": "HUBSPOT_TOKEN"}}
        source = {"kind": "hubspot", "auth": token, "customer": {"lifecyclestage": "customer"}}
    return {**whole, "sources": {"crm": {**source, **within}, **given}}


def _own_fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """What the section of a source lists itself: without what all sources and all CRMs share."""
    shared: set[str] = set()
    if model in (SalesforceSettings, HubSpotSettings):
        shared = set(FieldMapping.model_fields) | {"kind"}
    if model is UsageSettings:
        shared = {"kind"}
    return {name: field for name, field in model.model_fields.items() if name not in shared}


@pytest.mark.parametrize("line", SECTIONS, ids=lambda line: line.strip("# "))
def test_the_configuration_page_has_every_key_and_its_default(line: str) -> None:
    """No key is missing, none is made up, and the default beside it is the program's."""
    text = (FOLDER / "reference" / "configuration.md").read_text(encoding="utf-8")
    fields, rows = _own_fields(SECTIONS[line]), _table_below(text, line)
    assert set(fields) == set(rows)
    for name, field in fields.items():
        assert _agrees(field, rows[name]), f"{name}: {rows[name]} is not the default"


def test_the_configuration_page_has_what_every_source_takes() -> None:
    """`kind`, `every` and `at` are listed once for all sources."""
    text = (FOLDER / "reference" / "configuration.md").read_text(encoding="utf-8")
    assert {"kind", *Paced.model_fields} == set(_table_below(text, "## Every source"))


def test_every_settings_class_has_a_section() -> None:
    """A class that is added to the configuration is documented, wherever it hangs."""
    seen: set[type[BaseModel]] = set()
    waiting: list[Any] = [Config]
    while waiting:
        found = waiting.pop()
        if isinstance(found, type) and issubclass(found, BaseModel):
            if found not in seen:
                seen.add(found)
                waiting += [
                    part for field in found.model_fields.values() for part in (field.annotation, *field.metadata)
                ]
            continue
        waiting += get_args(found)
    bases = {base for model in SECTIONS.values() for base in model.__mro__} | {TierSettings}
    undocumented = {
        model.__name__ for model in seen if model not in bases and not set(model.__mro__) & set(SECTIONS.values())
    }
    assert set() == undocumented


def _agrees(field: FieldInfo, cell: str) -> bool:
    """True when the documented default means what the program takes where the key is not given."""
    if field.is_required():
        return cell == "must be given"
    default = field.get_default(call_default_factory=True)
    if default is None:
        return cell == "none"
    if isinstance(default, BaseModel):
        return cell == "below"
    kind: Any = Annotated[field.annotation, field]
    return bool(TypeAdapter(kind).validate_python(_yaml(cell.strip("`"))) == default)


def test_the_rule_page_has_every_key() -> None:
    """The keys of a rule and of a test are those that the reader takes."""
    text = (FOLDER / "reference" / "rules.md").read_text(encoding="utf-8")
    assert set(_RULE_KEYS) == set(_table_below(text, "## A rule"))
    assert set(_TEST_KEYS) == set(_table_below(text, "## Tests"))


def test_the_docs_name_no_place_of_one_machine() -> None:
    """No page holds a home or temporary folder of whoever wrote it."""
    private = re.compile(r"/(?:root|work|tmp)/|/home/(?!tierd)")
    assert [] == [_named(page) for page in PAGES if private.search(page.read_text(encoding="utf-8"))]
