"""Look around in a Salesforce org: objects, fields, how far they are filled, and bounded samples of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from connectors.http import VendorError
from connectors.mapping import holds
from connectors.salesforce.session import PARTS_PER_CALL, QUERIES_PER_CALL, SalesforceSession, reason
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.soql import FieldOf, NotInSoql, among, condition
from connectors.shapes import FieldShape, Kind, ObjectName, ObjectShape, Option, Row, Sample, walk
from store.records import Scalar

HOME = "Account"
_KINDS: Mapping[str, Kind] = {
    "currency": "money",
    "double": "number",
    "int": "number",
    "long": "number",
    "percent": "number",
    "date": "date",
    "datetime": "instant",
    "boolean": "flag",
    "picklist": "choice",
    "combobox": "choice",
    "multipicklist": "choices",
    "string": "text",
    "url": "text",
    "email": "text",
    "phone": "text",
    "encryptedstring": "long",
    "textarea": "long",
    "reference": "reference",
    "id": "reference",
}
_PERSONAL_TYPES = frozenset({"email", "phone", "encryptedstring"})
_PEOPLE = frozenset({"Contact", "Lead", "User", "Individual"})
_OF_PEOPLE = frozenset({"FirstName", "LastName", "MiddleName", "Salutation", "Suffix"})  # of person accounts
_SAID = frozenset({"Task", "Event", "EmailMessage", "Case"})
"""Objects whose texts are what people wrote to each other."""
_SHOWABLE = frozenset({"Title", "Department", "CompanyName", "Company", "Priority", "CaseNumber"})
# Rows about rows: nothing in them is a fact about a customer.
_BESIDES = ("__Share", "__History", "__Feed", "__ChangeEvent", "__Tag", "Share", "History", "Feed", "ChangeEvent")
# Standard objects in which contracts, amounts and roles are kept; custom ones are found by their lookup to Account.
_STANDARD = ("Opportunity", "OpportunityLineItem", "Contract", "Asset", "Order", "AccountTeamMember")
_THROUGH = ("Opportunity", "Contract")
"""Objects whose own children count too: a line item belongs to an account through its opportunity."""
MOST_OBJECTS = 40
"""Objects that are described for proposals."""
SAMPLED = 400
"""Customers in a sample: as many ids as fit into one query's address of 16,384 bytes (27 bytes each, quoted)."""
_COUNTS_PER_QUERY = 50
_ADDRESS = 12_000  # characters of a query; the vendor's limit is 16,384 bytes of address and headers
_ROWS = 2_000


class SalesforceExplorer:
    """One org, seen with the rights that tierd has. Remembers every describe."""

    home = HOME

    def __init__(self, settings: SalesforceSettings, session: SalesforceSession) -> None:
        self._session = session
        self._root = f"/services/data/v{settings.api_version}"
        self._shapes: dict[str, ObjectShape | None] = {}
        self._names: tuple[ObjectName, ...] | None = None

    @property
    def calls(self) -> int:
        """API calls made so far."""
        return self._session.calls

    @property
    def left(self) -> int | None:
        """Calls that the org still allows within 24 hours; None before the first answer."""
        used, allowed = self._session.usage or (0, 0)
        return allowed - used if allowed else None

    # ------------------------------------------------------------ shapes

    def objects(self) -> tuple[ObjectName, ...]:
        """Every object that can be queried, without the ones that only describe others. One call."""
        if self._names is None:
            listed = self._session.call("GET", "sobjects")["sobjects"]
            self._names = tuple(
                ObjectName(o["name"], o["label"], bool(o["custom"]))
                for o in listed
                if o["queryable"] and not o["deprecatedAndHidden"] and not o["name"].endswith(_BESIDES)
            )
        return self._names

    def shape(self, name: str) -> ObjectShape | None:
        """One object's fields; None where it is not there or not visible."""
        if name not in self._shapes:
            self.shapes([name])
        return self._shapes[name]

    def shapes(self, names: Iterable[str]) -> Mapping[str, ObjectShape | None]:
        """Objects' fields, 25 describes a call; those known already cost nothing."""
        wanted = list(dict.fromkeys(names))
        missing = [name for name in wanted if name not in self._shapes]
        for start in range(0, len(missing), PARTS_PER_CALL):
            some = missing[start : start + PARTS_PER_CALL]
            answers = self._session.get([f"{self._root}/sobjects/{quote(name, safe='')}/describe" for name in some])
            for name, (status, body) in zip(some, answers, strict=True):
                if status not in (200, 404) and reason(body)[0] not in ("NOT_FOUND", "INVALID_TYPE"):
                    raise VendorError("failed", f"{name} cannot be described: {reason(body)[1]}", status=status)
                # A name in another spelling is answered too, but rows then come under the true one.
                self._shapes[name] = _shape(body) if status == 200 and body["name"] == name else None
        return {name: self._shapes[name] for name in wanted}

    def nearby(self) -> tuple[str, ...]:
        """Objects whose rows belong to accounts: known standard ones, and custom ones by their lookup."""
        home = self.shape(HOME)
        if home is None:
            return ()
        known = {name.name for name in self.objects()}
        found = [name for name in _STANDARD if name in known]
        found += [name for name, _ in home.children if name.endswith("__c") and name in known]
        through = [name for name in _THROUGH if name in known]
        for parent in self.shapes(through).values():
            found += [name for name, _ in (parent.children if parent else ()) if name.endswith("__c") and name in known]
        return tuple(dict.fromkeys(found))[:MOST_OBJECTS]

    def routes(self, name: str) -> tuple[str, ...]:
        """Paths from an object to the account: its own lookups first, then through an opportunity or contract."""
        shape = self.shape(name)
        if shape is None:
            return ()
        direct = [f.name for f in shape.fields.values() if f.refers == (HOME,)]
        direct.sort(key=lambda field: field != "AccountId")
        further = [
            f"{f.relation}.AccountId"
            for f in shape.fields.values()
            if f.relation and len(f.refers) == 1 and f.refers[0] in _THROUGH
        ]
        return (*direct, *further)

    # ------------------------------------------------------------ counts and rows

    def count(self, name: str, where: Mapping[str, Any]) -> int | None:
        """How many rows meet a condition; None where SOQL cannot say it."""
        return self.counts(name, [where])[0]

    def counts(self, name: str, wheres: Sequence[Mapping[str, Any]]) -> list[int | None]:
        """The same for several conditions, five a call."""
        found: list[int | None] = [None] * len(wheres)
        asked: list[tuple[int, str]] = []
        for number, where in enumerate(wheres):
            try:
                asked.append((number, f"SELECT COUNT() FROM {name}{self._where(name, where)}"))
            except NotInSoql:
                continue
        answers = self._queries([soql for _, soql in asked])
        for (number, _), (status, body) in zip(asked, answers, strict=True):
            found[number] = int(body["totalSize"]) if status == 200 else None
        return found

    def won(self, where: Mapping[str, Any]) -> tuple[int, int] | None:
        """(accounts with a won opportunity, those of them that meet the condition); None where SOQL cannot say it."""
        deals = "Id IN (SELECT AccountId FROM Opportunity WHERE IsWon = true)"
        try:
            also = condition(where, self._field_of(HOME)) or "Id != null"
        except NotInSoql:
            return None
        answers = self._queries(
            [f"SELECT COUNT() FROM {HOME} WHERE {deals}", f"SELECT COUNT() FROM {HOME} WHERE {deals} AND {also}"]
        )
        if any(status != 200 for status, _ in answers):
            return None
        every, meeting = (int(body["totalSize"]) for _, body in answers)
        return every, meeting

    def filled(self, name: str, fields: Sequence[str], where: Mapping[str, Any]) -> Mapping[str, int]:
        """Rows with a value, per field that an aggregate can count; the others are left out. Many fields a query."""
        shape = self.shape(name)
        countable = [f for f in fields if shape is not None and f in shape.fields and shape.fields[f].countable]
        chunks = [countable[i : i + _COUNTS_PER_QUERY] for i in range(0, len(countable), _COUNTS_PER_QUERY)]
        try:
            tail = self._where(name, where)
        except NotInSoql:
            return {}
        soqls = [
            f"SELECT {', '.join(f'COUNT({f}) n{n}' for n, f in enumerate(chunk))} FROM {name}{tail}" for chunk in chunks
        ]
        found: dict[str, int] = {}
        for chunk, (status, body) in zip(chunks, self._queries(soqls), strict=True):
            if status == 200 and body["records"]:
                record = body["records"][0]
                found |= {f: int(record[f"n{n}"]) for n, f in enumerate(chunk)}
        return found

    def accounts(self, fields: Sequence[str], where: Mapping[str, Any], most: int = SAMPLED) -> Sample:
        """A sample of accounts with these fields: the oldest and the newest half; all of them where they are few."""
        total = self.count(HOME, where)
        if total is None:  # SOQL cannot say it: a larger sample is taken, and the condition tested row by row
            found = self.accounts([*fields, *where], {}, most=_ROWS).rows
            return Sample(tuple(row for row in found if holds(where, row.fields) is True)[:most], None)
        tail = self._where(HOME, where)
        rows: dict[str, dict[str, Scalar]] = {}
        for part in _chunks(list(dict.fromkeys(fields))):
            names = ", ".join(dict.fromkeys(("Id", *part)))
            head = f"SELECT {names} FROM {HOME}{tail}"
            few = total <= most
            soqls = [f"{head} ORDER BY Id LIMIT {most if few else most // 2}"]
            soqls += [] if few else [f"{head} ORDER BY Id DESC LIMIT {most // 2}"]
            for status, body in self._queries(soqls):
                if status != 200:
                    raise VendorError("failed", f"{HOME} cannot be sampled: {reason(body)[1]}", status=status)
                for record in body["records"]:
                    rows.setdefault(record["Id"], {}).update({f: _value(record, f) for f in part})
        return Sample(tuple(Row(ref, ref, values) for ref, values in sorted(rows.items())), total)

    def rows(self, name: str, fields: Sequence[str], most: int = 200) -> tuple[Row, ...]:
        """A few rows of any object, the newest ones; they belong to no account here."""
        found: dict[str, dict[str, Scalar]] = {}
        soqls = [
            f"SELECT {', '.join(dict.fromkeys(('Id', *part)))} FROM {name} ORDER BY Id DESC LIMIT {most}"
            for part in _chunks(fields)
        ]
        for part, (status, body) in zip(_chunks(fields), self._queries(soqls), strict=True):
            if status != 200:
                raise VendorError("failed", f"{name} cannot be sampled: {reason(body)[1]}", status=status)
            for record in body["records"]:
                found.setdefault(record["Id"], {}).update({f: _value(record, f) for f in part})
        return tuple(Row("", ref, values) for ref, values in found.items())

    def related(
        self, name: str, path: str, fields: Sequence[str], accounts: Sequence[str], most: int = 4 * _ROWS
    ) -> tuple[Row, ...]:
        """Rows of another object that belong to these accounts (at most `SAMPLED` of them), newest ids last."""
        names = ", ".join(dict.fromkeys(("Id", path, *fields)))
        soql = f"SELECT {names} FROM {name} WHERE {among(path, list(accounts)[:SAMPLED])} ORDER BY Id LIMIT {most}"
        ((status, body),) = self._queries([soql])
        found: list[Row] = []
        while status == 200:
            for record in body["records"]:
                values = {f: _value(record, f) for f in fields}
                found.append(Row(str(_value(record, path) or ""), record["Id"], values))
            if body["done"]:
                break
            ((status, body),) = self._session.get([body["nextRecordsUrl"]], work="backfill")
        return tuple(found)

    def cost(self, fields: int, objects: int) -> int:
        """Calls that exact counts of so many fields and samples of so many objects take, at most."""
        counts = -(-fields // _COUNTS_PER_QUERY)
        return -(-counts // QUERIES_PER_CALL) + 5 + objects * 2

    # ------------------------------------------------------------ calls

    def _where(self, name: str, where: Mapping[str, Any]) -> str:
        text = condition(where, self._field_of(name))
        return f" WHERE {text}" if text else ""

    def _field_of(self, name: str) -> FieldOf:
        shape = self.shape(name)
        return lambda field: walk(self.shape, shape, field).field if shape is not None else None

    def _queries(self, soqls: Sequence[str]) -> list[tuple[int, Any]]:
        """Counts and samples, five a call; they leave the org's reserve alone, as a first sync does."""
        found: list[tuple[int, Any]] = []
        for start in range(0, len(soqls), QUERIES_PER_CALL):
            paths = [f"{self._root}/query?q={quote(soql)}" for soql in soqls[start : start + QUERIES_PER_CALL]]
            found += self._session.get(paths, work="backfill")
        return found


def _chunks(fields: Sequence[str]) -> list[list[str]]:
    """Fields in groups whose names fit into one query's address."""
    groups: list[list[str]] = [[]]
    size = 0
    for name in fields:
        if size + len(name) + 4 > _ADDRESS:
            groups.append([])
            size = 0
        groups[-1].append(name)
        size += len(name) + 4
    return groups


def _value(record: Mapping[str, Any], name: str) -> Scalar:
    """A value under a dotted name: parents come as records inside the record."""
    value: Any = record
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, str | int | float | bool) else None


def _shape(body: Mapping[str, Any]) -> ObjectShape:
    fields = {f["name"]: _field(body["name"], f) for f in body["fields"]}
    children = tuple((c["childSObject"], c["field"]) for c in body.get("childRelationships", ()) if c["childSObject"])
    rights = {"createable": "create", "updateable": "edit", "deletable": "delete"}
    granted = frozenset(word for flag, word in rights.items() if body.get(flag))
    return ObjectShape(body["name"], body["label"], fields, bool(body.get("custom")), children, rights=granted)


def _field(owner: str, raw: Mapping[str, Any]) -> FieldShape:
    kind: Kind = _KINDS.get(raw["type"], "other")
    refers = tuple(raw.get("referenceTo") or ())
    if kind == "reference" and refers and set(refers) <= {"User", "Group"}:
        kind = "person"
    options = tuple(
        Option(o["value"], o.get("label") or o["value"], bool(o.get("active", True)))
        for o in raw.get("picklistValues") or ()
    )
    return FieldShape(
        raw["name"],
        raw.get("label") or raw["name"],
        kind,
        raw["type"],
        options,
        refers,
        raw.get("relationshipName"),
        bool(raw.get("custom")),
        bool(raw.get("updateable")),
        bool(raw.get("aggregatable")),
        bool(raw.get("filterable")),
        bool(raw.get("restrictedPicklist")),
        int(raw.get("length") or 0),
        _is_personal(owner, raw["name"], raw["type"], kind),
    )


def _is_personal(owner: str, name: str, type_: str, kind: Kind) -> bool:
    """Whether values may name, reach or quote a person."""
    if kind == "person" or type_ in _PERSONAL_TYPES or name in _OF_PEOPLE or name.endswith("__pc"):
        return True
    return owner in _PEOPLE | _SAID and kind in ("text", "long") and name not in _SHOWABLE
