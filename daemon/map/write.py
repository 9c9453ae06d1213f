"""Replace tierd.yaml by an edited text: checked as a whole before, kept beside as a backup, exchanged in one step."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace as replaced
from difflib import unified_diff
from pathlib import Path

from daemon.config import Config, ConfigError, load


def diff(path: Path, text: str) -> str:
    """What would change, as a unified diff; empty where nothing does."""
    old = read(path)
    return "\n".join(
        unified_diff(old.splitlines(), text.splitlines(), path.name, f"{path.name} (new)", lineterm="", n=1)
    )


def read(path: Path) -> str:
    """The file's text as it is, with its own line ends."""
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def checked(path: Path, text: str, environ: Mapping[str, str]) -> Config:
    """The configuration that this text gives in the place of `path`; raises ConfigError where it is not valid."""
    beside = _beside(path, text)
    try:
        return load(beside, environ, needs=("sources",))
    except ConfigError as error:
        raise ConfigError([replaced(problem, file=path.name) for problem in error.problems]) from error
    finally:
        beside.unlink()


def replace(path: Path, text: str) -> Path:
    """Put the text in place of the file, atomically; gives the backup of what was there."""
    real = path.resolve()
    backup = _free(real)
    backup.write_bytes(real.read_bytes())
    backup.chmod(real.stat().st_mode)
    beside = _beside(real, text)
    try:
        beside.chmod(real.stat().st_mode)
        beside.replace(real)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
    return backup


def _beside(path: Path, text: str) -> Path:
    """A file of this text in the same folder, on disk when it returns: relative paths and the exchange need that."""
    real = path.resolve()
    beside = real.with_name(f".{real.name}.{os.getpid()}.new")
    with beside.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return beside


def _free(path: Path) -> Path:
    """tierd.yaml.bak, or the first of .bak2, .bak3, ... that is not there: no backup is ever overwritten."""
    first = path.with_name(f"{path.name}.bak")
    if not first.exists():
        return first
    return next(
        candidate
        for number in range(2, 10_000)
        if not (candidate := path.with_name(f"{path.name}.bak{number}")).exists()
    )
