"""One request to HubSpot, as its handlers see it, and the answer they give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.datastructures import QueryParams

from sandbox.clock import iso_ms
from sandbox.hubspot import errors
from sandbox.hubspot.objecttypes import ObjectType
from sandbox.hubspot.state import HubSpotState, Token


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON body (None: none at all) and headers of its own."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed authentication and the rate buckets. The store's lock is held."""

    state: HubSpotState
    token: Token
    token_text: str
    path: str
    version: str
    """`2026-03`, `2026-09`, or `v3` for the undated paths."""
    params: Mapping[str, str]
    query: QueryParams
    body: object

    def require(self, scope: str) -> None:
        """403 unless the token has the scope."""
        if scope not in self.token.scopes:
            raise errors.missing_scopes([scope])

    def kind(self, param: str = "type") -> ObjectType:
        """The object type named in the path; 400 if there is none of that name."""
        word = self.params[param]
        kind = self.state.schema.type_of(word)
        if kind is None:
            raise errors.invalid(f"Unable to infer object type from: {word}")
        if kind.name in self.state.switches.broken:
            raise errors.Refusal(500, "internal error", "INTERNAL_ERROR")
        return kind

    def readable(self, param: str = "type") -> ObjectType:
        """The object type, with the right to read it."""
        kind = self.kind(param)
        self.require(kind.read_scope)
        return kind

    def writable(self) -> ObjectType:
        """The object type, with the right to write it."""
        kind = self.kind()
        self.require(kind.write_scope)
        return kind

    def object_body(self) -> dict[str, object]:
        """The body, which must be a JSON object."""
        if not isinstance(self.body, dict):
            raise errors.invalid("Invalid input JSON on line 1, column 1: Cannot deserialize value")
        return self.body

    def inputs(self, most: int) -> list[dict[str, object]]:
        """The `inputs` of a batch, at most so many."""
        inputs = self.object_body().get("inputs")
        if not isinstance(inputs, list) or not all(isinstance(i, dict) for i in inputs):
            raise errors.invalid("Invalid input JSON: 'inputs' is required")
        if not inputs:
            raise errors.invalid("Batch input must contain at least one item")
        if len(inputs) > most:
            raise errors.too_many(most)
        return inputs

    def words(self, name: str) -> tuple[str, ...]:
        """A list in the query string: commas, repetition or both."""
        return tuple(w for part in self.query.getlist(name) for w in part.split(",") if w)

    def limit(self, default: int, most: int) -> int:
        """The page size from the query string."""
        raw = self.query.get("limit", str(default))
        if not raw.isdigit() or not 0 < int(raw) <= most:
            raise errors.invalid(f"Invalid limit: {raw}. Must be between 1 and {most}")
        return int(raw)

    def flag(self, name: str) -> bool:
        """A boolean of the query string, false if absent."""
        return self.query.get(name, "false").lower() == "true"

    def batch(self, status: int, results: list[dict[str, object]], failed: list[dict[str, object]]) -> Answer:
        """A batch's answer: 207 once something failed. Results come in another order than the inputs did."""
        now = iso_ms(self.state.now)
        body: dict[str, object] = {"status": "COMPLETE", "results": results[::-1], "startedAt": now, "completedAt": now}
        if failed:
            body |= {"numErrors": len(failed), "errors": failed}
        return Answer(207 if failed else status, body)


Handler = Callable[[Call], Answer]


def text(value: object) -> str:
    """An id that may come as a JSON number (recorded 2022) -> text."""
    return str(value) if isinstance(value, str | int) else ""
