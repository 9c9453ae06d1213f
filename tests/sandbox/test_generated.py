"""A table whose rows are made on demand behaves, change by change, like one that holds them."""

from __future__ import annotations

import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.generated import GeneratedTable
from sandbox.salesforce import ids
from sandbox.versions import Row, Table
from tests.sandbox.salesforce_org import NOW, serving

COUNT = 20


def _make(position: int) -> Row:
    at = 100 + position // 3
    return Row(f"{position:04d}", {"n": position}, at, at)


def _position(row_id: str) -> int | None:
    return int(row_id) if row_id.isdecimal() else None


def _tables() -> tuple[Table, GeneratedTable]:
    plain = Table(str)
    for position in range(COUNT):
        plain.put(_make(position))
    return plain, GeneratedTable(str, COUNT, _make, _position)


def _seen(table: Table) -> list[object]:
    """Everything that a reader can ask."""
    found: list[object] = []
    for deleted in (None, False, True):
        found += [list(table.by_id(after, deleted)) for after in (None, "0007", "0007x", "x0001")]
        found += [
            list(table.by_modified(since, until, after, deleted=deleted))
            for since in (None, 102, 150)
            for until in (None, 104, 151)
            for after in (None, "0006", "0030")
        ]
    found += [list(table.newest_first(since, 105)) for since in (None, 101)]
    found += [table.count(), table.count(101, 104), table.count_ids(), table.count_ids("0010"), table.last_id()]
    found += [len(table.rows), sorted(table.rows), list(table.keep(table.by_id(deleted=False)))]
    return found


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["change", "shift", "delete", "create", "drop"]),
            st.integers(0, COUNT + 3),
            st.integers(100, 160),
        ),
        max_size=12,
    )
)
@settings(max_examples=120)
def test_it_reads_like_a_table_that_holds_its_rows(steps: list[tuple[str, int, int]]) -> None:
    """After any changes, shifts without a stamp, deletions, creations and purges both tables give the same answers."""
    plain, made = _tables()
    for op, number, at in steps:
        row_id = f"x{number:04d}" if op == "create" else f"{number:04d}"
        for table in (plain, made):
            old = table.rows.get(row_id)
            if op == "drop" and old is not None:
                table.drop(row_id)
            elif op == "create" or (op == "change" and old is not None):
                table.put(Row(row_id, {"at": at}, at, at))
            elif op == "shift" and old is not None:
                table.put(Row(row_id, {"shifted": at}, old.created_at, old.modified_at, old.deleted_at))
            elif op == "delete" and old is not None:
                table.put(Row(row_id, old.fields, old.created_at, at, deleted_at=at))
    assert _seen(plain) == _seen(made)


def test_a_million_rows_take_no_room() -> None:
    """A query job over a million generated accounts, paged and counted, holds megabytes, not gigabytes."""
    with serving() as org:
        org.switch(bulk_polls=0, bulk_page=1000)
        text = "x" * 2000
        org.state.generate("Account", 1_000_000, lambda n: {"Name": f"A{n}", "Description": text}, NOW)
        assert 1_000_000 == org.query("SELECT COUNT() FROM Account").json()["totalSize"]
        assert 1_000_000 == org.ask("GET", "limits/recordCount?sObjects=Account").json()["sObjects"][0]["count"]
        first = org.ids("SELECT Id FROM Account ORDER BY Id LIMIT 3")
        deep = org.ids(f"SELECT Id FROM Account WHERE Id > '{first[1]}' ORDER BY Id LIMIT 1")
        assert first[2:] == deep
        org.change("update", "Account", first[0], NOW, Name="Changed")
        soql = "SELECT Id, Name, Description FROM Account WHERE SystemModstamp < 2026-03-02T06:00:20Z"
        tracemalloc.start()
        job = org.job(soql).json()["id"]
        assert "JobComplete" == org.finish(job)
        page = org.results(job, locator="MTkwMDA")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert ("1000", "null") == (page.headers["Sforce-NumberOfRecords"], page.headers["Sforce-Locator"])
        assert page.text.count("\n") == 1001
        assert peak < 40 * 2**20
        assert "Changed" in org.results(job).text


def test_pages_deep_in_a_million_rows_look_at_few() -> None:
    """A page by Id, by stamp, and among ties of one stamp costs its own rows and a search, not a walk through all."""
    looked: list[int] = []

    def fields(number: int) -> dict[str, object]:
        looked.append(number)
        return {"Name": f"A{number}"}

    with serving() as org:
        org.state.generate("Account", 1_000_000, fields, NOW, per_second=400_000)
        deep = ids.make("001", 700_000, "Ge")
        second = "2026-03-02T06:00:01Z"
        for where, order in (
            (f"Id > '{deep}'", "Id"),
            (f"(SystemModstamp = {second} AND Id > '{deep}') OR SystemModstamp > {second}", "SystemModstamp, Id"),
            ("SystemModstamp >= 2026-03-02T06:00:02Z", "SystemModstamp, Id"),
        ):
            looked.clear()
            found = org.ids(f"SELECT Id FROM Account WHERE {where} ORDER BY {order} LIMIT 2000")
            assert 2000 == len(set(found))
            assert len(looked) < 8_000, where
        looked.clear()
        assert [deep] == org.ids(f"SELECT Id FROM Account WHERE Id IN ('{deep}')")
        assert len(looked) < 10
