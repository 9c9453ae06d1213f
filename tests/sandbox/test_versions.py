"""The vendor database: stamps, order, waiting changes, links, merges."""

from __future__ import annotations

from sandbox.clock import HOUR, SECOND, ScenarioClock
from sandbox.versions import Change, VendorStore


def _store(now: int = 0, **options: object) -> VendorStore:
    return VendorStore("crm", ScenarioClock(now), **options)  # type: ignore[arg-type]


def _create(at: int, row_id: str, **fields: object) -> Change:
    return Change(at, "crm", "create", "thing", row_id, fields)


def test_changes_wait_for_the_clock() -> None:
    """A queued change shows once the clock has reached it, with the change's own stamp."""
    store = _store(5)
    store.load([_create(3, "a", n=1), _create(9, "b"), Change(1, "other", "create", "thing", "c")])
    store.catch_up()
    assert list(store.table("thing").rows) == ["a"]
    store.clock.advance_to(20)
    store.catch_up()
    row = store.get("thing", "b")
    assert row is not None
    assert (row.created_at, row.modified_at) == (9, 9)


def test_order_by_stamp_survives_updates() -> None:
    """by_modified() gives each row once, at its newest stamp, cut to the vendor's resolution."""
    store = _store(resolution=10)
    for n in range(200):
        store.apply(_create(n * 10 + 3, str(n)))
    store.apply(Change(5_007, "crm", "update", "thing", "7", {"x": 1}))
    ordered = [(r.modified_at, r.id) for r in store.table("thing").by_modified(since=1_950)]
    assert ordered == [(1_950, "195"), (1_960, "196"), (1_970, "197"), (1_980, "198"), (1_990, "199"), (5_000, "7")]
    assert len(list(store.table("thing").by_modified())) == 200
    store.apply(Change(6_000, "crm", "update", "thing", "8"))
    assert [r.id for r in store.table("thing").by_modified(since=2_000)] == ["7", "8"]


def test_by_id_pages_in_the_vendors_order() -> None:
    """Numeric ids sort as numbers, and a page goes on after the id before."""
    store = _store(id_order=int)
    for row_id in ("100", "9", "20"):
        store.apply(_create(1, row_id))
    assert [r.id for r in store.table("thing").by_id()] == ["9", "20", "100"]
    assert [r.id for r in store.table("thing").by_id("9")] == ["20", "100"]
    assert [r.id for r in store.table("thing").by_id("10")] == ["20", "100"]


def test_rows_are_never_changed_in_place() -> None:
    """A row once read stays as it was; the new version remembers it while it is recent."""
    store = _store(0)
    old = store.apply(_create(1 * SECOND, "a", n=1, m=1))
    new = store.apply(Change(2 * SECOND, "crm", "update", "thing", "a", {"n": 2}))
    assert old is not None
    assert new is not None
    assert (dict(old.fields), dict(new.fields)) == ({"n": 1, "m": 1}, {"n": 2, "m": 1})
    assert new.as_of(1 * SECOND) == old
    assert new.as_of(0) is None


def test_delete_moves_the_stamp_only_where_the_vendor_does() -> None:
    """Salesforce stamps a delete, HubSpot does not."""
    for moves, stamp in ((True, 9), (False, 1)):
        store = _store(delete_moves_stamp=moves)
        store.apply(_create(1, "a"))
        row = store.apply(Change(9, "crm", "delete", "thing", "a"))
        assert row is not None
        assert (row.deleted_at, row.modified_at) == (9, stamp)


def test_merge_moves_links_to_the_winner() -> None:
    """The loser is deleted and names the winner, which gets its links."""
    store = _store()
    for row_id in ("a", "b"):
        store.apply(_create(1, row_id))
    store.apply(Change(2, "crm", "associate", "thing", "a", {"label": "Primary"}, "part", "p"))
    store.apply(Change(3, "crm", "merge", "thing", "a", into="b"))
    loser, winner = store.get("thing", "a"), store.get("thing", "b")
    assert loser is not None
    assert winner is not None
    assert (loser.merged_into, loser.deleted_at, winner.modified_at) == ("b", 3, 3)
    assert store.links("thing", "b", "part") == {"p": ("Primary",)}
    assert store.links("part", "p", "thing") == {"b": ("Primary",)}


def test_late_commit_is_visible_late_with_its_old_stamp() -> None:
    """A change may become visible after its own stamp, as long transactions do."""
    store = _store(10)
    store.schedule(_create(10, "a"), commit_at=50)
    store.catch_up()
    assert store.get("thing", "a") is None
    store.clock.advance_to(50)
    store.catch_up()
    row = store.get("thing", "a")
    assert row is not None
    assert (row.modified_at, row.commit_at) == (10, 50)


def test_clock_never_runs_back_and_keeps_to_its_limit() -> None:
    """The limit cuts a move; the past is ignored; listeners hear of real moves only."""
    clock = ScenarioClock(100)
    moves: list[tuple[int, int]] = []
    clock.listen(lambda before, after: moves.append((before, after)))
    clock.set_limit(150)
    assert [clock.advance_to(90), clock.advance_to(120), clock.advance_to(900)] == [100, 120, 150]
    clock.set_limit(None)
    assert clock.advance(50) == 200
    assert moves == [(100, 120), (120, 150), (150, 200)]


def test_dropped_and_put_back_rows_show_once() -> None:
    """A row that was dropped, or set back to an older version, is listed exactly once."""
    store = _store()
    for n in range(100):
        store.apply(_create(n, str(n)))
    table = store.table("thing")
    old = table.rows["5"]
    table.drop("5")
    assert "5" not in [r.id for r in table.by_modified()]
    table.put(old)
    store.apply(Change(500, "crm", "update", "thing", "6"))
    assert [r.id for r in table.by_modified(since=99)] == ["99", "6"]
    table.put(_store().apply(_create(6, "6")) or old)
    assert [r.id for r in table.by_modified()].count("6") == 1
    assert [r.id for r in table.by_id()] == sorted(str(n) for n in range(100))


def test_old_versions_are_forgotten_after_a_day() -> None:
    """A row that changes often remembers a day of versions and the one in force before them, no more."""
    store = _store()
    store.apply(_create(0, "a", n=0))
    for hour in range(1, 100):
        store.apply(Change(hour * HOUR, "crm", "update", "thing", "a", {"n": hour}))
    row = store.get("thing", "a")
    versions: list[object] = []
    while row is not None:
        versions.append(row.fields["n"])
        row = row.previous
    assert versions == list(range(99, 74, -1))


def test_lag_shows_queued_changes_late_and_skew_moves_the_vendors_stamps() -> None:
    """A lagging store keeps the stamps of what it shows late; a skewed one stamps by its own wrong clock."""
    store = _store(0)
    store.load([_create(10, "a")])
    store.lag, store.skew = 5, 100
    for now, shown in ((10, False), (14, False), (15, True)):
        store.clock.advance_to(now)
        store.catch_up()
        assert (store.get("thing", "a") is not None) == shown
    row = store.get("thing", "a")
    assert row is not None
    assert (row.modified_at, row.commit_at) == (10, 15)
    assert store.upsert_by_api("thing", "a", {}).modified_at == 115
