"""Step 5 of silence: is everybody captured who would meet this role at the customer, the CSM and whoever of us did lately."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CTE, Select, Subquery, and_, case, func, or_, select, true, union

from rules.facts.capture import capture
from rules.facts.moment import Expr, Moment, known, once, word
from rules.facts.people import on_record
from store.tables import members, person_levels, touch_members, touches

TOUCHED_DAYS = 180
NO_CSM = "no CSM"
ROLES: Mapping[str, Expr] = {
    "any": true(),
    "exec": person_levels.c.standing == "exec",
    "user": person_levels.c.standing == "user",
}
"""Whom the event is with, as a condition on the person's level."""


def coverage(m: Moment, contracts: CTE) -> CTE:
    """One row per customer; a column per role: NULL, or the name of whom nothing is captured, or 'no CSM'.

    A role is covered when the CSM is captured, and every active team member who touched that role here within 180 days;
    where there is no CSM, when there are such team members and all of them are captured.
    """
    team = _team(m, contracts)
    seen = _seen(m, contracts, team)
    here, csm = _here(team, seen), _csms(contracts, seen)
    query = (
        select(
            csm.c.account_id,
            *(_unseen(csm, here.c[f"{role}_team"], here.c[f"{role}_unseen"]).label(role) for role in ROLES),
        )
        .select_from(csm)
        .join(here, here.c.account_id == csm.c.account_id, isouter=True)
    )
    return once(query, "coverage")


def narrowed_coverage(m: Moment, contracts: CTE, values: Mapping[str, Expr]) -> Narrowed:
    """The same for persons of one value each, a level or a function; `values`: it by name, as it follows from
    `person_levels`, NULL where nobody knows it.
    """
    met = once(_met(m, contracts), "met")
    seen = _seen(m, contracts, met)
    unseen = case((func.coalesce(seen.c.captured, 0) == 0, members.c.name))
    level = person_levels.c
    here = {
        by: once(
            select(met.c.account_id, value.label("value"), func.count().label("team"), func.min(unseen).label("unseen"))
            .join(members, members.c.id == met.c.member_id)
            .join(person_levels, and_(level.person_id == met.c.person_id, known(person_levels, m)))
            .join(seen, seen.c.member_id == met.c.member_id, isouter=True)
            .where(value.is_not(None))
            .group_by(met.c.account_id, value),
            f"met_by_{by}",
        )
        for by, value in values.items()
    }
    return Narrowed(_csms(contracts, seen), here)


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What `narrowed_coverage` finds."""

    csms: CTE
    """One row per customer: `csm`, and his name where nothing of him is captured."""
    here: Mapping[str, CTE]
    """By name: one row per account and `value`, of whom of ours touched such a person."""

    def join(self, by: str, found: Subquery) -> Select[Any]:
        """The rows of `found` (account_id, value, ...), each with `not_covered`."""
        here, csm = self.here[by], self.csms
        return (
            select(*found.c, _unseen(csm, here.c.team, here.c.unseen).label("not_covered"))
            .join(csm, csm.c.account_id == found.c.account_id)
            .join(here, and_(here.c.account_id == found.c.account_id, here.c.value == found.c.value), isouter=True)
        )


def _unseen(csm: CTE, team: Expr, unseen: Expr) -> Expr:
    nobody = and_(csm.c.csm.is_(None), func.coalesce(team, 0) == 0)
    return case((nobody, word(NO_CSM)), else_=func.coalesce(csm.c.unseen, unseen))


def _csms(contracts: CTE, seen: CTE) -> CTE:
    """One row per customer: the CSM's key, and the name where nothing is captured."""
    uncaptured = func.coalesce(seen.c.captured, 0) == 0
    unseen = case((and_(contracts.c.csm.is_not(None), uncaptured), func.coalesce(members.c.name, contracts.c.csm)))
    query = (
        select(contracts.c.account_id, contracts.c.csm, unseen.label("unseen"))
        .select_from(contracts)
        .join(members, members.c.key == contracts.c.csm, isouter=True)
        .join(seen, seen.c.member_id == members.c.id, isouter=True)
    )
    return once(query, "csms")


def _seen(m: Moment, contracts: CTE, team: CTE) -> CTE:
    """Of whom of those in play mail and meetings are captured: the CSMs, and the team members of `team`."""
    csms = select(members.c.id).where(members.c.key.in_(select(contracts.c.csm)))
    return capture(m, once(union(select(team.c.member_id), csms).subquery("in_play").select(), "who"))


def _met(m: Moment, contracts: CTE) -> Select[Any]:
    """(account_id, person_id, member_id): which active team member touched whom there within 180 days."""
    t, who = touches.c, touch_members.c
    return (
        select(t.account_id, t.person_id, who.member_id)
        .join(touch_members, and_(who.source == t.source, who.activity_id == t.activity_id))
        .join(members, and_(members.c.id == who.member_id, members.c.active == 1))
        .where(
            t.account_id.in_(select(contracts.c.account_id)),
            on_record(m),
            t.occurred_at <= m.as_of,
            t.occurred_at > m.ago(TOUCHED_DAYS),
        )
        .distinct()
    )


def _team(m: Moment, contracts: CTE) -> CTE:
    """One row per account and active team member who touched anybody there within 180 days: with which roles, as 0/1."""
    met, level = _met(m, contracts).subquery("met"), person_levels.c
    flags = [func.max(case((meant, 1), else_=0)).label(role) for role, meant in ROLES.items()]
    query = (
        select(met.c.account_id, met.c.member_id, *flags)
        .join(person_levels, and_(level.person_id == met.c.person_id, known(person_levels, m)), isouter=True)
        .group_by(met.c.account_id, met.c.member_id)
    )
    return once(query, "team")


def _here(team: CTE, seen: CTE) -> CTE:
    """One row per account that the team touched: how many of us per role, and the name of one who is not captured."""
    unseen = or_(seen.c.captured.is_(None), seen.c.captured == 0)
    columns: list[Expr] = []
    for role in ROLES:
        played = team.c[role] == 1
        columns += [
            func.sum(team.c[role]).label(f"{role}_team"),
            func.min(case((and_(played, unseen), members.c.name))).label(f"{role}_unseen"),
        ]
    query = (
        select(team.c.account_id, *columns)
        .select_from(team)
        .join(members, members.c.id == team.c.member_id)
        .join(seen, seen.c.member_id == team.c.member_id, isouter=True)
        .group_by(team.c.account_id)
    )
    return once(query, "team_here")
