"""Bring a store to the revision this program needs, or say why it cannot be used as it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from store.engine import Store

_SCRIPTS = Path(__file__).parent / "migrations"
_INITIAL = "0001"


class StoreOutdated(Exception):
    """The store was written by another version of tierd; the message says which of the two must move."""


def head() -> str:
    """The revision this program needs."""
    revision = ScriptDirectory(str(_SCRIPTS)).get_current_head()
    if revision is None:
        raise StoreOutdated("this installation has no migrations: install tierd again")
    return revision


def current(store: Store) -> str | None:
    """The store's revision; None = an empty database, or a file that is not there and is not made by looking."""
    database = store.engine.url.database
    if store.is_sqlite and database and not Path(database).exists():
        return None
    with store.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


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
    if current(store) == head():
        return
    found = current(store)
    if found is not None and found not in _known_revisions():
        check(store)
    with _migrating(store) as connection:
        config = _config(connection)
        command.upgrade(config, "head")


def _known_revisions() -> set[str]:
    return {script.revision for script in ScriptDirectory(str(_SCRIPTS)).walk_revisions()}


def _shown(store: Store) -> str:
    return f"the store {store.engine.url.render_as_string(hide_password=True)}"


def _config(connection: Connection) -> Config:
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
