"""What HubSpot says about itself: properties, owners, the account, the token."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from sandbox.clock import iso_ms
from sandbox.hubspot import errors
from sandbox.hubspot.call import Answer, Call
from sandbox.hubspot.schema import ObjectType, Property
from sandbox.hubspot.state import APP_USER, OWNERS
from sandbox.versions import Row

_MADE = "2024-01-08T09:00:00.000Z"
_OWNER_SCOPE = "crm.objects.owners.read"
_KINDS = ("string", "number", "date", "datetime", "enumeration", "bool", "phone_number")


def list_properties(call: Call) -> Answer:
    """Every property of an object type; never paged."""
    kind = call.readable()
    known = call.state.schema.properties[kind.name]
    return Answer(200, {"results": [_property(kind, known[name]) for name in sorted(known)]})


def get_property(call: Call) -> Answer:
    """One property."""
    kind = call.readable()
    prop = call.state.schema.properties[kind.name].get(call.params["property"])
    if prop is None:
        raise errors.not_found(f"Property {call.params['property']} does not exist")
    return Answer(200, _property(kind, prop))


def create_property(call: Call) -> Answer:
    """POST of a custom property: 201, or 409 if the name is taken."""
    kind = call.kind()
    call.require(_schema_scope(kind))
    body = call.object_body()
    missing = [key for key in ("name", "label", "type", "fieldType", "groupName") if not body.get(key)]
    if missing:
        raise errors.invalid(f"Invalid input JSON: '{missing[0]}' is required")
    name, type_ = str(body["name"]), str(body["type"])
    if type_ not in _KINDS:
        raise errors.invalid(f"{type_} is not a valid property type")
    known = call.state.schema.properties[kind.name]
    if name in known:
        message = f"A property named '{name}' already exists."
        raise errors.Refusal(409, message, "OBJECT_ALREADY_EXISTS", subCategory="Properties.PROPERTY_EXISTS")
    options = body.get("options") or []
    pairs = [(str(o["value"]), str(o["label"])) for o in options] if isinstance(options, list) else []
    prop = Property(name, type_, tuple(v for v, _ in pairs), labels=tuple(label for _, label in pairs))
    label, field_type, group = (str(body[key]) for key in ("label", "fieldType", "groupName"))
    known[name] = replace(prop, custom=True, label=label, field_type=field_type, group=group)
    location = {"Location": f"https://api.hubapi.com{call.path}/{name}"}
    return Answer(201, _property(kind, known[name]), location)


def list_owners(call: Call) -> Answer:
    """Owners by page of at most 500; the archived ones only with `archived=true`."""
    call.require(_OWNER_SCOPE)
    limit = call.limit(100, 500)
    after = call.query.get("after") or "0"
    if not after.isdigit():
        raise errors.invalid(f"Invalid after value: {after}")
    archived, email = call.flag("archived"), call.query.get("email")
    rows = (
        row
        for row in call.state.store.table(OWNERS).by_id(str(int(after) - 1))
        if (row.deleted_at is not None) == archived and email in (None, row.fields.get("email"))
    )
    page = list(islice(rows, limit + 1))
    body: dict[str, object] = {"results": [_owner(row) for row in page[:limit]]}
    if len(page) > limit:
        following = page[limit].id
        body["paging"] = {"next": {"after": following, "link": f"{call.path}?after={following}"}}
    return Answer(200, body)


def get_owner(call: Call) -> Answer:
    """One owner; archived ones with `archived=true`."""
    call.require(_OWNER_SCOPE)
    row = call.state.store.get(OWNERS, call.params["owner_id"])
    if row is None or (row.deleted_at is not None) != call.flag("archived"):
        raise errors.not_found()
    return Answer(200, _owner(row))


def account_details(call: Call) -> Answer:
    """The portal: id, time zone, currency."""
    zone = call.state.switches.time_zone
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=call.state.now)).astimezone(ZoneInfo(zone))
    offset = local.utcoffset() or timedelta()
    sign, minutes = "-" if offset < timedelta() else "+", abs(offset) // timedelta(minutes=1)
    return Answer(
        200,
        {
            "portalId": call.state.portal_id,
            "accountType": "STANDARD",
            "timeZone": zone,
            "companyCurrency": "USD",
            "additionalCurrencies": [],
            "utcOffset": f"{sign}{minutes // 60:02d}:{minutes % 60:02d}",
            "utcOffsetMilliseconds": offset // timedelta(milliseconds=1),
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        },
    )


def api_usage(call: Call) -> Answer:
    """What private apps used of the day's quota."""
    usage = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": call.state.switches.per_day,
        "currentUsage": call.state.buckets.day_used,
        "collectedAt": iso_ms(call.state.now),
        "fetchStatus": "SUCCESS",
    }
    return Answer(200, {"results": [usage]})


def token_info(call: Call) -> Answer:
    """Scopes of a private app's token, which is given in the body."""
    wanted = call.object_body().get("tokenKey")
    token = call.state.tokens.get(str(wanted))
    if token is None or token.oauth or (token.service_key and not call.state.switches.service_key_info):
        raise errors.invalid("Invalid token")
    return Answer(
        200, {"userId": APP_USER, "hubId": call.state.portal_id, "appId": 1_024_738, "scopes": sorted(token.scopes)}
    )


def _schema_scope(kind: ObjectType) -> str:
    """Custom properties need the schema scope where there is one; tickets and activities go by their own."""
    return f"crm.schemas.{kind.name}.write" if kind.name in ("companies", "contacts", "deals") else kind.write_scope


def _property(kind: ObjectType, prop: Property) -> dict[str, object]:
    options = [
        {"label": label, "value": value, "displayOrder": n, "hidden": False}
        for n, (label, value) in enumerate(prop.option_labels())
    ]
    body: dict[str, object] = {
        "updatedAt": _MADE,
        "createdAt": _MADE,
        "name": prop.name,
        "label": prop.label,
        "type": prop.type,
        "fieldType": prop.shown_as,
        "description": "",
        "groupName": prop.group or f"{kind.singular}information",
        "options": options,
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": prop.kind == "owner",
        "archived": False,
        "hasUniqueValue": prop.unique,
        "hidden": False,
        "modificationMetadata": {
            "archivable": prop.custom,
            "readOnlyDefinition": not prop.custom,
            "readOnlyValue": prop.read_only,
        },
        "formField": not prop.read_only,
        "dataSensitivity": "non_sensitive",
    }
    if prop.kind == "owner":
        body["referencedObjectType"] = "OWNER"
    made_by = {"createdUserId": str(APP_USER), "updatedUserId": str(APP_USER)}
    return body | (made_by if prop.custom else {"hubspotDefined": True})


def _owner(row: Row) -> dict[str, object]:
    user_id = int(str(row.fields.get("userId") or row.id))
    body: dict[str, object] = {
        "id": row.id,
        "email": row.fields.get("email"),
        "type": "PERSON",
        "firstName": row.fields.get("firstName") or "",
        "lastName": row.fields.get("lastName") or "",
        "userIdIncludingInactive": user_id,
        "createdAt": iso_ms(row.created_at),
        "updatedAt": iso_ms(row.modified_at),
        "archived": row.deleted_at is not None,
    }
    # An archived owner has no active user any more.
    return body | ({"userId": user_id} if row.deleted_at is None else {})
