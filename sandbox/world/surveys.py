"""The company's surveys: whoever answered, and the feed that the answers come in, a CSV file beside the usage."""

from __future__ import annotations

import csv
from pathlib import Path

from sandbox.world.draft import Draft
from sandbox.world.model import Answer, World
from sandbox.world.usage import iso
from sandbox.world.when import DAY, Days

FOLDER = "surveys"
HEADER = ("id", "answered", "workspace", "kind", "value")


def answers(draft: Draft, days: Days) -> list[Answer]:
    """What one account has answered: at midnight, since the feed names the day only."""
    return [
        Answer(f"r-{draft.key}-{number}", draft.key, days.calendar(day) * DAY, nps)
        for number, (day, nps) in enumerate(draft.life.answers, 1)
    ]


def write_answers(world: World, directory: Path) -> None:
    """The file of all answers, once; in this world all are older than the demo."""
    workspaces = {c.key: c.workspace for c in world.companies}
    folder = directory / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    unfinished, target = folder / "answers.part", folder / "answers.csv"
    if target.exists():
        return
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(HEADER)
        rows.writerows((a.key, iso(a.at // DAY), workspaces[a.account], "nps", a.nps) for a in world.answers)
    unfinished.replace(target)
