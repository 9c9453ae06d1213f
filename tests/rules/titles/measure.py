"""How well titles are read: the shares that are right in one half of the labelled titles.

`python -m tests.rules.titles.measure [--half tuning|held_out] [--errors]`; without `--errors` it prints shares only, so
that a half can be measured without looking into it.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rules.levels import EXEC_FROM, LEVEL_NAMES, read_title

FOLDER = Path(__file__).parent
_NUMBERS = {name: number for number, name in LEVEL_NAMES.items()}


@dataclass(frozen=True, slots=True)
class Judged:
    """One title: what it is labelled and what it was read as."""

    title: str
    language: str
    level: str
    function: str
    read_level: str
    read_function: str

    @property
    def exec_right(self) -> bool:
        """Exec, not exec, or not known: the same in both."""
        return _exec(self.level) == _exec(self.read_level)


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of titles that are read right, 0..1."""

    exec_or_not: float
    level: float
    function: float


def _exec(level: str) -> bool | None:
    return _NUMBERS[level] >= EXEC_FROM if level else None


def judge(half: str) -> list[Judged]:
    """Every title of one half, read."""
    found: list[Judged] = []
    with (FOLDER / f"{half}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, strict=True):
            said = read_title(row["title"])
            level = "" if said.level is None else LEVEL_NAMES[said.level]
            found.append(Judged(row["title"], row["language"], row["level"], row["function"], level, said.function))
    return found


def shares(judged: Sequence[Judged]) -> Shares:
    """The three shares of these titles."""
    count = len(judged)
    return Shares(
        sum(one.exec_right for one in judged) / count,
        sum(one.level == one.read_level for one in judged) / count,
        sum(one.function == one.read_function for one in judged) / count,
    )


def main() -> None:
    """Print the shares, and with `--errors` each title that was read wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=("tuning", "held_out"), default="tuning")
    parser.add_argument("--errors", action="store_true")
    asked = parser.parse_args()
    judged = judge(asked.half)
    found = shares(judged)
    sys.stdout.write(f"exec or not {found.exec_or_not:.1%}   level {found.level:.1%}   function {found.function:.1%}\n")
    if asked.errors:
        for one in judged:
            if (one.level, one.function) != (one.read_level, one.read_function):
                wrong = f"{one.read_level or '-'}/{one.read_function}"
                sys.stdout.write(f"{one.title}\t{one.language}\t{one.level or '-'}/{one.function}\t{wrong}\n")


if __name__ == "__main__":
    main()
