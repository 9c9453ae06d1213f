"""Fixtures that every test may use: an empty store of the current schema, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import shutil
import socket
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import settings
from sqlalchemy import create_engine, make_url, text

import store.migrations as store_migrations
from store.engine import Store
from store.tables import metadata
from tests import postgres

# Many tests start the program: without this each of them would compile all of its modules anew where the variable is set.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# No example is wrong for being slow: how long one takes is the machine's affair. On CI the kit's own profile is the base.
settings.register_profile("tierd", parent=settings(), deadline=None)
settings.load_profile("tierd")


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: the program's tests wait for as long as they compute."""
    return (os.cpu_count() or 1) + 1


def _make(url: str) -> None:
    """The tables as `store.tables` describes them; tests/store/test_migrate.py proves that the revisions build the same."""
    store = Store(url)
    with store.write() as connection:
        metadata.create_all(connection)
        scripts = ScriptDirectory(str(Path(store_migrations.__file__).parent))
        MigrationContext.configure(connection).stamp(scripts, "head")
    store.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file, copied for every test."""
    path = tmp_path_factory.mktemp("template") / "tierd.db"
    _make(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a PostgreSQL server's maintenance database: TEST_DATABASE_URL, or one started for this run."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    with postgres.server() as server:
        yield server.url("postgres")


@pytest.fixture(scope="session")
def postgresql_admin(postgresql_server: str) -> Iterator[Callable[[str], None]]:
    """Runs what must stand outside a transaction (CREATE and DROP DATABASE)."""
    engine = create_engine(postgresql_server, isolation_level="AUTOCOMMIT")

    def execute(statement: str) -> None:
        with engine.connect() as connection:
            connection.execute(text(statement))

    yield execute
    engine.dispose()


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str, postgresql_admin: Callable[[str], None]) -> Iterator[str]:
    """The name of a migrated, empty database; one for this run, so that runs may share a server."""
    name = f"tierd_template_{uuid.uuid4().hex[:12]}"
    postgresql_admin(f"CREATE DATABASE {name}")
    _make(_with_database(postgresql_server, name))
    yield name
    postgresql_admin(f"DROP DATABASE {name}")


def _with_database(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a migrated, empty SQLite store of this test's own."""
    path = tmp_path / "tierd.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(
    postgresql_server: str, postgresql_admin: Callable[[str], None], postgresql_template: str
) -> Iterator[str]:
    """The address of a migrated, empty PostgreSQL database of this test's own."""
    name = f"tierd_test_{uuid.uuid4().hex[:12]}"
    postgresql_admin(f"CREATE DATABASE {name} TEMPLATE {postgresql_template}")
    yield _with_database(postgresql_server, name)
    postgresql_admin(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    """An empty SQLite store, for what does not depend on the database."""
    store = Store(sqlite_url)
    yield store
    store.close()


@pytest.fixture
def both_stores(sqlite_store: Store, postgresql_url: str) -> Iterator[tuple[Store, Store]]:
    """An empty store on SQLite and one on PostgreSQL, for what is computed once and held against both."""
    opened = Store(postgresql_url)
    yield sqlite_store, opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store of the current schema; a test that takes it runs once per database."""
    opened = Store(request.getfixturevalue(f"{request.param}_url"))
    yield opened
    opened.close()


@pytest.fixture
def empty_postgresql_url(postgresql_server: str, postgresql_admin: Callable[[str], None]) -> Iterator[str]:
    """The address of a PostgreSQL database without any table."""
    name = f"tierd_empty_{uuid.uuid4().hex[:12]}"
    postgresql_admin(f"CREATE DATABASE {name}")
    yield _with_database(postgresql_server, name)
    postgresql_admin(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A database without any table, for what builds them."""
    sqlite = request.param == "sqlite"
    opened = Store(f"sqlite:///{tmp_path / 'empty.db'}" if sqlite else request.getfixturevalue("empty_postgresql_url"))
    yield opened
    opened.close()


@pytest.fixture
def unused_port() -> int:
    """A port of the loopback that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
