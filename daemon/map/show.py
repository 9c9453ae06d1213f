"""A survey as text of 80 columns and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from connectors.mapping import MappedField
from daemon.map.candidates import Candidate
from daemon.map.survey import Proposal, Survey

_WIDTH = 80
_INDENT = " " * 17
_WITHOUT = {
    "arr": "without it there is no segment, no tier score and no value at risk",
    "renewal": "without it no rule about renewals can fire",
    "csm": "the account's owner stands in for the CSM",
    "seats": "without it there is no adoption",
    "usage_key": "usage then joins by the users' e-mail addresses only",
    "tier": "tiers are computed, but cannot be written back",
    "contract_start": "the first won opportunity stands in",
    "segment": "then by ARR: enterprise from 100k, mid-market from 20k",
    "auto_renews": "then no contract counts as renewing itself",
    "tags": "without them no rule can ask what an account is tagged",
    "team_size": "without it no rule can ask how many people the customer has",
    "term": "then from the contract's start to its renewal",
}


def text(found: Survey) -> str:
    """Everything, in the order in which it is decided: customers, then fact by fact."""
    lines = [*_customers(found), "", *_legend(found)]
    for proposal in found.proposals:
        lines += ["", *_proposal(found, proposal)] if proposal.chosen or proposal.fact in _WITHOUT else []
    if found.broken:
        lines += ["", "mapped, but not in the CRM:"]
        lines += [line for fact, what in found.broken for line in wrapped(f"  {fact:<15}{what}", _INDENT)]
    lines += ["", *wrapped(f"looked at {found.home}{_list(found.objects)}; {found.calls} API calls")]
    return "\n".join(lines)


def _list(names: Sequence[str]) -> str:
    return f", {', '.join(names)}" if names else ""


def _customers(found: Survey) -> Iterator[str]:
    yield "customers"
    for number, one in enumerate(found.conditions):
        mark = "*" if number == 0 else " "
        count = "?" if one.count is None else f"{one.count:,}"
        yield f"  {mark} {count:>9}  {condition(one.where)}"
        yield from wrapped(f"{_INDENT}{one.why}", _INDENT)
    for note in found.notes:
        yield from wrapped(f"  {note}", "  ")


def _legend(found: Survey) -> Iterable[str]:
    if found.exact:
        return [f"Facts, by what {found.sample:,} customers have:"]
    total = "" if found.customers is None else f" of {found.customers:,}"
    return wrapped(
        f"Facts, by a sample of {found.sample:,}{total} customers (the oldest and the newest), "
        "so that numbers of empty customers are estimates:"
    )


def _proposal(found: Survey, proposal: Proposal) -> Iterator[str]:
    if not proposal.chosen:
        why = "left out, as you said" if proposal.left_out else "nothing found"
        yield from wrapped(f"  {proposal.fact:<15}{why}; {_WITHOUT[proposal.fact]}", _INDENT)
    for number, one in enumerate(proposal.chosen):
        head = f"  {proposal.fact:<15}" if number == 0 else f"{'then':>15}  "
        yield from wrapped(f"{head}{place(one.option)}{_label(one)}", _INDENT)
        yield from wrapped(f"{_INDENT}{_fill(one)}; {'; '.join(one.why)}", _INDENT)
        if one.samples:
            yield from wrapped(f"{_INDENT}for example {', '.join(one.samples)}", _INDENT)
    if proposal.fact == "tier" and found.tier is not None and proposal.chosen:
        values = ", ".join(f"{n} = {value}" for n, value in found.tier.values.items())
        yield from wrapped(f"{_INDENT}{values}", _INDENT)
    elif proposal.chosen:
        yield from wrapped(f"{_INDENT}{empty(found, proposal)}", _INDENT)
    for one in proposal.alternatives:
        yield from wrapped(f"{'or':>15}  {place(one.option)}{_label(one)}: {_fill(one)}", _INDENT)


def empty(found: Survey, proposal: Proposal) -> str:
    """How many customers stay without a value."""
    if not proposal.of:
        return "no customer to look at"
    if not proposal.empty:
        return "no customer stays empty" if found.exact else "no customer of the sample stays empty"
    if found.exact or found.customers is None:
        return f"{proposal.empty:,} of {proposal.of:,} customers stay{'s' if proposal.empty == 1 else ''} empty"
    guess = round(proposal.empty / proposal.of * found.customers)
    return f"about {guess:,} of {found.customers:,} customers stay empty"


def _fill(one: Candidate) -> str:
    if one.filled is not None and not one.configured:
        return f"{one.fill:.0%} filled"
    return f"{one.fill:.0%} of customers"


def _label(one: Candidate) -> str:
    plain = one.option.field.removesuffix("__c").replace("_", " ").casefold()
    return "" if one.label.casefold() in (plain, one.option.field.casefold()) else f' "{one.label}"'


def place(option: MappedField) -> str:
    """`ARR__c`, or `sum of Contract__c.Value__c where Status__c is Active`, for people."""
    if option.object is None:
        return option.field
    how = {"latest": "latest", "sum": "sum of", "min": "first", "max": "last"}[option.aggregate]
    by = f" by {option.by}" if option.by else ""
    where = f" where {condition(option.where)}" if option.where else ""
    path = f" through {option.path}" if option.path and "." in option.path else ""
    return f"{how} {option.object}.{option.field}{by}{where}{path}"


def condition(where: Mapping[str, Any]) -> str:
    """`Type is Customer and Seats__c is at least 10`, for people."""
    return " and ".join(f"{name} {_test(wanted)}" for name, wanted in where.items()) or "every account"


def _test(wanted: Any) -> str:
    if isinstance(wanted, dict):
        ((test, value),) = wanted.items()
        if test == "known":
            return "is known" if value else "is empty"
        return f"is {test.replace('_', ' ')} {_word(value)}"
    return f"is {_word(wanted)}"


def _word(value: Any) -> str:
    if isinstance(value, list):
        return " or ".join(_word(one) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def wrapped(line: str, indent: str = "") -> list[str]:
    """A line as lines of at most 80 columns, the further ones indented."""
    return textwrap.wrap(line, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or [""]


# ---------------------------------------------------------------- JSON


def as_json(found: Survey) -> dict[str, Any]:
    """The survey as plain data: conditions, proposals with why, fill, samples and how many customers stay empty."""
    return {
        "source": found.source,
        "customers": {
            "condition": dict(found.where),
            "count": found.customers,
            "candidates": [
                {"condition": dict(c.where), "count": c.count, "why": c.why, "configured": c.configured}
                for c in found.conditions
            ],
            "churned": dict(found.churned) if found.churned else None,
        },
        "sample": {"customers": found.sample, "exact": found.exact},
        "facts": {p.fact: _fact_json(p) for p in found.proposals},
        "tier": found.tier.model_dump() if found.tier else None,
        "broken": [{"fact": fact, "what": what} for fact, what in found.broken],
        "objects": list(found.objects),
        "calls": found.calls,
        "notes": list(found.notes),
    }


def _fact_json(proposal: Proposal) -> dict[str, Any]:
    return {
        "chosen": [_candidate_json(one) for one in proposal.chosen],
        "alternatives": [_candidate_json(one) for one in proposal.alternatives],
        "empty": proposal.empty,
        "of": proposal.of,
        "kept": proposal.kept,
    }


def _candidate_json(one: Candidate) -> dict[str, Any]:
    return {
        "mapping": one.option.model_dump(exclude_defaults=True),
        "label": one.label,
        "kind": one.kind,
        "score": one.score,
        "fill": round(one.fill, 4),
        "filled": one.filled,
        "samples": list(one.samples),
        "why": list(one.why),
        "configured": one.configured,
    }
