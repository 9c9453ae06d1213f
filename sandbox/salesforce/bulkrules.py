"""What Bulk API 2.0 will not query, in the vendor's words as far as anybody reported them."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from sandbox.salesforce.errors import Refused
from sandbox.salesforce.soql import tree
from sandbox.salesforce.soql.bind import Column
from sandbox.salesforce.soql.run import Check

COMPOUND = "Selecting compound data not supported in Bulk Query"
CHILDREN = "Aggregate Relationships not supported in Bulk Query with CSV content type"
_UNREPORTED = (
    (re.compile(r"\bGROUP\s+BY\b", re.IGNORECASE), "GROUP BY is not supported by the Bulk API"),
    (re.compile(r"\bOFFSET\s+\d", re.IGNORECASE), "OFFSET is not supported by the Bulk API"),
    (re.compile(r"\bTYPEOF\s+\w", re.IGNORECASE), "TYPEOF is not supported by the Bulk API"),
)
"""The guide lists these as unsupported (api_asynch, queries.htm); the wording of the refusal was not found."""
_CHILDREN = re.compile(r"\(\s*SELECT\b[^()]*\bFROM\b[^()]*\)(?=[^()]*\bFROM\b)", re.IGNORECASE)
_QUOTED = re.compile(r"'(\\.|[^'\\])*'", re.DOTALL)
_NOT_SERVED = re.compile(r"(.+History|.+Share|.+Feed|.+edEventRelation|CaseStatus|FieldDefinition|EntityDefinition)\Z")
"""Published lists of what Bulk does not serve name histories, shares, feeds and status tables; newer guides say that
history tables are chunked, so `AccountHistory` and the like may be let in by the switch `bulk_history`."""


def check_text(query: str) -> None:
    """Refuse clauses that the Bulk API does not know, before the query is looked at any closer."""
    bare = _QUOTED.sub("''", query)
    for clause, message in _UNREPORTED:
        if clause.search(bare):
            raise Refused(400, "API_ERROR", message)
    if _CHILDREN.search(bare):
        raise Refused(400, "API_ERROR", CHILDREN)


def checker(refused: AbstractSet[str], history: bool) -> Check:
    """The checks of a whole statement. `refused` names more objects that Bulk does not serve, `history` lets histories in."""

    def check(object_name: str, statement: tree.Statement, columns: list[Column]) -> None:
        if not (history and object_name.endswith("History")):
            check_object(object_name, refused)
        check_fields(statement, columns)

    return check


def check_object(name: str, refused: AbstractSet[str]) -> None:
    """INVALIDENTITY for an object that Bulk does not serve; `refused` names more of them."""
    if name in refused or _NOT_SERVED.match(name):
        raise Refused(400, "INVALIDENTITY", f"Entity '{name}' is not supported by the Bulk API.")


def check_fields(statement: tree.Statement, columns: list[Column]) -> None:
    """Refuse aggregates, compound fields and binary fields."""
    if statement.count_all or statement.group or len(columns) < len(statement.items):
        raise Refused(400, "API_ERROR", "An aggregate function is not supported by the Bulk API")
    for column in columns:
        if column.field.type in ("address", "location"):
            raise Refused(400, "API_ERROR", COMPOUND)
        if column.field.type == "base64":
            raise Refused(400, "API_ERROR", f"Binary field {column.field.name} is not supported by the Bulk API")
