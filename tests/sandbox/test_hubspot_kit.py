"""HubSpot's own Python kit drives the imitation: typed calls on v3 and v4, plain calls on the dated paths."""

from __future__ import annotations

from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm.associations.v4 import BatchInputPublicFetchAssociationsBatchRequest
from hubspot.crm.companies import (
    BatchInputSimplePublicObjectBatchInput,
    BatchInputSimplePublicObjectBatchInputUpsert,
    BatchReadInputSimplePublicObjectId,
    PublicObjectSearchRequest,
    SimplePublicObjectInputForCreate,
)
from hubspot.crm.companies.exceptions import ApiException
from hubspot.crm.schemas import ObjectSchemaEgg, ObjectTypePropertyCreate
from hubspot.oauth.exceptions import ApiException as OAuthException
from urllib3 import Retry

from sandbox.faults import Fault
from tests.sandbox.hubspot_portal import TOKEN, Portal


@pytest.fixture
def kit(portal: Portal) -> Any:
    """The kit as a connector uses it: its own retries off."""
    return HubSpot(access_token=TOKEN, host=portal.served.url, retry=Retry(total=0))


def test_typed_objects(kit: Any) -> None:
    """Create, read, search, batch update, list and archive by the kit's own classes."""
    companies = kit.crm.companies
    made = companies.basic_api.create(SimplePublicObjectInputForCreate(properties={"name": "Acme", "arr": "100"}))
    read = companies.basic_api.get_by_id(made.id, properties=["name", "arr"], associations=["contacts"])
    assert (read.properties["name"], read.properties["arr"]) == ("Acme", "100")
    found = companies.search_api.do_search(
        PublicObjectSearchRequest(
            filter_groups=[{"filters": [{"propertyName": "arr", "operator": "GTE", "value": "50"}]}],
            properties=["arr"],
            limit=200,
        )
    )
    assert (found.total, found.results[0].id) == (1, made.id)
    inputs = [{"id": made.id, "properties": {"customer_tier": "tier_1"}}, {"id": "404", "properties": {}}]
    answer = companies.batch_api.update(BatchInputSimplePublicObjectBatchInput(inputs=inputs))
    assert (answer.num_errors, [r.id for r in answer.results]) == (1, [made.id])
    companies.basic_api.archive(made.id)
    assert companies.get_all() == []
    assert [r.id for r in companies.basic_api.get_page(archived=True).results] == [made.id]


def test_typed_upserts_and_tokens(portal: Portal, kit: Any) -> None:
    """The kit parses an upsert's results with `new`, and what v1 tells about a token."""
    portal.add("contacts", "5", {"email": "zoe@acme.example"})
    inputs = [
        {"id": email, "idProperty": "email", "properties": {"firstname": "Z"}}
        for email in ("zoe@acme.example", "new@acme.example")
    ]
    answer = kit.crm.contacts.batch_api.upsert(BatchInputSimplePublicObjectBatchInputUpsert(inputs=inputs))
    assert {r.id == "5": r.new for r in answer.results} == {True: False, False: True}
    tokens = portal.oauth(grant_type="refresh_token", refresh_token=portal.install("oauth")).json()
    about = kit.oauth.access_tokens_api.get(tokens["access_token"])
    assert (about.hub_id, about.scopes, about.expires_in) == (portal.state.portal_id, ["oauth"], 1_800)
    assert kit.oauth.refresh_tokens_api.get(tokens["refresh_token"]).client_id == portal.state.oauth.client_id
    with pytest.raises(OAuthException) as dead:
        kit.oauth.access_tokens_api.get("dead")
    assert dead.value.status == 404


def test_typed_links_owners_properties(portal: Portal, kit: Any) -> None:
    """Links by v4, owners (whose path ends in a slash) and properties parse into the kit's models."""
    portal.add("companies", "7", {"name": "a"})
    portal.add("contacts", "5", {"email": "a@b.example"})
    portal.link("companies", "7", "contacts", "5", "Primary")
    batch = BatchInputPublicFetchAssociationsBatchRequest(inputs=[{"id": "7"}])
    links = kit.crm.associations.v4.batch_api.get_page("companies", "contacts", batch)
    assert [(t.to_object_id, [x.type_id for x in t.association_types]) for t in links.results[0].to] == [
        ("5", [2, 280])
    ]
    assert [o.email for o in kit.crm.owners.owners_api.get_page().results] == [
        "ana@tierd-demo.example",
        "ben@tierd-demo.example",
    ]
    names = {p.name for p in kit.crm.properties.core_api.get_all("companies").results}
    assert {"customer_tier", "csm", "hs_lastmodifieddate"} <= names


def test_dated_paths_through_the_kits_transport(portal: Portal, kit: Any) -> None:
    """call_api reaches the dated paths with the kit's authentication."""
    portal.add("companies", "7", {"name": "a"})
    client = kit.crm.companies.basic_api.api_client
    answer = client.call_api(
        "/crm/objects/2026-09/companies/search",
        "POST",
        body={"limit": 200, "properties": ["name"]},
        header_params={"Content-Type": "application/json", "Accept": "application/json"},
        auth_settings=["oauth2"],
        response_types_map={200: "object"},
        _request_timeout=5,
    )
    body = answer[0] if isinstance(answer, tuple) else answer
    assert [r["id"] for r in body["results"]] == ["7"]
    assert {e.path for e in portal.shared.log.entries()} == {"/crm/objects/2026-09/companies/search"}


def test_kit_raises_on_errors(portal: Portal, kit: Any) -> None:
    """A refusal is the kit's ApiException with status and body; with its retries off, one request."""
    portal.shared.faults.add(Fault(status=429, body={"status": "error"}, headers={"Retry-After": "20000"}))
    with pytest.raises(ApiException) as limited:
        kit.crm.companies.basic_api.get_page()
    assert limited.value.status == 429
    with pytest.raises(ApiException) as missing:
        kit.crm.companies.basic_api.get_by_id("404")
    assert (missing.value.status, "OBJECT_NOT_FOUND" in missing.value.body) == (404, True)
    assert len(portal.shared.log.entries()) == 2


def test_merges_and_histories(portal: Portal, kit: Any) -> None:
    """The kit reads a merge's survivor by the loser's id, and parses versions in lists, and partial batches."""
    for row_id in ("1", "2"):
        portal.add("companies", row_id, {"name": f"c{row_id}", "arr": 5})
    portal.change("companies", "1", at=portal.clock.now() + 1_000, arr=7)
    page = kit.crm.companies.basic_api.get_page(properties_with_history=["arr"])
    versions = page.results[0].properties_with_history["arr"]
    assert [(v.value, v.source_type) for v in versions] == [("7", "MIGRATION"), ("5", "MIGRATION")]
    survivor = portal.merge("companies", "1", "2")
    assert kit.crm.companies.basic_api.get_by_id("2").id == survivor
    portal.state.switches.batch_retryable = {survivor: 1}
    batch = BatchReadInputSimplePublicObjectId(
        inputs=[{"id": survivor}, {"id": "404"}], properties=["arr"], properties_with_history=[]
    )
    partial = kit.crm.companies.batch_api.read(batch)
    assert (partial.num_errors, {e.category for e in partial.errors}) == (2, {"INTERNAL_ERROR", "OBJECT_NOT_FOUND"})


def test_custom_objects_labels_and_pipelines(portal: Portal, kit: Any) -> None:
    """Schemas, properties by group, association labels, pipelines and archived owners parse into the kit's models."""
    schema = kit.crm.schemas.core_api.create(
        ObjectSchemaEgg(
            name="subscription",
            labels={"singular": "Subscription", "plural": "Subscriptions"},
            required_properties=["plan"],
            searchable_properties=["plan"],
            secondary_display_properties=[],
            associated_objects=["COMPANY"],
            properties=[
                ObjectTypePropertyCreate(name="plan", label="Plan", type="string", field_type="text"),
            ],
        )
    )
    listed = kit.crm.schemas.core_api.get_all().results
    assert [(s.name, s.object_type_id) for s in listed] == [("subscription", schema.object_type_id)]
    assert {p.name for p in listed[0].properties} >= {"plan", "hs_object_id"}
    assert kit.crm.objects.basic_api.get_page(schema.fully_qualified_name).results == []
    labels = kit.crm.associations.v4.schema.definitions_api.get_all("companies", "contacts").results
    assert [(label.type_id, label.label) for label in labels] == [(2, "Primary"), (280, None)]
    (pipeline,) = kit.crm.pipelines.pipelines_api.get_all("deals").results
    assert {s.id: s.metadata["isClosed"] for s in pipeline.stages}["closedwon"] == "true"
    assert [g.name for g in kit.crm.properties.groups_api.get_all("companies").results] == ["companyinformation"]
    portal.archive("owners", "101")
    assert [o.id for o in kit.crm.owners.owners_api.get_page(archived=True).results] == ["101"]


def test_oauth_helper_until_v1_ends(portal: Portal, kit: Any) -> None:
    """The kit's own OAuth call works on v1 and stops with it."""
    app = portal.state.oauth
    asked = {
        "grant_type": "refresh_token",
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "refresh_token": portal.install(),
    }
    tokens = kit.oauth.tokens_api.create(**asked)
    assert (tokens.expires_in, tokens.token_type) == (1_800, "bearer")
    portal.state.switches.oauth_v1 = False
    with pytest.raises(OAuthException) as gone:
        kit.oauth.tokens_api.create(**asked)
    assert gone.value.status == 404
