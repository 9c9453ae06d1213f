"""Drive the planned tier changes into one CRM: check the target, read again, ledger, write, ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol, TypeVar

import structlog
from sqlalchemy import Connection, Row

from alerts.writeback import FieldState, Target, clean, guard, pinned
from connectors.http import VendorError
from daemon import pins
from daemon.masking import Mask, without_private
from store import ledger, tierfields
from store.engine import Store
from store.records import Clock, TierWrite, WriteResult

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")

# One Salesforce call takes 1,000 rows; outcomes are recorded as they come, a hundred at a time.
CHUNK, RECORDED = 1_000, 100


class Remark(Protocol):
    """What a check of the target says. `level`: ok | warning | error."""

    @property
    def level(self) -> str: ...  # noqa: D102 - the class says it
    @property
    def what(self) -> str: ...  # noqa: D102
    @property
    def remedy(self) -> str: ...  # noqa: D102


class TierWriter(Protocol):
    """Writes the tier field of one CRM."""

    def check_target(self) -> Sequence[Remark]:
        """Field, type, values and permission, without writing."""
        ...

    def read(self, ids: Sequence[str]) -> Mapping[str, str | None]:
        """The values now; rows that are gone are left out."""
        ...

    def write(self, changes: Sequence[TierWrite]) -> Iterator[WriteResult]:
        """One result per change, in any order."""
        ...


@dataclass(slots=True)
class Driven:
    """What became of the planned changes of one source."""

    written: int = 0
    conflicts: list[str] = field(default_factory=list)
    """What people had set in the meantime, which is left alone."""
    parked: list[str] = field(default_factory=list)
    """Changes that the CRM refuses, with its reason."""
    retry: int = 0
    """Changes whose outcome is open: the next run looks again."""
    blocked: list[str] = field(default_factory=list)
    """Why nothing was written."""

    @property
    def complete(self) -> bool:
        """Nothing is left to do, and nothing was refused."""
        return not (self.parked or self.retry or self.blocked)


@dataclass(frozen=True, slots=True)
class Lane:
    """One CRM to write to."""

    store: Store
    source: str
    targets: Mapping[str, Target]
    writer: TierWriter
    clock: Clock
    mask: Mask = without_private
    """How the CRM's reasons are kept."""


def recover(lane: Lane) -> int:
    """Look up what became of writes whose outcome was never recorded; gives how many there were.

    Those that arrived are completed; the others are planned anew, if they are still wanted.
    """
    with lane.store.read() as conn:
        rows = ledger.open_rows(conn, ("sending",), lane.source)
    for some in _chunks(rows, CHUNK):
        current = lane.writer.read([row.crm_id for row in some])
        with lane.store.write() as conn:
            there = [row for row in some if clean(current.get(row.crm_id)) == row.new_value]
            _arrived(conn, lane, there)
            lost = {row.id for row in some} - {row.id for row in there}
            ledger.mark(conn, lost, "superseded", error="it had not arrived when it was looked up again")
    return len(rows)


def drive(lane: Lane) -> Driven:
    """Write everything that is planned for the source; without anything planned no call is made."""
    done = Driven()
    with lane.store.read() as conn:
        rows = ledger.open_rows(conn, ("planned",), lane.source)
    if not rows:
        return done
    try:
        errors = [remark for remark in lane.writer.check_target() if remark.level == "error"]
        for some in _chunks(rows if not errors else [], CHUNK):
            going = _guarded(lane, some, done)
            if going:
                _send(lane, going, done)
    except VendorError as error:  # what was under way is looked up by the next run
        done.blocked = [lane.mask(f"{lane.source}: {error}")]
        _log.warning("tier write-back interrupted", source=lane.source, why=str(error))
        return done
    if errors:
        done.blocked = [f"{lane.source}: {remark.what}. {remark.remedy}".strip() for remark in errors]
        _log.error("tier target refused, nothing is written", source=lane.source, why=done.blocked)
    return done


def _guarded(lane: Lane, rows: Sequence[Row[Any]], done: Driven) -> list[Row[Any]]:
    """Read the rows once more; those that may be written are marked as being sent, the others settled."""
    before = lane.clock.now()
    current = lane.writer.read([row.crm_id for row in rows])
    going, foreign = [], []
    with lane.store.write() as conn:
        for row in rows:
            if row.crm_id not in current:
                ledger.mark(conn, [row.id], "superseded", error="the record is gone from the CRM")
                continue
            value = current[row.crm_id]
            if guard(row.old_value, row.new_value, value, sent=False) == "write":
                going.append(row)
                continue
            foreign.append(pinned(row.account_id, lane.source, clean(value) or "", before))
            ledger.mark(conn, [row.id], "conflict", error=f"a person has set {value!r}")
            done.conflicts.append(f"{lane.source} {row.crm_id}: {value!r} was set by a person and stays")
            _log.warning("tier set by a person stays", source=lane.source, record=row.crm_id, value=value)
        if foreign:
            pins.settle(conn, lane.targets, foreign)
        ledger.mark(conn, [row.id for row in going], "sending")
    return going


def _send(lane: Lane, rows: Sequence[Row[Any]], done: Driven) -> None:
    by_id = {row.crm_id: row for row in rows}
    changes = [TierWrite(row.crm_id, row.new_value, row.old_value) for row in rows]
    for results in _chunks(lane.writer.write(changes), RECORDED):
        with lane.store.write() as conn:
            answered = [(by_id.pop(result.record_id), result) for result in results]
            written = [row for row, result in answered if result.outcome == "written"]
            _arrived(conn, lane, written)
            done.written += len(written)
            for row, result in answered:
                _refused(conn, lane, row, result, done)
    done.retry += len(by_id)  # no answer is no proof: the next run looks these up


def _refused(conn: Connection, lane: Lane, row: Row[Any], result: WriteResult, done: Driven) -> None:
    why = lane.mask(": ".join(part for part in (result.code, result.message) if part)) or None
    if result.outcome == "parked":
        ledger.mark(conn, [row.id], "parked", error=why)
        done.parked.append(f"{lane.source} {row.crm_id}: {why}")
        _log.warning("tier write parked", source=lane.source, record=row.crm_id, why=why)
    elif result.outcome == "gone":
        ledger.mark(conn, [row.id], "superseded", error=why or "the record is gone from the CRM")
    elif result.outcome == "retry":
        ledger.mark(conn, [row.id], "sending", error=why)
        done.retry += 1


def _arrived(conn: Connection, lane: Lane, rows: Sequence[Row[Any]]) -> None:
    """The CRM holds our values: complete the ledger, and know the values as ours before a sync brings them back."""
    now = lane.clock.now()
    states = []
    for row in rows:
        since = tierfields.wrote(
            conn,
            account_id=row.account_id,
            source=lane.source,
            crm_id=row.crm_id,
            field=row.field,
            value=row.new_value,
            at=now,
        )
        states.append(FieldState(row.account_id, lane.source, row.new_value, since))
    if states:
        pins.settle(conn, lane.targets, states)
        ledger.mark(conn, [row.id for row in rows], "written", written_at=now)


def _chunks(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    walk = iter(items)
    while some := list(islice(walk, size)):
        yield some
