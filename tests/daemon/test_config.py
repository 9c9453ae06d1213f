"""tierd.yaml: what is right is read, what is wrong is told with its place, its nearest right name and its remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.config import Config, ConfigError, dump, load
from daemon.parts import fact_settings
from daemon.schedule import At, Every
from store.records import DAY, HOUR, MINUTE

GOOD = """\
own_domains: [acme.example]
sources:
  salesforce:
    kind: salesforce
    base_url: https://acme.my.salesforce.com
    auth: {method: client_credentials, client_id: abc, client_secret: {env: SF_SECRET}}
    at: "05:30"
    customer: {Type: Customer}
    csm:
      - {field: CSM__c}
    fields:
      arr: {field: ARR__c}
    tier: {field: Customer_Tier__c, values: {1: Tier 1, 2: Tier 2, 3: Tier 3}}
  hubspot:
    kind: hubspot
    auth: {access_token: {file: hubspot.token}}
    customer: {lifecyclestage: customer}
slack:
  bot_token: {env: SLACK_BOT_TOKEN}
  channels: {alerts: C0ALERTS, operators: C0OPS}
evaluate:
  at: "06:00"
"""
ENVIRON = {"SF_SECRET": "sf-secret-value", "SLACK_BOT_TOKEN": "xoxb-value"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a good tierd.yaml and its secret file."""
    (tmp_path / "tierd.yaml").write_text(GOOD)
    (tmp_path / "hubspot.token").write_text("pat-value\n")
    return tmp_path


def _load(home: Path, text: str | None = None, environ: dict[str, str] | None = None, **options: object) -> Config:
    if text is not None:
        (home / "tierd.yaml").write_text(text)
    return load(home / "tierd.yaml", ENVIRON if environ is None else environ, **options)  # type: ignore[arg-type]


def _problems(home: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        _load(home, text, environ)
    return [str(problem) for problem in caught.value.problems]


def test_good_file_is_read(home: Path) -> None:
    """Sections become settings, secrets come from environment and file, paths start at the file's folder."""
    config = _load(home)
    assert list(config.sources) == ["salesforce", "hubspot"]
    assert config.sources["salesforce"].trigger(5 * MINUTE) == At("05:30")
    assert config.sources["salesforce"].interval(5 * MINUTE) == DAY
    assert config.sources["hubspot"].trigger(5 * MINUTE) == Every(5 * MINUTE)
    assert config.sources["hubspot"].no_faster(6 * HOUR, 5 * MINUTE) == (Every(6 * HOUR, delay=6 * HOUR), 6 * HOUR)
    assert config.sources["salesforce"].no_faster(6 * HOUR, 5 * MINUTE) == (At("05:30"), DAY)
    assert config.sources["salesforce"].no_faster(7 * DAY, 5 * MINUTE) == (At("05:30", days=7), 7 * DAY)
    assert config.evaluate.trigger(HOUR) == At("06:00")
    assert config.secrets == ("pat-value", "sf-secret-value", "xoxb-value")
    assert config.store_url == f"sqlite:///{home / 'tierd.db'}"


def test_money_and_intervals_are_written_as_people_do(home: Path) -> None:
    """Borders of segments in whole units, intervals with their unit; the dump shows them the same way."""
    config = _load(home, GOOD + "segments: {enterprise: 2.5m, mid_market: 30500}\nusage: {interval: 1w}\n")
    assert (config.segments.enterprise, config.segments.mid_market) == (250_000_000, 3_050_000)
    assert config.usage.interval == 7 * DAY
    shown = dump(config)
    assert "enterprise: 2500k" in shown
    assert "mid_market: '30500.00'" in shown
    assert "interval: 1w" in shown


def test_words_of_the_crms_and_promises_reach_the_facts(home: Path) -> None:
    """Types of opportunities in lower case, hours of response by tier, offerings with their words."""
    text = GOOD + "opportunities: {expansion: [Upsell, upsell, Add-On]}\ntiers: {response: [4, 8, 24]}\n"
    text += "features: {sso: {offering: Security, released: 2026-01-15}}\nofferings: {Security: {words: [keys]}}\n"
    found = fact_settings(_load(home, text))
    assert (found.expansion_types, found.renewal_types) == (("add-on", "upsell"), ("renewal",))
    assert (found.response, found.offerings["Security"].words) == ({1: 4, 2: 8, 3: 24}, ("keys",))
    assert found.features["sso"].offering == "Security"


def test_secret_shows_nowhere(home: Path) -> None:
    """Neither the settings' text nor the dump holds a secret."""
    config = _load(home)
    for shown in (repr(config), dump(config)):
        assert all(secret not in shown for secret in config.secrets)
    assert "bot_token: '***'" in dump(config)


def test_secret_may_come_from_a_file_named_by_the_environment(home: Path) -> None:
    """NAME_FILE stands in for NAME, as container platforms mount secrets."""
    (home / "secret").write_text("from-file")
    config = _load(home, environ={"SF_SECRET_FILE": "secret", "SLACK_BOT_TOKEN": "xoxb-value"})
    assert "from-file" in config.secrets


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("own_domains: [acme.example]", "own_domain: [acme.example]"),
            "tierd.yaml:1:1: unknown key `own_domain`; did you mean `own_domains`?",
        ),
        (
            ("    base_url: https", "    base_ulr: https"),
            "tierd.yaml:5:5: unknown key `base_ulr`; did you mean `base_url`?",
        ),
        (
            ("client_id: abc", "client: abc"),
            "tierd.yaml:6:5: `client_id` is missing under `auth`: add it",
        ),
        (
            ("method: client_credentials", "method: client_credential"),
            "tierd.yaml:6:20: `method: client_credential` is not known; did you mean `client_credentials`?",
        ),
        (
            ("kind: hubspot", "kind: hubspott"),
            "tierd.yaml:15:11: `kind: hubspott` is not known; did you mean `hubspot`?",
        ),
        (
            ("https://acme.my", "http://acme.my"),
            (
                "tierd.yaml:5:15: `base_url`: `http://acme.my.salesforce.com` is not encrypted: "
                "write https:// (plain http is for 127.0.0.1 only)"
            ),
        ),
        (
            ('at: "06:00"', 'at: "06:00"\nsegments: {enterprise: $100k}'),
            (
                "tierd.yaml:23:24: `enterprise`: '$100k' is no amount; "
                "write for example 100k or 250000, in whole units of `currency`"
            ),
        ),
        (
            ('at: "06:00"', 'at: "06:00"\nsegments: {mid_market: 100k}'),
            ("tierd.yaml:23:11: `segments`: `mid_market` must be less than `enterprise`: both are lower bounds of ARR"),
        ),
        (
            ('at: "06:00"', 'at: "06:00"\nusage: {interval: 7}'),
            "tierd.yaml:23:19: `interval`: 7 is no interval; write for example 1d, 12h or 1w",
        ),
        (
            (
                "customer: {Type: Customer}",
                "customer: {Type: Customer}\n    contact: {user: {field: A__c, object: Lead}}",
            ),
            "tierd.yaml:9:35: unknown key `object`; known here: field",
        ),
        (
            ("      arr: {field: ARR__c}", "      nps: {field: NPS__c}"),
            (
                "tierd.yaml:12:7: unknown key `nps`; known here: arr, auto_renews, contract_start, ltv, market_fit, "
                "potential, renewal, seats, segment, strategic, tags, team_size, term, usage_key"
            ),
        ),
        (
            (
                "      arr: {field: ARR__c}",
                "      arr: {object: L__c, path: A__c, field: X__c}\n      seats: {object: L__c, path: B__c, field: Y__c}",
            ),
            "tierd.yaml:4:5: `salesforce`: `L__c` leads to the account by `A__c` and by `B__c`: name one path",
        ),
        (
            ('at: "06:00"', "at: noon"),
            "tierd.yaml:22:7: `at`: 'noon' is no time of day; write for example '06:00' (UTC)",
        ),
        (
            ("      arr:", "      arrr:"),
            "tierd.yaml:12:7: unknown key `arrr`; did you mean `arr`?",
        ),
        (
            ('  at: "06:00"', "  after_sync: perhaps"),
            "tierd.yaml:22:15: `after_sync`: should be a valid boolean, unable to interpret input, not 'perhaps'",
        ),
        (
            ("slack:\n", "writeback: {enabled: true, max_per_run: 0}\nslack:\n"),
            "tierd.yaml:18:41: `max_per_run`: should be greater than or equal to 1, not 0",
        ),
        (
            ("{env: SLACK_BOT_TOKEN}", "xoxb-value"),
            "tierd.yaml:19:14: this is a secret and does not belong into the file: write {env: NAME} or {file: path}",
        ),
        (
            ("channels: {alerts: C0ALERTS, operators: C0OPS}", "channels"),
            "tierd.yaml:21:1: this is not YAML: could not find expected ':'",
        ),
    ],
)
def test_mistake_is_told_with_place_and_remedy(home: Path, change: tuple[str, str], expected: str) -> None:
    """Each mistake gives the line and column in the file, and what to write instead."""
    assert change[0] in GOOD
    assert expected in _problems(home, GOOD.replace(*change, 1))


def test_missing_secrets_are_told_with_place_and_remedy(home: Path) -> None:
    """A variable that is not set and a file that is not there are both named, at once."""
    (home / "hubspot.token").unlink()
    assert _problems(home, GOOD, {"SLACK_BOT_TOKEN": "xoxb-value"}) == [
        "tierd.yaml:6:77: the secret SF_SECRET is not set: export SF_SECRET=..., or SF_SECRET_FILE=/path/to/it",
        (
            f"tierd.yaml:16:33: the secret's file {home / 'hubspot.token'} cannot be read (No such file or directory): "
            "create it, readable for this user"
        ),
    ]


def test_every_mistake_is_told_at_once(home: Path) -> None:
    """Three mistakes in three sections make three messages, in the order of the file."""
    text = GOOD.replace("own_domains", "own_domain").replace("kind: hubspot", "kind: hub").replace("alerts:", "alert:")
    lines = [problem.split(":")[1] for problem in _problems(home, text)]
    assert lines == sorted(lines, key=int)
    assert {"1", "15", "20"} <= set(lines)


def test_command_without_vendors_needs_no_secrets(home: Path) -> None:
    """What only looks at the store works in a shell without secrets."""
    (home / "hubspot.token").unlink()
    assert _load(home, environ={}, needs=()).secrets == ()
    with pytest.raises(ConfigError, match="SLACK_BOT_TOKEN is not set"):
        _load(home, environ={}, needs=("slack",))


def test_running_daemon_leaves_a_broken_source_out(home: Path) -> None:
    """A mistake inside one source costs that source only, and is told."""
    config = _load(home, GOOD.replace("kind: hubspot", "kind: hubspott"), forgiving=True)
    assert list(config.sources) == ["salesforce"]
    assert config.left_out == {"hubspot": "tierd.yaml:15:11: `kind: hubspott` is not known; did you mean `hubspot`?"}


@pytest.mark.parametrize("change", [("own_domains", "own_domain"), ("kind: salesforce", "kind: sales")])
def test_running_daemon_refuses_what_concerns_it_as_a_whole(home: Path, change: tuple[str, str]) -> None:
    """Outside the sources, and where no CRM would be left, even a forgiving reading refuses."""
    text = GOOD.replace(*change, 1)
    if "kind" in change[0]:
        text = text.replace("kind: hubspot", "kind: hubspott")
    with pytest.raises(ConfigError):
        _load(home, text, forgiving=True)


def test_password_in_the_store_address_is_refused(home: Path) -> None:
    """A database password is a secret like any other."""
    (problem,) = _problems(home, GOOD + "store: postgresql://tierd:hunter2@db/tierd\n")
    assert "a password does not belong into the file" in problem
    assert "hunter2" not in problem


def test_missing_file_names_the_command_that_makes_one(tmp_path: Path) -> None:
    """Without a configuration the first step is named."""
    with pytest.raises(ConfigError, match=r"tierd\.yaml:1:1: there is no such file: run `tierd init`"):
        load(tmp_path / "tierd.yaml", {})
