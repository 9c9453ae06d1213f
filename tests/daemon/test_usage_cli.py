"""tierd usage unmatched, and the settings of feeds, by command line and configuration file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from daemon.cli import run
from daemon.config import ConfigError, load
from daemon.parts import catalogue, fact_settings
from store.engine import Store
from store.migrate import upgrade
from store.records import DAY
from tests.daemon.derivation import ACME, CSM, sync
from tests.daemon.test_usage_join import sample

CONFIG = """
own_domains: [ours.test]
store: sqlite:///tierd.db
rules: [rules/*.yaml]
sources:
  sf:
    kind: salesforce
    base_url: https://acme.my.salesforce.com
    auth: {method: token, access_token: {env: SF}}
    customer: {Type: Customer}
  events: {kind: usage, push: true, content: features, rhythm: 1w}
  nightly: {kind: usage, files: [usage/*.csv], metrics: [active_users]}
ingest: {keys: [{env: KEY}]}
features:
  sso: {names: [SSO Login], offering: Security, list_value: 12k, released: 2026-01-15}
"""
SECRETS = {"SF": "x", "KEY": "k" * 20}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A configuration, and a store with usage of nobody."""
    (tmp_path / "tierd.yaml").write_text(CONFIG)
    store = Store(f"sqlite:///{tmp_path / 'tierd.db'}")
    upgrade(store)
    sync(store, CSM, ACME)
    sync(store, sample("ws-1"), sample("=cmd|' /C calc'!A0", value=7), sample("[red]acme", value=3), source="events")
    store.close()
    return tmp_path


Say = Callable[..., str]


@pytest.fixture
def tierd(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Run a command; what it printed."""
    monkeypatch.setenv("TIERD_CONFIG", str(home / "tierd.yaml"))

    def call(*arguments: str) -> str:
        assert 0 == run(list(arguments))
        return capsys.readouterr().out

    return call


def test_unmatched_as_text_json_and_csv(tierd: Say) -> None:
    """The same rows; a spreadsheet takes none of them for a formula, the terminal none for markup."""
    text = tierd("usage", "unmatched")
    assert "[red]acme" in text
    assert "2 of 3 rows (66.7%) under 2 names have no account" in text
    told = json.loads(tierd("usage", "unmatched", "--format", "json"))
    assert [7.0, 3.0] == [one["total"] for one in told["lost"]]
    assert ["Acme"] == told["lost"][1]["nearest"]
    rows = list(csv.reader(io.StringIO(tierd("usage", "unmatched", "-f", "csv"))))
    assert ["feed", "name", "why", "rows", "users", "last seen", "active_users", "perhaps"] == rows[0]
    assert "'=cmd|' /C calc'!A0" == rows[1][1]


def test_limit_and_source(tierd: Say, capsys: pytest.CaptureFixture[str]) -> None:
    """Fewer lines, and the sum of all; of one feed only its own rows count, and one that is none is told."""
    assert "the 1 largest are shown" in tierd("usage", "unmatched", "--limit", "1")
    assert "2 of 3 rows" in tierd("usage", "unmatched", "--source", "events")
    assert "0 of 0 rows" in tierd("usage", "unmatched", "--source", "nightly")
    assert 2 == run(["usage", "unmatched", "--source", "event"])
    assert "--source event: there is no such feed; did you mean `events`?" in capsys.readouterr().err


def test_features_and_rhythms_are_read_from_the_configuration(home: Path) -> None:
    """One row per name; money in minor units, dates in days; a feed's rhythm in microseconds."""
    config = load(home / "tierd.yaml", SECRETS)
    rows = {row.name: row for row in catalogue(config)}
    assert {"sso", "SSO Login"} == set(rows)
    sso = rows["SSO Login"]
    assert ("sso", "sso", "Security", 1_200_000, 20_468, True) == (
        sso.feature, sso.title, sso.offering, sso.list_value, sso.released, sso.offered,
    )  # fmt: skip
    assert {"events": 7 * DAY} == fact_settings(config).rhythms
    assert ("k" * 20) in config.secrets


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("ingest: {keys: [{env: KEY}]}", "", "add `ingest: {keys: [...]}`"),
        ("ingest: {keys: [{env: KEY}]}", "ingest: {keys: [in-the-clear-is-wrong]}", "this is a secret"),
        ("ingest: {keys", "ingest: {bind: 0.0.0.0:1, keys", "allow_remote: true"),
        ("push: true", "push: true, files: [a.csv]", "give one of `files`"),
        ("content: features", "content: samples", "`metrics` is missing"),
        ("rhythm: 1w", "rhythm: often", "rhythm"),
        ("rhythm: 1w", "metrics: [a]", "a feed of features has none"),
        ("features:\n", "features:\n  other: {names: [SSO Login]}\n", "is a name of `other` and of `sso`"),
    ],
)
def test_mistakes_in_the_configuration_have_a_remedy(home: Path, old: str, new: str, said: str) -> None:
    """Place and remedy."""
    path = home / "tierd.yaml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ConfigError) as wrong:
        load(path, SECRETS)
    assert said in str(wrong.value)


def test_every_feature_may_be_left_out(home: Path) -> None:
    """Without the sections nothing listens."""
    config: Any = load(home / "tierd.yaml", SECRETS)
    assert config.feeds["events"].push
    assert config.crms["sf"].hints is None
