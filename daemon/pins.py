"""Look at what people did to the tier field in the CRMs, and keep the pins and the tier in force accordingly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import asdict, replace

import structlog
from sqlalchemy import Connection, Select

from alerts.writeback import FieldState, Pin, Sighting, Target, pin_of, understand
from store import dirty, ledger, succession, tierfields, tiers
from store.records import Instant

_SOME = 1_000
_log = structlog.get_logger(__name__)

States = dict[tuple[int, str], FieldState]
"""(account, source) -> what is known of its tier field."""


def load(conn: Connection, accounts: Collection[int] | None = None) -> States:
    """What is recorded of the tier fields, of all accounts or of these."""
    return {
        (row.account_id, row.source): FieldState(
            row.account_id, row.source, row.known, row.seen_at, row.pin_origin, row.pinned_at
        )
        for row in tierfields.states(conn, accounts)
    }


def unseen(
    conn: Connection, sources: Collection[str], as_of: Instant, accounts: Select[int] | None = None
) -> list[FieldState]:
    """The states of the fields that a sync has changed and nobody has looked at yet, in order of time. Only reads."""
    found = []
    for source in sorted(sources):
        for row in tierfields.sightings(conn, source, as_of, accounts):
            known = None
            if row.seen_at is not None:
                known = FieldState(row.account_id, source, row.known, row.seen_at, row.pin_origin, row.pinned_at)
            sighting = Sighting(row.account_id, source, row.value, row.at, known, row.first_synced_at, row.sending)
            found.append(understand(replace(sighting, by_machine=_is_machine(row.author))))
    return found


# What HubSpot calls the kind of source that is no person (`sourceType` of a property's history):
# https://knowledge.hubspot.com/properties/understand-source-properties. Salesforce names a user, who may be anybody.
_MACHINES = frozenset(
    [
        "API", "AUTOMATION_PLATFORM", "BATCH_UPDATE", "CALCULATED", "DATASET", "IMPORT", "INTEGRATION",
        "INTEGRATIONS_SYNC", "SALESFORCE", "WORKFLOWS", "AUTOMATION", "MIGRATION", "BACKFILL",
    ]
)  # fmt: skip


def _is_machine(author: str | None) -> bool:
    """True where the field's history says that no person set the value; what nobody knows counts as a person's."""
    return author is not None and author.upper() in _MACHINES


def observe(
    conn: Connection, targets: Mapping[str, Target], as_of: Instant, accounts: Select[int] | None = None
) -> int:
    """Record every tier field that changed in a CRM, of all or of these accounts, and what follows; gives how many."""
    _settle_moved(conn, targets, as_of)
    changed = unseen(conn, targets, as_of, accounts)
    if changed:
        for state in changed:
            if state.pin_origin:
                _log.info("tier field holds a pin", account=state.account_id, source=state.source, value=state.known)
        _complete_ours(conn, changed)
        settle(conn, targets, changed)
    return len(changed)


def settle(
    conn: Connection, targets: Mapping[str, Target], changed: Collection[FieldState], at: Instant | None = None
) -> None:
    """Save these states, and bring pins and the tier in force of their accounts in line.

    It counts from `at`, or from when each value came to be.
    """
    tierfields.save_states(conn, [asdict(state) for state in changed])
    since: dict[int, Instant] = {}
    for state in changed:
        since[state.account_id] = max(state.seen_at if at is None else at, since.get(state.account_id, 0))
    _bring_in_line(conn, targets, since)


def _settle_moved(conn: Connection, targets: Mapping[str, Target], as_of: Instant) -> None:
    """Accounts whose rows were linked or parted have other tier fields than before: look at their pins again."""
    while moved := dirty.take(conn, succession.PINS, _SOME):
        _bring_in_line(conn, targets, {int(account): as_of for _, account in moved})
        dirty.done(conn, succession.PINS, moved)


def _bring_in_line(conn: Connection, targets: Mapping[str, Target], since: Mapping[int, Instant]) -> None:
    """Pins and the tier in force of these accounts; a change counts from the instant given."""
    pins = in_force(load(conn, since), targets)
    rows = [_row(account, pins.get(account)) for account in sorted(since)]
    had = {row.account_id: row for row in tiers.recorded(conn, since).values()}
    tiers.set_pins(conn, [row for row in rows if _differs(row, had.get(row["account_id"]))])
    tiers.note_in_force(conn, since, since)


def in_force(states: States, targets: Mapping[str, Target]) -> dict[int, Pin]:
    """Account -> its pin."""
    by_account: defaultdict[int, list[FieldState]] = defaultdict(list)
    for (account, _), state in states.items():
        by_account[account].append(state)
    pins = {account: pin_of(of, targets) for account, of in by_account.items()}
    return {account: pin for account, pin in pins.items() if pin is not None}


def _row(account: int, pin: Pin | None) -> dict[str, object]:
    if pin is None:
        return {"account_id": account, "pin": None, "pin_origin": None, "pinned_at": None}
    return {"account_id": account, "pin": pin.tier, "pin_origin": pin.origin, "pinned_at": pin.at}


def _differs(row: Mapping[str, object], had: object) -> bool:
    if had is None:
        return row["pin_origin"] is not None
    return any(getattr(had, name) != row[name] for name in ("pin", "pin_origin", "pinned_at"))


def _complete_ours(conn: Connection, changed: Collection[FieldState]) -> None:
    """A write whose outcome was never recorded has come back with a sync: it did arrive."""
    by_field = {(state.account_id, state.source): state for state in changed if state.pin_origin is None}
    arrived = []
    for row in ledger.open_rows(conn, ("sending",)):
        state = by_field.get((row.account_id, row.source))
        if state is not None and state.known == row.new_value:
            arrived.append(row)
    for row in arrived:
        ledger.mark(conn, [row.id], "verified", written_at=by_field[row.account_id, row.source].seen_at)
