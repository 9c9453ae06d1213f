"""A CRM in memory that holds accounts with a tier field: read by syncs, written by tierd, edited by people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from alerts.writeback import Target
from connectors.http import VendorError
from daemon.derive import derive
from rules.fieldmap import Derivation, Option, SourceMapping
from store import runs
from store.engine import Store
from store.records import DAY, HOUR, MINUTE, AccountRecord, Batch, Instant, TierWrite, Toll, WriteResult
from store.saved import Saved
from store.sync import save_batch

START: Instant = 20_500 * DAY + 6 * HOUR
CREATED: Instant = START - 400 * DAY

FIELD = "Customer_Tier__c"
TIERS = {1: "Tier 1", 2: "Tier 2", 3: "Tier 3"}
TARGET = Target(FIELD, TIERS)


@dataclass
class Watch:
    """A clock that a test sets."""

    at: Instant = START

    def now(self) -> Instant:
        """UTC microseconds."""
        return self.at

    def monotonic(self) -> float:
        """Seconds."""
        return self.at / 1_000_000

    def sleep(self, seconds: float) -> None:
        """Nothing here waits."""
        raise AssertionError(f"asked to sleep for {seconds} s")

    def wait(self, event: object, timeout: float | None) -> bool:
        """Nothing here waits."""
        raise AssertionError(f"asked to wait for {event} up to {timeout} s")


class Killed(BaseException):
    """The process dies at this point."""


@dataclass(frozen=True)
class Remark:
    """What a check of the target says."""

    level: str
    what: str
    remedy: str = ""


@dataclass
class Crm:
    """One CRM. `calls` counts what an API would be asked; a `kill` dies after the write has been carried out."""

    watch: Watch
    source: str = "salesforce"
    rows: dict[str, AccountRecord] = field(default_factory=dict)
    options: Sequence[str] = tuple(TIERS.values())
    refused: dict[str, str] = field(default_factory=dict)
    """Record id -> the validation rule that refuses it."""
    busy: set[str] = field(default_factory=set)
    """Record ids that are locked."""
    calls: int = 0
    kill: bool = False
    down: str | None = None
    """The call that does not get through: check | read | write (the write is carried out, its answer is lost)."""
    meanwhile: dict[str, str | None] = field(default_factory=dict)
    """What a person sets right before the next read."""

    def add(self, name: str, *, tier: str | None = None, link: str | None = None, **fields: int | str | bool) -> str:
        """A customer."""
        ref = f"{self.source[:2]}-{name}"
        values = {FIELD: tier, **fields}
        domain = f"{name}.example"
        self.rows[ref] = AccountRecord(
            ref, name, domain, None, None, CREATED, CREATED, customer=True, link_id=link, fields=values
        )
        return ref

    def value(self, ref: str) -> str | None:
        """The tier field as one sees it in the CRM."""
        value = self.rows[ref].fields[FIELD]
        return None if value is None else str(value)

    def edit(self, ref: str, value: str | None, **fields: str) -> None:
        """A person (or a workflow) saves the record."""
        row = self.rows[ref]
        name = fields.get("name", row.name)
        self.rows[ref] = replace(row, name=name, fields={**row.fields, FIELD: value}, modified_at=self.watch.at)

    def _reach(self, what: str) -> None:
        self.calls += 1
        if self.down == what:
            raise VendorError("retry", "the server does not answer")

    def check_target(self) -> Sequence[Remark]:
        """The picklist holds every tier, or it does not."""
        self._reach("check")
        missing = [name for name in TIERS.values() if name not in self.options]
        return [Remark("error", f"the picklist lacks {name}", "Add it.") for name in missing]

    def read(self, ids: Sequence[str]) -> Mapping[str, str | None]:
        """The values now."""
        for ref, value in self.meanwhile.items():
            self.edit(ref, value)
        self.meanwhile = {}
        self._reach("read")
        return {ref: self.value(ref) for ref in ids if ref in self.rows}

    def write(self, changes: Sequence[TierWrite]) -> Iterator[WriteResult]:
        """Carry out the whole batch, then answer row by row."""
        self.calls += 1
        results = []
        for change in changes:
            if change.record_id in self.busy:
                results.append(WriteResult(change.record_id, "retry", "UNABLE_TO_LOCK_ROW", "locked"))
            elif change.record_id in self.refused:
                why = self.refused[change.record_id]
                results.append(WriteResult(change.record_id, "parked", "FIELD_CUSTOM_VALIDATION_EXCEPTION", why))
            else:
                self.edit(change.record_id, change.value)
                results.append(WriteResult(change.record_id, "written"))
        if self.kill:
            raise Killed
        if self.down == "write":
            raise VendorError("retry", "the connection was reset")
        yield from reversed(results)

    def sync(self, store: Store) -> Saved:
        """What an incremental sync does with all rows, and the derivation after it."""
        with store.write() as conn:
            runs.declare_source(conn, self.source, "salesforce", DAY)
            run = runs.start(conn, self.source, "increment", self.watch.at)
        batch = Batch("accounts", tuple(self.rows.values()), "{}", fresh_at=self.watch.at)
        with store.write() as conn:
            saved = save_batch(conn, self.source, batch, self.watch.at)
            runs.finish(conn, run, self.watch.at, "ok", saved=saved, toll=Toll(0), troubles={}, streams={})
        derive(store, DERIVATION, self.watch.at)
        return saved


_MAPPED = {name: (Option(None, name),) for name in ("arr", "potential", "market_fit", "strategic", "contract_start")}
DERIVATION = Derivation(
    order=("salesforce", "hubspot"),
    own_domains=frozenset({"us.example"}),
    mappings={name: SourceMapping(fields=_MAPPED, tier_field=FIELD) for name in ("salesforce", "hubspot")},
)
LATER = 5 * MINUTE
