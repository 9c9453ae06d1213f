"""Support tickets per customer; missing, not 0, where the customer's sources have no tickets at all."""

from __future__ import annotations

from sqlalchemy import CTE, and_, func, or_, select

from rules.facts.moment import Moment, alive, count_if, once, whole
from rules.facts.settings import FactSettings
from store.tables import crm_tickets, sources


def tickets(m: Moment, settings: FactSettings, linked: CTE) -> CTE:
    """One row per customer with a source that knows tickets: open, urgent and opened in 90 days."""
    t = crm_tickets.c
    # Asked once per source: DISTINCT would read every ticket there is.
    supporting = select(sources.c.source).where(select(t.id).where(t.source == sources.c.source).exists())
    opened = t.opened_at <= m.as_of
    unsolved = and_(opened, or_(t.closed_at.is_(None), t.closed_at > m.as_of))
    urgent = and_(unsolved, func.lower(t.priority).in_(settings.urgent_priorities))
    query = (
        select(
            linked.c.account_id,
            whole(count_if(unsolved)).label("open_tickets"),
            whole(count_if(urgent)).label("urgent_tickets"),
            whole(count_if(and_(opened, t.opened_at > m.ago(90)))).label("tickets_90d"),
        )
        .select_from(linked)
        .join(
            crm_tickets,
            and_(t.source == linked.c.source, t.crm_account_id == linked.c.crm_id, alive(crm_tickets, m)),
            isouter=True,
        )
        .where(linked.c.source.in_(supporting))
        .group_by(linked.c.account_id)
    )
    return once(query, "ticket_counts")
