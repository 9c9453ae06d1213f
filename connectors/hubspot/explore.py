"""Look around in a HubSpot portal: objects, properties, how far they are filled, and bounded samples of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connectors.http import VendorError
from connectors.hubspot.links import LINKED_ROWS
from connectors.hubspot.objects import LIST_PAGE, SEARCH_PAGE
from connectors.hubspot.paths import Paths
from connectors.hubspot.session import HubSpotSession
from connectors.hubspot.settings import HubSpotSettings
from connectors.mapping import holds
from connectors.shapes import FieldShape, Kind, ObjectName, ObjectShape, Option, Row, Sample
from store.records import Scalar

HOME = "companies"
_TYPE_OF_HOME = "0-2"
_STANDARD = (
    ObjectName("companies", "Companies"),
    ObjectName("contacts", "Contacts"),
    ObjectName("deals", "Deals"),
    ObjectName("tickets", "Tickets"),
)
_KINDS: Mapping[str, Kind] = {
    "number": "number",
    "date": "date",
    "datetime": "instant",
    "bool": "flag",
    "enumeration": "choice",
    "string": "text",
    "phone_number": "text",
}
_PERSONAL = frozenset({"email", "firstname", "lastname", "phone", "mobilephone", "fax", "work_email", "salutation"})
_SAID = frozenset({"contacts", "tickets", "emails", "calls", "meetings", "notes", "tasks"})
"""Objects whose texts name people, or are what people wrote to each other."""
_SHOWABLE = frozenset({"jobtitle", "company", "industry", "hs_email_domain", "hs_object_id"})
SAMPLED = 400
_MOST_LINKED = 1_000
"""Associated rows that are read of one object for a sample: ten batches of a hundred."""


class HubSpotExplorer:
    """One portal, seen with the rights that tierd has. Remembers every list of properties."""

    home = HOME

    def __init__(self, settings: HubSpotSettings, session: HubSpotSession) -> None:
        self._session, self._paths = session, Paths(settings.read_version)
        self._shapes: dict[str, ObjectShape | None] = {}
        self._schemas: list[Mapping[str, Any]] | None = None

    @property
    def calls(self) -> int:
        """API calls made so far."""
        return self._session.calls

    @property
    def left(self) -> int | None:
        """Calls that the portal still allows today; None where it does not say (Service Keys, OAuth)."""
        try:
            path = self._paths.usage()
            usage = self._session.get(path)["results"][0]
            return int(usage["usageLimit"]) - int(usage["currentUsage"])
        except (VendorError, KeyError, IndexError):
            return None

    # ------------------------------------------------------------ shapes

    def objects(self) -> tuple[ObjectName, ...]:
        """The standard objects that tierd reads, and every custom one. One call."""
        custom = tuple(
            ObjectName(
                schema.get("fullyQualifiedName") or schema["name"],
                (schema.get("labels") or {}).get("plural") or schema["name"],
                custom=True,
                known_as=tuple(filter(None, (schema["name"], schema.get("objectTypeId")))),
            )
            for schema in self._custom()
        )
        return (*_STANDARD, *custom)

    def _custom(self) -> Sequence[Mapping[str, Any]]:
        if self._schemas is None:
            try:
                self._schemas = self._session.get(self._paths.schemas())["results"]
            except VendorError as error:
                if error.status not in (403, 404):
                    raise
                self._schemas = []  # the plan has no custom objects, or the token lacks crm.schemas.custom.read
        return self._schemas

    def required(self, name: str) -> tuple[str, ...]:
        """Properties that the portal requires of a record of this object, as its schema says."""
        schema = self._session.get(f"{self._paths.schemas()}/{name}")
        return tuple(schema.get("requiredProperties") or ())

    def shape(self, name: str) -> ObjectShape | None:
        """One object's properties; None where it is not there or the token may not see it."""
        if name not in self._shapes:
            self._shapes[name] = self._read(name)
        return self._shapes[name]

    def shapes(self, names: Iterable[str]) -> Mapping[str, ObjectShape | None]:
        """Objects' properties, one call each; those known already cost nothing."""
        return {name: self.shape(name) for name in names}

    def _read(self, name: str) -> ObjectShape | None:
        try:
            listed = self._session.get(self._paths.properties(name))["results"]
        except VendorError as error:
            if error.status in (400, 403, 404):
                return None
            raise
        fields = {p["name"]: _field(name, p) for p in listed if not p.get("archived")}
        known = {o.name: o for o in _STANDARD}
        if name in known:
            return ObjectShape(name, known[name].label, fields, parents=(HOME,) if name != HOME else ())
        schema = next((s for s in self._custom() if name in _names(s)), None)
        if schema is None:
            return ObjectShape(name, name, fields, custom=True)
        own = schema.get("objectTypeId")
        linked = [a for a in schema.get("associations") or () if own in (a["fromObjectTypeId"], a["toObjectTypeId"])]
        to_home = any(_TYPE_OF_HOME in (a["fromObjectTypeId"], a["toObjectTypeId"]) for a in linked)
        label = (schema.get("labels") or {}).get("plural") or name
        return ObjectShape(name, label, fields, custom=True, parents=(HOME,) if to_home else ())

    def nearby(self) -> tuple[str, ...]:
        """Objects whose rows belong to companies: deals, and custom ones by their associations."""
        custom = [s["fullyQualifiedName"] for s in self._custom() if s.get("fullyQualifiedName")]
        shapes = self.shapes(custom)
        return ("deals", *(name for name in custom if (shape := shapes[name]) is not None and HOME in shape.parents))

    def routes(self, name: str) -> tuple[str, ...]:
        """HubSpot's rows belong to a company by association: there is one way, and it has no name."""
        shape = self.shape(name)
        return ("",) if shape is not None and HOME in shape.parents else ()

    # ------------------------------------------------------------ counts and rows

    def count(self, name: str, where: Mapping[str, Any]) -> int | None:
        """How many records meet a condition, by the search index; None where a search cannot say it. One call."""
        body = {"limit": 1, "filterGroups": self._groups(name, where)}
        try:
            total = self._search_call(name, body).get("total")
        except VendorError as error:
            if error.status != 400:
                raise
            return None
        return None if total is None else int(total)

    def _search_call(self, name: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """A search; it leaves the portal's reserve alone, as a first sync does."""
        before, self._session.work = self._session.work, "backfill"
        try:
            answer: Mapping[str, Any] = self._session.post(self._paths.search(name), body)
            return answer
        finally:
            self._session.work = before

    def counts(self, name: str, wheres: Sequence[Mapping[str, Any]]) -> list[int | None]:
        """The same for several conditions, one call each."""
        return [self.count(name, where) for where in wheres]

    def won(self, where: Mapping[str, Any]) -> tuple[int, int] | None:
        """(companies with closed-won revenue, those of them that meet the condition); None where there is no sum."""
        home = self.shape(HOME)
        if home is None or "total_revenue" not in home.fields:
            return None
        paid = {"total_revenue": {"at_least": 0.01}}
        every, meeting = self.count(HOME, paid), self.count(HOME, {**where, **paid})
        return None if every is None or meeting is None else (every, meeting)

    def filled(self, name: str, fields: Sequence[str], where: Mapping[str, Any]) -> Mapping[str, int]:
        """Nothing: a count per property would be a search each, of five a second that all apps share; samples serve."""
        del name, fields, where
        return {}

    def accounts(self, fields: Sequence[str], where: Mapping[str, Any], most: int = SAMPLED) -> Sample:
        """A sample of companies with these properties: the oldest and the newest half; all where they are few."""
        try:
            first, total = self._search(HOME, where, fields, (most // 2, "ASCENDING"))
        except VendorError as error:
            if error.status != 400 or not where:
                raise
            # A search cannot say the condition: it is tested row by row.
            found = self.accounts([*fields, *where], {}, most).rows
            return Sample(tuple(row for row in found if holds(where, row.fields) is True), None)
        rows = {row.id: row for row in first}
        if total > len(first):
            last, _ = self._search(HOME, where, fields, (most // 2, "DESCENDING"))
            rows |= {row.id: row for row in last}
        return Sample(tuple(rows[ref] for ref in sorted(rows, key=int)), total)

    def rows(self, name: str, fields: Sequence[str], most: int = SEARCH_PAGE) -> tuple[Row, ...]:
        """A few records of any object, the newest ones; they belong to no company here."""
        found, _ = self._search(name, {}, fields, (most, "DESCENDING"))
        return tuple(Row("", row.id, row.fields) for row in found)

    def _groups(self, name: str, where: Mapping[str, Any]) -> list[dict[str, Any]]:
        shape = self.shape(name)
        fields = shape.fields if shape is not None else {}
        # IN takes text in lower case only (developers.hubspot.com/docs/api-reference/search/guide).
        texts = {field for field, one in fields.items() if one.kind in ("text", "long")}
        filters = [one for field, wanted in where.items() for one in _filters(field, wanted, text=field in texts)]
        return [{"filters": filters}] if filters else []

    def _search(
        self, name: str, where: Mapping[str, Any], fields: Sequence[str], how: tuple[int, str]
    ) -> tuple[list[Row], int]:
        most, direction = how
        body: dict[str, Any] = {
            "limit": min(most, SEARCH_PAGE),
            "filterGroups": self._groups(name, where),
            "sorts": [{"propertyName": "hs_object_id", "direction": direction}],
            "properties": list(fields),
        }
        found: list[Row] = []
        while True:
            answer = self._search_call(name, body)
            found += [Row(r["id"], r["id"], _values(r, fields)) for r in answer["results"]]
            after = ((answer.get("paging") or {}).get("next") or {}).get("after")
            if after is None or len(found) >= most:
                return found[:most], int(answer.get("total", len(found)))
            body["after"] = after

    def related(
        self, name: str, path: str, fields: Sequence[str], accounts: Sequence[str], most: int = _MOST_LINKED
    ) -> tuple[Row, ...]:
        """Records of another object that are associated with these companies, at most `most`."""
        del path
        owners: dict[str, str] = {}
        for start in range(0, len(accounts), LINKED_ROWS):
            inputs = [{"id": ref} for ref in accounts[start : start + LINKED_ROWS]]
            address = self._paths.linked(HOME, name)
            for result in self._session.post(address, {"inputs": inputs}).get("results", ()):
                for target in result["to"]:
                    # A record of several companies belongs to its primary one, as in a sync.
                    ref, owner = str(target["toObjectId"]), str(result["from"]["id"])
                    labels = " ".join(str(kind.get("label")) for kind in target.get("associationTypes") or ())
                    if ref not in owners or "Primary" in labels:
                        owners[ref] = owner
        wanted = sorted(owners, key=int)[:most]
        found: list[Row] = []
        for start in range(0, len(wanted), LIST_PAGE):
            body = {
                "inputs": [{"id": ref} for ref in wanted[start : start + LIST_PAGE]],
                "properties": list(fields),
                "propertiesWithHistory": [],
            }
            answer = self._session.post(self._paths.read(name), body)
            found += [Row(owners[r["id"]], r["id"], _values(r, fields)) for r in answer["results"] if r["id"] in owners]
        return tuple(sorted(found, key=lambda row: int(row.id)))  # a batch answers in any order

    def cost(self, fields: int, objects: int) -> int:
        """Calls that the samples of so many objects take, at most."""
        del fields
        return 10 + 2 * -(-SAMPLED // 2 // SEARCH_PAGE) + objects * (1 + _MOST_LINKED // LIST_PAGE)


def _names(schema: Mapping[str, Any]) -> tuple[Any, ...]:
    return (schema.get("fullyQualifiedName"), schema.get("name"), schema.get("objectTypeId"))


def _filters(name: str, wanted: Any, *, text: bool) -> list[dict[str, Any]]:
    if isinstance(wanted, dict):
        ((test, value),) = wanted.items()
        if test == "known":
            return [{"propertyName": name, "operator": "HAS_PROPERTY" if value else "NOT_HAS_PROPERTY"}]
        if test == "not":
            values = value if isinstance(value, list) else [value]
            return [{"propertyName": name, "operator": "NEQ", "value": _text(v)} for v in values] + [
                {"propertyName": name, "operator": "HAS_PROPERTY"}
            ]
        operator = "GTE" if test == "at_least" else "LTE"
        return [{"propertyName": name, "operator": operator, "value": _text(value)}]
    if isinstance(wanted, list):
        return [
            {"propertyName": name, "operator": "IN", "values": [_text(v).lower() if text else _text(v) for v in wanted]}
        ]
    return [{"propertyName": name, "operator": "EQ", "value": _text(wanted)}]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values(record: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Scalar]:
    properties = record["properties"]
    return {name: properties.get(name) or None for name in fields}


def _field(owner: str, raw: Mapping[str, Any]) -> FieldShape:
    kind: Kind = _KINDS.get(raw["type"], "other")
    if raw.get("referencedObjectType") == "OWNER":
        kind = "person"
    elif kind == "number" and (raw.get("showCurrencySymbol") or raw.get("numberDisplayHint") == "currency"):
        kind = "money"
    elif raw.get("fieldType") in ("textarea", "html"):
        kind = "long"
    elif raw.get("fieldType") == "checkbox":
        kind = "choices"
    options = tuple(
        Option(o["value"], o.get("label") or o["value"], not o.get("hidden", False)) for o in raw.get("options") or ()
    )
    read_only = bool((raw.get("modificationMetadata") or {}).get("readOnlyValue"))
    texts = kind in ("text", "long") and owner not in ("companies", "deals") and raw["name"] not in _SHOWABLE
    said = owner in _SAID and texts
    personal = kind == "person" or raw["name"] in _PERSONAL or raw["type"] == "phone_number"
    return FieldShape(
        raw["name"],
        raw.get("label") or raw["name"],
        kind,
        raw["type"],
        options,
        custom=not raw.get("hubspotDefined", False),
        writable=not read_only,
        countable=False,
        restricted=bool(options),
        personal=personal or said,
    )
