"""Look around in one CRM within a bounded number of calls, and propose where each fact is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.fit import Words, misfits
from connectors.mapping import FieldMapping, MappedField, TierTarget
from connectors.shapes import ObjectShape, Row, Sample, names_of
from daemon.map.candidates import (
    FACTS,
    TYPES,
    Candidate,
    Evidence,
    Explorer,
    elsewhere,
    fields_of,
    judged,
    on_account,
    ranked,
)
from daemon.map.customers import Condition, conditions, former
from store.records import Instant

_GOOD, _ADDS, _LONGEST = 0.5, 0.02, 3
_ALTERNATIVES = 3
_MOST_OBJECTS = 12
"""Objects besides the account whose rows are sampled: the likeliest ones."""
_BEST_FIRST = ("platinum", "platin", "platine", "gold", "or", "oro", "silver", "silber", "argent", "plata", "bronze",
               "bronce", "high", "hoch", "medium", "mittel", "low", "niedrig", "tech", "strategic", "key")  # fmt: skip

_WORD = re.compile(r"[A-Za-z]+|\d{1,4}")
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Where one fact would be read. `chosen` is a list by precedence; empty = nothing was found."""

    fact: str
    chosen: tuple[Candidate, ...]
    alternatives: tuple[Candidate, ...]
    empty: int
    """Sampled customers for which nothing in the list yields a value."""
    of: int
    kept: bool = False
    """The configured mapping works and stays."""
    left_out: bool = False
    """Somebody said that it is not to be read."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What was seen in one CRM, and what follows from it."""

    source: str
    home: str
    conditions: tuple[Condition, ...]
    where: Mapping[str, Any]
    """The customer condition that everything below was judged by."""
    churned: Mapping[str, Any] | None
    customers: int | None
    """Accounts that meet it; None where the CRM cannot count them."""
    sample: int
    proposals: tuple[Proposal, ...]
    broken: tuple[tuple[str, str], ...] = ()
    """(fact, what is wrong) of mapped fields that the CRM does not have."""
    tier: TierTarget | None = None
    """The proposed target of the tier, its values in the order of the field's options."""
    objects: tuple[str, ...] = ()
    """Objects that were looked at besides the account."""
    calls: int = 0
    notes: tuple[str, ...] = field(default=())

    @property
    def exact(self) -> bool:
        """The sample is all customers."""
        return self.customers is not None and self.sample >= self.customers


@dataclass(frozen=True, slots=True)
class Subject:
    """What is surveyed: a source of tierd.yaml, what it maps so far, and what its vendor calls things."""

    source: str
    mapping: FieldMapping
    words: Words
    said: frozenset[str] = frozenset()
    """Facts of the mapping that somebody has just decided by hand."""


def survey(explorer: Explorer, subject: Subject, now: Instant, tell: Tell) -> Survey:
    """Describe, count, sample, judge. `tell` hears the cost in calls before anything is counted or read.

    Raises VendorError where the CRM does not answer, LookupError where its accounts are not visible.
    """
    began, mapping = explorer.calls, subject.mapping
    home = explorer.shape(explorer.home)
    if home is None:
        raise LookupError(f"{explorer.home} is not visible with these credentials: `tierd check` says what to grant")
    shapes = {name: shape for name, shape in explorer.shapes(explorer.nearby()).items() if shape is not None}
    candidates = [*on_account(home), *(one for shape in shapes.values() for one in elsewhere(explorer, shape))]
    configured, broken = _configured(explorer, home, subject)
    candidates += [one for one in configured if one not in candidates]
    candidates = _likeliest(candidates)
    own = tuple(dict.fromkeys((*fields_of(candidates, None), *mapping.currency_fields())))
    places = _places(candidates)
    tell(_cost(explorer, own, places))
    conditions_ = conditions(explorer, home, mapping.customer)
    best = conditions_[0] if conditions_ else None
    where = dict(best.where) if best else {}
    evidence = _evidence(explorer, candidates, mapping.model_copy(update={"customer": where}), own, places)
    known = {explorer.home: home, **shapes}
    seen = [judged(one, known[one.option.object or explorer.home], evidence, now) for one in candidates]
    proposals = tuple(_propose(fact, seen, len(evidence.customers.rows)) for fact in FACTS)
    return Survey(
        source=subject.source,
        home=explorer.home,
        conditions=tuple(conditions_),
        where=where,
        churned=former(home, where) if mapping.churned is None or "churned" in dict(broken) else None,
        customers=best.count if best else evidence.customers.total,
        sample=len(evidence.customers.rows),
        proposals=proposals,
        broken=broken,
        tier=_tier(home, proposals, mapping),
        objects=tuple(sorted({name for name, _ in places})),
        calls=explorer.calls - began,
        notes=tuple(_notes(explorer, home, mapping, best)),
    )


def _notes(explorer: Explorer, home: ObjectShape, mapping: FieldMapping, best: Condition | None) -> Iterator[str]:
    won = explorer.won(best.where) if best is not None else None
    if best is None:
        yield _NOBODY
    elif won is not None and won[0]:
        missed = won[0] - won[1]
        rest = f", {missed:,} do not" if missed else ""
        yield f"for comparison: {won[0]:,} accounts have a won deal, {won[1]:,} of them meet the condition{rest}"
    if "CurrencyIsoCode" in home.fields and mapping.currencies is None:
        yield "the org has several currencies, amounts below are each in their own: `tierd check` says what to write"


_NOBODY = "no condition for customers was found: the numbers below are of all accounts; set `customer:` yourself"


def _configured(
    explorer: Explorer, home: ObjectShape, subject: Subject
) -> tuple[list[Candidate], tuple[tuple[str, str], ...]]:
    """What the file maps already, as candidates; and what of it the CRM does not have."""
    mapping = subject.mapping
    found_wrong = misfits(mapping, explorer.shape, lambda: names_of(explorer.objects()), subject.words)
    wrong = [finding for finding in found_wrong if finding.level == "error"]
    bad = {finding.at[: 3 if finding.at[0] == "fields" else 2] for finding in wrong}
    found: list[Candidate] = []
    for fact, options in (*mapping.fields.items(), ("csm", mapping.csm)):
        for number, option in enumerate(options):
            at = ("csm", number) if fact == "csm" else ("fields", fact, number)
            shape = explorer.shape(option.object or explorer.home)
            end = shape.fields.get(option.field) if shape is not None else None
            if fact in FACTS and at not in bad and end is not None and end.kind in TYPES[fact]:
                why = "as you said" if fact in subject.said else "mapped in tierd.yaml"
                found.append(Candidate(fact, option, end.label, end.kind, 1.0, (why,), configured=True))
    if mapping.tier is not None and mapping.tier.field in home.fields:
        end = home.fields[mapping.tier.field]
        if end.kind in TYPES["tier"]:
            option = MappedField(field=end.name)
            found.append(
                Candidate("tier", option, end.label, end.kind, 1.0, ("mapped in tierd.yaml",), configured=True)
            )
    broken = [(str(f.at[1]) if f.at[0] == "fields" else str(f.at[0]), f.what) for f in wrong]
    return found, tuple(broken)


def _likeliest(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Without doubles (the configured one stays), and rows of at most twelve other objects."""
    kept: dict[tuple[str, str], Candidate] = {}
    for one in sorted(candidates, key=lambda c: not c.configured):
        kept.setdefault((one.fact, one.option.model_dump_json()), one)
    worth: dict[str, float] = {}
    for one in kept.values():
        name = one.option.object
        if name is not None:
            worth[name] = worth.get(name, 0.0) + one.name_score + (10 if one.configured else 0)
    best = set(sorted(worth, key=lambda name: (-worth[name], name))[:_MOST_OBJECTS])
    return [one for one in kept.values() if one.option.object is None or one.option.object in best]


def _places(candidates: Iterable[Candidate]) -> list[tuple[str, str]]:
    """(object, path) whose rows are needed, each once."""
    return list(dict.fromkeys((c.option.object, c.option.path or "") for c in candidates if c.option.object))


def _cost(explorer: Explorer, own: Sequence[str], places: Sequence[tuple[str, str]]) -> str:
    """What the looking will cost, and how it is done."""
    calls = explorer.cost(len(own), len(places))
    left = explorer.left
    share = f" of the {left:,} that are left today" if left is not None else ""
    how = "exact counts and a sample of" if explorer.home == "Account" else "a sample of"
    return (
        f"{explorer.calls} API calls so far; looking at {how} up to 400 customers and their rows of {len(places)} other "
        f"object{'' if len(places) == 1 else 's'}: at most {calls} more{share}"
    )


def _evidence(
    explorer: Explorer,
    candidates: Sequence[Candidate],
    mapping: FieldMapping,
    own: Sequence[str],
    places: Sequence[tuple[str, str]],
) -> Evidence:
    counted = explorer.filled(explorer.home, own, mapping.customer)
    customers: Sample = explorer.accounts(own, mapping.customer)
    ids = [row.id for row in customers.rows]
    related: dict[tuple[str, str], Sequence[Row]] = {}
    for name, path in places:
        fields = fields_of((c for c in candidates if (c.option.path or "") == path), name)
        fields = tuple(dict.fromkeys((*fields, *mapping.currency_fields())))
        related[name, path] = explorer.related(name, path, fields, ids) if ids else ()
    return Evidence(customers, related, mapping, counted)


def _propose(fact: str, seen: Sequence[Candidate], of: int) -> Proposal:
    mine = [one for one in seen if one.fact == fact]
    configured = [one for one in mine if one.configured]
    order = ranked(one for one in mine if not one.configured)
    if any(one.covered or fact == "tier" for one in configured):
        chosen, kept = configured, True
    else:
        chosen, kept = _by_precedence(fact, order, of), False
    rest = [one for one in order if one not in chosen][:_ALTERNATIVES]
    empty = of - len(frozenset().union(*(one.covered for one in chosen)))
    return Proposal(fact, tuple(chosen), tuple(rest), empty, of, kept)


def _by_precedence(fact: str, order: Sequence[Candidate], of: int) -> list[Candidate]:
    """The best one, then whatever fills customers that are still empty."""
    chosen: list[Candidate] = []
    covered: frozenset[str] = frozenset()
    for one in order:
        fresh = len(one.covered - covered)
        if one.score < _GOOD or len(chosen) == _LONGEST:
            continue
        if not chosen or (fact != "tier" and fresh > max(1, _ADDS * of)):
            chosen.append(one)
            covered |= one.covered
    return chosen


def _tier(home: ObjectShape, proposals: Sequence[Proposal], mapping: FieldMapping) -> TierTarget | None:
    """The configured target where its field is there, else the proposed field with its options, best first."""
    if mapping.tier is not None and mapping.tier.field in home.fields:
        return mapping.tier
    chosen = next((p.chosen for p in proposals if p.fact == "tier"), ())
    if not chosen:
        return None
    return tier_of(home, chosen[0].option.field)


def tier_of(home: ObjectShape, name: str) -> TierTarget | None:
    """A target with the field's first three options from best to last; None where it has fewer."""
    options = [option for option in home.fields[name].options if option.active]
    ordered = sorted(options, key=lambda option: _rank(option.label or option.value))[:3]
    if len(ordered) < 3:
        return None
    return TierTarget(field=name, values={n: option.value for n, option in enumerate(ordered, 1)})


def _rank(label: str) -> int:
    """Numbers and letters say their order, metals have one; everything else stays as the CRM lists it."""
    words = [word.lower() for word in _WORD.findall(label)]
    for word in words:
        if word.isdigit() or len(word) == 1:
            return int(word, 36)
    return next((_BEST_FIRST.index(word) for word in words if word in _BEST_FIRST), 0)


def with_choice(found: Survey, chosen: Mapping[str, Sequence[MappedField]]) -> Survey:
    """The survey with some facts decided otherwise (nothing in the list: the fact is left out)."""
    proposals = []
    for proposal in found.proposals:
        if proposal.fact not in chosen:
            proposals.append(proposal)
            continue
        known = {c.option.model_dump_json(): c for c in (*proposal.chosen, *proposal.alternatives)}
        wanted = chosen[proposal.fact]
        taken = tuple(
            known.get(o.model_dump_json()) or Candidate(proposal.fact, o, o.field, "other", 1.0, ("as you said",))
            for o in wanted
        )
        empty = proposal.of - len(frozenset().union(*(one.covered for one in taken)))
        proposals.append(replace(proposal, chosen=taken, empty=empty, kept=False, left_out=not taken))
    return replace(found, proposals=tuple(proposals))
