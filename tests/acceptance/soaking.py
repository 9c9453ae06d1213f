"""Changes in two CRMs, trouble on the line and kills in the middle; and whether the store has every row all the same."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, select

from sandbox.clock import MINUTE, SECOND
from sandbox.faults import Fault, Soak
from sandbox.versions import Row
from store.engine import Store
from store.tables import (
    crm_accounts,
    crm_activities,
    crm_activity_accounts,
    crm_contact_accounts,
    crm_contacts,
    crm_opportunities,
    crm_tickets,
)
from tests.sandbox.hubspot_portal import TOKEN, Portal
from tests.sandbox.salesforce_org import Org, serving

FAULTS = (
    Fault(status=503, body="<html>busy</html>"),
    Fault(status=500),
    Fault(status=429, headers={"Retry-After": "1"}),
    Fault(hang=True),
    Fault(reset="before"),
    Fault(reset="after"),
    Fault(truncate=40),
    Fault(garbage=True),
    Fault(cut_row=True),
    Fault(duplicate=True),
    Fault(repeat=True),
    Fault(reorder=True),
    Fault(drop_rows=1),
    Fault(off_by={"Sforce-NumberOfRecords": 1}),
    Fault(skew_seconds=3_600),
    Fault(delay_ms=20),
)
"""One of every kind."""
_CYCLE = 10 * MINUTE
_PREFIX = {"Account": "001", "Contact": "003", "Opportunity": "006", "Case": "500", "Task": "00T"}
_PORTAL = ("companies", "contacts", "deals", "tickets", "emails")


@dataclass(frozen=True, slots=True)
class Size:
    """How much happens."""

    changes: int
    cycles: int
    kills: int
    rate: float = 0.05
    seed: int = 20_260_302


@dataclass
class Hands:
    """What people do in both CRMs, drawn from a seed: every operation of every object that is read."""

    org: Org
    portal: Portal
    dice: random.Random
    done: Counter[str] = field(default_factory=Counter)
    _serial: int = 0

    def some(self, count: int) -> None:
        """So many changes, each a moment after the one before."""
        for _ in range(count):
            for clock in (self.org.clock, self.portal.clock):
                clock.advance(SECOND)
            self.dice.choice((self._in_org, self._in_portal))()

    # ------------------------------------------------------------ Salesforce

    def _in_org(self) -> None:
        name = self.dice.choice(list(_PREFIX))
        live = self._live(self.org.state.store, name)
        op = self._op(live)
        if op == "merge" and (name not in ("Account", "Contact") or len(live) < 2):
            op = "update"
        self.done[f"salesforce {op}"] += 1
        state, at = self.org.state, self.org.clock.now()
        self._serial += 1
        if op == "create":
            self.org.add(name, _PREFIX[name], self._serial, at, **self._fields(name))
            return
        row = self.dice.choice(live)
        if op == "update":
            self.org.change("update", name, row.id, at, "", **self._fields(name, row))
        elif op == "merge":
            other = self.dice.choice([r for r in live if r.id != row.id])
            with state.store.lock:
                state.merge(name, row.id, other.id)
        else:
            with state.store.lock:
                state.delete(name, row.id)
                if op == "purge":
                    state.purge(name, row.id)
                elif op == "restore":
                    state.undelete(name, row.id)

    def _fields(self, name: str, row: Row | None = None) -> dict[str, object]:
        n = self._serial
        accounts, contacts = (self._live(self.org.state.store, x) for x in ("Account", "Contact"))
        account = self.dice.choice(accounts).id if accounts else None
        if name == "Account":
            return {"Name": f"Company {n}", "Type": "Customer"}
        if name == "Contact":
            return {"LastName": f"Person {n}", "Email": f"person{n}@company.example", "AccountId": account}
        if name == "Opportunity":
            return {"Name": f"Deal {n}", "StageName": "Open", "Amount": float(n), "AccountId": account}
        if name == "Case":
            return {"Subject": f"Case {n}", "Status": "New", "Priority": "High", "AccountId": account}
        who = self.dice.choice(contacts).id if contacts else None
        fields: dict[str, object] = {"Subject": f"Call {n}", "Status": "Completed", "TaskSubtype": "Call"}
        return fields if row is not None else fields | {"WhoId": who, "WhatId": account, "AccountId": account}

    # ------------------------------------------------------------ HubSpot

    def _in_portal(self) -> None:
        name = self.dice.choice(_PORTAL)
        live = self._live(self.portal.state.store, name)
        op = (
            self.dice.choice(("link", "unlink"))
            if name != "companies" and self.dice.random() < 0.25
            else self._op(live)
        )
        if op == "merge" and (name not in ("companies", "contacts") or len(live) < 2):
            op = "update"
        if not live:
            op = "create"
        self.done[f"hubspot {op}"] += 1
        self._serial += 1
        at = self.portal.clock.now()
        if op == "create":
            ref = self.portal.state.new_id(name)  # one that no merge has minted
            self.portal.add(name, ref, self._properties(name), at)
            self._link(name, ref)
            return
        row = self.dice.choice(live)
        if op == "update":
            self.portal.change(name, row.id, at, 0, **self._properties(name))
        elif op == "merge":
            other = self.dice.choice([r for r in live if r.id != row.id])
            self.portal.merge(name, row.id, other.id)
        elif op == "link":
            self._link(name, row.id)
        elif op == "unlink":
            for company in list(self.portal.state.store.links(name, row.id, "companies")):
                self.portal.unlink(name, row.id, "companies", company)
        else:
            self.portal.archive(name, row.id)
            if op == "purge":
                self.portal.purge(name, row.id)
            elif op == "restore":
                self.portal.restore(name, row.id)

    def _link(self, name: str, ref: str) -> None:
        companies = self._live(self.portal.state.store, "companies")
        if companies and name != "companies" and not self.portal.state.store.links(name, ref, "companies"):
            self.portal.link(name, ref, "companies", self.dice.choice(companies).id)

    def _properties(self, name: str) -> dict[str, object]:
        n = self._serial
        fields: dict[str, dict[str, object]] = {
            "companies": {"name": f"Company {n}", "domain": f"company{n}.example"},
            "contacts": {"firstname": "P", "lastname": f"{n}", "email": f"p{n}@company.example"},
            "deals": {"dealname": f"Deal {n}", "amount": str(n), "dealstage": "open"},
            "tickets": {"subject": f"Ticket {n}", "hs_ticket_priority": "HIGH"},
            "emails": {"hs_email_subject": f"Mail {n}", "hs_timestamp": "2026-03-01T10:00:00.000Z"},
        }
        return fields[name]

    # ------------------------------------------------------------ both

    def _op(self, live: list[Row]) -> str:
        if len(live) < 3:
            return "create"
        return self.dice.choices(("create", "update", "delete", "restore", "purge", "merge"), (40, 40, 8, 4, 4, 4))[0]

    @staticmethod
    def _live(store: Any, name: str) -> list[Row]:
        with store.lock:
            return list(store.table(name).by_id(deleted=False))


@dataclass
class Child:
    """The reading process, started again when it was killed."""

    asked: Mapping[str, Any]
    _process: subprocess.Popen[str] | None = None

    def cycle(self, now: int, *, sweeps: bool) -> dict[str, Any] | None:
        """One round of reading; None when the process died in it."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.acceptance.soak_child"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            self._write(self.asked)
        self._write({"now": now, "sweeps": sweeps})
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        code = self._process.wait()
        assert code == -9, f"the reading process ended by itself with {code}"
        self.close()
        return None

    def _write(self, value: Mapping[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(value) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # killed between two lines: seen at the next read

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """Let the process go."""
        if self._process is not None:
            self._process.kill()
            with self._process:
                pass
            self._process = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is left at the end. Rows that differ: (source, object, id, what the CRM has, what the store has)."""

    differing: list[tuple[object, ...]]
    """What is not the same after one calm round of increments and sweeps."""
    struck: Counter[str]
    """Kinds of fault -> how many requests they struck."""
    unnamed: list[tuple[int, Counter[str], Mapping[str, int]]]
    """(cycle, faults that broke an answer, what the run records name) where the numbers are not the same."""
    done: Counter[str]
    kills: int
    rows: int


def soak(size: Size, folder: Path, store_url: str) -> Outcome:
    """Run it all."""
    dice = random.Random(size.seed)
    with serving() as org, _portal() as portal:
        hands = Hands(org, portal, dice)
        child = Child(_asked(org, portal, folder, store_url))
        books = {"salesforce": org.faults, "hubspot": portal.shared.faults}
        for vendor, book in books.items():
            book.soak(Soak(size.rate, FAULTS, seed=size.seed, vendor=vendor))
        deadly = set(dice.sample(range(size.cycles), size.kills))
        killed = 0
        unnamed: list[tuple[int, Counter[str], Mapping[str, int]]] = []
        for cycle in range(size.cycles):
            hands.some(size.changes * (cycle + 1) // size.cycles - size.changes * cycle // size.cycles)
            now = _advance(org, portal, _CYCLE)
            if cycle in deadly:
                killed += _killed(org, portal, child, now, dice.randrange(1, 14))
            unnamed += _unnamed(org, portal, child, now, cycle)
        for book in books.values():
            book.clear()
        store = Store(store_url)
        try:
            child.cycle(_advance(org, portal, _CYCLE), sweeps=True)
            differing = differences(org, portal, store)
            struck = _struck(org, portal)
            rows = sum(len(expected) for expected in _expected(org, portal).values())
        finally:
            child.close()
            store.close()
        return Outcome(differing, struck, unnamed, hands.done, killed, rows)


@contextmanager
def _portal() -> Iterator[Portal]:
    portal = Portal()
    try:
        yield portal
    finally:
        portal.stop()


def _asked(org: Org, portal: Portal, folder: Path, store_url: str) -> dict[str, Any]:
    settings = org.state.settings
    return {
        "store": store_url,
        "spool": str(folder),
        "salesforce": {
            "kind": "salesforce",
            "base_url": org.served.url,
            "auth": {
                "method": "client_credentials",
                "client_id": settings.client_id,
                "client_secret": settings.client_secret,
            },
            "customer": {"Type": "Customer"},
        },
        "hubspot": {
            "kind": "hubspot",
            "base_url": portal.served.url,
            "auth": {"access_token": TOKEN},
            "customer": {"lifecyclestage": "customer"},
            "calls_per_second": 25,
            "searches_per_second": 5,
        },
    }


def _advance(org: Org, portal: Portal, by: int) -> int:
    now = max(org.clock.now(), portal.clock.now()) + by
    for clock in (org.clock, portal.clock):
        clock.advance_to(now)
    return now


def _killed(org: Org, portal: Portal, child: Child, now: int, after: int) -> int:
    """One round in which the process dies when it has made `after` requests more; 0 when it was faster."""
    logs = (org.log, portal.shared.log)
    goal = sum(len(log.entries()) for log in logs) + after
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.002):
            if sum(len(log.entries()) for log in logs) >= goal:
                child.kill()
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    answered = child.cycle(now, sweeps=False)
    over.set()
    watcher.join()
    return int(answered is None)


_BREAKING = ("status", "hang", "reset", "truncate", "garbage", "cut row")
"""Kinds of fault after which there is no answer to read; what the others do to one may be nothing."""


def _unnamed(
    org: Org, portal: Portal, child: Child, now: int, cycle: int
) -> list[tuple[int, Counter[str], Mapping[str, int]]]:
    """One round of reading; what it met, where its records do not say as much."""
    before = _struck(org, portal)
    answer = child.cycle(now, sweeps=cycle % 10 == 9)
    assert answer is not None
    met = _struck(org, portal) - before
    broken = Counter({kind: n for kind, n in met.items() if kind.startswith(_BREAKING)})
    named: Counter[str] = Counter()
    for run in answer["runs"]:
        named.update(run["faults"])
    return [] if broken.total() <= named.total() else [(cycle, broken, named)]


def _struck(org: Org, portal: Portal) -> Counter[str]:
    """Kinds of fault -> requests that they have struck so far."""
    entries = org.log.entries() + portal.shared.log.entries()
    return Counter(entry.fault for entry in entries if entry.fault)


# ---------------------------------------------------------------- comparing

Rows = dict[str, tuple[object, ...]]


def differences(org: Org, portal: Portal, store: Store) -> list[tuple[object, ...]]:
    """Every live row that one side has and the other has not, or has otherwise."""
    found: list[tuple[object, ...]] = []
    for (source, name), expected in _expected(org, portal).items():
        have = _stored(store, source, name)
        for ref in sorted(expected.keys() | have.keys()):
            crm, ours = expected.get(ref), have.get(ref)
            found += [(source, name, ref, crm, ours)] if crm != ours else []
    return found


def _expected(org: Org, portal: Portal) -> dict[tuple[str, str], Rows]:
    sf, hs = org.state.store, portal.state.store
    purged = org.state.org.purged
    with sf.lock, hs.lock:
        salesforce = {
            name: {row.id: values(row.fields) for row in sf.table(name).by_id(deleted=False) if row.id not in purged}
            for name, values in _ORG_VALUES.items()
        }
        companies = {row.id for row in hs.table("companies").by_id(deleted=False)}
        hubspot = {
            name: {
                row.id: (*values(row.fields), *sorted(set(hs.links(name, row.id, "companies")) & companies))
                for row in hs.table(name).by_id(deleted=False)
            }
            for name, values in _PORTAL_VALUES.items()
        }
    return {("sf", n): rows for n, rows in salesforce.items()} | {("hs", n): rows for n, rows in hubspot.items()}


def _cents(value: object) -> int | None:
    return None if value in (None, "") else round(float(str(value)) * 100)


_ORG_VALUES: dict[str, Any] = {
    "Account": lambda f: (f.get("Name"),),
    "Contact": lambda f: (f.get("Email"), f.get("AccountId")),
    "Opportunity": lambda f: (_cents(f.get("Amount")), f.get("AccountId")),
    "Case": lambda f: (f.get("Status"), f.get("AccountId")),
    "Task": lambda f: (f.get("Subject"),),
}
_PORTAL_VALUES: dict[str, Any] = {
    "companies": lambda f: (f.get("name"),),
    "contacts": lambda f: (f.get("email"),),
    "deals": lambda f: (_cents(f.get("amount")),),
    "tickets": lambda f: (f.get("hs_ticket_priority"),),
    "emails": lambda f: (f.get("hs_email_subject"),),
}


def _stored(store: Store, source: str, name: str) -> Rows:
    tables: dict[str, tuple[Table, tuple[str, ...]]] = {
        "Account": (crm_accounts, ("name",)),
        "Contact": (crm_contacts, ("email",)),
        "Opportunity": (crm_opportunities, ("amount", "crm_account_id")),
        "Case": (crm_tickets, ("status", "crm_account_id")),
        "Task": (crm_activities, ("subject",)),
        "companies": (crm_accounts, ("name",)),
        "contacts": (crm_contacts, ("email",)),
        "deals": (crm_opportunities, ("amount", "crm_account_id")),
        "tickets": (crm_tickets, ("priority", "crm_account_id")),
        "emails": (crm_activities, ("subject",)),
    }
    table, columns = tables[name]
    with store.read() as conn:
        rows = conn.execute(select(table).where(table.c.source == source, table.c.deleted_at.is_(None))).mappings()
        found = {row["id"]: tuple(row[column] for column in columns) for row in rows}
        if name in ("contacts", "Contact"):
            c = crm_contact_accounts.c
            links: dict[str, list[str]] = {ref: [] for ref in found}
            for row in conn.execute(select(c.contact_id, c.crm_account_id).where(c.source == source)):
                links.get(row.contact_id, []).append(row.crm_account_id)
            none: tuple[object, ...] = (None,) if name == "Contact" else ()
            found = {ref: (*values, *(sorted(links[ref]) or none)) for ref, values in found.items()}
        elif name == "emails":
            found = {ref: (*values, *_activity_accounts(conn, source, ref)) for ref, values in found.items()}
    if name in ("deals", "tickets"):
        found = {ref: tuple(v for v in values[:1]) + tuple(v for v in values[1:] if v) for ref, values in found.items()}
    return found


def _activity_accounts(conn: Connection, source: str, ref: str) -> list[str]:
    c = crm_activity_accounts.c
    return sorted(conn.execute(select(c.crm_account_id).where(c.source == source, c.activity_id == ref)).scalars())
