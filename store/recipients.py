"""To whom what is said of an account is addressed: its CSM, and whoever stands in where that one is not there."""

from __future__ import annotations

from sqlalchemy import and_, case, select
from sqlalchemy.sql.selectable import FromClause

from store.tables import facts, members


def recipient_table() -> FromClause:
    """(account_id, csm, recipient): the active CSM, else the CSM's active manager, else NULL."""
    lead = members.alias("lead")
    joined = facts.outerjoin(members, members.c.key == facts.c.csm).outerjoin(
        lead, and_(lead.c.key == members.c.manager_key, lead.c.active == 1)
    )
    recipient = case((members.c.active == 1, members.c.key), else_=lead.c.key)
    return (
        select(facts.c.account_id, facts.c.csm, recipient.label("recipient")).select_from(joined).subquery("recipients")
    )
