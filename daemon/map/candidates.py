"""Where a fact may be kept: candidates on the account and on other objects, each judged by name, type, fill and values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from connectors.mapping import FieldMapping, MappedField
from connectors.shapes import FieldShape, Kind, ObjectName, ObjectShape, Row, Sample, walk
from daemon.map.values import Judged, judge, samples
from daemon.map.words import AMOUNTS, CONTRACTS, IN_FORCE, STATUS, VOCABULARY, match
from daemon.parts import mapped_option
from rules.fieldmap import RawRow, find
from store.records import Instant, Scalar

_NUMBERS: dict[Kind, float] = {"money": 0.6, "number": 1.0, "text": 0.4}
_MONEY: dict[Kind, float] = {"money": 1.0, "number": 0.85, "text": 0.4}
_DATES: dict[Kind, float] = {"date": 1.0, "instant": 0.9, "text": 0.4}
_FLAGS: dict[Kind, float] = {"flag": 1.0, "choice": 0.7, "text": 0.3}
# How well a type suits a fact; a type that is not named cannot hold it.
TYPES: Mapping[str, Mapping[Kind, float]] = {
    "arr": _MONEY,
    "potential": _MONEY,
    "renewal": _DATES,
    "contract_start": _DATES,
    "auto_renews": _FLAGS,
    "strategic": _FLAGS,
    "term": _NUMBERS,
    "seats": _NUMBERS,
    "team_size": _NUMBERS,
    "market_fit": _NUMBERS,
    "segment": {"choice": 1.0, "text": 0.8},
    "tags": {"choices": 1.0, "choice": 0.6, "text": 0.5},
    "usage_key": {"text": 1.0, "number": 0.6},
    "csm": {"person": 1.0, "text": 0.5, "choice": 0.3},
    "tier": {"choice": 1.0},
}
FACTS = (*(name for name in TYPES if name not in ("csm", "tier")), "csm", "tier")
# How rows of one account become one value; what is not named takes the latest.
_AGGREGATES = {"arr": "sum", "seats": "sum", "potential": "sum", "renewal": "max", "contract_start": "min"}
_ELSEWHERE = ("arr", "renewal", "contract_start", "auto_renews", "term", "seats", "usage_key", "csm")
_IDS = frozenset({"Id", "hs_object_id"})
_NAMED, _WORTH = 0.3, 0.35


class Explorer(Protocol):
    """How a CRM is looked around in; both connectors have one."""

    home: str
    """The account object's name."""

    @property
    def calls(self) -> int:
        """API calls made so far."""
        ...

    @property
    def left(self) -> int | None:
        """Calls that the vendor still allows today; None where it does not say."""
        ...

    def objects(self) -> Sequence[ObjectName]:
        """Every object."""
        ...

    def shape(self, name: str) -> ObjectShape | None:
        """One object's fields."""
        ...

    def shapes(self, names: Iterable[str]) -> Mapping[str, ObjectShape | None]:
        """Several objects' fields."""
        ...

    def nearby(self) -> Sequence[str]:
        """Objects whose rows belong to accounts."""
        ...

    def routes(self, name: str) -> Sequence[str]:
        """Paths from an object to the account; an empty one where rows are associated."""
        ...

    def counts(self, name: str, wheres: Sequence[Mapping[str, Any]]) -> Sequence[int | None]:
        """Rows per condition."""
        ...

    def won(self, where: Mapping[str, Any]) -> tuple[int, int] | None:
        """(accounts that bought something, those of them that meet the condition); None where that cannot be counted."""
        ...

    def filled(self, name: str, fields: Sequence[str], where: Mapping[str, Any]) -> Mapping[str, int]:
        """Rows with a value per field, as far as the vendor counts cheaply."""
        ...

    def accounts(self, fields: Sequence[str], where: Mapping[str, Any], most: int = ...) -> Sample:
        """A sample of accounts."""
        ...

    def rows(self, name: str, fields: Sequence[str], most: int = ...) -> Sequence[Row]:
        """A few rows of any object, the newest ones."""
        ...

    def related(self, name: str, path: str, fields: Sequence[str], accounts: Sequence[str]) -> Sequence[Row]:
        """Rows of another object that belong to these accounts."""
        ...

    def cost(self, fields: int, objects: int) -> int:
        """Calls that counting and sampling take, at most."""
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place where a fact may be kept, with what speaks for it. `covered`: sampled customers that it yields for."""

    fact: str
    option: MappedField
    label: str
    kind: Kind
    name_score: float
    why: tuple[str, ...] = ()
    score: float = 0.0
    covered: frozenset[str] = frozenset()
    of: int = 0
    filled: int | None = None
    """Customers with a value, counted by the vendor; None where only the sample says it."""
    samples: tuple[str, ...] = ()
    configured: bool = False

    @property
    def fill(self) -> float:
        """Share of the sampled customers that have a value."""
        return len(self.covered) / self.of if self.of else 0.0


def on_account(shape: ObjectShape) -> Iterator[Candidate]:
    """Fields of the account whose name means a fact and whose type can hold it."""
    for fact in FACTS:
        for one in shape.fields.values():
            if one.kind not in TYPES[fact] or (fact == "tier" and not one.writable) or one.name in _IDS:
                continue
            score, word = match(VOCABULARY[fact], one.name, one.label)
            if score >= _NAMED:
                why = (f'called "{word}"',)
                yield Candidate(fact, MappedField(field=one.name), one.label, one.kind, score, why)


def elsewhere(explorer: Explorer, shape: ObjectShape) -> Iterator[Candidate]:
    """Fields of another object that say a fact of the account they belong to."""
    routes = explorer.routes(shape.name)
    if not routes:
        return
    if shape.name in ("Opportunity", "deals"):
        yield from _deals(shape, routes[0])
    if shape.name == "AccountTeamMember":
        yield from _team(shape)
        return
    about, _ = match(CONTRACTS, shape.name, shape.label)
    where = _in_force(shape) | _won(explorer, shape, routes[0])
    for fact in _ELSEWHERE:
        for one in shape.fields.values():
            if one.kind not in TYPES[fact]:
                continue
            score, word = match(VOCABULARY[fact], one.name, one.label)
            if fact == "arr" and about and one.kind in ("money", "number"):
                plain, amount = match(AMOUNTS, one.name, one.label)
                score, word = max((score, word), (0.55 * plain, f"{amount} of a {shape.label.lower()}"))
            if score >= _NAMED and (about or score >= 0.6):
                option = _option((shape.name, routes[0], one.name), where, _AGGREGATES.get(fact, "latest"))
                # A field of the account itself is what people look at: another object comes second to it.
                yield Candidate(fact, option, one.label, one.kind, score * 0.9, (f'called "{word}"',))


def _option(place: tuple[str, str, str], where: Mapping[str, Any], aggregate: str, by: str = "") -> MappedField:
    """`place`: object, path to the account, field."""
    name, path, field_ = place
    values: dict[str, Any] = {"object": name, "field": field_, "where": dict(where), "aggregate": aggregate}
    values |= {"path": path} if path else {}
    values |= {"by": by} if by else {}
    return MappedField.model_validate(values)


def _deals(shape: ObjectShape, path: str) -> Iterator[Candidate]:
    """The amount of the last deal that was won stands in for the recurring revenue where nothing better is kept."""
    won, amount, closed = (
        ("hs_is_closed_won", "amount", "closedate") if shape.name == "deals" else ("IsWon", "Amount", "CloseDate")
    )
    if not {won, amount, closed} <= set(shape.fields):
        return
    why = ("the last won deal's amount stands in where nothing else says it",)
    one = shape.fields[amount]
    option = _option((shape.name, path, amount), {won: True}, "latest", closed)
    yield Candidate("arr", option, one.label, one.kind, 0.45, why)


def _team(shape: ObjectShape) -> Iterator[Candidate]:
    """Roles of the account team that a CSM has."""
    role, user = shape.fields.get("TeamMemberRole"), shape.fields.get("UserId")
    if role is None or user is None:
        return
    for one in role.options:
        score, word = match(VOCABULARY["csm"], one.value, one.label)
        if score >= 0.5:
            option = _option((shape.name, "AccountId", "UserId"), {"TeamMemberRole": one.value}, "latest")
            why = (f'the account team has the role "{word}"',)
            yield Candidate("csm", option, one.label, "person", score * 0.95, why)


def _won(explorer: Explorer, shape: ObjectShape, route: str) -> dict[str, Any]:
    """What hangs on an opportunity counts once that is won."""
    hop = route.rpartition(".")[0]
    won = f"{hop}.IsWon"
    return {won: True} if hop and walk(explorer.shape, shape, won).field is not None else {}


def _in_force(shape: ObjectShape) -> dict[str, Any]:
    """A condition that leaves out contracts that are over, where a status field has a value for that."""
    for one in shape.fields.values():
        if one.kind == "choice" and match(STATUS, one.name, one.label)[0] >= 0.6:
            active = [o.value for o in one.options if match(IN_FORCE, o.value, o.label)[0] >= 0.6]
            if active:
                return {one.name: active[0] if len(active) == 1 else active}
    return {}


def fields_of(candidates: Iterable[Candidate], name: str | None) -> tuple[str, ...]:
    """The fields that these candidates read of one object (None: the account), conditions and order included."""
    found: dict[str, None] = {}
    for one in candidates:
        if one.option.object == name:
            found |= dict.fromkeys((one.option.field, *one.option.where, *filter(None, (one.option.by,))))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was read to judge candidates: sampled customers, and their rows of other objects by (object, path)."""

    customers: Sample
    related: Mapping[tuple[str, str], Sequence[Row]]
    mapping: FieldMapping
    """Whose currencies apply."""
    counted: Mapping[str, int] = field(default_factory=dict)
    """Customers with a value per field of the account, counted by the vendor."""


def judged(candidate: Candidate, shape: ObjectShape, evidence: Evidence, now: Instant) -> Candidate:
    """The candidate with its fill, samples and score; a score of 0 where it cannot be the fact."""
    values = values_of(candidate, evidence)
    end = shape.fields.get(candidate.option.field)
    assert end is not None
    raw = list(values.values())
    likely, said = judge(candidate.fact, end, raw, now) if raw else _empty(candidate.fact, end, now)
    of = len(evidence.customers.rows)
    fill = len(values) / of if of else 0.0
    counted = evidence.counted.get(candidate.option.field) if candidate.option.object is None else None
    score = 0.5 * candidate.name_score + 0.1 * TYPES[candidate.fact][end.kind] + 0.2 * fill + 0.2 * likely
    score = 0.0 if likely == 0.0 or (not raw and candidate.fact != "tier") else score
    why = tuple(filter(None, (*candidate.why, said)))
    return replace(
        candidate, why=why, score=round(score, 3), covered=frozenset(values), of=of, filled=counted,
        samples=samples(end, raw),
    )  # fmt: skip


def _empty(fact: str, end: FieldShape, now: Instant) -> Judged:
    """A tier field is judged by its options: tierd fills it itself."""
    return judge(fact, end, [""], now) if fact == "tier" else (0.0, "no customer has a value")


def values_of(candidate: Candidate, evidence: Evidence) -> dict[str, Scalar]:
    """Sampled customer -> the raw value that the mapping would take, for those that have one."""
    option = candidate.option
    related: dict[str, list[Row]] = {}
    for row in evidence.related.get((option.object or "", option.path or ""), ()):
        related.setdefault(row.account, []).append(row)
    plain = mapped_option(option, evidence.mapping)
    found: dict[str, Scalar] = {}
    for account in evidence.customers.rows:
        own = RawRow(account.id, 0, account.fields)
        rows = [RawRow(row.id, 0, row.fields) for row in related.get(account.id, ())]
        value = find(_fact(candidate.fact), [plain], own, {plain.object: rows} if plain.object else {})
        if value is not None:
            found[account.id] = _raw(candidate, account, rows, value.num, value.text)
    return found


def _fact(fact: str) -> str:
    return "usage_key" if fact in ("csm", "tier") else fact  # both are texts, taken as they are


def _raw(candidate: Candidate, account: Row, rows: Sequence[RawRow], num: int | None, text: str | None) -> Scalar:
    """The value in the CRM's own form, for samples and judging."""
    option = candidate.option
    if option.object is None:
        return account.fields.get(option.field)
    if candidate.fact in ("arr", "potential", "seats", "team_size", "term") and num is not None:
        return num / 100 if candidate.fact in ("arr", "potential") else num
    texts = [str(row.fields[option.field]) for row in rows if row.fields.get(option.field) not in (None, "")]
    if option.aggregate in ("min", "max") and texts:
        return min(texts) if option.aggregate == "min" else max(texts)  # dates as ISO text sort as dates do
    return text if text is not None else (texts[-1] if texts else None)


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Best first; those that cannot be it are left out."""
    return sorted((c for c in candidates if c.score >= _WORTH), key=lambda c: (-c.score, c.option.field))
