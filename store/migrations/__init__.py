"""Alembic's home: the environment and one file per revision of the store."""
