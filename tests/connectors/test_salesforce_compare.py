"""Walking an object's ids beside the store's rows finds exactly what differs, however the rows fall onto pages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.salesforce.compare import Walk, ours
from connectors.salesforce.composite import Answer
from connectors.salesforce.cursors import Cursor, load
from connectors.salesforce.rows import MEMBER, member
from connectors.salesforce.streams import Stream
from connectors.salesforce.values import soql_instant
from store.records import MINUTE, SECOND, KnownRow

STREAM = Stream("members", "User", MEMBER, member, None)
CURSOR = Cursor(field="SystemModstamp", at="2026-03-02T06:00:00.000Z", id="005A", done=True)
IDS = st.text("019AZaz", min_size=3, max_size=3).map(lambda tail: f"005{tail}")
STAMPS = st.integers(1, 4).map(lambda second: second * SECOND)


def walked(theirs: dict[str, int], mine: dict[str, int], size: int) -> tuple[list[str], list[str], list[str]]:
    """(gone, stale, damaged) after all pages of `size` rows."""
    rows = sorted(theirs.items())
    pages = [rows[start : start + size] for start in range(0, len(rows), size)] or [[]]
    walk = Walk(STREAM, CURSOR, [KnownRow(ref, at) for ref, at in sorted(mine.items())], ("Id",))
    stale: list[str] = []
    damaged: list[str] = []
    for number, page in enumerate(pages, 1):
        body: dict[str, Any] = {
            "totalSize": len(rows),
            "done": number == len(pages),
            "records": [_row(r) for r in page],
        }
        if number < len(pages):
            body["nextRecordsUrl"] = f"/query/01g-{number * size}"
        found = walk.take(Answer(200, body, {}))
        stale += [str(row["Id"]) for row in found.stale]
        damaged += [str(row["Id"]) for row in found.damaged]
    assert walk.done
    assert walk.met == len(theirs.keys() & mine.keys())
    return walk.gone, stale, damaged


def _row(row: tuple[str, int]) -> dict[str, Any]:
    return {"attributes": {"type": "User"}, "Id": row[0], "SystemModstamp": soql_instant(row[1])}


@given(st.dictionaries(IDS, STAMPS), st.dictionaries(IDS, STAMPS | st.just(0)), st.integers(1, 7))
def test_a_walk_finds_what_is_gone_newer_unknown_and_damaged(
    theirs: dict[str, int], mine: dict[str, int], size: int
) -> None:
    """In the order of the ids, whatever the size of a page."""
    gone, stale, damaged = walked(theirs, mine, size)
    assert sorted(mine.keys() - theirs.keys()) == gone
    assert [ref for ref, at in sorted(theirs.items()) if ref not in mine or 0 < mine[ref] < at] == stale
    assert [ref for ref in sorted(theirs) if mine.get(ref) == 0] == damaged


def test_a_page_that_lacks_a_row_ends_no_walk() -> None:
    """Three short answers refuse the walk, and nobody is called gone."""
    walk = Walk(STREAM, CURSOR, [KnownRow("0051", 1), KnownRow("0052", 1)], ("Id",))
    short = {"totalSize": 2, "done": True, "records": [_row(("0051", 1))]}
    for _ in range(3):
        assert not walk.done
        walk.take(Answer(200, short, {}))
    assert (False, []) == (walk.done, walk.gone)
    assert walk.refusal is not None


def test_ids_of_other_objects_are_left_out() -> None:
    """Small and capital letters are different ids."""
    rows = [KnownRow(ref, 1) for ref in ("00T1", "00U1", "00u1", "02s1")]
    assert ["00U1"] == [row.id for row in ours(rows, "00U")]


@given(
    st.builds(
        Cursor,
        field=st.none() | st.just("SystemModstamp"),
        at=st.none() | st.integers(1, 10**12).map(soql_instant),
        id=IDS,
        done=st.booleans(),
        absent=st.booleans(),
        since=st.integers(0, 10**15),
        covers=st.lists(IDS).map(tuple),
        without=st.lists(IDS).map(tuple),
    )
)
def test_a_cursor_survives_the_store(cursor: Cursor) -> None:
    """Text and back is the same cursor, and the same text."""
    assert cursor == load(cursor.text())
    assert cursor.text() == load(cursor.text()).text()


@pytest.mark.parametrize(("at", "kept"), [(0, "1970-01-01T00:00:00.000Z"), (90 * SECOND, "1970-01-01T00:01:30.000Z")])
def test_a_finished_cursor_never_goes_back(at: int, kept: str) -> None:
    """Old rows that were read again for safety do not move it."""
    before = Cursor(field="SystemModstamp", at=soql_instant(60 * SECOND), id="005A", done=True)
    read = Cursor(field="SystemModstamp", at=soql_instant(at), id="005B")
    after = read.finished(before, now=MINUTE * 10)
    assert max(kept, before.at or "") == after.at
