"""`tierd init` writes a file that can be used, and never over one's own."""

from __future__ import annotations

from pathlib import Path

from daemon.config import load
from daemon.init import initialise, template
from daemon.rulefiles import read_rules

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
