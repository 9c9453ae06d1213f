"""What people do in the demo: now and then a CSM acknowledges the latest alert by its button in Slack."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from alerts.buttons import ACKNOWLEDGE
from daemon.demo.play import Control
from daemon.demo.show import Show
from store.engine import Store
from store.tables import accounts, alerts, conversations, members, slack_users

_ON_DAYS = (5, 9)


@dataclass(frozen=True, slots=True)
class People:
    """They act on the message that came last and still has its buttons."""

    store: Store
    control: Control
    show: Show

    def work(self, day: int) -> None:
        """What is done at the beginning of a day, before the clock moves on."""
        if day not in _ON_DAYS:
            return
        query = (
            select(
                accounts.c.name,
                conversations.c.key,
                conversations.c.channel,
                conversations.c.ts,
                slack_users.c.slack_id,
                members.c.name.label("csm"),
            )
            .join(accounts, accounts.c.id == conversations.c.account_id)
            .join(members, members.c.key == conversations.c.csm)
            .join(slack_users, slack_users.c.email == members.c.key)
            .where(
                conversations.c.closed_at.is_(None),
                conversations.c.ts.is_not(None),
                slack_users.c.slack_id.is_not(None),
                conversations.c.account_id.in_(
                    select(alerts.c.account_id).where(alerts.c.state == "firing", alerts.c.acked_at.is_(None))
                ),
            )
            .order_by(conversations.c.opened_at.desc(), conversations.c.id.desc())
            .limit(1)
        )
        with self.store.read() as conn:
            found = conn.execute(query).one_or_none()
        if found is None:
            return
        self.control.post(
            "/slack/click",
            {
                "user": found.slack_id,
                "channel": found.channel,
                "ts": found.ts,
                "action_id": ACKNOWLEDGE,
                "value": found.key,
            },
        )
        self.show.clicked(found.csm, "presses Acknowledge", found.name)
