"""The rule libraries from PyPI, each in an environment of its own, on some of the accounts that we evaluate."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import tempfile
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from bench.rules.conditions import CONDITIONS, columns
from store.tables import findings

_SCRIPT = Path(__file__).parent / "foreign" / "row_by_row.py"
_LONGEST = 3_600

PEERS: Mapping[str, int] = {
    "rule-engine": 20_000,
    "json-logic-qubit": 5_000,
    "durable-rules": 1_000,
    "cel-python": 1_000,
}
"""Library -> how many accounts it is measured on: enough for seconds."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one library took for `accounts`, reading rows and writing findings included; or why there is nothing."""

    library: str
    version: str = ""
    accounts: int = 0
    seconds: float = 0.0
    found: Mapping[str, Mapping[str, Sequence[int]]] | None = None
    """By outcome (fires, unknown) and rule: of which accounts."""
    failure: str = ""


def measure(
    library: str, folder: Path, rows: Sequence[Mapping[str, Any]], evidence: Mapping[str, Sequence[str]]
) -> Measured:
    """Install the library below `folder` where it is not, and run it on rows of facts."""
    version = _install(library, folder)
    if version is None:
        return Measured(library, failure="does not install")
    rules = {name: (condition.possible, condition.fires) for name, condition in CONDITIONS.items()}
    looked_at = (columns(form) for forms in rules.values() for form in forms)
    wanted = sorted({"account_id"}.union(*looked_at, *map(set, evidence.values())))
    with tempfile.TemporaryDirectory(prefix="tierd-bench-") as scratch:
        file = Path(scratch) / "sample.db"
        _copy(file, rows, wanted)
        done = subprocess.run(
            [str(folder / library / "bin" / "python"), str(_SCRIPT), library, str(file)],
            input=json.dumps({"rules": rules, "columns": wanted, "evidence": evidence}),
            capture_output=True, text=True, check=False, timeout=_LONGEST,
        )  # fmt: skip
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return Measured(
            library, version, len(rows), failure=f"ends with {done.returncode}: {''.join(lines[-1:])[:200]}"
        )
    said = json.loads(done.stdout.strip().splitlines()[-1])
    return Measured(library, version, len(rows), said["seconds"], said["found"])


def _install(library: str, folder: Path) -> str | None:
    home = folder / library
    if not (home / "installed").exists():
        venv.create(home, with_pip=True, clear=True)
        command = [str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", library]
        if subprocess.run(command, capture_output=True, check=False, timeout=_LONGEST).returncode:
            return None
        (home / "installed").touch()
    code = f"from importlib.metadata import version; print(version({library!r}))"
    found = subprocess.run([str(home / "bin" / "python"), "-c", code], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def _copy(file: Path, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    store = sqlite3.connect(file)
    store.execute(f"CREATE TABLE facts ({', '.join(names)}, PRIMARY KEY (account_id))")
    makers: list[ExecutableDDLElement] = [CreateTable(findings), *map(CreateIndex, findings.indexes)]
    for made in makers:
        store.execute(str(made.compile(dialect=sqlite.dialect())))
    marks = ", ".join("?" * len(names))
    store.executemany(f"INSERT INTO facts VALUES ({marks})", [[row[name] for name in names] for row in rows])
    store.commit()
    store.close()
