"""How a person is named where an account is: with the account below that he or she is at."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String, case, cast, select

from store.tables import accounts, persons


def person_name() -> ColumnElement[Any]:
    """`Ann Lee`, or `Ann Lee (Acme Spain)` where that account rolls up to the one that is evaluated."""
    below = select(accounts.c.name).where(accounts.c.id == persons.c.home_id).scalar_subquery()
    named = cast(persons.c.name + " (" + below + ")", String)
    return case((persons.c.home_id.is_(None), persons.c.name), else_=named)
