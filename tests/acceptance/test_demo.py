"""The demo as a stranger starts it: the real command, a small world, a few days, one kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

KEYS = {
    "accounts",
    "customers",
    "contacts",
    "activities",
    "alerts_by_rule",
    "slack_messages",
    "duplicates",
    "tiers_written",
    "api_calls",
    "ground_truth",
    "churn",
    "messages_per_csm_day",
    "seconds",
}
DAYS = 6
PATIENCE = 600.0


@dataclass(frozen=True)
class Played:
    """A demo that has ended."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def result(self) -> dict[str, Any]:
        """The last line of its standard output."""
        found: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return found


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """One demo for all tests: starting it is what takes the time."""
    place = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-P", "-c", "from daemon.cli import main; main()", "demo", "--json"]
    done = subprocess.run(
        [*command, "--accounts", "60", "--days", str(DAYS)],
        cwd=place,
        env={**os.environ, "HOME": str(place), "CHROMIUM_BIN": "/bin/false"},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        text=True,
    )
    return Played(done.returncode, done.stdout, done.stderr, place / "demo")


def test_nothing_is_missed_false_lost_or_doubled(played: Played) -> None:
    """The demo ends with 0, which it does only when every alert and message is as it should be."""
    assert played.code == 0, played.err
    result = played.result
    assert {"missed": 0, "false": 0} == {name: result["ground_truth"][name] for name in ("missed", "false")}
    assert (0, 0) == (result["lost"], result["duplicates"])


def test_the_last_line_is_json_with_the_whole_truth_table(played: Played) -> None:
    """`tierd demo --json | tail -1` has every promised key, and a verdict for each (account, rule)."""
    result = played.result
    assert set(result) >= KEYS
    assert result["ground_truth"]["caught"] == sum(row["verdict"] == "caught" for row in result["truth_table"]) > 0
    assert result["planted"]["caught"] == result["planted"]["stories"] > 0
    assert {"median", "max"} == set(result["messages_per_csm_day"])
    assert {"churned", "told_30_days_before", "missed"} <= set(result["churn"])
    for vendor in ("salesforce", "hubspot"):
        calls = result["api_calls"][vendor]
        assert calls["minimum"] <= calls["made"] <= 2 * calls["minimum"]


def test_standard_output_is_for_machines_only(played: Played) -> None:
    """With --json, what people read goes to standard error."""
    assert 1 == len(played.out.splitlines())
    assert "Scoreboard" in played.err


def test_the_kill_is_told_when_it_happens(played: Played) -> None:
    """The daemon is killed once while a message is on its way, and nobody sees the message twice."""
    assert 1 == played.err.count("kill -9")
    assert "exactly once" in played.err


def test_the_report_needs_no_other_file(played: Played) -> None:
    """report.html names nothing outside itself: no picture, script, style sheet or font is fetched."""
    page = (played.folder / "report.html").read_text(encoding="utf-8")
    finder = _Sources()
    finder.feed(page)
    assert [] == finder.fetched
    assert {"What the team sees in Slack", "Scoreboard"} <= set(finder.headings)


def test_names_from_the_crm_are_no_markup_in_the_report(played: Played) -> None:
    """A subject such as <b>plan</b> is shown as it is written."""
    assert "<b>plan" not in (played.folder / "report.html").read_text(encoding="utf-8")


class _Sources(HTMLParser):
    """Collects what a browser would fetch, and the headings."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.headings: list[str] = []
        self._in_heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for name, value in attrs if name == "src" or (name == "href" and tag == "link")]
        self._in_heading = tag == "h2"

    def handle_data(self, data: str) -> None:
        if self._in_heading:
            self.headings.append(data.strip())
            self._in_heading = False
