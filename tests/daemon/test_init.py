"""`tierd init` writes a file that can be used, and never over one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.config import load
from daemon.init import initialise, template
from daemon.profiles import Profile, choices, rules_of, shipped
from daemon.rulefiles import read_rules
from daemon.ruletests import rules_without_tests, run
from rules.language import load as load_rules
from rules.language.tree import leaves

_ROOT = Path(__file__).parents[2]
_NAMES = ("SF_CLIENT_SECRET", "SF_WRITE_SECRET", "HUBSPOT_TOKEN")
_ENVIRON = dict.fromkeys((*_NAMES, "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"), "secret")


def test_written_files_are_valid(tmp_path: Path) -> None:
    """The configuration loads, and the rules beside it have no mistake."""
    done = initialise(tmp_path)
    config = load(tmp_path / "tierd.yaml", _ENVIRON | {"TIERD_INGEST_KEY": "k" * 32})
    assert list(config.sources) == ["salesforce"]
    assert len(read_rules(config.folder, config.rules, config.currency).rules) >= 6
    assert done.kept == ()


def test_the_enterprise_profile_has_every_rule_as_it_ships() -> None:
    """All rules are on, and their files are written as they are."""
    assert shipped() == rules_of(Profile.ENTERPRISE)
    assert 19 == len(load_rules(shipped()).rules)


@pytest.mark.parametrize("profile", list(Profile))
def test_a_profile_names_rules_that_ship_and_its_tests_hold(profile: Profile) -> None:
    """What is off, a shadow or replaced is a shipped rule, each at most once; the tests beside the rules hold."""
    chosen, names = choices(profile), {rule.name for rule in load_rules(shipped()).rules}
    changed = [*chosen.off, *chosen.shadow, *chosen.own]
    assert sorted(set(changed)) == sorted(changed)
    assert names >= set(changed)
    ruleset = load_rules(rules_of(profile))
    assert names - set(chosen.off) == {rule.name for rule in ruleset.rules}
    assert set(chosen.shadow) == {rule.name for rule in ruleset.rules if rule.status == "shadow"}
    assert run(ruleset).ok
    assert [] == rules_without_tests(ruleset)


def test_small_business_starts_with_usage() -> None:
    """The usage rule is on, what needs an executive at every account is not told, and the touch rule is of tier 1."""
    live = {rule.name: rule for rule in load_rules(rules_of(Profile.SMB)).rules if rule.status == "live"}
    assert {"adoption-drop-user-silence", "health-drop", "lapsed"} <= set(live)
    assert not {"single-threaded", "renewal-exec-silence", "one-sided"} & set(live)
    assert ["tier"] == [leaf.fact.name for leaf in leaves(live["touch-overdue"].when)][:1]


def test_what_a_profile_leaves_out_is_told_in_the_file(tmp_path: Path) -> None:
    """The reason stands where the rule would, and beside `status: shadow`."""
    initialise(tmp_path, Profile.SMB)
    churn = (tmp_path / "rules" / "churn.yaml").read_text()
    assert "#   single-threaded: one relationship per account" in churn
    assert "status: shadow                # most renewals here have no executive" in churn


def test_what_is_commented_out_is_valid_too(tmp_path: Path) -> None:
    """Taking the comment signs away gives every source and Slack, with keys that exist."""
    lines = template().splitlines()
    start = lines.index(
        "own_domains: [example.com]           # addresses in these domains are your own people, all others are customers'"
    )
    body = [
        line.replace("# ", "", 1) if line.lstrip().startswith("# ") and _is_yaml(line) else line
        for line in lines[start:]
    ]
    (tmp_path / "tierd.yaml").write_text("\n".join(body))
    config = load(tmp_path / "tierd.yaml", _ENVIRON | {"TIERD_INGEST_KEY": "k" * 32})
    assert list(config.sources) == ["salesforce", "hubspot", "product-usage", "mailbox", "events"]
    assert config.slack is not None
    assert config.slack.routes == {"security": "C0000000003"}
    assert list(config.alerts.links) == ["salesforce", "hubspot"]
    assert (config.alerts.storm_share, config.alerts.storm_at_least) == (0.05, 10)
    assert config.crms["salesforce"].write_auth is not None


def _is_yaml(line: str) -> bool:
    """A commented line that holds a key rather than a sentence."""
    text = line.lstrip(" #")
    return text.split(":")[0].replace("-", "_").isidentifier() and not text[0].isupper()


def test_own_files_are_left_alone(tmp_path: Path) -> None:
    """A second run writes nothing over what is there."""
    (tmp_path / "tierd.yaml").write_text("mine")
    done = initialise(tmp_path)
    assert (tmp_path / "tierd.yaml").read_text() == "mine"
    assert done.kept == (tmp_path / "tierd.yaml",)
    assert initialise(tmp_path).written == ()


def test_example_in_deploy_is_the_template() -> None:
    """There is one example configuration."""
    assert (_ROOT / "deploy" / "tierd.example.yaml").read_text() == template()
