"""The properties of an object type, and their groups: read, made, changed, archived."""

from __future__ import annotations

from dataclasses import replace

from sandbox.hubspot import errors
from sandbox.hubspot.call import Answer, Call
from sandbox.hubspot.objecttypes import ObjectType
from sandbox.hubspot.schema import Property
from sandbox.hubspot.state import APP_USER

_MADE = "2024-01-08T09:00:00.000Z"
_KINDS = ("string", "number", "date", "datetime", "enumeration", "bool", "phone_number")
_REFERENCES = {"associatedcompanyid": "COMPANY"}
# Which fields may show which values (changelog crm-object-property-validattion).
_FIELDS = {
    "string": ("text", "textarea", "html", "file", "phonenumber"),
    "number": ("number", "calculation_equation"),
    "date": ("date",),
    "datetime": ("date",),
    "enumeration": ("select", "radio", "checkbox", "booleancheckbox", "calculation_equation"),
    "bool": ("booleancheckbox", "calculation_equation"),
    "phone_number": ("phonenumber",),
}


def list_properties(call: Call) -> Answer:
    """Every property of an object type, or with `archived=true` the archived ones; never paged."""
    kind = call.readable()
    known, archived = call.state.schema.properties[kind.name], call.flag("archived")
    return Answer(
        200, {"results": [property_shown(kind, known[n]) for n in sorted(known) if known[n].archived == archived]}
    )


def get_property(call: Call) -> Answer:
    """One property."""
    kind = call.readable()
    return Answer(200, property_shown(kind, _found(call, kind, call.flag("archived"))))


def create_property(call: Call) -> Answer:
    """POST of a custom property: 201, or 409 if the name is taken."""
    kind = _changeable(call)
    prop = parse_property(call.object_body())
    if not call.object_body().get("groupName"):
        raise errors.invalid("Invalid input JSON: 'groupName' is required")
    if prop.name in call.state.schema.properties[kind.name]:
        message = f"A property named '{prop.name}' already exists."
        raise errors.Refusal(409, message, "OBJECT_ALREADY_EXISTS", subCategory="Properties.PROPERTY_EXISTS")
    call.state.schema.put(kind.name, prop)
    location = {"Location": f"https://api.hubapi.com{call.path}/{prop.name}"}
    return Answer(201, property_shown(kind, prop), location)


def update_property(call: Call) -> Answer:
    """PATCH of label, group, options or hidden; only custom properties take it."""
    kind = _changeable(call)
    prop, body = _own(call, kind), call.object_body()
    if "options" in body:
        pairs = _options(body)
        prop = replace(prop, options=tuple(v for v, _ in pairs), labels=tuple(label for _, label in pairs))
    prop = replace(
        prop,
        label=str(body.get("label", prop.label)),
        group=str(body.get("groupName", prop.group)),
        hidden=body.get("hidden", prop.hidden) is True,
    )
    call.state.schema.put(kind.name, prop)
    return Answer(200, property_shown(kind, prop))


def archive_property(call: Call) -> Answer:
    """DELETE of a custom property: 204; its values are no longer shown."""
    kind = _changeable(call)
    call.state.schema.archive(kind.name, _own(call, kind).name)
    return Answer(204)


def list_groups(call: Call) -> Answer:
    """The groups that an object type's properties are in."""
    kind = call.readable()
    groups = call.state.schema.groups[kind.name]
    results = [
        {"name": name, "label": label, "displayOrder": n, "archived": False}
        for n, (name, label) in enumerate(groups.items())
    ]
    return Answer(200, {"results": results})


def parse_property(body: dict[str, object]) -> Property:
    """A custom property from its JSON. Refusal for what is missing or does not go together."""
    missing = [key for key in ("name", "label", "type", "fieldType") if not body.get(key)]
    if missing:
        raise errors.invalid(f"Invalid input JSON: '{missing[0]}' is required")
    name, kind, field_type = str(body["name"]), str(body["type"]), str(body["fieldType"])
    if kind not in _KINDS:
        raise errors.invalid(f"{kind} is not a valid property type")
    if field_type not in _FIELDS[kind]:
        raise errors.invalid(f"Property type {kind} and fieldType {field_type} do not go together")
    pairs = _options(body)
    if kind == "enumeration" and not pairs and not body.get("externalOptions"):
        raise errors.invalid("Enumeration properties must have options")
    return Property(
        name,
        kind,
        ("true", "false") if kind == "bool" else tuple(v for v, _ in pairs),
        unique=body.get("hasUniqueValue") is True,
        label=str(body["label"]),
        field_type=field_type,
        group=str(body.get("groupName") or ""),
        custom=True,
        labels=() if kind == "bool" else tuple(label for _, label in pairs),
        multiple=field_type == "checkbox",
        calculated=field_type == "calculation_equation",
        read_only=field_type == "calculation_equation",
        hidden=body.get("hidden") is True,
    )


def property_shown(kind: ObjectType, prop: Property) -> dict[str, object]:
    """A property as the API gives it."""
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
        "groupName": prop.group or f"{kind.singular}{'_' if kind.custom else ''}information",
        "options": options,
        "displayOrder": -1,
        "calculated": prop.calculated,
        "externalOptions": prop.kind == "owner",
        "archived": prop.archived,
        "hasUniqueValue": prop.unique,
        "hidden": prop.hidden,
        "modificationMetadata": {
            "archivable": prop.custom,
            "readOnlyDefinition": not prop.custom,
            "readOnlyValue": prop.read_only,
        },
        "formField": not prop.read_only,
        "dataSensitivity": "non_sensitive",
    }
    referenced = "OWNER" if prop.kind == "owner" else _REFERENCES.get(prop.name)
    if referenced is not None:
        body["referencedObjectType"] = referenced
    made_by = {"createdUserId": str(APP_USER), "updatedUserId": str(APP_USER)}
    return body | (made_by if prop.custom else {"hubspotDefined": True})


def _options(body: dict[str, object]) -> list[tuple[str, str]]:
    """(value, label) of each option; surrounding white space is refused."""
    options = body.get("options") or []
    if not isinstance(options, list) or not all(
        isinstance(o, dict) and {"value", "label"} <= o.keys() for o in options
    ):
        raise errors.invalid("Invalid input JSON: 'options' must be a list of objects with a label and a value")
    pairs = [(str(o["value"]), str(o["label"])) for o in options]
    if any(value != value.strip() for value, _ in pairs):
        raise errors.invalid("Option values must not have leading or trailing whitespace")
    return pairs


def _found(call: Call, kind: ObjectType, archived: bool = False) -> Property:
    prop = call.state.schema.properties[kind.name].get(call.params["property"])
    if prop is None or prop.archived != archived:
        raise errors.not_found(f"Property {call.params['property']} does not exist")
    return prop


def _own(call: Call, kind: ObjectType) -> Property:
    prop = _found(call, kind)
    if not prop.custom:
        raise errors.invalid(f"Property {prop.name} is HubSpot defined and cannot be changed")
    return prop


def _changeable(call: Call) -> ObjectType:
    """The object type; custom properties need the schema scope where there is one, else the type's own."""
    kind = call.kind()
    schema_scoped = kind.name in ("companies", "contacts", "deals")
    own = "crm.schemas.custom.write" if kind.custom else kind.write_scope
    call.require(f"crm.schemas.{kind.name}.write" if schema_scoped else own)
    return kind
