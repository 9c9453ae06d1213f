"""The report of a demo run: one HTML file that needs no other and no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup

from daemon.demo.crm import Field, Person, Tiers
from daemon.demo.picks import Pick
from daemon.demo.score import passed
from daemon.demo.seen import Seen
from daemon.demo.show import left_alone, scoreboard
from daemon.demo.timeline import Timeline, draw
from daemon.explainrows import day as date_of
from daemon.explaintext import notes
from sandbox.slack import page
from sandbox.slack.screen import Line
from sandbox.slack.screen import draw as screen_of
from sandbox.slack.state import SlackState
from store.engine import Store
from store.records import Instant

_IN_FRONT = 4  # messages that are shown without unfolding


@dataclass(frozen=True, slots=True)
class Material:
    """What the report shows."""

    store: Store
    result: Mapping[str, Any]
    start: Instant
    days: int
    kills: int
    """How often the daemon was killed while it sent."""
    picks: Sequence[Pick]
    alerts: Sequence[Seen]
    tiers: Tiers
    fields: Sequence[Field]
    people: Sequence[Person]
    slack: SlackState
    channel: str
    """Slack's id of the channel that the report shows."""


def write(material: Material, path: Path) -> None:
    """Write the file. Everything that comes from a CRM or from Slack is escaped by the template."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = next((pick for pick in material.picks if pick.what == "told"), None)
    name = shown.told.account.name if shown else ""
    front, everything, count = _slack(material, name)
    html = environment.get_template("report.html").render(
        ok=passed(material.result),
        kills=material.kills,
        result=material.result,
        scoreboard=scoreboard(material.result),
        first=date_of(material.start),
        last=date_of(material.start + (material.days - 1) * 86_400_000_000),
        front=front,
        everything=everything,
        messages=count,
        story=_story(material, shown) if shown else None,
        tiers=material.tiers,
        names=("none", "Tier 1", "Tier 2", "Tier 3"),
        fields=material.fields,
        left_alone=[left_alone(person) for person in material.people],
        table=[row for row in material.result["truth_table"] if row["seen"] or row["expected"]],
    )
    path.write_text(html, encoding="utf-8")


def _story(material: Material, pick: Pick) -> dict[str, object]:
    told = pick.told
    line = told.rule(pick.rule)
    mine = [alert for alert in material.alerts if alert.account_id == told.account.id]
    asked = _columns(line.verdict.tree)
    drawing: Timeline = draw(material.store, told, mine, material.start, material.days)
    return {
        "name": told.account.name,
        "ids": ", ".join(f"{source} {ref}" for source, ref in told.account.ids),
        "rule": pick.rule,
        "notes": notes(line),
        "facts": [fact for fact in told.facts if fact.column in asked],
        "drawing": drawing,
    }


def _columns(outcome: Any) -> set[str]:
    return set(outcome.used).union(*(_columns(part) for part in outcome.parts))


def _slack(material: Material, account: str) -> tuple[Markup, Markup, int]:
    """A few messages that show everything, all of them, and how many there are: drawn by the sandbox's own page."""
    template = page.environment().get_template("_main.html")
    with material.slack.lock:
        screen = screen_of(material.slack, {"channel": material.channel})
        lines = list(screen.lines)
        everything = Markup(template.render(s=screen))  # noqa: S704 - the page's template escapes
        screen.lines = _few(lines, account)
        front = Markup(template.render(s=screen))  # noqa: S704 - likewise
    return front, everything, len(lines)


def _few(lines: Sequence[Line], account: str) -> list[Line]:
    """The account of the story, one that was resolved, one with replies, a digest, and what came last."""
    digests = [line for line in lines if line.text.startswith("Daily digest")]
    wanted: list[Line | None] = [
        next((line for line in lines if f" {account}:" in line.text), None),
        next((line for line in lines if line.replies and line.text.startswith("Resolved")), None),
        next((line for line in lines if line.replies), None),
        next((line for line in lines if line.text.startswith("Resolved")), None),
        max(digests, key=lambda line: len(line.text), default=None),
        *reversed([line for line in lines if line not in digests]),
    ]
    chosen = list(dict.fromkeys(line.ts for line in wanted if line is not None))[:_IN_FRONT]
    return [line for line in lines if line.ts in chosen]
