"""Object types: those that HubSpot has and those that the portal made, with their properties and links."""

from __future__ import annotations

from sandbox.hubspot import errors
from sandbox.hubspot.call import Answer, Call
from sandbox.hubspot.objecttypes import ObjectType
from sandbox.hubspot.properties import parse_property, property_shown
from sandbox.hubspot.state import HubSpotState

_READ, _WRITE = "crm.schemas.custom.read", "crm.schemas.custom.write"
_MADE = "2024-01-08T09:00:00.000Z"


def list_schemas(call: Call) -> Answer:
    """The portal's own object types; HubSpot's are not among them."""
    call.require(_READ)
    own = [kind for kind in call.state.schema.kinds() if kind.custom]
    return Answer(200, {"results": [_schema(call.state, kind) for kind in own]})


def get_schema(call: Call) -> Answer:
    """One object type, HubSpot's too, with every property."""
    kind = call.state.schema.type_of(call.params["type"])
    if kind is None:
        raise errors.not_found(f"Object type {call.params['type']} does not exist")
    call.require(_READ if kind.custom else kind.read_scope)
    return Answer(200, _schema(call.state, kind))


def create_schema(call: Call) -> Answer:
    """POST of a custom object: 201. Its records can be written at once."""
    call.require(_WRITE)
    body = call.object_body()
    missing = [key for key in ("name", "labels", "properties", "requiredProperties") if key not in body]
    if missing:
        raise errors.invalid(f"Invalid input JSON: '{missing[0]}' is required")
    listed = body["properties"]
    props = [parse_property(p) for p in listed if isinstance(p, dict)] if isinstance(listed, list) else []
    names = {prop.name for prop in props}
    required, searchable = (_words(body.get(key)) for key in ("requiredProperties", "searchableProperties"))
    unknown = sorted({*required, *searchable} - names)
    if unknown:
        raise errors.invalid(f"Property {unknown[0]} is not among the properties of the schema")
    labels = body["labels"] if isinstance(body["labels"], dict) else {}
    links_to = [call.state.schema.type_of(word) for word in _words(body.get("associatedObjects"))]
    try:
        kind = call.state.add_type(
            str(body["name"]),
            props,
            singular=str(labels.get("singular") or ""),
            plural=str(labels.get("plural") or ""),
            required=required,
            searchable=searchable,
            links_to=[other.name for other in links_to if other is not None],
        )
    except ValueError as taken:
        raise errors.Refusal(409, str(taken), "OBJECT_ALREADY_EXISTS") from taken
    return Answer(201, _schema(call.state, kind))


def _words(value: object) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else []


def _schema(state: HubSpotState, kind: ObjectType) -> dict[str, object]:
    known = state.schema.properties[kind.name]
    name = kind.singular if kind.custom else kind.singular.upper()
    shown = kind.searchable or kind.required or ("hs_object_id",)
    return {
        "labels": {
            "singular": kind.label or kind.singular.capitalize(),
            "plural": kind.plural_label or kind.name.capitalize(),
        },
        "requiredProperties": state.schema.required_of(kind),
        "searchableProperties": list(kind.searchable),
        "primaryDisplayProperty": shown[0],
        "secondaryDisplayProperties": list(shown[1:3]),
        "archived": False,
        "restorable": True,
        "metaType": "PORTAL_SPECIFIC" if kind.custom else "HUBSPOT",
        "id": kind.type_id.partition("-")[2],
        "fullyQualifiedName": kind.name if kind.custom else name,
        "createdAt": _MADE if kind.custom else "1970-01-01T00:00:00Z",
        "updatedAt": _MADE if kind.custom else "1970-01-01T00:00:00Z",
        "objectTypeId": kind.type_id,
        "properties": [property_shown(kind, known[n]) for n in sorted(known) if not known[n].archived],
        "associations": [link for other in state.schema.kinds() for link in _links(state, kind, other)],
        "name": name,
    }


def _links(state: HubSpotState, kind: ObjectType, other: ObjectType) -> list[dict[str, object]]:
    pairs = [(kind, other)] if kind.name == other.name else [(kind, other), (other, kind)]
    return [
        {
            "fromObjectTypeId": here.type_id,
            "toObjectTypeId": there.type_id,
            "name": f"{here.link_word}_to_{there.link_word}",
            "cardinality": "ONE_TO_MANY",
            "inverseCardinality": "ONE_TO_MANY",
            "id": str(link.type_id),
            "createdAt": None,
            "updatedAt": None,
        }
        for here, there in pairs
        for link in state.schema.links.between(here.name, there.name)
        if link.label is None
    ]
