"""The imitation Salesforce against what others recorded of real orgs: describe key sets and replayed requests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import pytest

from sandbox.salesforce import ids, wire
from sandbox.salesforce.errors import Refused
from sandbox.salesforce.objects import OBJECTS
from sandbox.salesforce.schema import parse
from sandbox.salesforce.soql.run import run
from sandbox.versions import At, Change, On
from tests.sandbox.salesforce_org import NOW, VERSION, Org, serving

HOME = Path(__file__).parents[2].parent / "shared" / "contracts" / "salesforce"
pytestmark = pytest.mark.skipif(not HOME.is_dir(), reason="the vendors' recordings are not beside this project")

Json = dict[str, Any]

TEMPLATED_ID, ORG_ID = "00D0xORGID00000000", ids.make("00D", 2)
"""What a recorder put in an id's place is none; a real one stands in for it."""
DESCRIBED_AT = {"Account": "48.0", "Case": "48.0", "Lead": "59.0", "Contact": "67.0"}
"""The API version of each recorded describe, as its own addresses tell; Contact's is templated."""


def _recordings() -> list[Path]:
    """All recorded exchanges: none is left out."""
    return sorted((HOME / "recorded").glob("*.json"))


def _equip(org: Org) -> None:
    """Objects and fields of the recorded orgs that ours does not have, made as their administrators did."""
    catalogue = org.state.org.catalogue
    for prefix, name, fields in (
        ("0TO", "Topic", "Name string:255 required name\n"),
        (
            "0FT",
            "TopicAssignment",
            "TopicId reference required ->Topic:Topic\nEntityId reference required ->Contact:E\n",
        ),
    ):
        catalogue.put(parse(name, prefix, f"Id id ro default\n{fields}"))
    catalogue.add_fields("Account", "Custom_External_ID__c string:255 external")


def _complete(org: Org, record: Json) -> None:
    """The organization has more fields by release: those of the recording, by the type of their values."""
    known = OBJECTS["Organization"]
    kinds = {bool: "boolean", int: "int", dict: "address"}
    lines = [f"{name} {kinds.get(type(v), 'string:255')}" for name, v in record.items() if not known.has(name)]
    org.state.org.catalogue.add_fields("Organization", "\n".join(x for x in lines if not x.startswith("attributes")))


@pytest.fixture
def org() -> Iterator[Org]:
    """A fresh org."""
    with serving() as served:
        yield served


def _kind(value: Any) -> str:
    """JSON type, with integers and fractions as one."""
    return "number" if type(value) in (int, float) else type(value).__name__


def _stored(value: Any) -> Any:
    """A recorded JSON value as the database keeps it."""
    if isinstance(value, str):
        instant, day = wire.parse_stamp(value), wire.parse_date(value)
        if day is not None:
            return On(day)
        return value if instant is None else At(instant)
    return value


def _seed(org: Org, object_name: str, row_id: str, record: Mapping[str, Any]) -> None:
    """Create a row with the recorded values of the fields that the org has."""
    known = org.state.org.catalogue.objects[object_name]
    flat = {k: v for k, v in record.items() if known.has(k) and not isinstance(v, dict | list)}
    fields = {known.by_name[k.lower()].name: _stored(v) for k, v in flat.items()}
    fields = {k: v for k, v in fields.items() if k not in ("Id", "IsDeleted")}
    with org.state.store.lock:
        if org.state.store.get(object_name, row_id) is None:
            org.state.store.apply(Change(NOW, "salesforce", "create", object_name, row_id, fields))


def _prepare(org: Org, exchange: Json) -> None:
    """What must be in the org so that the recorded answer can come."""
    request, response = exchange["request"], exchange["response"]
    body = response["body"]
    _equip(org)
    if isinstance(body, dict) and body.get("attributes", {}).get("type") == "Organization":
        _complete(org, body)
    if isinstance(body, dict) and "records" in body:
        for record in body["records"]:
            kind, row_id = record["attributes"]["type"], record["attributes"].get("url", "").rsplit("/", 1)[-1]
            for number in range(record.get("expr0", 0)):
                _seed(org, "Account", ids.make("001", number + 1), {"Name": "x"})
            if kind in OBJECTS:
                given = {**_conditions(request), **record, **_parents(org, record)}
                _seed(org, kind, row_id, {"Name": "x", "LastName": "x", **given})
    elif "recordCount" in request["path"]:
        for number in range(body["sObjects"][0]["count"]):
            _seed(org, "Account", ids.make("001", number + 1), {"Name": "x"})
    elif request["method"] == "GET" and response["status"] == 200:
        _seed(org, body["attributes"]["type"], body["Id"], body)
    elif request["method"] in ("PATCH", "DELETE"):
        for item in body:
            _seed(org, "Account", item["id"], {"Name": "x"})
    for name, row_id in _references(request):
        _seed(org, name, row_id, {"Name": "x", "LastName": "x"})


def _parents(org: Org, record: Json) -> Json:
    """Seed the rows that a record nests under its relationships; the references to them."""
    references = {}
    for name, value in record.items():
        kind = value["attributes"]["type"] if isinstance(value, dict) and "attributes" in value else None
        if kind in OBJECTS and name != "attributes":
            row_id = value["attributes"]["url"].rsplit("/", 1)[-1]
            _seed(org, kind, row_id, {"Name": "x", "LastName": "x", **value})
            references[f"{name}Id"] = row_id
    return references


def _conditions(request: Json) -> Json:
    """Values that the WHERE of the recorded query asks of every row: `Field = 'value'`."""
    text = unquote(json.dumps(request["query"]))
    return dict(re.findall(r"(\w+)\s*=\s*'([^']+)'", text))


def _references(request: Json) -> list[tuple[str, str]]:
    records = (request["body"] or {}).get("records", []) if isinstance(request["body"], dict) else []
    pairs = {"WhoId": "Contact", "WhatId": "Account", "TopicId": "Topic", "EntityId": "Contact"}
    return [(pairs[k], v) for record in records for k, v in record.items() if k in pairs]


def _replay(org: Org, request: Json) -> Any:
    path = request["path"].replace("vxx.0", f"v{VERSION}")
    query = request["query"]
    if isinstance(query, dict):
        query = urlencode({k: unquote(v) for k, v in query.items()})
    return org.ask(request["method"], path + (f"?{query}" if query else ""), request["body"] or None)


def _same_shape(recorded: Any, ours: Any, where: str) -> None:
    """Every recorded key is there with the same JSON type; custom fields of the recorded org are its own."""
    assert _kind(recorded) == _kind(ours), where
    if isinstance(recorded, dict):
        for key, value in recorded.items():
            if key.endswith("__c"):
                continue
            assert key in ours, f"{where}.{key}"
            if value is not None and key not in ("LastViewedDate", "LastReferencedDate", "PhotoUrl"):
                _same_shape(value, ours[key], f"{where}.{key}")
    elif isinstance(recorded, list):
        assert len(recorded) == len(ours), where
        for number, (a, b) in enumerate(zip(recorded, ours, strict=True)):
            _same_shape(a, b, f"{where}[{number}]")


def test_all_recordings_are_replayed() -> None:
    """39 recorded exchanges are there, and none is left out below."""
    assert 39 == len(_recordings())


@pytest.mark.parametrize("path", _recordings() if HOME.is_dir() else [], ids=lambda p: p.stem)
def test_recorded_requests_get_the_recorded_kind_of_answer(org: Org, path: Path) -> None:
    """Status, keys, JSON types, numbers of records and header names equal those of the real org."""
    exchange = json.loads(path.read_text().replace(TEMPLATED_ID, ORG_ID))
    _prepare(org, exchange)
    answer = _replay(org, exchange["request"])
    recorded = exchange["response"]
    assert recorded["status"] == answer.status_code, answer.text
    _same_shape(recorded["body"], answer.json(), "body")
    if recorded["body"] and isinstance(recorded["body"], dict):
        assert {k for k in recorded["body"] if k in ("nextRecordsUrl", "done", "totalSize")} == {
            k for k in answer.json() if k in ("nextRecordsUrl", "done", "totalSize")
        }
    # A recorded Last-Modified came without ETag for some objects; what varies by web server is left out.
    varies = {"Transfer-Encoding", "Connection", "Vary", "Strict-Transport-Security", "X-Robots-Tag"}
    wanted = {h.lower() for h in recorded["headers"] if h not in varies}
    assert wanted <= {h.lower() for h in answer.headers}
    assert recorded["headers"]["Content-Type"] == answer.headers["Content-Type"]


@pytest.mark.parametrize("name", sorted(DESCRIBED_AT))
def test_describe_has_the_recorded_keys(org: Org, name: str) -> None:
    """Object, field, record type, picklist and child keys are exactly those of a real describe of that API version."""
    recorded = json.loads((HOME / "describe" / f"{name}.describe.cumulusci.json").read_text())["response"]["body"]
    ours = org.ask("GET", f"/services/data/v{DESCRIBED_AT[name]}/sobjects/{name}/describe").json()
    assert set(recorded) == set(ours)
    theirs = {f["name"]: f for f in recorded["fields"]}
    assert {frozenset(f) for f in recorded["fields"]} == {frozenset(f) for f in ours["fields"]}
    options = [v for f in ours["fields"] for v in f["picklistValues"]]
    recorded_options = [v for f in recorded["fields"] for v in f["picklistValues"]]
    assert {frozenset(v) for v in recorded_options} >= {frozenset(v) for v in options}
    assert set(recorded["recordTypeInfos"][0]) == set(ours["recordTypeInfos"][0])
    assert set(recorded["childRelationships"][0]) == set(ours["childRelationships"][0])
    for field in ours["fields"]:
        known = theirs.get(field["name"])
        if known is not None:
            same = ("type", "soapType", "filterable", "sortable", "nillable", "createable", "updateable", "length")
            assert {k: known[k] for k in same} == {k: field[k] for k in same}, field["name"]
            assert set(field["referenceTo"]) <= set(known["referenceTo"]), field["name"]
            if field["type"] == "reference":
                assert known["relationshipName"] == field["relationshipName"], field["name"]


def test_describe_of_a_custom_object_has_the_recorded_keys(org: Org) -> None:
    """One that an administrator made is described with the keys of a recorded one, its fields with theirs."""
    recorded = json.loads((HOME / "describe" / "Custom__c.describe.cumulusci.json").read_text())["response"]["body"]
    org.state.org.catalogue.define("Custom__c", "CustomField__c string:80")
    ours = org.ask("GET", f"/services/data/v{VERSION}/sobjects/Custom__c/describe").json()
    assert set(recorded) == set(ours)
    theirs = {f["name"]: f for f in recorded["fields"]}
    found = {f["name"]: f for f in ours["fields"] if f["name"] in theirs}
    assert {name: set(f) for name, f in theirs.items()} == {name: set(f) for name, f in found.items()}
    same = ("type", "soapType")  # the recording was cut down by hand, its flags contradict each other
    assert [[f[k] for k in same] for f in theirs.values()] == [[found[name][k] for k in same] for name in theirs]


def test_the_list_of_objects_has_the_recorded_keys(org: Org) -> None:
    """Global describe: the same keys at the top and for each object, with the same prefixes and permissions."""
    recorded = json.loads((HOME / "describe" / "global.describe.cumulusci.json").read_text())["response"]["body"]
    ours = org.ask("GET", "/services/data/v52.0/sobjects").json()
    assert {k: recorded[k] for k in ("encoding", "maxBatchSize")} == {k: v for k, v in ours.items() if k != "sobjects"}
    theirs = {o["name"]: o for o in recorded["sobjects"]}
    for described in ours["sobjects"]:
        known = theirs.get(described["name"])
        if known is not None:
            assert set(known) == set(described)
            same = ("createable", "deletable", "queryable", "replicateable", "label", "labelPlural", "updateable")
            assert {k: known[k] for k in same} == {k: described[k] for k in same}, described["name"]
            assert known["keyPrefix"] in (described["keyPrefix"], None)


def test_error_codes_are_the_vendors() -> None:
    """Every errorCode in our sources that looks like one is in the list of known codes, or in a documented few."""
    known = set(json.loads((HOME / "error_codes.json").read_text())["codes"])
    # REST errors of vendor documents that the SOAP list behind the file does not have.
    rest = {
        "NOT_FOUND",
        "INVALID_AUTH_HEADER",
        "UNSUPPORTED_API_VERSION",
        "UNSUPPORTED_MEDIA_TYPE",
        "PROCESSING_HALTED",
        "BATCH_PROCESSING_HALTED",
        "EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION",
        # Codes of the Bulk API, which has its own list.
        "API_ERROR",
        "INVALIDENTITY",
        "INVALIDJOB",
        "INVALIDJOBSTATE",
        "NOT_ACCEPTABLE",
    }
    source = Path(run.__code__.co_filename).parents[1]
    used: set[str] = set()
    for module in source.rglob("*.py"):
        used |= set(re.findall(r'Refused\(\s*\d+,\s*"([A-Z_]+)"', module.read_text()))
        used |= set(re.findall(r'_refuse\([^"]*"([A-Z_]+)"', module.read_text()))
    assert len(used) > 25
    assert set() == used - known - rest


@pytest.mark.parametrize("number", range(4))
def test_compiled_error_samples_are_given_word_for_word(org: Org, number: int) -> None:
    """Samples with a complete body that can be provoked here: 404 of a row, a malformed query, a bad e-mail, INVALID_TYPE."""
    samples = json.loads((HOME / "error_samples.json").read_text())["samples"]
    by_code = {
        s["body"][0]["errorCode"]: s for s in samples if isinstance(s.get("body"), list) and "errorCode" in s["body"][0]
    }
    ask = [
        ("NOT_FOUND", "GET", "sobjects/Account/0014S000007Ny26QAC", None),
        ("MALFORMED_QUERY", "GET", "query/?q=invalid", None),
        ("INVALID_EMAIL_ADDRESS", "POST", "sobjects/Contact", {"LastName": "x", "Email": "not an email"}),
        ("INVALID_TYPE", "GET", "query?q=select+count()+from+XYZZY", None),
    ]
    code, method, path, body = ask[number]
    answer = org.ask(method, path, body)
    assert (by_code[code]["status"], by_code[code]["body"]) == (answer.status_code, answer.json())


def test_the_recorded_ids_have_our_checksum() -> None:
    """The 18-character ids of real orgs agree with the way we compute the suffix."""
    text = "".join(p.read_text() for p in (HOME / "recorded").glob("grouparoo*.json"))
    recorded = {i for i in re.findall(r"\b00[13Q]4S[0-9A-Za-z]{13}\b", text) if len(i) == 18}
    assert len(recorded) > 20
    assert recorded == {ids.normal(i[:15]) for i in recorded}


def test_refusals_have_the_two_recorded_forms() -> None:
    """An error is an array item with errorCode, and in a collection a result with statusCode and no id."""
    refused = Refused(400, "INVALID_FIELD", "no", ("X",))
    assert [{"message": "no", "errorCode": "INVALID_FIELD", "fields": ["X"]}] == refused.body()
    assert {
        "success": False,
        "errors": [{"statusCode": "INVALID_FIELD", "message": "no", "fields": ["X"]}],
    } == refused.row()
    assert [("a", "b c")] == parse_qsl("a=b+c")


def test_query_jobs_have_the_documented_form(org: Org) -> None:
    """Keys and JSON types of a finished job, the head of its results, and the answer once it is deleted."""
    documented = json.loads((HOME / "bulk2" / "query_job_lifecycle.docs.json").read_text())
    job = org.job("SELECT Id, Name FROM User").json()["id"]
    assert "JobComplete" == org.finish(job)
    told = org.ask("GET", f"jobs/query/{job}").json()
    example = documented["job_info_complete"]
    assert {k: _kind(v) for k, v in example.items()} == {k: _kind(v) for k, v in told.items()}
    fixed = ("operation", "state", "concurrencyMode", "contentType", "jobType", "lineEnding", "columnDelimiter")
    assert {k: example[k] for k in fixed} == {k: told[k] for k in fixed}
    assert type(told["apiVersion"]) is float
    results = org.results(job)
    assert results.text.startswith('"Id","Name"\n"005')
    assert {h.lower() for h in documented["results_page"]["headers"]} <= {h.lower() for h in results.headers}
    assert documented["results_last_page_locator_header"] == results.headers["Sforce-Locator"]
    assert 204 == org.ask("DELETE", f"jobs/query/{job}").status_code
    gone = org.ask("GET", f"jobs/query/{job}")
    assert documented["job_deleted"] == {"status": gone.status_code, "body": gone.json()}
