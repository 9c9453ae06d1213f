"""What was said by hand: `--set arr=ARR__c`, `--set customer={Type: Customer}`, `--set seats=`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from connectors.fit import HUBSPOT, SALESFORCE, Words
from connectors.mapping import FieldMapping, FieldName, MappedField, Options, TierTarget
from connectors.shapes import nearest
from daemon.map.candidates import Explorer
from daemon.map.survey import Survey, tier_of, with_choice

_FACTS = (*get_args(FieldName), "csm")
_ALL = (*_FACTS, "customer", "churned", "tier")
_OPTIONS: TypeAdapter[tuple[MappedField, ...]] = TypeAdapter(Options)


class NoSuchChoice(ValueError):
    """A decision that cannot be understood; the message says how to write it."""


@dataclass(frozen=True, slots=True)
class Given:
    """Decisions by hand. `facts`: an empty list takes the fact out."""

    facts: Mapping[str, Sequence[MappedField]] = field(default_factory=dict)
    customer: Mapping[str, Any] | None = None
    churned: Mapping[str, Any] | None = None
    tier: str | None = None

    def applied(self, mapping: FieldMapping) -> FieldMapping:
        """The mapping to survey by: the customer condition comes first, since every number stands on it."""
        changes: dict[str, Any] = {}
        changes |= {} if self.customer is None else {"customer": dict(self.customer)}
        changes |= {} if self.churned is None else {"churned": dict(self.churned)}
        return mapping.model_copy(update=changes)

    def decided(self, found: Survey, explorer: Explorer) -> Survey:
        """The survey with these decisions in it. Raises NoSuchChoice for a tier field that cannot hold three tiers."""
        found = with_choice(found, self.facts)
        return found if self.tier is None else replace(found, tier=_tier(self.tier, explorer))


def given(pairs: Iterable[str]) -> Given:
    """Decisions from `FACT=FIELD` pairs. Raises NoSuchChoice."""
    facts: dict[str, Sequence[MappedField]] = {}
    conditions: dict[str, Mapping[str, Any]] = {}
    tier: str | None = None
    for pair in pairs:
        fact, sign, text = pair.partition("=")
        fact, text = fact.strip(), text.strip()
        if not sign or fact not in _ALL:
            close = nearest(fact, _ALL) or f": there is {', '.join(_ALL)}"
            raise NoSuchChoice(
                f"--set {pair}: `{fact}` is no fact that is mapped{close}" if sign else _FORM.format(pair)
            )
        if fact == "tier":
            tier = text
        elif fact in ("customer", "churned"):
            value = _yaml(pair, text)
            if not isinstance(value, dict):
                raise NoSuchChoice(f"--set {pair}: a condition is written {fact}={{Type: Customer}}")
            conditions[fact] = value
        else:
            facts[fact] = option_of(text, pair)
    return Given(facts, conditions.get("customer"), conditions.get("churned"), tier)


_FORM = "--set {}: write FACT=FIELD, for example --set arr=ARR__c"


def option_of(text: str, said: str = "") -> Sequence[MappedField]:
    """A field's name, a mapped field or a list of them as YAML; nothing for an empty text. Raises NoSuchChoice."""
    if not text:
        return ()
    value = _yaml(said or text, text)
    value = {"field": value} if isinstance(value, str) else value
    try:
        return _OPTIONS.validate_python(value)
    except ValidationError as error:
        what = error.errors()[0]
        raise NoSuchChoice(f"--set {said or text}: {what['msg'].removeprefix('Value error, ')}") from error


def _yaml(said: str, text: str) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise NoSuchChoice(f"--set {said}: this is not YAML; {_FORM.format(said)}") from error


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
