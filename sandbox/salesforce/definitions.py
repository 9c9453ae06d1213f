"""EntityDefinition and FieldDefinition: describe's knowledge as rows that SOQL can read, made anew for each query."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sandbox.salesforce.errors import Refused
from sandbox.salesforce.schema import Field, SObject, parse
from sandbox.salesforce.soql import tree
from sandbox.versions import Row

ENTITY, FIELD = "EntityDefinition", "FieldDefinition"
_STILL = dict.fromkeys(
    (
        "createable",
        "updateable",
        "deletable",
        "undeletable",
        "searchable",
        "layoutable",
        "mergeable",
        "replicateable",
    ),
    False,
)
OBJECTS: dict[str, SObject] = {
    ENTITY: parse(
        ENTITY,
        None,
        """
        Id id ro
        DurableId string:1000 ro
        QualifiedApiName string:70 ro name
        DeveloperName string:40 ro
        Label string:200 ro
        PluralLabel string:200 ro
        KeyPrefix string:3 ro
        IsQueryable boolean ro
        IsCustomSetting boolean ro
        """,
        label="Entity Definition",
        plural="Entity Definitions",
        **_STILL,
    ),
    FIELD: parse(
        FIELD,
        None,
        """
        Id id ro
        DurableId string:1000 ro
        QualifiedApiName string:70 ro name
        EntityDefinitionId string:70 ro ->EntityDefinition:EntityDefinition
        DeveloperName string:40 ro
        Label string:200 ro
        Length int ro
        DataType string:1000 ro
        IsCalculated boolean ro
        IsNillable boolean ro
        IsIndexed boolean ro
        IsApiFilterable boolean ro
        IsFieldHistoryTracked boolean ro
        """,
        label="Field Definition",
        plural="Field Definitions",
        **_STILL,
    ),
}
_REIFIED = {
    ENTITY: ("id", "durableid", "qualifiedapiname", "keyprefix", "developername"),
    FIELD: ("id", "durableid", "entitydefinitionid", "entitydefinition.qualifiedapiname"),
}


def check(statement: tree.Statement, object_name: str) -> None:
    """FieldDefinition may only be read for named objects. Refused without such a filter."""
    if object_name == FIELD and not _named(statement.where, _REIFIED[FIELD]):
        message = f"{object_name}: a filter on a reified column is required [EntityDefinitionId,DurableId]"
        raise Refused(400, "EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION", message)


def _named(condition: tree.Condition | None, columns: tuple[str, ...]) -> bool:
    if isinstance(condition, tree.Comparison):
        return condition.op in ("=", "in") and str(condition.path).lower() in columns
    if isinstance(condition, tree.All):
        return any(_named(part, columns) for part in condition.parts)
    if isinstance(condition, tree.Any):
        return all(_named(part, columns) for part in condition.parts)
    return False


def entities(objects: list[SObject]) -> Iterator[Row]:
    """A row per object; its id is the DurableId, which is the name of a standard object."""
    for sobject in sorted(objects, key=lambda o: o.name):
        fields = {
            "DurableId": sobject.name,
            "QualifiedApiName": sobject.name,
            "DeveloperName": sobject.name.removesuffix("__c"),
            "Label": sobject.label,
            "PluralLabel": sobject.plural,
            "KeyPrefix": sobject.prefix,
            "IsQueryable": True,
            "IsCustomSetting": False,
        }
        yield Row(sobject.name, fields, 0, 0)


def fields(
    objects: list[SObject], seen: Callable[[SObject], list[Field]], tracked: Callable[[str, str], bool]
) -> Iterator[Row]:
    """A row per field that the caller sees."""
    for sobject in sorted(objects, key=lambda o: o.name):
        for field in seen(sobject):
            durable = f"{sobject.name}.{field.name}"
            values = {
                "DurableId": durable,
                "QualifiedApiName": field.name,
                "EntityDefinitionId": sobject.name,
                "DeveloperName": field.name.removesuffix("__c"),
                "Label": field.label,
                "Length": field.length,
                "DataType": field.type,
                "IsCalculated": field.formula is not None,
                "IsNillable": field.nillable,
                "IsIndexed": field.type == "id",
                "IsApiFilterable": field.filterable,
                "IsFieldHistoryTracked": tracked(sobject.name, field.name),
            }
            yield Row(durable, values, 0, 0)
