"""The exact messages that one CSM would get today, as one HTML page: everything happens in a store thrown away afterwards."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alerts.escape import fill, marks
from daemon.blockpage import Shown, page
from daemon.clock import SystemClock
from daemon.config import Config
from daemon.wiring import Daemon, build
from store import previews
from store.migrate import upgrade
from store.previews import Member
from store.records import Clock, Instant


class NoSuchCsm(LookupError):
    """No CSM of the portfolio has that name."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The page, whose it is, and how many messages are on it."""

    html: str
    csm: str
    messages: int


def preview(config: Config, csm: str, as_of: Instant | None = None, clock: Clock | None = None) -> Preview:
    """Read (or copy what was read), evaluate at `as_of` (now), and render what the first run would tell this CSM."""
    with _scratch(config, clock or SystemClock()) as daemon:
        at = daemon.clock.now() if as_of is None else as_of
        daemon.work.derive()
        daemon.work.evaluate(at, daemon.rules.strict(daemon.clock.now()))
        with daemon.store.read() as connection:
            member = _one(previews.csms(connection), csm)
            rows = previews.messages(connection, member.key)
        mine = [(row.kind, json.loads(row.body)) for row in rows if row.mine or _mentions(row.body, member)]
    shown = [Shown(kind, _filled(body)) for kind, body in mine]
    return Preview(page(f"What {member.name} would get from tierd", shown), member.name, len(shown))


@contextmanager
def _scratch(config: Config, clock: Clock) -> Iterator[Daemon]:
    """A daemon over a throw-away store: a copy of the real one where that is SQLite and synced, else read anew."""
    with TemporaryDirectory(prefix="tierd-preview-") as folder:
        path = Path(folder) / "preview.db"
        copied = _copy(config, path)
        alone = config.model_copy(update={"store": f"sqlite:///{path}", "slack": None})
        daemon = build(alone, clock)
        try:
            upgrade(daemon.store)
            if copied:
                with daemon.store.write() as connection:
                    previews.forget_alerts(connection)
            else:
                daemon.work.declare_sources()
                for name in daemon.sources.names():
                    daemon.work.sync(name)
            yield daemon
        finally:
            daemon.close()


def _copy(config: Config, path: Path) -> bool:
    """Copy a synced SQLite store; False = there is none."""
    prefix = "sqlite:///"
    original = Path(config.store_url.removeprefix(prefix))
    if not config.store_url.startswith(prefix) or not original.exists():
        return False
    with (
        closing(sqlite3.connect(f"file:{original}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(path)) as target,
    ):
        source.backup(target)
    return True


def _one(members: Sequence[Member], wanted: str) -> Member:
    text = wanted.casefold()
    found = [m for m in members if text in m.name.casefold() or text in (m.email or "").casefold()]
    exact = [m for m in found if text in (m.name.casefold(), (m.email or "").casefold())]
    if len(exact) == 1 or len(found) == 1:
        return (exact or found)[0]
    if found:
        raise NoSuchCsm(f"{wanted!r} may be several: {', '.join(m.name for m in found)}")
    names = ", ".join(m.name for m in members) or "none is known: look at `csm:` of the sources"
    raise NoSuchCsm(f"no CSM is called {wanted!r}; there are {names}")


def _mentions(body: str, member: Member) -> bool:
    texts = _texts(json.loads(body))
    return any(("user", member.email) in marks(text) for text in texts)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _filled(value: Any) -> Any:
    """The body as Slack would show it to people: marks become names."""
    if isinstance(value, str):
        return fill(value, lambda _email: None, lambda _key: None)
    if isinstance(value, list):
        return [_filled(inner) for inner in value]
    if isinstance(value, dict):
        return {key: _filled(inner) for key, inner in value.items()}
    return value
