"""One API request and its answer as the resources see them, whether it came alone or inside a composite."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.salesforce.errors import Refused, not_found
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.state import State


@dataclass(frozen=True, slots=True)
class Call:
    """A request below /services/data/vXX.X. Header names are in lower case; `body` is the parsed JSON or None."""

    state: State
    version: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    params: Mapping[str, str]
    body: Any = None

    def object(self) -> SObject:
        """The object that the path names. NOT_FOUND when there is none."""
        sobject = self.state.org.object(self.params["object"])
        if sobject is None:
            raise not_found()
        return sobject

    def record(self) -> dict[str, Any]:
        """The body, which must be a JSON object."""
        if self.body is None:
            message = "The HTTP entity body is required, but this request has no entity body."
            raise Refused(400, "JSON_PARSER_ERROR", message)
        if not isinstance(self.body, dict):
            raise Refused(400, "JSON_PARSER_ERROR", "Unexpected token: the request body must be a JSON object")
        return self.body

    def flag(self, header: str, default: bool) -> bool:
        """A TRUE/FALSE header."""
        text = self.headers.get(header.lower())
        return default if text is None else text.strip().lower() != "false"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; a body of None is sent as no content. `stream` stands in for a body that is too big to hold."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: Iterator[bytes] | None = None
    cost: int = 1
    """API calls that the request counts as."""


def parse_body(raw: bytes) -> Any:
    """JSON text -> value, None for no text. JSON_PARSER_ERROR when it is no JSON."""
    if not raw.strip():
        return None
    try:
        return json.loads(raw)
    except ValueError as error:
        position = getattr(error, "colno", 1)
        raise Refused(
            400, "JSON_PARSER_ERROR", f"Unexpected character at [line:{getattr(error, 'lineno', 1)}, column:{position}]"
        ) from error
