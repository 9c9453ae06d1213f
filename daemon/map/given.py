"""What was said by hand: `--set arr=ARR__c`, `--set customer={Type: Customer}`, `--set seats=`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, get_args

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from connectors.fit import HUBSPOT, SALESFORCE, Words
from connectors.mapping import FieldMapping, FieldName, MappedField, Options, TierTarget, Where
from connectors.shapes import nearest
from daemon.map.candidates import Explorer
from daemon.map.show import condition
from daemon.map.survey import Survey, tier_of, with_choice

_T = TypeVar("_T")
_FACTS = (*get_args(FieldName), "csm")
_ALL = (*_FACTS, "customer", "churned", "tier")
_OPTIONS: TypeAdapter[tuple[MappedField, ...]] = TypeAdapter(Options)
_WHERE: TypeAdapter[dict[str, Any]] = TypeAdapter(Where)


class NoSuchChoice(ValueError):
    """A decision that cannot be understood; the message says how to write it."""


@dataclass(frozen=True, slots=True)
class Given:
    """Decisions by hand. `facts`: an empty list takes the fact out."""

    facts: Mapping[str, Sequence[MappedField]] = field(default_factory=dict)
    customer: Mapping[str, Any] | None = None
    churned: Mapping[str, Any] | None = None
    tier: str | None = None

    @property
    def names(self) -> frozenset[str]:
        """What was decided: facts, `customer`, `churned`."""
        conditions = (("customer", self.customer), ("churned", self.churned))
        return frozenset(self.facts) | {name for name, where in conditions if where is not None}

    def applied(self, mapping: FieldMapping) -> FieldMapping:
        """The mapping to survey by: every number stands on the customer condition, and a fact's on its own options."""
        fields: dict[str, Any] = {str(name): options for name, options in mapping.fields.items()}
        fields |= {fact: tuple(options) for fact, options in self.facts.items() if fact != "csm"}
        changes: dict[str, Any] = {"fields": fields, "csm": tuple(self.facts.get("csm", mapping.csm))}
        changes |= {} if self.customer is None else {"customer": dict(self.customer)}
        changes |= {} if self.churned is None else {"churned": dict(self.churned)}
        return mapping.model_copy(update=changes)

    def decided(self, found: Survey, explorer: Explorer) -> Survey:
        """The survey with these decisions in it.

        Raises NoSuchChoice for a customer condition that nobody meets and a tier field that cannot hold three tiers.
        """
        if self.customer is not None and dict(found.where) != dict(self.customer):
            raise NoSuchChoice(f"--set customer: there is no account where {condition(self.customer)}")
        found = with_choice(found, self.facts)
        return found if self.tier is None else replace(found, tier=_tier(self.tier, explorer))


def given(pairs: Iterable[str]) -> Given:
    """Decisions from `FACT=FIELD` pairs. Raises NoSuchChoice."""
    facts: dict[str, Sequence[MappedField]] = {}
    conditions: dict[str, dict[str, Any]] = {}
    tier: str | None = None
    for pair in pairs:
        fact, sign, text = pair.partition("=")
        fact, text = fact.strip(), text.strip()
        if not sign or fact not in _ALL:
            close = nearest(fact, _ALL) or f": there is {', '.join(_ALL)}"
            raise NoSuchChoice(
                f"--set {pair}: `{fact}` is no fact that is mapped{close}" if sign else f"--set {pair}: {_EXAMPLE}"
            )
        if fact == "tier":
            tier = text
        elif fact in ("customer", "churned"):
            value = _yaml(pair, text)
            if not isinstance(value, dict):
                raise NoSuchChoice(f"--set {pair}: a condition is written {fact}={{Type: Customer}}")
            conditions[fact] = _valid(_WHERE, value, pair)
        else:
            facts[fact] = option_of(text, pair)
    return Given(facts, conditions.get("customer"), conditions.get("churned"), tier)


_EXAMPLE = "write FACT=FIELD, for example --set arr=ARR__c"


def option_of(text: str, said: str = "") -> Sequence[MappedField]:
    """A field's name, a mapped field or a list of them as YAML; nothing for an empty text. Raises NoSuchChoice."""
    if not text:
        return ()
    value = _yaml(said or text, text)
    value = {"field": value} if isinstance(value, str) else value
    return _valid(_OPTIONS, value, said or text)


def _valid(form: TypeAdapter[_T], value: Any, said: str) -> _T:
    try:
        return form.validate_python(value)
    except ValidationError as error:
        what = error.errors()[0]
        reason, key = what["msg"].removeprefix("Value error, "), what["loc"][-1] if what["loc"] else ""
        known = nearest(str(key), MappedField.model_fields) if what["type"] == "extra_forbidden" else ""
        named = f"`{key}` " if isinstance(key, str) and key else ""
        reason = "there is no such key" if known else reason.replace("Input should be", "should be")
        reason = "is missing" if what["type"] == "missing" else reason
        raise NoSuchChoice(f"--set {said}: {named}{reason}{known}") from error


def _yaml(said: str, text: str) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise NoSuchChoice(f"--set {said}: this is not YAML; {_EXAMPLE}") from error


def _tier(name: str, explorer: Explorer) -> TierTarget | None:
    home = explorer.shape(explorer.home)
    if not name or home is None:
        return None
    if name not in home.fields:
        raise NoSuchChoice(f"--set tier={name}: {home.name} has no field `{name}`{nearest(name, home.fields)}")
    target = tier_of(home, name)
    if target is None:
        raise NoSuchChoice(f"--set tier={name}: {home.name}.{name} needs three options, one per tier")
    return target


def words_of(explorer: Explorer) -> Words:
    """What this vendor calls things."""
    return SALESFORCE if explorer.home == SALESFORCE.home else HUBSPOT
