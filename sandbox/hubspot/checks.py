"""What HubSpot checks before it takes a record: types, options, rules, what must be set, and what must be unique."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sandbox.hubspot import errors
from sandbox.hubspot.call import Call
from sandbox.hubspot.objecttypes import ObjectType
from sandbox.hubspot.schema import Property
from sandbox.hubspot.state import HubSpotState
from sandbox.hubspot.values import BadValue, normalized, parse, text_of
from sandbox.versions import Row

ENFORCING = "2026-09"
"""From this version on writes keep the administrator's rules (changelog crm-api-write-validation-enforcement)."""

Fields = dict[str, object]
Warnings = list[dict[str, object]]


def check(call: Call, kind: ObjectType, raw: object, row: Row | None) -> tuple[Fields, Warnings]:
    """Properties as sent -> what is stored, and what is said of it. Refuses all if one is bad; `row` is None for a new
    record.
    """
    if not isinstance(raw, Mapping):
        raise errors.invalid("Invalid input JSON: 'properties' is required")
    enforcing = enforces(call)
    warnings: Warnings = []
    if enforcing:
        raw, warnings = _normalized(call.state, kind, raw)
    fields, problems = typed(call.state, kind, raw)
    if problems:
        raise errors.property_errors(problems)
    after = {**(row.fields if row else {}), **fields}
    if enforcing and call.state.switches.enforce_required:
        _check_rules(call.state, kind, after)
    if row is None:
        _check_new(kind, fields)
    for name, value in fields.items():
        if value is not None and call.state.schema.properties[kind.name][name].unique:
            _check_unique(call.state, kind, name, value, row)
    return fields, warnings


def enforces(call: Call) -> bool:
    """Is this a write on a version that keeps the administrator's rules."""
    return call.version[0].isdigit() and call.version >= ENFORCING


def typed(state: HubSpotState, kind: ObjectType, raw: Mapping[str, object]) -> tuple[Fields, list[dict[str, object]]]:
    """(fields to store, problems as HubSpot words them)."""
    known = state.schema.properties[kind.name]
    fields: Fields = {}
    problems: list[dict[str, object]] = []
    for name, value in raw.items():
        try:
            fields[name] = _take(state, name, known.get(name), value)
        except BadValue as bad:
            problem: dict[str, object] = {"isValid": False, "message": str(bad), "error": bad.code, "name": name}
            problems.append(problem | {"localizedErrorMessage": str(bad), "portalId": state.portal_id})
    return fields, problems


def holding(state: HubSpotState, kind: ObjectType, name: str, value: object) -> Iterator[Row]:
    """Live records that have this value in a property, in any case."""
    wanted = str(value).lower()
    for row in state.store.table(kind.name).rows.values():
        if row.deleted_at is None and str(row.fields.get(name) or "").lower() == wanted:
            yield row


def _take(state: HubSpotState, name: str, prop: Property | None, value: object) -> object:
    if prop is None or prop.archived:
        raise BadValue("PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
    if prop.read_only:
        raise BadValue("READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.')
    if not isinstance(value, str | int | float | bool | None):
        raise errors.invalid(f"Invalid input JSON: property {name} must be a string")
    stored = parse(prop, value)
    if prop.rule is not None and stored is not None and not prop.rule.allows(str(value)):
        raise BadValue(prop.rule.code, prop.rule.message)
    if prop.kind == "owner" and stored is not None and not state.owner_exists(str(stored)):
        raise BadValue("INVALID_OWNER_ID", f"{stored} is not a valid owner id.")
    return stored


def _normalized(
    state: HubSpotState, kind: ObjectType, raw: Mapping[str, object]
) -> tuple[Mapping[str, object], Warnings]:
    """From 2026-09 on, dates in another form are taken, and the answer says what became of them."""
    taken, warnings = dict(raw), list[dict[str, object]]()
    for name, value in raw.items():
        prop = state.schema.properties[kind.name].get(name)
        if prop is None or not isinstance(value, str | int) or isinstance(value, bool) or value == "":
            continue
        other = normalized(prop, str(value))
        if other is not None:
            taken[name] = other
            context = {"normalizedValue": other, "propertyName": name, "rawValue": str(value)}
            warnings.append(
                {"category": "PROPERTY_VALUE_NORMALIZED", "context": context, "message": f"{name} was normalized"}
            )
    return taken, warnings


def _check_rules(state: HubSpotState, kind: ObjectType, after: Mapping[str, object]) -> None:
    """What the portal's administrator made required must be set once the write is done."""
    known = state.schema.properties[kind.name]
    missing = [name for name in state.schema.required_of(kind) if after.get(name) in (None, "")]
    conditional = [
        (rule.needs, rule.when)
        for rule in state.schema.conditions.get(kind.name, ())
        if rule.when in known
        and text_of(after.get(rule.when), known[rule.when]) == rule.equals
        and after.get(rule.needs) in (None, "")
    ]
    if missing or conditional:
        raise errors.portal_rules_broken(missing, conditional)


def _check_new(kind: ObjectType, fields: Fields) -> None:
    """What every version asks of a new record."""
    needed = kind.required if kind.custom else ("hs_pipeline_stage",) if kind.name == "tickets" else ()
    missing = [name for name in needed if not fields.get(name)]
    if missing:
        raise errors.required_missing(kind.singular, missing)


def _check_unique(state: HubSpotState, kind: ObjectType, name: str, value: object, row: Row | None) -> None:
    for other in holding(state, kind, name, value):
        if row is None or other.id != row.id:
            raise errors.already_exists(kind.singular, other.id)
