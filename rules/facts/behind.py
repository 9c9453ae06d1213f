"""The persons and samples behind some customers' facts, for the messages that name them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, case, func, select

from rules.facts.moment import moment
from rules.facts.people import person_rows
from rules.facts.usage import EARLIER_DAYS, LATER_DAYS
from store.naming import person_name
from store.records import Instant
from store.tables import persons, usage_samples


def named_people(as_of: Instant, accounts: Select[int], most: int) -> Select[Any]:
    """The `most` strongest execs and users on file of these accounts, as `NamedPerson` with account and `on_file`.

    `accounts` selects their ids as `account_id`; `on_file` counts the persons of that standing.
    """
    m = moment(as_of, "UTC")
    r = person_rows(m, accounts.cte("shown")).c
    group = (r.account_id, r.standing)
    strongest = func.row_number().over(partition_by=group, order_by=(r.strength.desc(), persons.c.name, persons.c.key))
    ranked = (
        select(
            r.account_id,
            person_name().label("name"),
            persons.c.title,
            r.standing,
            r.strength,
            strongest.label("place"),
            func.count().over(partition_by=group).label("on_file"),
        )
        .join(persons, persons.c.id == r.person_id)
        .where(r.on_file == 1, r.standing.in_(("exec", "user")))
        .subquery("ranked")
    )
    shown = ranked.c
    columns = [shown[name] for name in ("account_id", "name", "title", "standing", "strength", "on_file")]
    return select(*columns).where(shown.place <= most).order_by(shown.account_id, shown.standing, shown.place)


def usage_means(as_of: Instant, metric: str, accounts: Select[int]) -> Select[Any]:
    """(account_id, later, earlier) of these accounts: the means whose relation is the adoption change."""
    m, s = moment(as_of, "UTC"), usage_samples.c
    samples = (
        select(s.account_id, s.at, func.sum(s.value).label("value"))
        .where(s.account_id.in_(accounts), s.metric == metric, s.at <= as_of, s.recorded_at <= as_of)
        .where(s.at > m.ago(LATER_DAYS + EARLIER_DAYS))
        .group_by(s.account_id, s.at)
        .cte("samples")
    )
    c = samples.c
    later, earlier = case((c.at > m.ago(LATER_DAYS), c.value)), case((c.at <= m.ago(LATER_DAYS), c.value))
    query = select(c.account_id, func.avg(later).label("later"), func.avg(earlier).label("earlier"))
    return query.group_by(c.account_id)
