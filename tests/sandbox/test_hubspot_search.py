"""Search in the imitation HubSpot: filters, sorts, the cap, the lag, and what it gets wrong on purpose."""

from __future__ import annotations

import pytest

from sandbox.clock import DAY, MINUTE, SECOND
from tests.sandbox.hubspot_portal import NOW, Portal, ids

MODIFIED = "hs_lastmodifieddate"


def _filter(name: str, operator: str, **more: object) -> dict[str, object]:
    return {"propertyName": name, "operator": operator, **more}


def _found(portal: Portal, kind: str, *filters: dict[str, object]) -> list[str]:
    response = portal.search(kind, filterGroups=[{"filters": list(filters)}], limit=200)
    assert response.status_code == 200, response.text
    return ids(response)


@pytest.fixture
def shelf(portal: Portal) -> Portal:
    """Four companies, a second apart."""
    rows: list[dict[str, object]] = [
        {"name": "Alpha Works", "domain": "alpha.example", "arr": 10, "lifecyclestage": "customer"},
        {"name": "beta", "arr": 200.5, "lifecyclestage": "lead", "auto_renews": True},
        {"name": "Gamma", "arr": 30, "lifecyclestage": "customer", "auto_renews": False},
        {"name": "Delta Works"},
    ]
    for n, fields in enumerate(rows):
        portal.add("companies", str(n + 1), fields, at=NOW + n * SECOND)
    portal.clock.advance(MINUTE)
    return portal


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (_filter("name", "EQ", value="ALPHA WORKS"), "1"),
        (_filter("name", "NEQ", value="beta"), "134"),
        (_filter("arr", "LT", value="30"), "1"),
        (_filter("arr", "LTE", value="30"), "13"),
        (_filter("arr", "GT", value="30"), "2"),
        (_filter("arr", "GTE", value=30), "23"),
        (_filter("arr", "BETWEEN", value="10", highValue="30"), "13"),
        (_filter("name", "IN", values=["beta", "gamma"]), "23"),
        (_filter("name", "IN", values=["Beta"]), ""),
        (_filter("lifecyclestage", "NOT_IN", values=["lead"]), "13"),
        (_filter("lifecyclestage", "EQ", value="Customer"), ""),
        (_filter("auto_renews", "EQ", value="true"), "2"),
        (_filter("auto_renews", "HAS_PROPERTY"), "23"),
        (_filter("arr", "NOT_HAS_PROPERTY"), "4"),
        (_filter("name", "CONTAINS_TOKEN", value="works"), "14"),
        (_filter("name", "CONTAINS_TOKEN", value="wor*"), "14"),
        (_filter("name", "NOT_CONTAINS_TOKEN", value="works"), "23"),
        (_filter("hs_object_id", "GT", value="2"), "34"),
        (_filter(MODIFIED, "GTE", value=str((NOW + 2 * SECOND) // 1000)), "34"),
        (_filter(MODIFIED, "GT", value=str((NOW + 2 * SECOND) // 1000)), "4"),
        (_filter(MODIFIED, "LTE", value="2026-03-02T06:00:01.000Z"), "12"),
        (_filter(MODIFIED, "LT", value=str((NOW + SECOND) // 1000)), "1"),
        (
            _filter(MODIFIED, "BETWEEN", value=str((NOW + SECOND) // 1000), highValue=str((NOW + 2 * SECOND) // 1000)),
            "23",
        ),
        (_filter(MODIFIED, "EQ", value=str((NOW + SECOND) // 1000)), "2"),
    ],
)
def test_operators(shelf: Portal, spec: dict[str, object], expected: str) -> None:
    """Each operator finds what it says, by the property's type."""
    assert "".join(_found(shelf, "companies", spec)) == expected


def test_groups_are_or_filters_are_and(shelf: Portal) -> None:
    """Filters of a group must all hold, one group is enough; a bare `filters` is a group."""
    customers = _filter("lifecyclestage", "EQ", value="customer")
    big = _filter("arr", "GTE", value="20")
    assert _found(shelf, "companies", customers, big) == ["3"]
    either = shelf.search("companies", filterGroups=[{"filters": [customers]}, {"filters": [big]}])
    assert (ids(either), either.json()["total"]) == (["1", "2", "3"], 3)
    assert ids(shelf.search("companies", filters=[customers, big])) == ["3"]


@pytest.mark.parametrize(
    ("sorts", "expected"),
    [
        (["arr"], "1324"),
        (["-arr"], "2314"),
        ([{"propertyName": MODIFIED, "direction": "DESCENDING"}], "4321"),
        ([{"propertyName": "name", "direction": "ASCENDING"}], "1243"),
        ([], "1234"),
    ],
)
def test_sorts(shelf: Portal, sorts: list[object], expected: str) -> None:
    """One sort rule, as text or object; without one the order is that of creation."""
    assert "".join(ids(shelf.search("companies", sorts=sorts))) == expected


def test_text_query_and_links(shelf: Portal) -> None:
    """A query matches beginnings of words; `associations.x` filters by links."""
    assert ids(shelf.search("companies", query="wor")) == ["1", "4"]
    assert ids(shelf.search("companies", query="wor alph")) == ["1"]
    shelf.add("contacts", "5", {"email": "a@b.example"})
    shelf.link("companies", "3", "contacts", "5")
    assert _found(shelf, "companies", _filter("associations.contact", "EQ", value="5")) == ["3"]


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"limit": "x"},
        {"after": "10000"},
        {"after": "x"},
        {"sorts": ["arr", "name"]},
        {"filterGroups": [{"filters": [_filter("arr", "EQ", value="1")]}] * 6},
        {"filterGroups": [{"filters": [_filter("arr", "EQ", value="1")] * 11}]},
        {"filterGroups": [{"filters": [_filter("arr", "EQ", value="1")] * 6}] * 5},
        {"filters": [_filter("nope", "EQ", value="1")]},
        {"filters": [_filter("arr", "LIKE", value="1")]},
        {"filters": [_filter("arr", "EQ", value="ten")]},
        {"filters": [_filter("name", "IN", value="a")]},
        {"filters": [_filter("name", "EQ")]},
        {"colour": "red"},
    ],
)
def test_wrong_searches_are_refused(shelf: Portal, body: dict[str, object]) -> None:
    """Limits, unknown names, operators and values are 400."""
    response = shelf.search("companies", **body)
    assert (response.status_code, response.json()["category"]) == (400, "VALIDATION_ERROR")


def test_contacts_find_nothing_by_the_wrong_stamp(portal: Portal) -> None:
    """`hs_lastmodifieddate` is silently useless on contacts; `lastmodifieddate` works."""
    portal.add("contacts", "1", {"email": "a@b.example"})
    since = str((NOW - DAY) // 1000)
    assert _found(portal, "contacts", _filter(MODIFIED, "GTE", value=since)) == []
    assert _found(portal, "contacts", _filter("lastmodifieddate", "GTE", value=since)) == ["1"]
    assert ids(portal.search("contacts", sorts=[MODIFIED])) == ["1"]


def test_search_from_the_epoch_breaks_the_vendor(shelf: Portal) -> None:
    """GTE 0 on a stamp is a 500."""
    response = shelf.search("companies", filters=[_filter(MODIFIED, "GTE", value="0")])
    assert response.status_code == 500


def test_ten_thousand_is_the_end_of_paging(portal: Portal) -> None:
    """Pages go up to 10,000 results; `total` counts them all."""
    for n in range(10_050):
        portal.add("notes", str(n + 1), {"hs_note_body": "x"})
    page = portal.search("notes", limit=200, after="9800")
    assert (len(ids(page)), page.json()["total"]) == (200, 10_050)
    assert page.json()["paging"]["next"]["after"] == "10000"
    assert portal.search("notes", limit=200, after="10000").status_code == 400


def test_index_lag_hides_what_the_list_shows(portal: Portal) -> None:
    """With the lag on, search knows a change only later, and the record as it was until then."""
    portal.add("companies", "1", {"name": "old"}, at=NOW - DAY // 2)
    portal.change("companies", "1", at=NOW, name="new")
    portal.add("companies", "2", {"name": "born"}, at=NOW)
    portal.state.switches.search_lag = 20 * MINUTE
    since = _filter(MODIFIED, "GTE", value=str(NOW // 1000))
    assert _found(portal, "companies", since) == []
    (known,) = portal.search("companies").json()["results"]
    assert known["properties"]["name"] == "old"
    assert [
        r["properties"]["name"] for r in portal.call("GET", "/crm/objects/2026-09/companies").json()["results"]
    ] == [
        "new",
        "born",
    ]
    portal.clock.advance(20 * MINUTE)
    assert _found(portal, "companies", since) == ["1", "2"]


def test_short_pages_still_have_a_next_one(shelf: Portal) -> None:
    """A page may be shorter than asked and not be the last."""
    shelf.state.switches.search_page = 3
    first = shelf.search("companies", limit=200)
    after = first.json()["paging"]["next"]["after"]
    assert (ids(first), after) == (["1", "2", "3"], "3")
    last = shelf.search("companies", limit=200, after=after)
    assert (ids(last), "paging" in last.json()) == (["4"], False)


def test_unconfirmed_limits_are_switches(shelf: Portal) -> None:
    """Where sources disagree, the narrower limits can be switched on: groups, filters, and the length of the body."""
    shelf.state.switches.filters_per_group, shelf.state.switches.filters_in_all = 6, 18
    one = _filter("arr", "GTE", value="1")
    assert shelf.search("companies", filters=[one] * 7).status_code == 400
    assert shelf.search("companies", filterGroups=[{"filters": [one] * 5}] * 4).status_code == 400
    assert shelf.search("companies", filters=[one] * 6).status_code == 200
    wide = {"properties": [f"property_{n}" for n in range(300)]}
    assert shelf.search("companies", **wide).status_code == 200
    shelf.state.switches.search_body_limit = 3_000
    assert shelf.search("companies", **wide).status_code == 400
    assert shelf.search("companies", filters=[_filter("name", "IN", values=["a"] * 101)]).status_code == 400
