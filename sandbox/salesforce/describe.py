"""Describe: what the caller may know of the org's objects and fields, with the vendor's complete key sets."""

from __future__ import annotations

from typing import Any

from sandbox.salesforce.calls import Call, Reply
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import ID_TYPES, NUMBER_TYPES, TEXT_TYPES, Field, SObject
from sandbox.salesforce.wire import http_date, parse_http_date

MAX_BATCH = 200
ASSOCIATES_SINCE = 52
"""Recorded at 52.0, not yet at 48.0: associateEntityType, associateParentEntity."""
OPTION_SINCE = 59
"""Recorded at 59.0, not yet at 48.0: sobjectDescribeOption."""

_SOAP = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "int": "xsd:int",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "address": "urn:address",
    "location": "urn:location",
    "anyType": "xsd:anyType",
    "base64": "xsd:base64Binary",
}
_GROUPED = frozenset({"id", "reference", "boolean", "int", "date"}) | TEXT_TYPES


def describe_global(call: Call) -> Reply:
    """GET sobjects: every object that the caller sees, without fields."""
    body = {
        "encoding": "UTF-8",
        "maxBatchSize": MAX_BATCH,
        "sobjects": [_summary(o, call.version) for o in call.state.org.objects()],
    }
    return _unless_unchanged(call, max([call.state.schema_changed_at, *call.state.org.changed.values()]), body)


def describe_object(call: Call) -> Reply:
    """GET sobjects/{object}/describe; 304 when nothing changed since If-Modified-Since."""
    sobject = call.object()
    changed = max(call.state.schema_changed_at, call.state.org.changed.get(sobject.name, 0))
    return _unless_unchanged(call, changed, _full(call.state.org, sobject, call.version))


def basic_information(call: Call) -> Reply:
    """GET sobjects/{object}: the summary and what was looked at lately, which an API user never has."""
    return Reply(200, {"objectDescribe": _summary(call.object(), call.version), "recentItems": []})


def _unless_unchanged(call: Call, changed: int, body: dict[str, Any]) -> Reply:
    headers = {"Last-Modified": http_date(changed)}
    since = parse_http_date(call.headers.get("if-modified-since", ""))
    if since is not None and changed - changed % 1_000_000 <= since:
        return Reply(304, None, headers)
    return Reply(200, body, headers)


def _urls(sobject: SObject, version: str) -> dict[str, str]:
    base = f"/services/data/v{version}/sobjects/{sobject.name}"
    urls = {"rowTemplate": f"{base}/{{ID}}", "describe": f"{base}/describe", "sobject": base}
    if sobject.layoutable:
        for name, tail in (
            ("compactLayouts", "describe/compactLayouts"),
            ("approvalLayouts", "describe/approvalLayouts"),
            ("listviews", "listviews"),
            ("quickActions", "quickActions"),
            ("layouts", "describe/layouts"),
        ):
            urls[name] = f"{base}/{tail}"
    return urls


def _summary(sobject: SObject, version: str) -> dict[str, Any]:
    associates = {"associateEntityType": None, "associateParentEntity": None}
    return {
        "activateable": False,
        **(associates if float(version) >= ASSOCIATES_SINCE else {}),
        "createable": sobject.createable,
        "custom": sobject.custom,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": sobject.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": sobject.layoutable,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": sobject.prefix,
        "label": sobject.label,
        "labelPlural": sobject.plural,
        "layoutable": sobject.layoutable,
        "mergeable": sobject.mergeable,
        "mruEnabled": sobject.layoutable,
        "name": sobject.name,
        "queryable": sobject.queryable,
        "replicateable": sobject.replicateable,
        "retrieveable": True,
        "searchable": sobject.searchable,
        "triggerable": sobject.layoutable,
        "undeletable": sobject.undeletable,
        "updateable": sobject.updateable,
        "urls": _urls(sobject, version),
    }


def _full(org: Org, sobject: SObject, version: str) -> dict[str, Any]:
    return {
        **_summary(sobject, version),
        "actionOverrides": [],
        "childRelationships": _children(org, sobject),
        "compactLayoutable": sobject.layoutable,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [_field(org, sobject, f) for f in org.fields(sobject)],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [_master_record_type(sobject, version)],
        "searchLayoutable": sobject.searchable,
        **({"sobjectDescribeOption": "FULL"} if float(version) >= OPTION_SINCE else {}),
        "supportedScopes": [{"label": f"All {sobject.plural.lower()}", "name": "everything"}],
    }


def _master_record_type(sobject: SObject, version: str) -> dict[str, Any]:
    master = "012000000000000AAA"
    return {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": master,
        "urls": {"layout": f"/services/data/v{version}/sobjects/{sobject.name}/describe/layouts/{master}"},
    }


def _children(org: Org, sobject: SObject) -> list[dict[str, Any]]:
    return [
        {
            "cascadeDelete": False,
            "childSObject": child.name,
            "deprecatedAndHidden": False,
            "field": f.name,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": f.children,
            "restrictedDelete": False,
        }
        for child in org.objects()
        for f in org.fields(child)
        if sobject.name in f.reference_to
    ]


_NEVER: dict[str, Any] = {
    "aiPredictionField": False,
    "autoNumber": False,
    "cascadeDelete": False,
    "caseSensitive": False,
    "controllerName": None,
    "defaultValueFormula": None,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "displayLocationInDecimal": False,
    "encrypted": False,
    "filteredLookupInfo": None,
    "formulaTreatNullNumberAsZero": False,
    "highScaleNumber": False,
    "htmlFormatted": False,
    "inlineHelpText": None,
    "mask": None,
    "maskType": None,
    "referenceTargetField": None,
    "relationshipOrder": None,
    "restrictedDelete": False,
    "searchPrefilterable": False,
    "unique": False,
    "writeRequiresMasterRead": False,
}
"""What no field of this org has."""


def _field(org: Org, sobject: SObject, field: Field) -> dict[str, Any]:
    text, number = field.type in TEXT_TYPES, field.type in NUMBER_TYPES - {"int"}
    return {
        **_NEVER,
        "aggregatable": field.type not in ("boolean", "address") and field.filterable,
        "calculated": field.formula is not None,
        "calculatedFormula": field.formula,
        "compoundFieldName": field.compound,
        "byteLength": field.length * (3 if text else 1),
        "createable": field.createable and sobject.createable,
        "custom": field.custom,
        "defaultValue": False if field.type == "boolean" else None,
        "defaultedOnCreate": field.defaulted,
        "digits": 8 if field.type == "int" else 0,
        "externalId": field.external_id,
        "extraTypeInfo": "plaintextarea" if field.type == "textarea" else None,
        "filterable": org.may_filter(sobject, field),
        "groupable": field.type in _GROUPED and field.filterable,
        "idLookup": field.type == "id",
        "label": field.label,
        "length": field.length,
        "name": field.name,
        "nameField": field.name_field,
        "namePointing": field.polymorphic,
        "nillable": field.nillable,
        "permissionable": field.nillable and field.createable and field.type not in ID_TYPES,
        "picklistValues": [_option(value) for value in field.values],
        "polymorphicForeignKey": field.polymorphic,
        "precision": 18 if number else 0,
        "queryByDistance": field.type == "address",
        "referenceTo": list(field.reference_to),
        "relationshipName": field.relationship,
        "restrictedPicklist": field.restricted,
        "scale": 2 if number else 0,
        "soapType": _SOAP.get(field.type, "xsd:string"),
        "sortable": field.sortable,
        "type": field.type,
        "updateable": field.updateable and sobject.updateable,
    }


def _option(value: str) -> dict[str, Any]:
    return {"active": True, "defaultValue": False, "label": value, "validFor": None, "value": value}
