"""Single values that survive a restart: the brakes (`paused:<what>`) and what the process notes about itself."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update

from store.tables import settings

BRAKES = ("writes", "messages")
"""What can be paused: writes to a CRM, messages to Slack."""


def get(connection: Connection, name: str) -> str | None:
    """The value under this name."""
    return connection.scalar(select(settings.c.value).where(settings.c.name == name))


def put(connection: Connection, name: str, value: str) -> None:
    """Set the value under this name."""
    if connection.execute(update(settings).where(settings.c.name == name).values(value=value)).rowcount == 0:
        connection.execute(insert(settings).values(name=name, value=value))


def drop(connection: Connection, name: str) -> bool:
    """Remove the value; False = there was none."""
    return connection.execute(delete(settings).where(settings.c.name == name)).rowcount > 0


def pause(connection: Connection, what: str, reason: str) -> None:
    """Put a brake on; `reason` is shown wherever the brake is felt."""
    put(connection, f"paused:{what}", reason)


def resume(connection: Connection, what: str) -> bool:
    """Take a brake off; False = it was not on."""
    return drop(connection, f"paused:{what}")


def paused(connection: Connection, what: str) -> str | None:
    """Why this is paused; None = it is not."""
    return get(connection, f"paused:{what}")
