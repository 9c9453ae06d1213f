"""Who may be a customer at the moment, and what the mapped CRM fields say of each."""

from __future__ import annotations

from sqlalchemy import CTE, Select, case, func, or_, select

from rules.facts.moment import Moment, known, once, whole
from store.tables import account_fields, accounts

NUMBERS = (
    "arr",
    "potential",
    "market_fit",
    "strategic",
    "contract_start",
    "renewal",
    "auto_renews",
    "term",
    "seats",
    "team_size",
    "ltv",
)
TEXTS = ("segment", "csm")


def customers(m: Moment, within: Select[int] | None) -> CTE:
    """Accounts for which the customer condition holds and which no mapped field calls churned.

    An account that rolls up to another is none of its own: links and trees are those of today at every instant.
    """
    held, left = account_fields.alias("held"), account_fields.alias("gone")
    churned = select(left.c.account_id).where(
        left.c.account_id == accounts.c.id, left.c.field == "churned", left.c.num == 1, known(left, m)
    )
    query = (
        select(accounts.c.id.label("account_id"), accounts.c.name)
        .join(held, (held.c.account_id == accounts.c.id) & (held.c.field == "customer"))
        .where(
            known(held, m),
            held.c.num != 0,
            accounts.c.rolls_up_to.is_(None),
            or_(accounts.c.closed_at.is_(None), accounts.c.closed_at > m.as_of),
            ~churned.exists(),
        )
    )
    if within is not None:
        # IN, never a join: as a join SQLite reads all accounts for a handful of touched ones.
        query = query.where(accounts.c.id.in_(within))
    return once(query, "customers")


def mapped_fields(m: Moment, scope: CTE, stale: CTE) -> CTE:
    """One row per customer with any mapped field: the values, and per field whether its source is stale."""
    f, names = account_fields.c, NUMBERS + TEXTS
    bits = {name: 1 << number for number, name in enumerate(names)}
    # One field is in force once, so its bits add up; where nothing is stale there is nothing to add.
    bit = case(*((f.field == name, bits[name]) for name in names), else_=0)
    columns = [func.max(case((f.field == name, f.num))).label(name) for name in NUMBERS]
    columns += [func.max(case((f.field == name, f.text))).label(name) for name in TEXTS]
    columns += [whole(func.sum(case((stale.c.fields == 1, bit), else_=0))).label("stale")]
    query = (
        select(f.account_id, *columns)
        .select_from(account_fields)
        .join(stale, stale.c.source == f.source, isouter=True)
        .where(f.account_id.in_(select(scope.c.account_id)), f.field.in_(names), known(account_fields, m))
        .group_by(f.account_id)
    )
    c = once(query, "fields_in_force").c
    old = [((c.stale // bits[name]) % 2).label(f"{name}_stale") for name in names]
    return select(c.account_id, *(c[name] for name in names), *old).cte("mapped_fields")
