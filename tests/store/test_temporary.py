"""Temporary tables of PostgreSQL do not keep what was taken out of them; those that stay are never meant."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Integer, MetaData, Table, func, insert, select, text

from store.engine import Store
from store.temporary import empty, like

_REAL = Table("kept_rows", MetaData(), Column("id", Integer, primary_key=True))
_ROOM = like(_REAL, "kept_rows")  # of the same name, as in a snapshot


def test_a_table_that_has_grown_gives_its_room_back(both_stores: tuple[Store, Store]) -> None:
    """However often it is filled and emptied; the one that it hides keeps its row."""
    with both_stores[1].write() as connection:
        _REAL.create(connection)
        connection.execute(insert(_REAL).values(id=1))
        _ROOM.create(connection)
        sizes = [_filled(connection, 150_000) for _ in range(3)]
        assert sizes == [sizes[0]] * 3
        few = [_filled(connection, 100) for _ in range(3)]
        assert sizes[0] / 100 > few[-1] > 0
        connection.execute(text("DROP TABLE pg_temp.kept_rows"))
        assert [1] == list(connection.scalars(select(_REAL.c.id)))


def _filled(connection: Connection, rows: int) -> int:
    """The bytes that it takes when it has been emptied and filled again."""
    empty(connection, _ROOM)
    assert 0 == connection.scalar(select(func.count()).select_from(_ROOM))
    connection.execute(insert(_ROOM).from_select(["id"], select(func.generate_series(1, rows))))
    return int(connection.execute(select(func.pg_relation_size("pg_temp.kept_rows"))).scalar_one())
