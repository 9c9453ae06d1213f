"""Start a vendor, start syncs against it, and keep what they cost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

LONGEST = 3_600
"""Seconds that one sync may take."""


@dataclass
class VendorProcess:
    """A vendor in a process of its own, see `bench.sync.vendor`."""

    info: Mapping[str, Any]
    _process: subprocess.Popen[str]

    def tell(self, command: str) -> dict[str, Any]:
        """One command, its answer."""
        sender, receiver = self._process.stdin, self._process.stdout
        assert sender is not None
        assert receiver is not None
        sender.write(command + "\n")
        sender.flush()
        return _line(receiver)

    def calls(self) -> dict[str, int]:
        """Requests since the last time: by "METHOD path", and their number as `total`."""
        answer = self.tell("calls")
        counted = {f"{one['method']} {one['path']}": int(one["count"]) for one in answer["counts"]}
        return {"total": int(answer["total"]), **counted}


def _line(stream: IO[str]) -> dict[str, Any]:
    line = stream.readline()
    if not line:
        raise RuntimeError("the vendor's process has ended: look above for why")
    answer: dict[str, Any] = json.loads(line)
    return answer


@contextmanager
def vendor(name: str, rows: int, words: int = 0) -> Iterator[VendorProcess]:
    """A vendor with `rows` rows of one object, with `words` characters of text each, until the block ends."""
    command = [sys.executable, "-m", "bench.sync.vendor", name, str(rows), str(words)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        served = VendorProcess(_line(process.stdout), process)
        try:
            yield served
        finally:
            process.terminate()


def sync_ours(name: str, served: VendorProcess, store: Path, **settings: object) -> dict[str, Any]:
    """One sync of ours with `settings` besides the usual ones; the store goes on from run to run."""
    wanted = {"salesforce": ("client_id", "client_secret"), "hubspot": ("access_token",)}[name]
    credentials = {key: served.info[key] for key in wanted}
    asked = {"vendor": name, "url": served.info["url"], "store": f"sqlite:///{store}", "credentials": credentials}
    asked["settings"] = settings
    done = subprocess.run(
        [sys.executable, "-m", "bench.sync.ours"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"our sync failed:\n{done.stderr[-2_000:]}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result
