"""The demo's judges see what is wrong: facts that differ, links and conflicts that are missed or made up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import insert

from daemon.demo import calls, factcheck, identities
from daemon.demo.seen import Accounts, Seen
from daemon.demo.truthtable import table
from daemon.identity import Conflict, Entry, Report
from daemon.identitykinds import CONFLICTING, LINKED
from store.engine import Store
from store.identityrows import Stranger
from store.records import DAY
from store.tables import accounts, crm_accounts, facts

AS_OF = 20_500 * DAY


def _report(*entries: Entry, strangers: tuple[str, ...] = ()) -> Report:
    unregistered = tuple(Stranger(address, "Acme", "sf:1", 0, 1) for address in strangers)
    return Report(len(entries), {}, entries, (), unregistered, 0, 0)


def _entry(kind: str, row: str, *others: str, conflicts: tuple[Conflict, ...] = ()) -> Entry:
    return Entry(kind, row, "Acme", None, "key", (), others, conflicts)


TRUTH: dict[str, Any] = {
    "linked": [["1", "11"], ["2", "12"]],
    "conflicts": [["2", "arr"]],
    "unregistered": ["ann@acme.test"],
}
GOOD = (
    _entry(LINKED, "salesforce:1", "hubspot:11"),
    _entry(CONFLICTING, "salesforce:2", "hubspot:12", conflicts=(Conflict("arr", (), ""), Conflict("owner", (), ""))),
)


def test_what_is_as_it_should_be_is_right() -> None:
    """Owners and tiers of which the world says nothing are not judged."""
    found = identities.compare(TRUTH, _report(*GOOD, strangers=("ann@acme.test",)))
    assert identities.right(found)
    assert {"linked": 2, "conflicts": 1, "unregistered": 1} == {kind: one["there"] for kind, one in found.items()}


@pytest.mark.parametrize(
    ("kind", "side", "report"),
    [
        ("linked", "missed", _report(GOOD[1], strangers=("ann@acme.test",))),
        ("linked", "false", _report(*GOOD, _entry(LINKED, "salesforce:3", "hubspot:13"), strangers=("ann@acme.test",))),
        ("conflicts", "missed", _report(GOOD[0], _entry(LINKED, "salesforce:2", "hubspot:12"))),
        ("unregistered", "missed", _report(*GOOD)),
        ("unregistered", "false", _report(*GOOD, strangers=("ann@acme.test", "billing@acme.test"))),
    ],
)
def test_what_is_missed_or_made_up_is_wrong(kind: str, side: str, report: Report) -> None:
    """One pair, one conflict, one person too few or too many is enough."""
    found = identities.compare(TRUTH, report)
    assert found[kind][side]
    assert not identities.right(found)


def test_a_fact_that_differs_is_told(sqlite_store: Store) -> None:
    """Instants must be equal, ratios to nine digits; a customer that should not be one is told too."""
    with sqlite_store.write() as conn:
        for number in (1, 2):
            conn.execute(insert(accounts).values(id=number, key=f"k{number}", name=f"N{number}", created_at=0))
            row = {"source": "salesforce", "id": f"00{number}", "name": f"N{number}", "account_id": number}
            conn.execute(insert(crm_accounts).values(**row, created_at=0, modified_at=0, fields="{}", payload="{}"))
        for number in (1, 2):
            values = {"account_id": number, "as_of": AS_OF, "name": f"N{number}", "last_contact": 5, "adoption": 0.1}
            conn.execute(insert(facts).values(**values))
    entry = {"name": "N1", "salesforce_id": "001", "hubspot_id": None}
    good = {"last_contact": 5, "adoption": 0.1 + 1e-10}
    found = factcheck.compare(sqlite_store, {"facts": [{**entry, "facts": good}]}, AS_OF)
    assert [("N2", "customer")] == [(row["account"], row["fact"]) for row in found["differing"]]
    found = factcheck.compare(sqlite_store, {"facts": [{**entry, "facts": {**good, "last_contact": 6}}]}, AS_OF)
    assert 2 == found["different"]
    assert {"account": "N1", "fact": "last_contact", "expected": 6, "found": 5} in found["differing"]


@dataclass(frozen=True)
class _Made:
    at: int
    op: str
    vendor: str = "hubspot"
    object: str = "contacts"
    id: str = "1"


def test_a_link_is_no_change_that_an_increment_finds() -> None:
    """The least number of calls counts rows whose stamp has moved."""
    for op, least in (("update", 11), ("associate", 10)):
        cycles = calls.changed_per_cycle([_Made(15, op)], [10, 20])
        assert least == calls.least_of_hubspot(cycles) - 10  # the first sync: nine lists and the owners


def _seen(rule: str, told_day: int | None) -> Seen:
    return Seen(1, "N1", rule, 0, None, "medium", told_day, None if told_day is None else "digest")


@pytest.mark.parametrize(
    ("held", "told_day", "verdict"),
    [
        ([], 0, "caught"),
        ([], None, "missed"),
        ([0, 1], 2, "caught"),
        ([0], 4, "missed"),
        ([0, 1, 2, 3, 4], None, "caught"),
    ],
)
def test_held_growth_is_told_when_it_may_be(
    sqlite_store: Store, held: list[int], told_day: int | None, verdict: str
) -> None:
    """Nobody must be told while it is held, and at once afterwards; a rule that the truth does not know has no row."""
    with sqlite_store.write() as conn:
        conn.execute(insert(accounts).values(id=1, key="k1", name="N1", created_at=0))
        row = {"source": "salesforce", "id": "001", "name": "N1", "account_id": 1}
        conn.execute(insert(crm_accounts).values(**row, created_at=0, modified_at=0, fields="{}", payload="{}"))
    fire: dict[str, Any] = {"name": "N1", "salesforce_id": "001", "rule": "more", "severity": "medium", "held": held}
    fire |= {"opened_day": 0, "closed_day": None}
    truth: dict[str, Any] = {"rules": ["more"], "fires": [fire], "undecidable": [], "days": 5}
    rows = table(truth, [_seen("more", told_day), _seen("unknown-to-it", 0)], Accounts(sqlite_store))
    assert [("more", verdict)] == [(row["rule"], row["verdict"]) for row in rows]
