"""Bring a store to the revision this program needs, or say why it cannot be used as it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from store.engine import Store

if TYPE_CHECKING:
    from alembic.config import Config  # all of Alembic is imported where something is to be migrated, not before

_SCRIPTS = Path(__file__).parent / "migrations"
_INITIAL = "0001"
_NEWEST = _INITIAL
"""The last revision in `migrations`; a test holds it against them."""
_VERSION = "alembic_version"
"""Alembic's table of one row."""


class StoreOutdated(Exception):
    """The store was written by another version of tierd; the message says which of the two must move."""


def head() -> str:
    """The revision this program needs."""
    return _NEWEST


def current(store: Store) -> str | None:
    """The store's revision; None = an empty database, or a file that is not there and is not made by looking."""
    database = store.engine.url.database
    if store.is_sqlite and database and not Path(database).exists():
        return None
    with store.read() as connection:
        if not inspect(connection).has_table(_VERSION):
            return None
        found: str | None = connection.scalar(text(f"SELECT version_num FROM {_VERSION}"))
        return found


def check(store: Store) -> None:
    """Raise StoreOutdated unless the store is at this program's revision."""
    found = current(store)
    needed = head()
    if found == needed:
        return
    if found is None:
        raise StoreOutdated(f"{_shown(store)} holds no tables yet: run `tierd sync --once` or `tierd run` first")
    if found in _known_revisions():
        raise StoreOutdated(f"{_shown(store)} is at revision {found}, needed is {needed}: start `tierd run` once")
    raise StoreOutdated(f"{_shown(store)} was written by a newer tierd (revision {found}): upgrade this one")


def upgrade(store: Store) -> None:
    """Run every missing revision in one transaction; a store that is already there is not touched."""
    found = current(store)
    if found == head():
        return
    from alembic import command

    if found is not None and found not in _known_revisions():
        check(store)
    with _migrating(store) as connection:
        command.upgrade(_config(connection), "head")


def _known_revisions() -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory(str(_SCRIPTS)).walk_revisions()}


def _shown(store: Store) -> str:
    return f"the store {store.engine.url.render_as_string(hide_password=True)}"


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _migrating(store: Store) -> Iterator[Connection]:
    """One writing transaction; on SQLite with foreign keys off, as copying a table in batch mode drops the old one."""
    if not store.is_sqlite:
        with store.write() as connection:
            yield connection
        return
    with store.engine.connect() as plain:
        driver = plain.connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA foreign_keys=OFF")  # has no effect inside a transaction, hence before it
        try:
            connection = plain.execution_options(tierd_write=True)
            with connection.begin():
                yield connection
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
                if broken:
                    raise StoreOutdated(f"the migration would leave rows that point nowhere: {broken[:3]}")
        finally:
            driver.execute("PRAGMA foreign_keys=ON")


def write_initial() -> Path:
    """Write the initial revision anew from `store.tables`; allowed only while nothing is released."""
    from alembic import command

    versions = _SCRIPTS / "versions"
    for old in versions.glob(f"{_INITIAL}_*.py"):
        old.unlink()
    store = Store("sqlite://")
    try:
        with store.write() as connection:
            script = command.revision(_config(connection), "initial", autogenerate=True, rev_id=_INITIAL)
    finally:
        store.close()
    assert script is not None
    assert not isinstance(script, list)
    return Path(script.path)


if __name__ == "__main__":
    if sys.argv[1:] != ["revision"]:
        raise SystemExit("usage: python -m store.migrate revision")
    sys.stdout.write(f"{write_initial()}\n")
