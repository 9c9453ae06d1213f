"""The alerts as the store has them: when each was open, by demo day, and when and where people were told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from daemon.demo.telling import Message, Reader, tellings
from rules.language.model import RuleSet
from store.engine import Store
from store.records import DAY, Instant
from store.tables import accounts, alerts, crm_accounts, transitions

OPENING, CLOSING = ("fired", "reopened"), ("resolved", "closed")


@dataclass(frozen=True, slots=True)
class Seen:
    """One time that an alert was open. Days are demo days."""

    account_id: int
    account: str
    rule: str
    opened_day: int
    closed_day: int | None
    severity: str
    """At the end."""
    told_day: int | None
    told_where: str | None
    """alert | reply | digest | first list; None = nobody was told."""


class Accounts:
    """Which account of the store a CRM's id means."""

    def __init__(self, store: Store) -> None:
        columns = (crm_accounts.c.source, crm_accounts.c.id, crm_accounts.c.account_id)
        query = select(*columns).where(crm_accounts.c.account_id.is_not(None))
        with store.read() as conn:
            self._by_crm = {(row.source, row.id): int(row.account_id) for row in conn.execute(query)}

    def of(self, ids: Mapping[str, object]) -> int | None:
        """By `salesforce_id`, else by `hubspot_id`."""
        for source in ("salesforce", "hubspot"):
            found = self._by_crm.get((source, str(ids.get(f"{source}_id"))))
            if found is not None:
                return found
        return None


def seen(store: Store, rules: RuleSet, messages: Iterable[Message], start: Instant) -> list[Seen]:
    """Every time an alert was open, in order of account and rule. `start` is the first evaluation."""
    reader, told = Reader(rules), tellings(store, messages)
    with store.read() as conn:
        columns = (
            alerts.c.id,
            alerts.c.rule,
            alerts.c.account_id,
            alerts.c.severity,
            alerts.c.fired_at,
            accounts.c.name,
        )
        rows = conn.execute(select(*columns).join(accounts, accounts.c.id == alerts.c.account_id)).all()
        query = select(transitions.c.alert_id, transitions.c.at, transitions.c.kind, transitions.c.reason)
        flips: dict[int, list[tuple[Instant, str, str]]] = defaultdict(list)
        for alert_id, at, kind, reason in conn.execute(query.order_by(transitions.c.id)):
            flips[alert_id].append((at, kind, reason))
    found = []
    for row in rows:
        if row.fired_at is None:
            continue
        known = (t for t in told if t.at >= row.fired_at and reader.names(t, row.rule, row.account_id, row.name))
        telling = next(known, None)
        for opened, closed in _open_times(flips[row.id]):
            found.append(
                Seen(
                    account_id=row.account_id,
                    account=row.name,
                    rule=row.rule,
                    opened_day=(opened - start) // DAY,
                    closed_day=None if closed is None else (closed - start) // DAY,
                    severity=row.severity,
                    told_day=None if telling is None else (telling.at - start) // DAY,
                    told_where=None if telling is None else telling.where,
                )
            )
    return sorted(found, key=lambda one: (one.account, one.account_id, one.rule, one.opened_day))


def _open_times(flips: Sequence[tuple[Instant, str, str]]) -> list[tuple[Instant, Instant | None]]:
    times: list[tuple[Instant, Instant | None]] = []
    for at, kind, _ in flips:
        if kind in OPENING:
            times.append((at, None))
        elif kind in CLOSING and times:
            times[-1] = (times[-1][0], at)
    return times
