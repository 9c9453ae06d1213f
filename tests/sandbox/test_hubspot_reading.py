"""Reading from the imitation HubSpot: lists, single records, batches, links, owners, properties."""

from __future__ import annotations

import pytest

from sandbox.clock import SECOND, iso_ms
from sandbox.hubspot.state import Token
from sandbox.versions import At, Change, On
from tests.sandbox.hubspot_portal import DATED, NOW, TOKEN, Portal, ids


def test_values_are_strings_or_null(portal: Portal) -> None:
    """Numbers, flags, days and instants come as text; an asked empty property as null; an unknown one not at all."""
    fields = {"name": "Åcme", "arr": 12000.0, "auto_renews": True, "renewal_date": On(20_000), "seats": 5}
    portal.add("companies", "7", fields)
    asked = "name,arr,auto_renews,renewal_date,seats,csm,nonsense"
    record = portal.call("GET", f"{DATED}/companies/7?properties={asked}").json()
    assert record["properties"] == {
        "name": "Åcme",
        "arr": "12000",
        "auto_renews": "true",
        "renewal_date": "2024-10-04",
        "seats": "5",
        "csm": None,
        "createdate": iso_ms(NOW),
        "hs_lastmodifieddate": iso_ms(NOW),
        "hs_object_id": "7",
    }
    assert (record["createdAt"], record["archived"]) == ("2026-03-02T06:00:00.000Z", False)


def test_list_pages_by_an_opaque_cursor(portal: Portal) -> None:
    """Ten by default, at most 100, in id order; no cursor on the last page."""
    for n in (9, 100, 20, *range(1000, 1012)):
        portal.add("deals", str(n), {"dealname": f"deal {n}"})
    first = portal.call("GET", f"{DATED}/deals")
    assert ids(first) == ["9", "20", "100", *map(str, range(1000, 1007))]
    after = first.json()["paging"]["next"]["after"]
    last = portal.call("GET", f"{DATED}/deals?after={after}&limit=100")
    assert ids(last) == [str(n) for n in range(1007, 1012)]
    assert "paging" not in last.json()
    for limit in ("0", "101", "x"):
        assert portal.call("GET", f"{DATED}/deals?limit={limit}").status_code == 400


def test_archived_records_are_in_their_own_list(portal: Portal) -> None:
    """An archive leaves the modification stamp alone; the live list and search lose the record, archived=true shows it."""
    portal.add("companies", "1", {"name": "a"}, at=NOW - SECOND)
    portal.add("companies", "2", {"name": "b"}, at=NOW - SECOND)
    assert portal.call("DELETE", f"{DATED}/companies/1").status_code == 204
    assert ids(portal.call("GET", f"{DATED}/companies")) == ["2"]
    assert ids(portal.search("companies")) == ["2"]
    (gone,) = portal.call("GET", f"{DATED}/companies?archived=true").json()["results"]
    stamps = (gone["archived"], gone["archivedAt"], gone["updatedAt"])
    assert stamps == (True, iso_ms(NOW), iso_ms(NOW - SECOND))
    assert portal.call("GET", f"{DATED}/companies/1").status_code == 404
    assert portal.call("GET", f"{DATED}/companies/1?archived=true").json()["id"] == "1"


def test_types_without_archive_refuse_the_list(portal: Portal) -> None:
    """By switch an object type answers 400 to archived=true."""
    portal.state.switches.no_archive.add("calls")
    assert portal.call("GET", f"{DATED}/calls?archived=true").status_code == 400


@pytest.mark.parametrize(("kind", "is_html"), [("companies", False), ("tickets", True), ("tasks", True)])
def test_missing_record(portal: Portal, kind: str, is_html: bool) -> None:
    """GET of a missing ticket or task is an HTML page, of anything else a JSON error."""
    response = portal.call("GET", f"{DATED}/{kind}/404")
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/html") == is_html
    if not is_html:
        assert response.json()["category"] == "OBJECT_NOT_FOUND"


def test_merged_record_answers_under_the_losers_id(portal: Portal) -> None:
    """A merge may make a new record; both old ids give it, and it names them all."""
    for row_id in ("1", "2"):
        portal.add("companies", row_id, {"name": f"c{row_id}"})
    portal.add("contacts", "5", {"email": "a@b.example"})
    portal.link("companies", "2", "contacts", "5")
    body = {"primaryObjectId": "1", "objectIdToMerge": "2"}
    merged = portal.call("POST", f"{DATED}/companies/merge", body).json()["id"]
    assert merged not in ("1", "2")
    for row_id in ("1", "2"):
        found = portal.call("GET", f"{DATED}/companies/{row_id}?properties=hs_merged_object_ids,name").json()
        assert (found["id"], found["properties"]["name"]) == (merged, "c1")
        assert set(found["properties"]["hs_merged_object_ids"].split(";")) == {"1", "2"}
    linked = portal.call("GET", f"{DATED}/companies/{merged}/associations/contacts").json()["results"]
    assert [t["toObjectId"] for t in linked] == ["5"]


def test_inline_links_of_a_list(portal: Portal) -> None:
    """A labelled link shows twice; above 100 links the record has a cursor of its own."""
    portal.add("companies", "7", {"name": "Acme"})
    portal.add("deals", "8", {"dealname": "d"})
    portal.link("deals", "8", "companies", "7", "Primary")
    (deal,) = portal.call("GET", f"{DATED}/deals?associations=companies,contacts").json()["results"]
    assert deal["associations"] == {
        "companies": {
            "results": [{"id": "7", "type": "deal_to_company"}, {"id": "7", "type": "deal_to_company_unlabeled"}]
        }
    }
    for n in range(130):
        portal.add("contacts", str(1000 + n), {"email": f"{n}@x.example"})
        portal.link("companies", "7", "contacts", str(1000 + n))
    (company,) = portal.call("GET", f"{DATED}/companies?associations=contacts").json()["results"]
    inline = company["associations"]["contacts"]
    assert (len(inline["results"]), inline["paging"]["next"]["after"]) == (100, "1100")
    rest = portal.call("GET", f"{DATED}/companies/7/associations/contacts?after=1100").json()["results"]
    assert [t["toObjectId"] for t in rest] == [str(n) for n in range(1100, 1130)]


def test_batch_read_of_links_pages_per_record(portal: Portal) -> None:
    """Each record has its own cursor; records without links and unknown ones are errors of a 207."""
    portal.state.switches.association_page = 2
    for n in range(1, 6):
        portal.add("contacts", str(n), {"email": f"{n}@x.example"})
    for row_id in ("7", "8", "9"):
        portal.add("companies", row_id, {"name": row_id})
    for contact in ("1", "2", "3"):
        portal.link("companies", "7", "contacts", contact)
    portal.link("companies", "8", "contacts", "4", "Primary")
    path = "/crm/associations/2026-09/companies/contacts/batch/read"
    response = portal.call("POST", path, {"inputs": [{"id": i} for i in ("7", "8", "9", "404")]})
    body = response.json()
    assert (response.status_code, body["status"], body["numErrors"]) == (207, "COMPLETE", 2)
    by_id = {r["from"]["id"]: r for r in body["results"]}
    assert [t["toObjectId"] for t in by_id["7"]["to"]] == ["1", "2"]
    assert by_id["7"]["paging"]["next"]["after"] == "3"
    assert [t["typeId"] for t in by_id["8"]["to"][0]["associationTypes"]] == [2, 280]
    assert {e["subCategory"] for e in body["errors"]} == {"crm.associations.NO_ASSOCIATIONS_FOUND"}
    assert sorted(e["context"]["fromObjectId"][0] for e in body["errors"]) == ["404", "9"]
    rest = portal.call("POST", path, {"inputs": [{"id": "7", "after": "3"}]})
    assert rest.status_code == 200
    assert [t["toObjectId"] for t in rest.json()["results"][0]["to"]] == ["3"]
    too_many = {"inputs": [{"id": str(n)} for n in range(1001)]}
    assert portal.call("POST", path, too_many).status_code == 400


def test_links_do_not_move_the_cursor_and_hide_archived_ends(portal: Portal) -> None:
    """A new link leaves both records' stamps; an archived end is not shown."""
    portal.add("companies", "7", {"name": "a"})
    portal.add("contacts", "5", {"email": "a@b.example"})
    portal.clock.advance(SECOND)
    put = portal.call("PUT", f"{DATED}/contacts/5/associations/default/companies/7")
    assert put.status_code == 200
    assert portal.call("GET", f"{DATED}/companies/7").json()["updatedAt"] == iso_ms(NOW)
    path = "/crm/v4/objects/Contact/5/associations/Company"
    assert portal.call("GET", path).json()["results"] == [
        {"toObjectId": "7", "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None}]}
    ]
    portal.call("DELETE", f"{DATED}/companies/7")
    assert portal.call("GET", path).json()["results"] == []


def test_batch_read_names_the_missing(portal: Portal) -> None:
    """207 with the records that are there, in another order, and one error for the rest."""
    for row_id in ("1", "2"):
        portal.add("contacts", row_id, {"email": f"{row_id}@x.example"})
    body = {"inputs": [{"id": i} for i in ("1", "2", "3")], "properties": ["email"]}
    response = portal.call("POST", f"{DATED}/contacts/batch/read", body)
    assert (response.status_code, ids(response)) == (207, ["2", "1"])
    (error,) = response.json()["errors"]
    assert (error["category"], error["context"]) == ("OBJECT_NOT_FOUND", {"ids": ["3"]})
    by_email = {"inputs": [{"id": "2@x.example"}], "idProperty": "email", "properties": []}
    assert ids(portal.call("POST", f"{DATED}/contacts/batch/read", by_email)) == ["2"]
    many = {"inputs": [{"id": str(n)} for n in range(101)], "properties": []}
    assert portal.call("POST", f"{DATED}/contacts/batch/read", many).status_code == 400


def test_owners(portal: Portal) -> None:
    """Owners page; those who left are in the archived list only; an unknown e-mail finds nobody."""
    portal.state.store.apply(Change(NOW, "hubspot", "delete", "owners", "101"))
    path = "/crm/owners/2026-09"
    assert ids(portal.call("GET", path)) == ["102"]
    (left,) = portal.call("GET", f"{path}?archived=true").json()["results"]
    assert (left["id"], left["archived"], left["email"]) == ("101", True, "ana@tierd-demo.example")
    assert ids(portal.call("GET", f"{path}?email=nobody@x.example")) == []
    portal.add("owners", "103", {"email": "c@x.example"})
    page = portal.call("GET", f"{path}?limit=1")
    assert (ids(page), page.json()["paging"]["next"]["after"]) == (["102"], "103")
    assert portal.call("GET", f"{path}/102").json()["firstName"] == "Ben"
    assert portal.call("GET", f"{path}/101").status_code == 404


def test_properties_describe_enumerations_and_owners(portal: Portal) -> None:
    """A property tells its type and options; an owner property refers to owners."""
    tier = portal.call("GET", "/crm/properties/2026-09/companies/customer_tier").json()
    assert [(o["label"], o["value"]) for o in tier["options"]] == [
        ("Tier 1", "tier_1"),
        ("Tier 2", "tier_2"),
        ("Tier 3", "tier_3"),
    ]
    every = {p["name"]: p for p in portal.call("GET", "/crm/properties/2026-09/companies").json()["results"]}
    csm = every["csm"]
    assert (csm["type"], csm["referencedObjectType"], csm["externalOptions"]) == ("enumeration", "OWNER", True)
    assert every["hs_lastmodifieddate"]["modificationMetadata"]["readOnlyValue"] is True
    assert portal.call("GET", "/crm/properties/2026-09/companies/nope").status_code == 404


def test_account_details(portal: Portal) -> None:
    """The portal says its id and time zone."""
    details = portal.call("GET", "/account-info/2026-09/details").json()
    assert (details["portalId"], details["timeZone"], details["utcOffset"]) == (48_103_927, "US/Eastern", "-05:00")


@pytest.mark.parametrize("token", [None, "wrong"])
def test_token_is_needed(portal: Portal, token: str | None) -> None:
    """No token or an unknown one is a 401 with a correlation id."""
    response = portal.call("GET", f"{DATED}/companies", token=token)
    assert (response.status_code, response.json()["category"]) == (401, "INVALID_AUTHENTICATION")
    assert response.json()["correlationId"] == response.headers["X-HubSpot-Correlation-Id"]


def test_expired_token(portal: Portal) -> None:
    """An OAuth token dies on the scenario clock."""
    portal.state.tokens["short"] = Token(oauth=True, expires_at=NOW + SECOND)
    alive = portal.call("GET", f"{DATED}/companies", token="short")
    assert (alive.status_code, "X-HubSpot-RateLimit-Daily" in alive.headers) == (200, False)
    portal.clock.advance(SECOND)
    dead = portal.call("GET", f"{DATED}/companies", token="short")
    assert (dead.status_code, dead.json()["category"]) == (401, "EXPIRED_AUTHENTICATION")


def test_scopes_are_checked_per_object(portal: Portal) -> None:
    """A token without the scope of an object gets 403 for it alone, links included."""
    portal.state.tokens["few"] = Token(frozenset({"crm.objects.companies.read"}))
    assert portal.call("GET", f"{DATED}/companies", token="few").status_code == 200
    refused = portal.call("GET", f"{DATED}/tickets", token="few")
    assert (refused.status_code, refused.json()["category"]) == (403, "MISSING_SCOPES")
    assert refused.json()["errors"][0]["context"] == {"requiredGranularScopes": ["tickets"]}
    path = "/crm/associations/2026-09/companies/tickets/batch/read"
    assert portal.call("POST", path, {"inputs": [{"id": "1"}]}, token="few").status_code == 403
    assert portal.call("PATCH", f"{DATED}/companies/1", {"properties": {}}, token="few").status_code == 403
    info = portal.call("POST", "/oauth/v2/private-apps/get/access-token-info", {"tokenKey": "few"}).json()
    assert info["scopes"] == ["crm.objects.companies.read"]


@pytest.mark.parametrize(
    "path",
    ["/crm/objects/2026-01/companies", "/crm/2026-09/objects/companies", "/crm/v9/objects/companies", "/nowhere"],
)
def test_unknown_paths_are_html_404(portal: Portal, path: str) -> None:
    """Versions and paths that do not exist are refused."""
    response = portal.call("GET", path)
    assert (response.status_code, response.headers["content-type"][:9]) == (404, "text/html")


def test_old_paths_can_be_switched_off(portal: Portal) -> None:
    """After their end the undated paths are gone."""
    assert portal.call("GET", "/crm/v3/objects/companies").status_code == 200
    portal.state.switches.legacy_paths = False
    assert portal.call("GET", "/crm/v3/objects/companies").status_code == 404
    for path in ("/crm/v3/owners/", "/crm/v4/objects/companies/1/associations/deals", "/crm/v3/schemas"):
        assert portal.call("GET", path).status_code == 404
    assert portal.call("GET", "/account-info/v3/details").status_code == 404
    info = portal.call("POST", "/oauth/v2/private-apps/get/access-token-info", {"tokenKey": TOKEN})
    assert info.status_code == 200
    assert portal.call("GET", f"{DATED}/companies").status_code == 200


def test_long_address_and_unknown_type(portal: Portal) -> None:
    """8 KiB of address are the most; an object type must exist."""
    long = portal.call("GET", f"{DATED}/companies?properties={'x' * 8200}")
    assert long.status_code == 414
    assert portal.call("GET", f"{DATED}/gizmos").json()["message"] == "Unable to infer object type from: gizmos"


def test_derived_properties(portal: Portal) -> None:
    """A deal's closed flags follow its stage unless the record says otherwise; instants keep their milliseconds."""
    portal.add("deals", "1", {"dealname": "a", "dealstage": "closedlost", "closedate": At(NOW + 7_000)})
    found = portal.call("GET", f"{DATED}/deals/1?properties=hs_is_closed,hs_is_closed_won,closedate").json()[
        "properties"
    ]
    assert (found["hs_is_closed"], found["hs_is_closed_won"]) == ("true", "false")
    assert found["closedate"] == "2026-03-02T06:00:00.007Z"
