"""Step 5 of silence: is everybody captured who would meet this role at the customer, the CSM and whoever of us did lately."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import CTE, and_, case, func, or_, select, true, union

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


def coverage(m: Moment, contracts: CTE, roles: Mapping[str, Expr] = ROLES) -> CTE:
    """One row per customer; a column per role: NULL, or the name of whom nothing is captured, or 'no CSM'.

    A role is covered when the CSM is captured, and every active team member who touched that role here within 180 days;
    where there is no CSM, when there are such team members and all of them are captured.
    """
    team = _team(m, contracts, roles)
    csms = select(members.c.id).where(members.c.key.in_(select(contracts.c.csm)))
    seen = capture(m, once(union(select(team.c.member_id), csms).subquery("in_play").select(), "who"))
    here = _here(team, seen, roles)
    csm_unseen = case((func.coalesce(seen.c.captured, 0) == 0, func.coalesce(members.c.name, contracts.c.csm)))
    query = (
        select(contracts.c.account_id, *(_role(role, contracts, here, csm_unseen).label(role) for role in roles))
        .select_from(contracts)
        .join(members, members.c.key == contracts.c.csm, isouter=True)
        .join(seen, seen.c.member_id == members.c.id, isouter=True)
        .join(here, here.c.account_id == contracts.c.account_id, isouter=True)
    )
    return once(query, "coverage")


def _role(role: str, contracts: CTE, here: CTE, csm_unseen: Expr) -> Expr:
    nobody = and_(contracts.c.csm.is_(None), func.coalesce(here.c[f"{role}_team"], 0) == 0)
    of_csm = case((contracts.c.csm.is_not(None), csm_unseen))
    return case((nobody, word(NO_CSM)), else_=func.coalesce(of_csm, here.c[f"{role}_unseen"]))


def _team(m: Moment, contracts: CTE, roles: Mapping[str, Expr]) -> CTE:
    """One row per account and active team member who touched anybody there within 180 days: with which roles, as 0/1."""
    t, who = touches.c, touch_members.c
    met = (
        select(t.account_id, t.person_id, who.member_id)
        .join(touch_members, and_(who.source == t.source, who.activity_id == t.activity_id))
        .where(
            t.account_id.in_(select(contracts.c.account_id)),
            on_record(m),
            t.occurred_at <= m.as_of,
            t.occurred_at > m.ago(TOUCHED_DAYS),
        )
        .distinct()
        .subquery("met")
    )
    level = person_levels.c
    flags = [func.max(case((meant, 1), else_=0)).label(role) for role, meant in roles.items()]
    query = (
        select(met.c.account_id, met.c.member_id, *flags)
        .join(members, and_(members.c.id == met.c.member_id, members.c.active == 1))
        .join(person_levels, and_(level.person_id == met.c.person_id, known(person_levels, m)), isouter=True)
        .group_by(met.c.account_id, met.c.member_id)
    )
    return once(query, "team")


def _here(team: CTE, seen: CTE, roles: Iterable[str]) -> CTE:
    """One row per account that the team touched: how many of us per role, and the name of one who is not captured."""
    unseen = or_(seen.c.captured.is_(None), seen.c.captured == 0)
    columns: list[Expr] = []
    for role in roles:
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
