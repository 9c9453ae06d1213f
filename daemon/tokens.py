"""Where rotated tokens are kept: a file of 0600 in the data folder, or the OS keyring; never the database, never a log.

Two processes (the daemon and a command beside it) share the keep: who renews holds a lock file meanwhile, and reads anew
before it asks, so that neither spends a refresh token that the other has just spent.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from connectors.http import VendorError
from connectors.tokens import TokenKeep
from store.records import Clock

_PATIENCE, _PAUSE = 180.0, 0.5
"""Seconds: how long another process may take over a renewal, and how often it is looked at."""
_SERVICE = "tierd"


def file_keep(folder: Path, name: str, clock: Clock) -> TokenKeep:
    """Keep the tokens of `name` (a source, or its writing side) in a file of the data folder."""
    path = folder / f"{name}.token"
    return TokenKeep(partial(_load, path), partial(_save, path), partial(_alone, path, clock))


def keyring_keep(folder: Path, name: str, clock: Clock) -> TokenKeep:
    """Keep the tokens of `name` in the OS keyring (extra `keyring`); only the lock file is in the data folder."""
    # One keyring serves every tierd of the user: the folder tells them apart.
    entry = f"{name}@{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]}"
    lock = partial(_alone, folder / f"{name}.token", clock)
    return TokenKeep(partial(_from_keyring, entry), partial(_to_keyring, entry), lock)


# ---------------------------------------------------------------- the file


def _load(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _save(path: Path, text: str) -> None:
    """Durable when it returns: a refresh token that is lost in a power cut costs a new consent."""
    _folder(path.parent)
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)  # what a kill left behind
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    above = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(above)
    finally:
        os.close(above)


def _folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


# ---------------------------------------------------------------- one process at a time


@contextmanager
def _alone(path: Path, clock: Clock) -> Iterator[None]:
    _folder(path.parent)
    lock = path.with_name(f"{path.name}.lock")
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "r+", encoding="utf-8") as file:
        _lock(file, clock)
        yield  # closing frees the lock; the file stays, or a third process would lock another one


def _lock(file: TextIO, clock: Clock) -> None:
    ends = clock.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if clock.monotonic() >= ends:
                what = f"another process has been renewing the token for {_PATIENCE:.0f} s: see who holds {file.name}"
                raise VendorError("retry", what) from None
            clock.sleep(_PAUSE)
        else:
            return


# ---------------------------------------------------------------- the keyring


def _from_keyring(entry: str) -> str | None:
    kit = _kit()
    try:
        found: str | None = kit.get_password(_SERVICE, entry)
    except kit.errors.KeyringError as error:
        raise OSError(0, f"the keyring cannot be read: {error}") from error
    return found


def _to_keyring(entry: str, text: str) -> None:
    kit = _kit()
    try:
        kit.set_password(_SERVICE, entry, text)
    except kit.errors.KeyringError as error:
        raise OSError(0, f"the keyring cannot be written: {error}") from error


def _kit() -> Any:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        raise OSError(0, "`tokens: keyring` needs the extra: install tierd[keyring]") from None
    return keyring
