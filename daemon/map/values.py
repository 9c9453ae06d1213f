"""Whether a field's values can be what a fact means, and how its values are shown without showing people."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from connectors.shapes import FieldShape
from rules.fieldmap import Value, convert, flag, words
from store.records import DAY, Instant, Scalar

_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")
_LONGEST = 24
_SHOWN = 3
_LONGEST_TAG = 40
_PEOPLE = re.compile(r"(contact|ansprechpartner|interlocuteur|contacto|person|first.?name|last.?name|vorname|nachname|"
                     r"prenom|apellido|signed.?by|sponsor|e.?mail|phone|telefon|mobil|full.?name)", re.IGNORECASE)  # fmt: skip

Judged = tuple[float, str]
"""(0..1, what the values say)."""


def samples(field: FieldShape, values: Sequence[Scalar]) -> tuple[str, ...]:
    """A few different values as people may see them: cut short, and nobody's name, address or number."""
    filled = [value for value in values if value not in (None, "")]
    if not filled:
        return ()
    if is_personal(field):
        different = len(set(map(str, filled)))
        one, more = ("person", "people") if field.kind == "person" else ("value", "values")
        return (f"{different} different {one if different == 1 else more}, not shown",)
    if field.kind == "flag":
        filled = [flag(value) == 1 for value in filled]
    common = [value for value, _ in Counter(map(_text, filled)).most_common(_SHOWN)]
    return tuple(common)


def is_personal(field: FieldShape) -> bool:
    """Its values name or reach a person, by what the CRM says of it or by what it is called."""
    named = field.kind in ("text", "long") and _PEOPLE.search(f"{field.name} {field.label}")
    return field.personal or bool(named)


def _text(value: Scalar) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = _ADDRESS.sub("...@...", str(value).replace("\n", " "))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def judge(fact: str, field: FieldShape, raw: Sequence[Scalar], now: Instant) -> Judged:
    """How plausible these values (of customers; empty ones left out) are for the fact."""
    if not raw:
        return 0.0, "no customer has a value"
    if fact == "tier":
        return _tier(field)
    if fact == "csm":
        return _people(raw)
    values = [value for one in raw if (value := convert(fact, one)) is not None]
    if not values:
        return 0.0, "no value can be read as one"
    share = len(values) / len(raw)
    score, why = _JUDGES[fact](values, now // DAY) if fact in _JUDGES else (0.7, "")
    return score * share, why


def _nums(values: Sequence[Value]) -> list[int]:
    return [value.num for value in values if value.num is not None]


def _amounts(values: Sequence[Value], today: int) -> Judged:
    del today
    amounts = [num / 100 for num in _nums(values)]
    above = [amount for amount in amounts if amount > 0]
    if not above:
        return 0.0, "no amount is above 0"
    middle = median(above)
    if middle < 100:
        return 0.2, f"half of the amounts are below {middle:,.0f}: too small for money of a year"
    spread = math.log10(max(above) / min(above))
    why = f"{min(above):,.0f} to {max(above):,.0f}"
    return (1.0 if spread >= 0.3 or len(above) < 5 else 0.6) * len(above) / len(amounts), why


def _renewal(values: Sequence[Value], today: int) -> Judged:
    days = _nums(values)
    ahead = sum(today <= day <= today + 5 * 365 for day in days) / len(days)
    near = sum(today - 365 <= day <= today + 5 * 365 for day in days) / len(days)
    return near * (0.4 + 0.6 * min(1.0, ahead / 0.5)), f"{ahead:.0%} lie ahead"


def _past(values: Sequence[Value], today: int) -> Judged:
    days = _nums(values)
    behind = sum(day <= today for day in days) / len(days)
    return behind, f"{behind:.0%} lie behind"


def _counts(values: Sequence[Value], today: int) -> Judged:
    del today
    counts = _nums(values)
    above = sum(count > 0 for count in counts) / len(counts)
    return above * (1.0 if len(set(counts)) > 1 or len(counts) < 5 else 0.5), f"{min(counts):,} to {max(counts):,}"


def _days(values: Sequence[Value], today: int) -> Judged:
    del today
    counts = _nums(values)
    if median(counts) <= 120 and all(count in (1, 3, 6, 12, 18, 24, 36, 48, 60, 72, 84, 120) for count in counts):
        return 0.0, "its values look like months; tierd reads days"
    return 1.0, f"{min(counts):,} to {max(counts):,} days"


def _segments(values: Sequence[Value], today: int) -> Judged:
    del today
    return 1.0, ", ".join(sorted({value.text for value in values if value.text}))


def _tags(values: Sequence[Value], today: int) -> Judged:
    """A tag is a word that several customers share; free text says something else of each."""
    del today
    said = [tag for value in values for tag in words(value.text or "")]
    different = len(set(said))
    shared = (different < len(said) or len(values) < 5) and max(map(len, said), default=0) <= _LONGEST_TAG
    return (1.0 if shared else 0.0), f"{different} {'tag' if different == 1 else 'different tags'}"


def _keys(values: Sequence[Value], today: int) -> Judged:
    del today
    texts = [value.text for value in values if value.text]
    unique = len(set(texts)) / len(texts) if texts else 0.0
    return (1.0 if unique > 0.95 else unique / 2), f"{unique:.0%} of the values are different"


def _flags(values: Sequence[Value], today: int) -> Judged:
    del today
    on = sum(value.num == 1 for value in values) / len(values)
    return (0.5 if on in (0.0, 1.0) else 1.0), f"{on:.0%} say yes"


def _people(raw: Sequence[Scalar]) -> Judged:
    people = len(set(map(str, raw)))
    several = people < len(raw) or len(raw) < 5
    return (1.0 if several else 0.4), f"{people} {'person' if people == 1 else 'people'}"


def _tier(field: FieldShape) -> Judged:
    options = [option for option in field.options if option.active]
    if len(options) == 3:
        return 1.0, "three options"
    return (0.5, f"{len(options)} options") if len(options) in (4, 5) else (0.0, f"{len(options)} options, not three")


_JUDGES: Mapping[str, Callable[[Sequence[Value], int], Judged]] = {
    "arr": _amounts,
    "potential": _amounts,
    "renewal": _renewal,
    "contract_start": _past,
    "auto_renews": _flags,
    "strategic": _flags,
    "term": _days,
    "seats": _counts,
    "team_size": _counts,
    "tags": _tags,
    "segment": _segments,
    "usage_key": _keys,
}
