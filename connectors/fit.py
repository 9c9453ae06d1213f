"""Hold a mapping against what the CRM really has: every name, path, value and unit, each with the nearest right one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.http import Finding
from connectors.mapping import FieldMapping, MappedField
from connectors.shapes import FieldShape, Kind, ObjectShape, Shapes, nearest, walk

At = tuple[str | int, ...]
"""Where in the source's section of tierd.yaml, for example ("fields", "arr", 0, "field")."""

_NUMBERS: frozenset[Kind] = frozenset({"money", "number"})
_DATES: frozenset[Kind] = frozenset({"date", "instant"})
# What a fact can be read from, and how it is called. Text is taken where a CRM keeps numbers or dates in text.
_FITS: Mapping[str, tuple[frozenset[Kind], str]] = {
    **dict.fromkeys(("arr", "potential", "ltv"), (_NUMBERS | {"text"}, "an amount")),
    **dict.fromkeys(("seats", "team_size", "term", "market_fit"), (_NUMBERS | {"text"}, "a number")),
    **dict.fromkeys(("renewal", "contract_start"), (_DATES | {"text"}, "a date")),
    **dict.fromkeys(("strategic", "auto_renews"), (frozenset({"flag", "choice", "text"}), "yes or no")),
    "segment": (frozenset({"choice", "text"}), "a segment"),
    "tags": (frozenset({"choices", "choice", "text"}), "one or several words"),
    "usage_key": (frozenset({"text", "number", "reference", "choice"}), "a name or id of the workspace"),
    "csm": (frozenset({"person", "text", "choice"}), "a user, or a user's e-mail address"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """What the vendor calls things. `path`: the path to the account where none is given; None = by association."""

    home: str
    contacts: str
    field: str
    grant: str
    path: str | None = None


SALESFORCE = Words("Account", "Contact", "field", "grant the user read access to the field", "AccountId")
HUBSPOT = Words("companies", "contacts", "property", "create the property, or give the token its scope")

Objects = Callable[[], Mapping[str, str]]
"""Every name or label of an object -> the name to write; asked only when one is not found, since it costs a call."""


def misfits(mapping: FieldMapping, shapes: Shapes, objects: Objects, words: Words) -> list[Finding]:
    """Everything in the mapping that the CRM does not have or that cannot work, at its place; empty = all fits."""
    fit = _Fit(shapes, objects, words)
    found = list(fit.account(mapping))
    for fact, options in (("csm", mapping.csm), *mapping.fields.items()):
        at: At = ("csm",) if fact == "csm" else ("fields", fact)
        for number, option in enumerate(options):
            found += fit.option(fact, option, (*at, number))
    return _once(found)


def _once(findings: Iterable[Finding]) -> list[Finding]:
    """The same text about one field, said for every place that names it, is said once, at the first place."""
    kept: dict[str, Finding] = {}
    for finding in findings:
        kept.setdefault(finding.what, finding)
    return list(kept.values())


class _Fit:
    def __init__(self, shapes: Shapes, objects: Objects, words: Words) -> None:
        self._shapes, self._objects, self._words = shapes, objects, words

    def account(self, mapping: FieldMapping) -> Iterator[Finding]:
        """Conditions, contact fields and the tier field."""
        home = self._shapes(self._words.home)
        if home is None:
            return  # said by the check of the object itself
        yield from self._where(home, mapping.customer, ("customer",))
        yield from self._where(home, mapping.churned or {}, ("churned",))
        if mapping.tier is not None:
            yield from self._field(home, mapping.tier.field, ("tier", "field"))[1]
        contact = self._shapes(self._words.contacts)
        for name, one in (("user", mapping.contact.user), ("level", mapping.contact.level)):
            if contact is not None and one is not None:
                yield from self._field(contact, one.field, ("contact", name, "field"))[1]

    def option(self, fact: str, option: MappedField, at: At) -> Iterator[Finding]:
        """One mapped field: its object, path, condition, field, order and aggregate."""
        shape = self._shapes(option.object or self._words.home)
        if shape is None:
            if option.object is not None:
                yield self._no_object(option.object, (*at, "object"))
            return
        field, wrong = self._field(shape, option.field, (*at, "field"))
        yield from wrong
        if option.object is not None:
            yield from self._path(shape, option, at)
            yield from self._where(shape, option.where, (*at, "where"))
        by = None
        if option.by is not None:
            by, wrong = self._field(shape, option.by, (*at, "by"))
            yield from wrong
        if field is not None:
            yield from self._unit(fact, shape, field, at)
            yield from self._aggregate(shape, option, field, at)
        if by is not None and by.kind not in _DATES | _NUMBERS:
            yield Finding(
                "error",
                f"{shape.name}.{by.name} cannot order rows: it is {_a(by)}",
                "name a date or a number under `by`",
                (*at, "by"),
            )

    def _no_object(self, name: str, at: At) -> Finding:
        known = {said.casefold(): written for said, written in self._objects().items()}
        written = known.get(name.casefold())
        close = f": it is called `{written}`" if written and written != name else nearest(name, known.values())
        what = f"there is no object `{name}`{close}" if close else f"there is no object `{name}`, or it is not visible"
        return Finding("error", what, "mend the name, or grant these credentials Read on the object", at)

    def _field(self, shape: ObjectShape, name: str, at: At) -> tuple[FieldShape | None, list[Finding]]:
        found = walk(self._shapes, shape, name)
        if found.field is not None:
            return found.field, []
        wrong = found.wrong.replace(" field ", f" {self._words.field} ", 1)
        return None, [Finding("error", wrong, f"mend the name, or {self._words.grant}", at)]

    def _path(self, shape: ObjectShape, option: MappedField, at: At) -> Iterator[Finding]:
        if self._words.path is None:
            if self._words.home not in shape.parents:
                what = f"records of {shape.name} are not associated with {self._words.home}"
                yield Finding("error", what, "add the association in the object's settings", (*at, "object"))
            return
        path = option.path or self._words.path
        place = (*at, "path") if option.path else (*at, "object")
        end, wrong = self._field(shape, path, place)
        if end is None:
            lookups = [f.name for f in shape.fields.values() if self._words.home in f.refers]
            help_ = f"write `path: {lookups[0]}`" if lookups else f"name the lookup to {self._words.home} under `path`"
            yield from (Finding(f.level, f.what, help_, f.at) for f in wrong)
        elif self._words.home not in end.refers:
            to = " or ".join(end.refers)
            leads = f"leads to {to}" if to else f"is {_a(end)}"
            further = self._further(shape, end)
            what = f"`path: {path}` of {shape.name} {leads}, not to {self._words.home}{further}"
            yield Finding("error", what, f"a path ends at a lookup to {self._words.home}", place)

    def _further(self, shape: ObjectShape, end: FieldShape) -> str:
        """`: write Opportunity.AccountId?` where one more hop leads to the account."""
        path = f"{end.relation}.{self._words.path}"
        beyond = walk(self._shapes, shape, path).field if end.relation else None
        return f": write `{path}`?" if beyond is not None and self._words.home in beyond.refers else ""

    def _where(self, shape: ObjectShape, where: Mapping[str, Any], at: At) -> Iterator[Finding]:
        for name, wanted in where.items():
            field, wrong = self._field(shape, name, (*at, name))
            yield from wrong
            if field is not None:
                yield from _values(shape, field, wanted, (*at, name))

    def _unit(self, fact: str, shape: ObjectShape, field: FieldShape, at: At) -> Iterator[Finding]:
        kinds, needed = _FITS.get(fact, (frozenset(), ""))
        if kinds and field.kind not in kinds:
            what = f"`{fact}` needs {needed}, but {shape.name}.{field.name} is {_a(field)}"
            yield Finding("error", what, "map it to another field", (*at, "field"))

    def _aggregate(self, shape: ObjectShape, option: MappedField, field: FieldShape, at: At) -> Iterator[Finding]:
        adds = option.aggregate == "sum" and field.kind not in _NUMBERS
        compares = option.aggregate in ("min", "max") and field.kind not in _NUMBERS | _DATES
        if adds or compares:
            what = f"{shape.name}.{field.name} is {_a(field)}: there is no {option.aggregate} of it"
            yield Finding("error", what, "take a number, or `aggregate: latest`", (*at, "aggregate"))


def _values(shape: ObjectShape, field: FieldShape, wanted: Any, at: At) -> Iterator[Finding]:
    """Values of a condition that a picklist does not have, numbers that are none."""
    test, value = next(iter(wanted.items())) if isinstance(wanted, dict) else ("is", wanted)
    name = f"{shape.name}.{field.name}"
    if test in ("at_least", "at_most") and field.kind not in _NUMBERS | {"text"}:
        yield Finding("error", f"{name} is {_a(field)}: `{test}` compares numbers", "compare a number", at)
    if test not in ("is", "not") or not field.options:
        return
    known = [option.value for option in field.options]
    labels = {option.label: option.value for option in field.options}
    listed: Sequence[Any] = value if isinstance(value, list) else [value]
    for one in listed:
        text = str(one).lower() if isinstance(one, bool) else str(one)
        if text in known:
            continue
        close = f": that is a label, its value is `{labels[text]}`" if text in labels else nearest(text, known)
        if not close:
            close = f": it has {', '.join(known[:8])}{' ...' if len(known) > 8 else ''}"
        level = "error" if field.restricted else "warning"
        yield Finding(level, f"{name} has no value `{text}`{close}", "write the value as the CRM has it", at)


def _a(field: FieldShape) -> str:
    words = {
        "money": "an amount", "number": "a number", "date": "a date", "instant": "a date and time", "flag": "yes or no",
        "choice": "a picklist", "choices": "a multi-select picklist", "text": "text", "long": "long text",
        "person": "a user", "reference": "a lookup", "other": f"of type {field.type}",
    }  # fmt: skip
    return words[field.kind]
