"""Where an organisation keeps what tierd needs: conditions and mapped fields, as RevOps writes them in tierd.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from store.records import Scalar

_FROZEN = ConfigDict(frozen=True, extra="forbid")
_TESTS = ("not", "at_least", "at_most", "known")

Raw = Mapping[str, Scalar]

FieldName = Literal[
    "arr",
    "potential",
    "market_fit",
    "strategic",
    "contract_start",
    "renewal",
    "auto_renews",
    "term",
    "seats",
    "team_size",
    "segment",
    "tags",
    "ltv",
    "usage_key",
]
"""What may be mapped: every name has a fact, or a part of one, that reads it."""


def _check_where(value: dict[str, Any]) -> dict[str, Any]:
    for name, wanted in value.items():
        if isinstance(wanted, dict):
            unknown = sorted(set(wanted) - set(_TESTS))
            if unknown or len(wanted) != 1:
                raise ValueError(f"`{name}` takes a value, a list of values, or one of {', '.join(_TESTS)}")
        elif isinstance(wanted, list) and not wanted:
            raise ValueError(f"`{name}` has an empty list: name at least one value")
    return value


Where = Annotated[dict[str, Any], AfterValidator(_check_where)]
"""CRM field -> value | list of values | {not: v} | {at_least: n} | {at_most: n} | {known: true}; all must hold."""


def holds(where: Mapping[str, Any], fields: Raw) -> bool | None:
    """Three-valued: None where a field that decides is empty, unless another one already says no."""
    outcomes = [_test(fields.get(name), wanted) for name, wanted in where.items()]
    if any(outcome is False for outcome in outcomes):
        return False
    return None if any(outcome is None for outcome in outcomes) else True


def _test(raw: Scalar, wanted: Any) -> bool | None:
    empty = raw is None or (isinstance(raw, str) and not raw.strip())
    if isinstance(wanted, dict):
        ((test, value),) = wanted.items()
        if test == "known":
            return empty is not bool(value)
        if empty:
            return None
        if test == "not":
            return not _among(raw, value)
        number, bound = _number(raw), _number(value)
        if number is None or bound is None:
            return None
        return number >= bound if test == "at_least" else number <= bound
    return None if empty else _among(raw, wanted)


def _among(raw: Scalar, wanted: Any) -> bool:
    return any(_same(raw, one) for one in (wanted if isinstance(wanted, list) else [wanted]))


def _same(raw: Scalar, wanted: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(raw, bool):
        return str(raw).strip().casefold() == str(wanted).strip().casefold()
    if isinstance(wanted, int | float):
        return _number(raw) == _number(wanted)
    return str(raw).strip() == str(wanted).strip()


def _number(raw: Any) -> Decimal | None:
    try:
        return Decimal(str(raw).strip())
    except InvalidOperation:
        return None


class MappedField(BaseModel):
    """One place where a value may be: a field of the account, or an aggregate over rows of another object."""

    model_config = _FROZEN

    field: str
    object: str | None = None
    """None: the account itself."""
    where: Where = Field(default_factory=dict)
    path: str | None = None
    """The field of `object` that holds the account's id (Salesforce); HubSpot follows associations."""
    aggregate: Literal["sum", "min", "max", "latest"] = "latest"
    by: str | None = None
    """For latest: the field that orders the rows; without it the modification stamp does."""

    @model_validator(mode="after")
    def _of_an_object(self) -> MappedField:
        if self.object is None and (self.path or self.where or self.by or self.aggregate != "latest"):
            raise ValueError("`where`, `path`, `aggregate` and `by` need an `object`: the account itself has one value")
        return self


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Options = Annotated[tuple[MappedField, ...], BeforeValidator(_as_list)]
"""One mapped field, or several by precedence: the first that yields a value wins."""


class ContactField(BaseModel):
    """A field of the contact itself."""

    model_config = _FROZEN

    field: str


class ContactMapping(BaseModel):
    """Contact fields that say more than the title does."""

    model_config = _FROZEN

    user: ContactField | None = None
    """Flags a user of the product."""
    level: ContactField | None = None
    """Holds the decision level."""


class TierTarget(BaseModel):
    """The CRM field that the tier is written to, and the CRM's word for each tier."""

    model_config = _FROZEN

    field: str
    values: dict[int, str] = Field(default_factory=lambda: {1: "1", 2: "2", 3: "3"})

    @model_validator(mode="after")
    def _three(self) -> TierTarget:
        if sorted(self.values) != [1, 2, 3] or len(set(self.values.values())) != 3:
            raise ValueError("`values` names the CRM's value of each tier 1, 2 and 3, all different")
        return self


class Currencies(BaseModel):
    """How amounts of several currencies become the reporting one; an amount whose currency has no rate is missing."""

    model_config = _FROZEN

    field: str = "CurrencyIsoCode"
    """The field of every row that says the currency of its amounts."""
    rates: dict[Annotated[str, Field(pattern=r"^[A-Z]{3}$")], Annotated[Decimal, Field(gt=0)]]
    """Currency -> what one of it is in the reporting currency; that one itself is 1."""

    def rate(self, fields: Raw) -> Decimal | None:
        """The rate of a row's currency; None where it says none, or one without a rate."""
        return self.rates.get(str(fields.get(self.field) or "").strip().upper())

    def converted(self, minor: int | None, fields: Raw) -> int | None:
        """An amount in minor units, half up, in the reporting currency; None where there is no rate."""
        rate = self.rate(fields)
        if minor is None or rate is None:
            return None
        return int((minor * rate).to_integral_value(ROUND_HALF_UP))


class FieldMapping(BaseModel):
    """The part of a CRM source's settings that says what its fields mean."""

    model_config = _FROZEN

    customer: Where
    churned: Where | None = None
    csm: Options = ()
    fields: dict[FieldName, Options] = Field(default_factory=dict)
    contact: ContactMapping = ContactMapping()
    tier: TierTarget | None = None
    currencies: Currencies | None = None
    """For an org whose rows have currencies of their own (Salesforce)."""

    def account_fields(self) -> tuple[str, ...]:
        """CRM fields to read on the account object."""
        names = {*self.customer, *(self.churned or {})}
        names |= {option.field for options in self._all() for option in options if option.object is None}
        if self.tier is not None:
            names.add(self.tier.field)
        return tuple(sorted(names | set(self.currency_fields())))

    def contact_fields(self) -> tuple[str, ...]:
        """CRM fields to read on contacts."""
        return tuple(sorted(m.field for m in (self.contact.user, self.contact.level) if m is not None))

    def objects(self) -> dict[str, tuple[str, ...]]:
        """Other objects that the mapping reads: name -> their fields, the path included."""
        found: dict[str, set[str]] = {}
        for options in self._all():
            for option in options:
                if option.object is not None:
                    extra = {option.field, *option.where, *filter(None, (option.path, option.by))}
                    extra |= set(self.currency_fields())
                    found.setdefault(option.object, set()).update(extra)
        return {name: tuple(sorted(fields)) for name, fields in sorted(found.items())}

    def currency_fields(self) -> tuple[str, ...]:
        """What to read beside amounts."""
        return () if self.currencies is None else (self.currencies.field,)

    @model_validator(mode="after")
    def _one_path_each(self) -> FieldMapping:
        known: dict[str, str] = {}
        for name, path in self._ways():
            if known.setdefault(name, path) != path:
                raise ValueError(f"`{name}` leads to the account by `{known[name]}` and by `{path}`: name one path")
        return self

    def paths(self) -> dict[str, str]:
        """Object -> its field that holds the account's id."""
        return dict(self._ways())

    def _ways(self) -> list[tuple[str, str]]:
        some = [option for options in self._all() for option in options]
        return [(option.object, option.path or "AccountId") for option in some if option.object is not None]

    def _all(self) -> list[tuple[MappedField, ...]]:
        return [self.csm, *self.fields.values()]
