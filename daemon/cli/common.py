"""What all commands share: options, opening the store, and turning expected errors into one clear message."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from daemon.clock import SystemClock
from store.records import SECOND, Instant

if TYPE_CHECKING:
    from daemon.config import Config
    from daemon.wiring import Daemon

OK, FAILED, BAD_INPUT = 0, 1, 2
"""Exit codes: fine; something failed; the configuration or another input is wrong."""

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ConfigPath = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", metavar="PATH", help="The configuration file.", show_default="$TIERD_CONFIG or tierd.yaml"
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="DATE",
        help="Look from this instant: 2026-03-02, or 2026-03-02T06:00 (UTC).",
        show_default="now",
    ),
]
Once = Annotated[bool, typer.Option("--once", help="Do it one time, now, and end.")]


class BadInput(Exception):
    """Something the user gave cannot be used; the message says what to give instead. Ends with exit code 2."""


class Failed(Exception):
    """The command could not do what it was asked; the message says why and what to do. Ends with exit code 1."""


def config_path(given: Path | None) -> Path:
    """The configuration file: given with the command, before it, in TIERD_CONFIG, or tierd.yaml here."""
    return given or Path(os.environ.get("TIERD_CONFIG") or "tierd.yaml")


def configured(given: Path | None, *, needs: Collection[str] | None = None, forgiving: bool = False) -> Config:
    """Read the configuration; `needs` names the sections whose secrets must be there (None: all)."""
    from daemon.config import load
    from daemon.logs import set_up

    config = load(config_path(given), os.environ, needs=needs, forgiving=forgiving)
    level = os.environ.get("TIERD_LOG_LEVEL") or ("info" if not sys.stderr.isatty() else "warning")
    set_up(SystemClock(), secrets=config.secrets, level=level)
    return config


@contextmanager
def reading(config: Config) -> Iterator[Daemon]:
    """The daemon's parts over a store that is only read: works beside a running daemon."""
    from store.migrate import check

    with closing(config) as daemon:
        check(daemon.store)
        yield daemon


@contextmanager
def writing(config: Config, command: str) -> Iterator[Daemon]:
    """The daemon's parts over a store of which this process is the only writer; the store is made where it is not."""
    from daemon.lock import writer
    from store.migrate import upgrade

    with closing(config) as daemon, writer(daemon.store, command):
        upgrade(daemon.store)
        yield daemon


@contextmanager
def closing(config: Config) -> Iterator[Daemon]:
    """The daemon's parts, given back at the end."""
    from daemon.wiring import build

    daemon = build(config, SystemClock())
    try:
        yield daemon
    finally:
        daemon.close()


def instant(text: str | None, now: Instant, option: str = "--as-of") -> Instant:
    """A date (its midnight, UTC) or a date with time -> UTC microseconds; nothing -> now. `option` is named in errors."""
    if text is None:
        return now
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{option}: {text!r} is no date; write for example 2026-03-02 or 2026-03-02T06:00") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def shown(at: Instant | None) -> str:
    """An instant for people, UTC."""
    return "never" if at is None else datetime.fromtimestamp(at / SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S")


def ago(at: Instant | None, now: Instant) -> str:
    """How long ago, or in how long, in the largest fitting unit."""
    if at is None:
        return "never"
    seconds = abs(now - at) // SECOND
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"in {seconds // size} {unit}" if at > now else f"{seconds // size} {unit} ago"
    return f"in {seconds} s" if at > now else f"{seconds} s ago"


def bullets(lines: Sequence[str]) -> str:
    """One line each."""
    return "\n".join(f"  - {line}" for line in lines)
