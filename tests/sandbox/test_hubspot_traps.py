"""What the imitation HubSpot's search and lists do to those who read by the book: every trap that the switches set."""

from __future__ import annotations

import pytest
import requests

from sandbox.clock import DAY, MINUTE, SECOND
from sandbox.versions import Row
from tests.sandbox.hubspot_portal import DATED, NOW, Portal, ids

MODIFIED = "hs_lastmodifieddate"
MS = 1_000


def _since(stamp: int, name: str = MODIFIED, operator: str = "GTE") -> dict[str, object]:
    return {"propertyName": name, "operator": operator, "value": str(stamp // MS)}


def _after(row_id: int) -> dict[str, object]:
    return {"propertyName": "hs_object_id", "operator": "GT", "value": str(row_id)}


def _every(portal: Portal, **body: object) -> tuple[list[str], list[int], int]:
    """(ids, rows per page, total) of a search, page by page."""
    found: list[str] = []
    sizes: list[int] = []
    after: str | None = "0"
    while after is not None:
        page = portal.search("companies", limit=200, after=after, **body)
        assert page.status_code == 200, page.text
        found += ids(page)
        sizes.append(len(ids(page)))
        after = page.json().get("paging", {}).get("next", {}).get("after")
    return found, sizes, page.json()["total"]


@pytest.fixture
def many(portal: Portal) -> Portal:
    """A thousand companies, a millisecond apart."""
    portal.fill("companies", 1_000, {"name": "c{n}", "arr": 5}, at=NOW)
    portal.clock.advance(MINUTE)
    return portal


@pytest.mark.parametrize("sort", [MODIFIED, "hs_object_id", "name"])
@pytest.mark.parametrize("body", [{}, {"filters": [_since(NOW)]}, {"filters": [_since(NOW), _after(0)]}])
def test_bare_and_short_pages_lose_nothing(many: Portal, sort: str, body: dict[str, object]) -> None:
    """Pages of 200, 0, 37 and 200 rows, all but the last with a cursor, hold every row once."""
    many.state.switches.search_pages = [200, 0, 37]
    found, sizes, total = _every(many, sorts=[sort], **body)
    assert (sizes, total) == ([200, 0, 37, 200, 200, 200, 163], 1_000)
    assert sorted(map(int, found)) == list(range(1, 1_001))


def test_rows_outside_the_window_come_with_the_first_page(many: Portal) -> None:
    """Three rows that were not asked for are on the first page; those that were all come, and `total` counts them."""
    many.state.switches.search_strays = 3
    found, sizes, total = _every(many, filters=[_since(NOW + 500 * MS)], sorts=[MODIFIED])
    assert (sizes, total) == ([200, 200, 103], 500)
    assert sorted(set(map(int, found)) - set(range(501, 1_001))) == [1, 2, 3]
    assert set(range(501, 1_001)) <= set(map(int, found))


def test_one_change_may_reach_the_index_later_than_the_next(many: Portal) -> None:
    """A record is in the list at once and in search 20 minutes later, while a later change is found at once."""
    at = many.clock.now()
    many.change("companies", "7", at, search_after=20 * MINUTE, name="late")
    many.add("companies", "2000", {"name": "born late"}, at + 1 * MS, search_after=20 * MINUTE)
    many.change("companies", "8", at + 2 * MS, name="prompt")
    window = [_since(at)]
    assert _every(many, filters=window, sorts=[MODIFIED]) == (["8"], [1], 1)
    known = many.search("companies", filters=[{"propertyName": "hs_object_id", "operator": "EQ", "value": "7"}])
    assert known.json()["results"][0]["properties"]["name"] == "c7"
    assert many.call("GET", f"{DATED}/companies/7").json()["properties"]["name"] == "late"
    assert many.call("GET", f"{DATED}/companies?limit=1&after=2000").json()["results"][0]["id"] == "2000"
    assert _every(many, sorts=["hs_object_id"])[2] == 1_000
    many.clock.advance(20 * MINUTE)
    assert _every(many, filters=window, sorts=[MODIFIED]) == (["7", "2000", "8"], [3], 3)
    assert _every(many, sorts=["hs_object_id"])[2] == 1_001


def test_total_still_counts_what_was_just_archived(many: Portal) -> None:
    """With an index that lags, `total` is above the rows that any page gives (recorded); a bare page has no cursor."""
    many.state.switches.search_lag = 5 * MINUTE
    many.clock.advance(5 * MINUTE)
    for row_id in ("1", "2"):
        many.archive("companies", row_id)
    found, _, total = _every(many, filters=[_since(NOW)], sorts=[MODIFIED])
    assert (len(found), total) == (998, 1_000)
    many.clock.advance(5 * MINUTE)
    assert _every(many, filters=[_since(NOW)], sorts=[MODIFIED])[2] == 998


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize(
    "body",
    [
        {"filters": [_since(NOW + 300 * MS)], "sorts": [MODIFIED]},
        {"filters": [_since(NOW + 300 * MS)], "sorts": [{"propertyName": MODIFIED, "direction": "DESCENDING"}]},
        {"filters": [_since(NOW + 300 * MS), _after(900)], "sorts": [MODIFIED]},
        {"filters": [_since(NOW + 300 * MS), _after(900)], "sorts": ["hs_object_id"]},
        {"filters": [_since(NOW + 3 * MS), _after(600)], "sorts": ["hs_object_id"]},
        {"filters": [_since(NOW + 900 * MS, operator="LT"), _after(300)]},
        {"filters": [_since(NOW + 5 * MS, operator="EQ"), _after(4)], "sorts": ["hs_object_id"]},
        {"filters": [_after(990)]},
        {"filters": [_since(NOW), {"propertyName": "name", "operator": "CONTAINS_TOKEN", "value": "c99*"}]},
        {
            "filterGroups": [
                {"filters": [_since(NOW + 700 * MS, operator="EQ"), _after(0)]},
                {"filters": [_since(NOW + 700 * MS, operator="GT")]},
            ],
            "sorts": [MODIFIED],
        },
        {
            "filterGroups": [
                {"filters": [_since(NOW + 100 * MS, operator="LT")]},
                {"filters": [_since(NOW + 50 * MS), _after(995)]},
            ]
        },
    ],
)
def test_index_finds_what_a_plain_reading_finds(many: Portal, body: dict[str, object], behind: bool) -> None:
    """Whichever index answers, rows, order and total are those of a search that looks at every record."""
    if behind:
        at = many.clock.now()
        for row_id in ("2", "400", "999"):
            many.change("companies", row_id, at, search_after=MINUTE, arr=6)
        many.add("companies", "1500", {"name": "c1500"}, at, search_after=MINUTE)
    # A word that every name begins with makes the search read every row.
    slow = _every(many, query="c", **body)
    assert _every(many, **body) == slow
    assert slow[2] == len(slow[0])


def test_archived_list_purge_and_restore(portal: Portal) -> None:
    """Archived records are in their own list, purged ones in none, and a restored one is live, with or without a stamp."""
    for row_id in ("1", "2", "3", "4"):
        portal.add("companies", row_id, {"name": row_id}, at=NOW - DAY)
    for row_id in ("1", "2", "3"):
        portal.archive("companies", row_id)
    portal.purge("companies", "1")
    portal.restore("companies", "2")
    portal.state.switches.restore_moves_stamp = False
    portal.restore("companies", "3")
    portal.archive("companies", "4")
    assert ids(portal.call("GET", f"{DATED}/companies")) == ["2", "3"]
    assert ids(portal.call("GET", f"{DATED}/companies?archived=true")) == ["4"]
    assert ids(portal.search("companies", filters=[_since(NOW)])) == ["2"]
    assert portal.call("GET", f"{DATED}/companies/1?archived=true").status_code == 404
    both = {"inputs": [{"id": "2"}, {"id": "4"}], "properties": []}
    assert ids(portal.call("POST", f"{DATED}/companies/batch/read?archived=true", both)) == ["4"]


def test_archived_records_are_forgotten_after_their_time(portal: Portal) -> None:
    """With retention on, what was archived 90 days ago is gone from both lists."""
    portal.state.switches.retention_days = 90
    portal.add("companies", "1", {"name": "a"})
    portal.archive("companies", "1")
    portal.clock.advance(90 * DAY - SECOND)
    assert ids(portal.call("GET", f"{DATED}/companies?archived=true")) == ["1"]
    portal.clock.advance(SECOND)
    assert ids(portal.call("GET", f"{DATED}/companies?archived=true")) == []


@pytest.fixture
def merged(portal: Portal) -> tuple[Portal, str, str]:
    """Contacts 1 and 2 merged into a new one, and that with 3 into another new one."""
    for row_id in ("1", "2", "3"):
        portal.add("contacts", row_id, {"email": f"{row_id}@x.example", "jobtitle": f"t{row_id}"})
    portal.add("companies", "7", {"name": "a"})
    portal.link("contacts", "3", "companies", "7", "Primary")
    first = portal.merge("contacts", "1", "2")
    portal.clock.advance(DAY)
    return portal, first, portal.merge("contacts", first, "3")


def test_chained_merges_name_all_ids_in_one_property_only(merged: tuple[Portal, str, str]) -> None:
    """`hs_merged_object_ids` is complete, `hs_calculated_merged_vids` misses what was merged before."""
    portal, first, last = merged
    asked = "hs_merged_object_ids,hs_calculated_merged_vids,jobtitle"
    for row_id in ("1", "2", "3", first, last):
        body = portal.call("GET", f"{DATED}/contacts/{row_id}?properties={asked}&associations=companies").json()
        assert (body["id"], body["properties"]["jobtitle"]) == (last, "t1")
        assert set(body["properties"]["hs_merged_object_ids"].split(";")) == {"1", "2", "3", first}
        vids = {part.partition(":")[0] for part in body["properties"]["hs_calculated_merged_vids"].split(";")}
        assert vids == {first, "3"}
        assert body["associations"]["companies"]["results"][0]["id"] == "7"


def test_batch_read_of_losers_gives_the_winner_once(merged: tuple[Portal, str, str]) -> None:
    """Ids of merged records are found, under the survivor's id."""
    portal, _, last = merged
    inputs = {"inputs": [{"id": i} for i in ("1", "2", "3")], "properties": []}
    answer = portal.call("POST", f"{DATED}/contacts/batch/read", inputs)
    assert (answer.status_code, ids(answer)) == (200, [last])


def test_losers_may_be_missing_from_the_archived_list(merged: tuple[Portal, str, str]) -> None:
    """By switch the archived list shows what was merged away, or not."""
    portal, first, _ = merged
    path = f"{DATED}/contacts?archived=true"
    assert ids(portal.call("GET", path)) == ["1", "2", "3", first]
    portal.state.switches.merged_in_archive = False
    assert ids(portal.call("GET", path)) == []


def test_merge_may_keep_the_primary_id(portal: Portal) -> None:
    """By switch the primary record survives, with what it lacked from the other."""
    portal.state.switches.merge_mints_id = False
    portal.add("companies", "1", {"name": "a"})
    portal.add("companies", "2", {"name": "b", "arr": 7})
    assert portal.merge("companies", "1", "2") == "1"
    body = portal.call("GET", f"{DATED}/companies/2?properties=name,arr,hs_merged_object_ids").json()
    assert (body["id"], body["properties"]["name"], body["properties"]["arr"]) == ("1", "a", "7")
    assert body["properties"]["hs_merged_object_ids"] == "2"
    assert ids(portal.call("GET", f"{DATED}/companies")) == ["1"]


def test_histories_come_with_records_by_list_id_and_batch(portal: Portal) -> None:
    """Versions are newest first with their time and source; a value that never changed is its own history."""
    portal.add("companies", "1", {"name": "a", "arr": 10}, at=NOW - 2 * DAY)
    portal.change("companies", "1", at=NOW - DAY, arr=20)
    portal.call("PATCH", f"{DATED}/companies/1", {"properties": {"arr": "30"}})
    asked = "propertiesWithHistory=arr,name"
    single = portal.call("GET", f"{DATED}/companies/1?{asked}").json()
    (listed,) = portal.call("GET", f"{DATED}/companies?{asked}").json()["results"]
    body = {"inputs": [{"id": "1"}], "properties": [], "propertiesWithHistory": ["arr", "name"]}
    (batched,) = portal.call("POST", f"{DATED}/companies/batch/read", body).json()["results"]
    assert single["propertiesWithHistory"] == listed["propertiesWithHistory"] == batched["propertiesWithHistory"]
    arr = single["propertiesWithHistory"]["arr"]
    assert [(v["value"], v["timestamp"][:10]) for v in arr] == [
        ("30", "2026-03-02"),
        ("20", "2026-03-01"),
        ("10", "2026-02-28"),
    ]
    assert (arr[0]["sourceType"], arr[0]["sourceId"]) == ("INTEGRATION", "2506672")
    assert [v["value"] for v in single["propertiesWithHistory"]["name"]] == ["a"]
    portal.state.switches.history_versions = 2
    assert len(portal.call("GET", f"{DATED}/companies/1?{asked}").json()["propertiesWithHistory"]["arr"]) == 2


def test_history_by_hand(portal: Portal) -> None:
    """A property can be given a past, written by a person."""
    portal.add("companies", "1", {"name": "a", "customer_tier": "tier_1"})
    portal.past("companies", "1", "customer_tier", (NOW - DAY, "tier_3"), (NOW, "tier_1"))
    record = portal.call("GET", f"{DATED}/companies/1?propertiesWithHistory=customer_tier").json()
    assert record["propertiesWithHistory"]["customer_tier"][1] == {
        "value": "tier_3",
        "timestamp": "2026-03-01T06:00:00.000Z",
        "sourceType": "CRM_UI",
        "sourceId": "userId:9000101",
        "updatedByUserId": 9_000_101,
    }


def test_fifty_records_at_most_come_with_histories(portal: Portal) -> None:
    """A batch of 51 with histories is refused in the vendor's words, and so is a longer list page."""
    inputs = [{"id": str(n)} for n in range(51)]
    body = {"inputs": inputs, "properties": [], "propertiesWithHistory": ["arr"]}
    refused = portal.call("POST", f"{DATED}/companies/batch/read", body)
    assert refused.status_code == 400
    assert "property histories is 50" in refused.json()["message"]
    assert portal.call("GET", f"{DATED}/companies?limit=51&propertiesWithHistory=arr").status_code == 400


def _batch(portal: Portal, *row_ids: str) -> requests.Response:
    body = {"inputs": [{"id": i} for i in row_ids], "properties": ["name"]}
    return portal.call("POST", f"{DATED}/companies/batch/read", body)


def test_batch_reads_may_stumble_over_records_that_are_there(portal: Portal) -> None:
    """A 207 tells records that are gone from those that only failed this time, in reads of records and of links."""
    for row_id in ("1", "2", "3"):
        portal.add("companies", row_id, {"name": row_id})
    portal.state.switches.batch_retryable = {"2": 1}
    answer = _batch(portal, "1", "2", "3", "404")
    assert (answer.status_code, sorted(ids(answer)), answer.json()["numErrors"]) == (207, ["1", "3"], 2)
    assert {e["category"]: e["context"]["ids"] for e in answer.json()["errors"]} == {
        "INTERNAL_ERROR": ["2"],
        "OBJECT_NOT_FOUND": ["404"],
    }
    assert sorted(ids(_batch(portal, "1", "2", "3"))) == ["1", "2", "3"]
    portal.add("contacts", "5", {"email": "a@b.example"})
    portal.link("companies", "3", "contacts", "5")
    portal.state.switches.batch_retryable = {"3": 1}
    path = "/crm/associations/2026-09/companies/contacts/batch/read"
    failed = portal.call("POST", path, {"inputs": [{"id": "3"}]})
    assert (failed.status_code, failed.json()["errors"][0]["category"]) == (207, "INTERNAL_ERROR")
    assert portal.call("POST", path, {"inputs": [{"id": "3"}]}).json()["results"][0]["to"][0]["toObjectId"] == "5"


def test_type_names_in_every_form(portal: Portal) -> None:
    """Plural, singular, capitals and type ids name the same object."""
    portal.add("companies", "7", {"name": "a"})
    for word in ("companies", "company", "COMPANY", "Company", "0-2"):
        assert ids(portal.call("GET", f"{DATED}/{word}")) == ["7"]


def test_parents_and_buying_roles(portal: Portal) -> None:
    """A company's parent is a labelled link and a property; a contact holds several buying roles."""
    portal.add("companies", "1", {"name": "child"})
    portal.add("companies", "2", {"name": "parent"})
    portal.parent("1", "2")
    (up,) = portal.call("GET", f"{DATED}/companies/1/associations/companies").json()["results"]
    (down,) = portal.call("GET", f"{DATED}/companies/2/associations/companies").json()["results"]
    assert [(t["typeId"], t["label"]) for t in up["associationTypes"]] == [(14, "Parent Company"), (450, None)]
    assert [t["typeId"] for t in down["associationTypes"]] == [13, 450]
    child = portal.call("GET", f"{DATED}/companies/1?properties=hs_parent_company_id").json()
    assert child["properties"]["hs_parent_company_id"] == "2"
    portal.add("contacts", "5", {"email": "a@b.example"})
    path = f"{DATED}/contacts/5"
    roles = {"properties": {"hs_buying_role": "CHAMPION;DECISION_MAKER"}}
    assert portal.call("PATCH", path, roles).json()["properties"]["hs_buying_role"] == "CHAMPION;DECISION_MAKER"
    assert portal.call("PATCH", path, {"properties": {"hs_buying_role": "CHAMPION;KING"}}).status_code == 400


class Counted(dict[str, Row]):
    """A table's rows, counting how often one is read."""

    reads = 0

    def __getitem__(self, row_id: str) -> Row:
        self.reads += 1
        return super().__getitem__(row_id)


def test_pages_of_a_large_table_read_what_they_give(portal: Portal) -> None:
    """Lists and searches by stamp, by id, by both and with two groups read a few rows more than a page, not the table."""
    size = 30_000
    portal.fill("contacts", size, {"email": "{n}@x.example"}, at=NOW - DAY)
    table = portal.state.store.table("contacts")
    table.rows = counted = Counted(table.rows)
    name = "lastmodifieddate"
    middle = NOW - DAY + size // 2 * MS
    bodies: list[dict[str, object]] = [
        {"filters": [_since(NOW - DAY, name)], "sorts": [name]},
        {"filters": [_since(NOW - DAY, name)], "sorts": [{"propertyName": name, "direction": "DESCENDING"}]},
        {"filters": [_since(NOW - DAY, name), _after(size // 2)], "sorts": ["hs_object_id"]},
        {"filters": [_since(middle, name), _since(middle + 500 * MS, name, "LT")], "sorts": [name]},
        {"filters": [_after(size // 2)], "sorts": ["hs_object_id"]},
        {
            "filterGroups": [
                {"filters": [_since(middle, name, "EQ"), _after(5)]},
                {"filters": [_since(middle, name, "GT")]},
            ],
            "sorts": [name],
        },
    ]
    for body in bodies:
        for after in ("0", "200"):
            counted.reads = 0
            answer = portal.search("contacts", limit=200, after=after, **body)
            assert (len(ids(answer)), answer.json()["total"] >= 400) == (200, True)
            assert counted.reads <= 1_000, (body, after)
    for first in range(1, size, size // 5):
        counted.reads = 0
        assert len(ids(portal.call("GET", f"{DATED}/contacts?limit=100&after={first}"))) == 100
        assert counted.reads <= 200
