"""The world's ground truth, worked out in a process of its own, at low priority, while the scenario days pass.

`python -P -m daemon.demo.groundtruth SEED START DAYS ACCOUNTS CSMS HISTORY_DAYS` prints it as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

from sandbox import serve
from sandbox.world.generate import generate
from sandbox.world.truth import truth

_POLITE = 5


class TruthFailed(Exception):
    """The ground truth could not be worked out; the text is what its process said."""


class GroundTruth:
    """Begins at once; `result()` waits for it."""

    def __init__(self, settings: serve.Settings) -> None:
        numbers = (
            settings.seed,
            settings.start,
            settings.days,
            settings.accounts,
            settings.csms,
            settings.history_days,
        )
        # A pipe would fill up, and nobody reads it before the end.
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._err = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "daemon.demo.groundtruth", *map(str, numbers)],
            stdout=self._out,
            stderr=self._err,
        )

    def result(self) -> dict[str, Any]:
        """As `sandbox.world.truth` describes it; raises TruthFailed."""
        if self._process.wait() != 0:
            self._err.seek(0)
            raise TruthFailed(self._err.read().decode(errors="replace").strip()[-2000:])
        self._out.seek(0)
        found: dict[str, Any] = json.load(self._out)
        return found

    def close(self) -> None:
        """End it if it still works."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._out.close()
        self._err.close()


def main(*numbers: int) -> int:
    """Print the truth of one world: seed, start, days, accounts, csms, history_days."""
    seed, start, days, accounts, csms, history_days = numbers
    os.nice(_POLITE)
    json.dump(truth(generate(seed, start, days, accounts, csms=csms, history_days=history_days)), sys.stdout)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*map(int, sys.argv[1:])))
