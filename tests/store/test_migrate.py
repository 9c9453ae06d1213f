"""The revisions build exactly the tables that the program describes, and a wrong store is refused in plain words."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, insert, inspect, select, text

from store import migrations, tables
from store.engine import Store
from store.migrate import StoreOutdated, check, current, head, upgrade


def test_revisions_build_the_tables_of_the_metadata(empty_store: Store) -> None:
    """Autogenerate finds no difference between a migrated store and `store.tables`."""
    upgrade(empty_store)
    check(empty_store)
    with empty_store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        assert compare_metadata(context, tables.metadata) == []


def test_needed_revision_is_the_last_there_is() -> None:
    """What the program asks for without reading the revisions is where they end."""
    assert ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head() == head()


def test_upgrade_twice_changes_nothing(store: Store) -> None:
    """A store that is at head keeps its rows and its revision."""
    with store.write() as connection:
        connection.execute(insert(tables.settings).values(name="instance", value="a"))
    upgrade(store)
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.settings)) == 1
    assert current(store) == head()
    check(store)


def test_empty_database_is_named_as_such(tmp_path: Path) -> None:
    """A read-only command on a store nobody has written yet is told what to run."""
    store = Store(f"sqlite:///{tmp_path / 'new.db'}")
    with pytest.raises(StoreOutdated, match="holds no tables yet: run `tierd sync --once`"):
        check(store)
    store.close()


def test_newer_store_is_refused(sqlite_store: Store) -> None:
    """A store of a later tierd is neither read nor migrated."""
    with sqlite_store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    for step in (check, upgrade):
        with pytest.raises(StoreOutdated, match="written by a newer tierd"):
            step(sqlite_store)


def test_failed_upgrade_leaves_nothing_behind(tmp_path: Path) -> None:
    """A revision that fails half-way is rolled back as a whole."""
    store = Store(f"sqlite:///{tmp_path / 'tierd.db'}")
    with store.write() as connection:
        connection.execute(text("CREATE TABLE tiers (in_the_way INTEGER)"))
    with pytest.raises(Exception, match="tiers"):
        upgrade(store)
    with store.read() as connection:
        assert inspect(connection).get_table_names() == ["tiers"]
    store.close()


def test_foreign_keys_hold_again_after_an_upgrade(tmp_path: Path) -> None:
    """The switch that migrating needs does not stay on the pooled connection."""
    store = Store(f"sqlite:///{tmp_path / 'tierd.db'}")
    upgrade(store)
    with store.read() as connection:
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
    store.close()
