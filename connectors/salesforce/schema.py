"""What the org's objects look like to tierd's user: describes, looked at again only when they changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from connectors.salesforce.composite import Answer, Ask
from store.records import HOUR, Instant

CURSOR_FIELDS = ("SystemModstamp", "LastModifiedDate", "CreatedDate", "LoginTime")
"""The order in which an object's changes can be followed; the first that is there and filterable is taken.

SystemModstamp is indexed and moves with automated changes too; LastModifiedDate may be back-dated by an import.
"""
_TRUSTED = HOUR


@dataclass(frozen=True, slots=True)
class Field:
    """One field as describe tells it."""

    name: str
    filterable: bool
    calculated: bool
    """The result of a formula: it changes without moving any stamp."""


@dataclass(frozen=True, slots=True)
class ObjectSchema:
    """One object as the user sees it."""

    name: str
    prefix: str | None
    """What the ids of its rows begin with."""
    fields: Mapping[str, Field]
    relationships: Mapping[str, tuple[str, ...]]
    """Name of a relationship -> objects that it may lead to."""
    replicateable: bool
    """Whether it keeps a log of deletions."""

    @property
    def cursor_field(self) -> str | None:
        """The stamp to follow; None where there is none to filter by."""
        return next((n for n in CURSOR_FIELDS if n in self.fields and self.fields[n].filterable), None)

    def near(self, name: str) -> str | None:
        """The visible field that a name is most like."""
        lower = {known.casefold(): known for known in self.fields}
        found = get_close_matches(name.casefold(), lower, n=1, cutoff=0.8)
        return lower[found[0]] if found else None


class Schema:
    """The describes that this process has seen."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._known: dict[str, ObjectSchema | None] = {}
        self._seen: dict[str, tuple[str, Instant]] = {}

    def ask(self, object_name: str, now: Instant) -> Ask:
        """The request for a describe: 304 without a body where nothing changed since the last one. `now`: the server's.

        Whether a permission moves the stamp that 304 goes by is not documented: now and then all of it is read.
        """
        since, read_at = self._seen.get(object_name, ("", 0))
        headers = {"If-Modified-Since": since} if since and now - read_at < _TRUSTED else {}
        return Ask(f"{self._root}/sobjects/{object_name}/describe", headers=headers)

    def learn(self, object_name: str, answer: Answer, now: Instant) -> ObjectSchema | None:
        """The object by the answer to `ask`; None where the user sees no such object."""
        if answer.status == 304:
            return self._known.get(object_name)
        self._known[object_name] = _read(answer.body) if answer.status == 200 else None
        stamp = next((value for name, value in answer.headers.items() if name.lower() == "last-modified"), None)
        if answer.status == 200 and stamp:
            self._seen[object_name] = (stamp, now)
        else:
            self._seen.pop(object_name, None)
        return self._known[object_name]

    def forget(self, object_name: str) -> None:
        """Ask for the whole describe the next time, whatever its stamp says: permissions may have changed."""
        self._seen.pop(object_name, None)

    def known(self, object_name: str) -> ObjectSchema | None:
        """What was learnt of an object; None for one that is not there or was not asked for."""
        return self._known.get(object_name)

    def hidden(self, sobject: ObjectSchema, names: Iterable[str]) -> tuple[str, ...]:
        """Those of the fields (`Name`, `Account.Name`, `Owner.Email`) that the user does not see."""
        return tuple(sorted(name for name in set(names) if not self._sees(sobject, name)))

    def unknown(self, sobject: ObjectSchema, names: Iterable[str]) -> set[str]:
        """Objects that have to be described before `hidden` can judge paths that lead over them."""
        found: set[str] = set()
        for name in names:
            here: ObjectSchema | None = sobject
            for hop in name.split(".")[:-1]:
                targets = here.relationships.get(hop, ()) if here else ()
                if len(targets) != 1:
                    break
                if targets[0] not in self._known:
                    found.add(targets[0])
                here = self._known.get(targets[0])
        return found

    def _sees(self, sobject: ObjectSchema, path: str) -> bool:
        hop, _, rest = path.partition(".")
        if not rest:
            return hop in sobject.fields
        targets = sobject.relationships.get(hop)
        if targets is None:
            return False
        further = self._known.get(targets[0]) if len(targets) == 1 else None
        # Over a polymorphic reference, or to an object not looked at, the query itself says whether the field is there.
        return further is None or self._sees(further, rest)


def is_describe(answer: Answer, object_name: str) -> bool:
    """Whether an answer can be what was asked for: a describe of this object, or that it is unchanged or not there."""
    if answer.status == 200:
        body = answer.body
        named = isinstance(body, dict) and isinstance(body.get("fields"), list) and str(body.get("name"))
        return bool(named) and str(body["name"]).casefold() == object_name.casefold()
    return answer.status in (304, 404)


def _read(body: Any) -> ObjectSchema:
    fields = {f["name"]: f for f in body["fields"]}
    return ObjectSchema(
        name=body["name"],
        prefix=body.get("keyPrefix"),
        fields={name: Field(name, bool(f.get("filterable")), bool(f.get("calculated"))) for name, f in fields.items()},
        relationships={
            f["relationshipName"]: tuple(f["referenceTo"]) for f in fields.values() if f.get("relationshipName")
        },
        replicateable=bool(body.get("replicateable")),
    )
