"""Read the rows that the messages about some accounts name: persons, activities, samples."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from daemon.alerting.book import AlertPolicy
from rules.facts import named_people, usage_means
from store.behind import behind
from store.records import Behind, Instant
from store.tables import accounts as accounts_table

_PEOPLE = 4
"""Persons of one standing: the strongest are named, the others counted."""


def rows_behind(
    connection: Connection, policy: AlertPolicy, as_of: Instant, accounts: Sequence[int]
) -> dict[int, Behind]:
    """What stands behind the facts of these accounts at `as_of`; five statements however many there are, none for none."""
    if not accounts:
        return {}
    ids = select(accounts_table.c.id.label("account_id")).where(accounts_table.c.id.in_(accounts))
    people = named_people(as_of, ids, _PEOPLE)
    return behind(connection, accounts, as_of, people, (policy.metric, usage_means(as_of, policy.metric, ids)))
