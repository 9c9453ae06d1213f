"""The peers from PyPI, each in an environment of its own, reading the same object from the same sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import time
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.sync.running import LONGEST, VendorProcess

_FOREIGN = Path(__file__).parent / "foreign"
"""What runs in the peers' own interpreters."""
_START = "2015-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Peer:
    """One package: how it is asked to read, and which vendor. `run` gives (command, what it prints as records)."""

    name: str
    vendor: str
    package: str
    run: Callable[[Installed, VendorProcess, Path], Result]


@dataclass(frozen=True, slots=True)
class Installed:
    """A peer's environment."""

    folder: Path
    version: str

    def program(self, name: str) -> str:
        """A command of it."""
        return str(self.folder / "bin" / name)


@dataclass(frozen=True, slots=True)
class Result:
    """What one read took; `failure` says why there is nothing to compare."""

    seconds: float = 0.0
    rows: int = 0
    peak_mib: int = 0
    failure: str = ""


def install(peer: Peer, folder: Path) -> Installed | str:
    """The peer's environment, made where it is not there yet; a text says why it could not be."""
    home = folder / peer.package.split("[")[0]
    if not (home / "installed").exists():
        venv.create(home, with_pip=True, clear=True)
        command = [str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", peer.package]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST)
        if done.returncode:
            return f"does not install: {done.stderr.strip().splitlines()[-1][:200]}"
        (home / "installed").touch()
    name = peer.package.split("[")[0]
    code = f"from importlib.metadata import version; print(version({name!r}))"
    found = subprocess.run([str(home / "bin" / "python"), "-c", code], capture_output=True, text=True, check=True)
    return Installed(home, found.stdout.strip())


def _measure(
    command: list[str], served: VendorProcess, folder: Path, on_line: Callable[[Mapping[str, Any]], bool]
) -> Result:
    """Run a peer to its end; `on_line` sees each line of JSON and says whether it is a record."""
    environment = {**os.environ, "BENCH_VENDOR": str(served.info["url"]), "PYTHONPATH": str(_FOREIGN)}
    environment |= {
        "PYTHONWARNINGS": "ignore",
        "DLT_DATA_DIR": str(folder / "dlt"),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
    said = folder / "stderr.txt"
    rows, began = 0, time.monotonic()
    with said.open("w") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment, cwd=folder
        )
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{"):
                rows += on_line(json.loads(line))
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    if process.returncode:
        return Result(failure=f"exit {process.returncode}: {_last(said)}")
    return Result(round(seconds, 3), rows, used.ru_maxrss // 1_024)


def _last(said: Path) -> str:
    lines = [line.strip() for line in said.read_text(errors="replace").splitlines() if line.strip()]
    return (lines[-1] if lines else "nothing said")[:300]


def _save(folder: Path, name: str, value: object) -> str:
    path = folder / name
    path.write_text(json.dumps(value))
    return str(path)


# ---------------------------------------------------------------- Singer taps


def _singer(
    installed: Installed, served: VendorProcess, folder: Path, *, tap: str, stream: str, config: Mapping[str, Any]
) -> Result:
    given = _save(folder, "config.json", config)
    catalog = folder / "catalog.json"
    if not catalog.exists():
        failure = _discover(installed, served, folder, tap, stream, given)
        if failure:
            return Result(failure=failure)
        served.calls()  # discovery is counted by nobody
    command = [installed.program(tap), "--config", given, "--catalog", str(catalog), "--properties", str(catalog)]
    state = folder / "state.json"
    if state.exists():
        command += ["--state", str(state)]
    latest: dict[str, Any] = {}

    def on_line(message: Mapping[str, Any]) -> bool:
        if message.get("type") == "STATE":
            latest.update(message)
        return message.get("type") == "RECORD"

    result = _measure(command, served, folder, on_line)
    if latest:
        _save(folder, "state.json", latest["value"])
    return result


def _discover(installed: Installed, served: VendorProcess, folder: Path, tap: str, stream: str, given: str) -> str:
    environment = {**os.environ, "BENCH_VENDOR": str(served.info["url"]), "PYTHONPATH": str(_FOREIGN)}
    done = subprocess.run(
        [installed.program(tap), "--config", given, "--discover"],
        capture_output=True, text=True, check=False, timeout=LONGEST, env=environment, cwd=folder,
    )  # fmt: skip
    if done.returncode:
        return f"discovery: {done.stderr.strip().splitlines()[-1][:300]}"
    found = json.loads(done.stdout)
    for one in found["streams"]:
        chosen = one["tap_stream_id"] == stream
        for part in one["metadata"]:
            part["metadata"]["selected"] = chosen and part["metadata"].get("inclusion") != "unsupported"
            if not part["breadcrumb"] and chosen:
                keys = part["metadata"].get("valid-replication-keys")
                part["metadata"]["replication-method"] = "INCREMENTAL" if keys else "FULL_TABLE"
                one["replication_method"] = part["metadata"]["replication-method"]
                if keys:
                    part["metadata"]["replication-key"] = one["replication_key"] = keys[0]
    _save(folder, "catalog.json", found)
    return ""


def _tap_salesforce(installed: Installed, served: VendorProcess, folder: Path) -> Result:
    config = {
        "client_id": served.info["client_id"],
        "client_secret": served.info["client_secret"],
        "refresh_token": served.info["refresh_token"],
        "start_date": _START,
        "api_type": "REST",
        "select_fields_by_default": True,
    }
    return _singer(installed, served, folder, tap="tap-salesforce", stream="Account", config=config)


def _tap_hubspot(installed: Installed, served: VendorProcess, folder: Path) -> Result:
    config = {
        "client_id": served.info["client_id"],
        "client_secret": served.info["client_secret"],
        "refresh_token": served.info["refresh_token"],
        "redirect_uri": "https://localhost",
        "start_date": _START,
    }
    # Its discovery asks every API it knows, old ones that the sandbox does not have too: the one stream is told.
    fields = [f"property_{name}" for name in ("firstname", "lastname", "email", "jobtitle", "lastmodifieddate")]
    text = {"type": ["null", "string"]}
    top = {"selected": True, "table-key-properties": ["id"], "valid-replication-keys": ["updatedAt"]}
    parts = [{"breadcrumb": ["properties", name], "metadata": {"selected": True}} for name in ("id", *fields)]
    schema = {"type": "object", "properties": dict.fromkeys(("id", "updatedAt", *fields), text)}
    stream: dict[str, Any] = {
        "stream": "contacts",
        "tap_stream_id": "contacts",
        "schema": schema,
        "key_properties": ["id"],
        "metadata": [{"breadcrumb": [], "metadata": top}, *parts],
    }
    _save(folder, "catalog.json", {"streams": [stream]})
    return _singer(installed, served, folder, tap="tap-hubspot", stream="contacts", config=config)


# ---------------------------------------------------------------- Airbyte


def _airbyte(
    installed: Installed,
    served: VendorProcess,
    folder: Path,
    *,
    program: str,
    stream: str,
    cursor: str,
    config: Mapping[str, Any],
) -> Result:
    catalog = {
        "streams": [
            {
                "stream": {
                    "name": stream,
                    "json_schema": {"type": "object", "properties": {}},
                    "supported_sync_modes": ["full_refresh", "incremental"],
                    "source_defined_cursor": True,
                    "default_cursor_field": [cursor],
                },
                "sync_mode": "incremental",
                "destination_sync_mode": "append",
                "cursor_field": [cursor],
            }
        ]
    }
    command = [installed.program(program), "read", "--config", _save(folder, "config.json", config)]
    command += ["--catalog", _save(folder, "catalog.json", catalog)]
    state = folder / "state.json"
    if state.exists():
        command += ["--state", str(state)]
    latest: dict[str, Any] = {}
    failures: list[str] = []

    def on_line(message: Mapping[str, Any]) -> bool:
        if message.get("type") == "STATE":
            latest["state"] = message["state"]
        trace = message.get("trace") or {}
        if trace.get("type") == "ERROR":
            failures.append(str(trace["error"].get("internal_message") or trace["error"].get("message")))
        return message.get("type") == "RECORD"

    result = _measure(command, served, folder, on_line)
    if latest:
        _save(folder, "state.json", [latest["state"]])
    if failures or result.failure:
        return Result(failure=(failures or [result.failure])[0][:300])
    return result


def _airbyte_salesforce(installed: Installed, served: VendorProcess, folder: Path) -> Result:
    config = {
        "client_id": served.info["client_id"],
        "client_secret": served.info["client_secret"],
        "refresh_token": served.info["refresh_token"],
        "start_date": _START,
        "is_sandbox": False,
    }
    return _airbyte(
        installed, served, folder,
        program="source-salesforce", stream="Account", cursor="SystemModstamp", config=config,
    )  # fmt: skip


def _airbyte_hubspot(installed: Installed, served: VendorProcess, folder: Path) -> Result:
    credentials = {"credentials_title": "Private App Credentials", "access_token": served.info["access_token"]}
    config = {"credentials": credentials, "start_date": _START}
    return _airbyte(
        installed, served, folder, program="source-hubspot", stream="contacts", cursor="updatedAt", config=config
    )


# ---------------------------------------------------------------- dlt


def _dlt(vendor: str) -> Callable[[Installed, VendorProcess, Path], Result]:
    def run(installed: Installed, served: VendorProcess, folder: Path) -> Result:
        script = _FOREIGN / "dlt_pipeline.py"
        asked = {"vendor": vendor, "folder": str(folder), **served.info}
        command = [installed.program("python"), str(script), json.dumps(asked)]
        rows: list[int] = []

        def on_line(message: Mapping[str, Any]) -> bool:
            rows.append(int(message["rows"]))
            return False

        result = _measure(command, served, folder, on_line)
        return result if result.failure else Result(result.seconds, sum(rows), result.peak_mib)

    return run


PEERS = (
    # Its other transport is Bulk API 1.0, which the sandbox does not have.
    Peer("tap-salesforce (REST)", "salesforce", "tap-salesforce", _tap_salesforce),
    Peer("airbyte-source-salesforce", "salesforce", "airbyte-source-salesforce", _airbyte_salesforce),
    Peer("dlt rest_api", "salesforce", "dlt[duckdb]", _dlt("salesforce")),
    Peer("tap-hubspot", "hubspot", "tap-hubspot", _tap_hubspot),
    Peer("airbyte-source-hubspot", "hubspot", "airbyte-source-hubspot", _airbyte_hubspot),
    Peer("dlt rest_api", "hubspot", "dlt[duckdb]", _dlt("hubspot")),
)
