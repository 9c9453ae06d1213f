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

from bench.rules.conditions import CONDITIONS, columns

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
    fires: Mapping[str, Sequence[int]] | None = None
    failure: str = ""


def measure(
    library: str, folder: Path, rows: Sequence[Mapping[str, Any]], evidence: Mapping[str, Sequence[str]]
) -> Measured:
    """Install the library below `folder` where it is not, and run it on rows of facts."""
    version = _install(library, folder)
    if version is None:
        return Measured(library, failure="does not install")
    wanted = sorted({"account_id"}.union(*map(columns, CONDITIONS.values()), *map(set, evidence.values())))
    with tempfile.TemporaryDirectory(prefix="tierd-bench-") as scratch:
        file = Path(scratch) / "sample.db"
        _copy(file, rows, wanted)
        done = subprocess.run(
            [str(folder / library / "bin" / "python"), str(_SCRIPT), library, str(file)],
            input=json.dumps({"rules": CONDITIONS, "columns": wanted, "evidence": evidence}),
            capture_output=True, text=True, check=False, timeout=_LONGEST,
        )  # fmt: skip
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return Measured(
            library, version, len(rows), failure=f"ends with {done.returncode}: {''.join(lines[-1:])[:200]}"
        )
    said = json.loads(done.stdout.strip().splitlines()[-1])
    return Measured(library, version, len(rows), said["seconds"], said["fires"])


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
    store.execute("CREATE TABLE findings (rule, account_id, outcome, evidence, PRIMARY KEY (rule, account_id))")
    marks = ", ".join("?" * len(names))
    store.executemany(f"INSERT INTO facts VALUES ({marks})", [[row[name] for name in names] for row in rows])
    store.commit()
    store.close()
