"""What every table shares: the naming of constraints, row ids, instants, the columns of mirrored rows."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# BIGINT PRIMARY KEY does not auto-increment on SQLite; INTEGER there is 64 bits wide all the same.
RowId = BigInteger().with_variant(Integer(), "sqlite")


def at(name: str, *, nullable: bool = False) -> Column[int]:
    """An instant: UTC microseconds."""
    return Column(name, BigInteger, nullable=nullable)


def mirrored(name: str, *columns: Column[object]) -> Table:
    """A table of source rows under (source, id), with the stamps, tombstone and payload hash all of them have."""
    return Table(
        name,
        metadata,
        Column("source", Text, primary_key=True),
        Column("id", Text, primary_key=True),
        *columns,
        at("created_at"),
        at("modified_at"),
        at("deleted_at", nullable=True),
        Column("payload", Text, nullable=False),  # hash of everything but modified_at: equal = nothing changed
    )
