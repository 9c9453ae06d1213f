"""What the imitation HubSpot says of its objects: properties, groups, custom objects, labels, pipelines."""

from __future__ import annotations

import pytest

from sandbox.hubspot.schema import Pipeline, Property, Rule, Stage
from tests.sandbox.hubspot_portal import DATED, NOW, Portal, ids

OLD = "/crm/objects/2026-03"
PROPERTIES = "/crm/properties/2026-09"
SCHEMAS = "/crm-object-schemas/2026-03/schemas"
MOOD = {
    "name": "mood",
    "label": "Mood",
    "type": "enumeration",
    "fieldType": "checkbox",
    "groupName": "health",
    "options": [{"label": "Good", "value": "good"}, {"label": "Bad", "value": "bad"}],
}


def test_property_tells_all_that_a_mapping_needs(portal: Portal) -> None:
    """Type, field, group, options, and whether it is calculated, hidden, unique or read-only."""
    every = {p["name"]: p for p in portal.call("GET", f"{PROPERTIES}/contacts").json()["results"]}
    role = every["hs_buying_role"]
    assert (role["type"], role["fieldType"], role["options"][3]["value"]) == (
        "enumeration",
        "checkbox",
        "DECISION_MAKER",
    )
    assert (every["email"]["hasUniqueValue"], every["hs_calculated_merged_vids"]["hidden"]) == (True, True)
    assert every["email"]["groupName"] == "contactinformation"
    children = portal.call("GET", f"{PROPERTIES}/companies/hs_num_child_companies").json()
    assert (children["calculated"], children["fieldType"]) == (True, "calculation_equation")
    assert children["modificationMetadata"] == {
        "archivable": False,
        "readOnlyDefinition": True,
        "readOnlyValue": True,
    }


def test_property_is_made_changed_and_archived(portal: Portal) -> None:
    """A custom property takes several options, another label, and leaves records, lists and searches when archived."""
    portal.add("companies", "1", {"name": "a"})
    assert portal.call("POST", f"{PROPERTIES}/companies", MOOD).status_code == 201
    groups = portal.call("GET", f"{PROPERTIES}/companies/groups").json()["results"]
    assert [g["name"] for g in groups] == ["companyinformation", "health"]
    both = portal.call("PATCH", f"{OLD}/companies/1", {"properties": {"mood": "good;bad"}})
    assert both.json()["properties"]["mood"] == "good;bad"
    changed = portal.call("PATCH", f"{PROPERTIES}/companies/mood", {"label": "Temper"}).json()
    assert (changed["label"], len(changed["options"])) == ("Temper", 2)
    assert portal.call("DELETE", f"{PROPERTIES}/companies/mood").status_code == 204
    assert portal.call("GET", f"{PROPERTIES}/companies/mood").status_code == 404
    archived = portal.call("GET", f"{PROPERTIES}/companies?archived=true").json()["results"]
    assert [p["name"] for p in archived] == ["mood"]
    assert "mood" not in portal.call("GET", f"{OLD}/companies/1?properties=mood").json()["properties"]
    sought = {"propertyName": "mood", "operator": "HAS_PROPERTY"}
    assert portal.search("companies", filters=[sought]).status_code == 400
    written = portal.call("PATCH", f"{OLD}/companies/1", {"properties": {"mood": "good"}})
    assert "PROPERTY_DOESNT_EXIST" in written.json()["message"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "bool"},
        {"type": "colour"},
        {"fieldType": "text"},
        {"options": []},
        {"options": [{"label": "Good", "value": " good"}]},
        {"options": ["good"]},
        {"groupName": ""},
        {"name": ""},
    ],
)
def test_wrong_properties_are_refused(portal: Portal, wrong: dict[str, object]) -> None:
    """Types and fields must go together, and options must be whole and without stray white space."""
    assert portal.call("POST", f"{PROPERTIES}/companies", MOOD | wrong).status_code == 400


def test_standard_properties_cannot_be_changed(portal: Portal) -> None:
    """What HubSpot defines stays."""
    assert portal.call("DELETE", f"{PROPERTIES}/companies/name").status_code == 400
    assert portal.call("PATCH", f"{PROPERTIES}/companies/name", {"label": "x"}).status_code == 400


def _subscription() -> dict[str, object]:
    return {
        "name": "subscription",
        "labels": {"singular": "Subscription", "plural": "Subscriptions"},
        "requiredProperties": ["plan"],
        "searchableProperties": ["plan"],
        "associatedObjects": ["COMPANY"],
        "properties": [
            {"name": "plan", "label": "Plan", "type": "string", "fieldType": "text"},
            {"name": "mrr", "label": "MRR", "type": "number", "fieldType": "number"},
        ],
    }


def test_custom_object_is_made_and_read_like_any_other(portal: Portal) -> None:
    """It is listed with its properties and links, and has lists, search, batches, histories and associations."""
    made = portal.call("POST", SCHEMAS, _subscription())
    assert made.status_code == 201
    schema = made.json()
    full, type_id = schema["fullyQualifiedName"], schema["objectTypeId"]
    assert (full, schema["metaType"], schema["requiredProperties"]) == (
        f"p{portal.state.portal_id}_subscription",
        "PORTAL_SPECIFIC",
        ["plan"],
    )
    listed = portal.call("GET", SCHEMAS).json()["results"]
    assert [(s["name"], {p["name"] for p in s["properties"]} >= {"plan", "mrr"}) for s in listed] == [
        ("subscription", True)
    ]
    assert portal.call("POST", SCHEMAS, _subscription()).status_code == 409
    portal.add("companies", "7", {"name": "a"})
    refused = portal.call("POST", f"{OLD}/{full}", {"properties": {"mrr": "5"}})
    assert "Some required properties were not set" in refused.json()["message"]
    record = portal.call("POST", f"{OLD}/{type_id}", {"properties": {"plan": "gold", "mrr": "5"}}).json()
    put = f"{OLD}/{full}/{record['id']}/associations/default/companies/7"
    assert portal.call("PUT", put).status_code == 200
    for word in (full, full.upper(), type_id, "subscription"):
        (found,) = portal.call("GET", f"{OLD}/{word}?properties=plan,mrr&associations=companies").json()["results"]
        assert (found["properties"]["mrr"], found["associations"]["companies"]["results"][0]["id"]) == ("5", "7")
        sought = {"propertyName": "mrr", "operator": "GTE", "value": "5"}
        assert ids(portal.search(word, filters=[sought])) == [record["id"]]
    path = f"/crm/associations/2026-09/companies/{full}/batch/read"
    (link,) = portal.call("POST", path, {"inputs": [{"id": "7"}]}).json()["results"]
    assert (link["to"][0]["toObjectId"], link["to"][0]["associationTypes"][0]["category"]) == (
        record["id"],
        "USER_DEFINED",
    )


def test_custom_object_by_hand(portal: Portal) -> None:
    """Tests put a custom object in without the API; its scopes are its own."""
    kind = portal.add_type("seat", Property("email", "string", custom=True))
    portal.add(kind.name, "1", {"email": "a@b.example"})
    portal.change(kind.name, "1", at=NOW + 1_000_000, email="c@d.example")
    history = portal.call("GET", f"{DATED}/seat/1?propertiesWithHistory=email").json()["propertiesWithHistory"]
    assert [v["value"] for v in history["email"]] == ["c@d.example", "a@b.example"]
    portal.scopes("crm.objects.custom.read")
    refused = portal.call("GET", f"{DATED}/{kind.type_id}")
    assert refused.json()["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.custom.read"]


def test_schema_of_a_standard_object_names_what_is_required(portal: Portal) -> None:
    """Any object type can be asked for; the administrator's required properties are among its own."""
    portal.require("companies", "industry")
    for path in (f"{SCHEMAS}/companies", "/crm/v3/schemas/COMPANY", f"{SCHEMAS}/0-2"):
        body = portal.call("GET", path).json()
        assert (body["objectTypeId"], body["requiredProperties"]) == ("0-2", ["name", "industry"])
    assert portal.call("GET", f"{SCHEMAS}/nope").status_code == 404


def test_administrators_rules_hold_from_2026_09(portal: Portal) -> None:
    """A required property and one that another's value asks for are refused on 2026-09 by name, not before."""
    portal.add("companies", "1", {"name": "a", "lifecyclestage": "customer"})
    portal.require("companies", "industry")
    portal.require_if("companies", "lifecyclestage", "customer", "renewal_date")
    tier = {"properties": {"customer_tier": "tier_1"}}
    assert portal.call("PATCH", f"{OLD}/companies/1", tier).status_code == 200
    refused = portal.call("PATCH", f"{DATED}/companies/1", tier)
    assert (refused.status_code, refused.json()["message"]) == (400, "The property values provided are invalid")
    assert refused.json()["errors"] == [
        {
            "code": "MISSING_REQUIRED_PROPERTY",
            "message": "A value for industry must be provided",
            "context": {"propertyName": ["industry"]},
        },
        {
            "code": "MISSING_CONDITIONAL_REQUIRED_PROPERTY",
            "message": "renewal_date is required because of a conditional property rule based on [lifecyclestage]",
            "context": {"propertyName": ["renewal_date"]},
        },
    ]
    portal.state.switches.batch_errors = "partial"
    batch = {"inputs": [{"id": "1", "objectWriteTraceId": "t1", **tier}]}
    (error,) = portal.call("POST", f"{DATED}/companies/batch/update", batch).json()["errors"]
    assert (error["context"]["objectWriteTraceId"], error["errors"][0]["code"]) == (
        ["t1"],
        "MISSING_REQUIRED_PROPERTY",
    )
    portal.change("companies", "1", industry="x")
    conditional = portal.call("PATCH", f"{DATED}/companies/1", tier)
    assert [e["code"] for e in conditional.json()["errors"]] == ["MISSING_CONDITIONAL_REQUIRED_PROPERTY"]
    full = {"properties": {"industry": "x", "renewal_date": "2026-09-30", "customer_tier": "tier_1"}}
    assert portal.call("PATCH", f"{DATED}/companies/1", full).status_code == 200
    assert portal.call("PATCH", f"{DATED}/companies/1", tier).status_code == 200


def test_property_rules_hold_in_every_version(portal: Portal) -> None:
    """A value against a property's rule is refused with the rule's own code and words."""
    rule = Rule("INVALID_ALPHA", "Enter only letters", r"[^\W\d_]+")
    portal.add_property("companies", Property("city", "string", rule=rule))
    portal.add("companies", "1", {"name": "a"})
    refused = portal.call("PATCH", f"{OLD}/companies/1", {"properties": {"city": "Area 51"}})
    assert '"error":"INVALID_ALPHA","name":"city"' in refused.json()["message"]
    assert portal.call("PATCH", f"{OLD}/companies/1", {"properties": {"city": "Genève"}}).status_code == 200


def test_dates_are_normalized_from_2026_09_with_a_warning(portal: Portal) -> None:
    """A date that is not at midnight is refused before, and taken with a warning from 2026-09 on."""
    portal.add("companies", "1", {"name": "a"})
    for raw in ("1772431200000", "2026-03-02T06:00:00Z", "1772431200"):
        body = {"properties": {"renewal_date": raw}}
        assert portal.call("PATCH", f"{OLD}/companies/1", body).status_code == 400
        taken = portal.call("PATCH", f"{DATED}/companies/1", body).json()
        assert taken["properties"]["renewal_date"] == "2026-03-02"
        (warning,) = taken["warnings"]
        assert warning["category"] == "PROPERTY_VALUE_NORMALIZED"
        assert warning["context"] == {
            "normalizedValue": "1772409600000",
            "propertyName": "renewal_date",
            "rawValue": raw,
        }
    plain = portal.call("PATCH", f"{DATED}/companies/1", {"properties": {"renewal_date": "2026-03-02"}})
    assert "warnings" not in plain.json()


@pytest.mark.parametrize(("status", "category"), [(423, "LOCKED"), (477, "MIGRATION_IN_PROGRESS")])
def test_locked_record_can_be_written_later(portal: Portal, status: int, category: str) -> None:
    """By switch a record refuses some writes, alone or in a batch, and takes the next."""
    portal.state.switches.locked_status = status
    for row_id in ("1", "2"):
        portal.add("companies", row_id, {"name": "a"})
    portal.state.switches.locked = {"1": 2}
    tier = {"properties": {"customer_tier": "tier_1"}}
    refused = portal.call("PATCH", f"{OLD}/companies/1", tier)
    assert (refused.status_code, refused.json()["category"]) == (status, category)
    portal.state.switches.batch_errors = "partial"
    body = {"inputs": [{"id": i, **tier} for i in ("1", "2")]}
    batch = portal.call("POST", f"{OLD}/companies/batch/update", body)
    assert (batch.status_code, ids(batch), batch.json()["errors"][0]["context"]["ids"]) == (207, ["2"], ["1"])
    assert portal.call("PATCH", f"{OLD}/companies/1", tier).status_code == 200


def test_labels_are_listed_and_made(portal: Portal) -> None:
    """A pair's kinds of link have ids and labels; a label of the portal's own can be made and used."""
    path = "/crm/associations/2026-09/contacts/companies/labels"
    assert [(t["typeId"], t["label"]) for t in portal.call("GET", path).json()["results"]] == [
        (1, "Primary"),
        (279, None),
    ]
    made = portal.call("POST", path, {"label": "Billing contact", "name": "billing_contact"}).json()["results"]
    assert [t["category"] for t in made] == ["USER_DEFINED", "USER_DEFINED"]
    portal.add("companies", "7", {"name": "a"})
    portal.add("contacts", "5", {"email": "a@b.example"})
    portal.link("contacts", "5", "companies", "7", "Billing contact")
    (link,) = portal.call("GET", f"{DATED}/companies/7/associations/contacts").json()["results"]
    assert [(t["typeId"], t["label"]) for t in link["associationTypes"]] == [
        (280, None),
        (made[1]["typeId"], "Billing contact"),
    ]
    assert portal.call("POST", path, {"label": "Billing contact", "name": "again"}).status_code == 400


def test_pipelines_tell_which_stages_are_closed(portal: Portal) -> None:
    """A pipeline added at run time counts like the default one for a deal's closed flags."""
    path = "/crm/pipelines/2026-09/deals"
    (default,) = portal.call("GET", path).json()["results"]
    won = next(s for s in default["stages"] if s["id"] == "closedwon")
    assert won["metadata"] == {"isClosed": "true", "probability": "1.0"}
    stages = (
        Stage("r1", "Open", {"isClosed": "false"}),
        Stage("r2", "Won", {"isClosed": "true", "probability": "1.0"}),
    )
    portal.state.schema.add_pipeline("deals", Pipeline("renewals", "Renewals", stages))
    assert [s["label"] for s in portal.call("GET", f"{path}/renewals/stages").json()["results"]] == ["Open", "Won"]
    assert portal.call("GET", f"{path}/nope").status_code == 404
    body = {"properties": {"dealname": "d", "pipeline": "renewals", "dealstage": "r2"}}
    deal = portal.call("POST", f"{OLD}/deals", body).json()
    flags = portal.call("GET", f"{OLD}/deals/{deal['id']}?properties=hs_is_closed,hs_is_closed_won").json()
    assert (flags["properties"]["hs_is_closed"], flags["properties"]["hs_is_closed_won"]) == ("true", "true")
    assert portal.call("GET", "/crm/pipelines/2026-09/tickets/0").json()["stages"][3]["metadata"]["isClosed"] == "true"
