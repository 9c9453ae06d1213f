"""The evidence of a rule for a message: which person, which activity, which date; what its sentence says is not repeated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rules.language.catalogue import Fact, Kind
from rules.language.decide_events import booking_for
from rules.language.evaluate import Row, outcome
from rules.language.lines import line_of
from rules.language.model import Rule
from rules.language.tree import Moved, Ranked, Silence, facts_of
from rules.language.values import today_of
from rules.language.wording import date, deciding, placeholders, show
from store.records import Behind, Day, Instant, NamedTouch

MOST = 3
"""Lines of one rule."""
_NAMES = 4
_TITLE = 30
_KINDS = {"email": "e-mail"}
_FROM = {"strong": "strong from 60", "exec": "counts from 20", "user": "counts from 20"}
_MOVEMENT = ("adoption_change", "adoption_change_vs_portfolio")


def bullets(
    rule: Rule, row: Row, behind: Behind, as_of: Instant, today: Day | None = None, *, currency: str = "USD"
) -> tuple[str, ...]:
    """At most `MOST` lines: first the facts that persons, activities and samples stand behind, then the others.

    A number that moves by time alone is bound to its day: `on 2026-03-08: Ann Lee (CFO) 64`.
    """
    day = today_of(as_of) if today is None else today
    named: list[str] = []
    others: list[str] = []
    said = {fact.column for fact in placeholders(rule.say)}
    for leaf in deciding(outcome(rule.when, row, as_of, day)):
        special = line_of(leaf, row, as_of, day, currency, lasting=True)
        named += [special] if special else []
    for fact in _facts(rule, row, as_of, day):
        line = _line(fact, row, behind, day)
        if line:
            named.append(line)
        elif line is None and fact.column not in said and not (fact.kind is Kind.FLAG and not row.get(fact.column)):
            others.append(f"{fact.shown}: {show(fact, row, as_of, day, currency, lasting=True)}")
    return tuple(dict.fromkeys((*named, *others)))[:MOST]


def _facts(rule: Rule, row: Row, as_of: Instant, today: Day) -> Iterator[Fact]:
    for leaf in deciding(outcome(rule.when, row, as_of, today)):
        if not isinstance(leaf, Moved | Ranked):
            yield from facts_of(leaf)
        if isinstance(leaf, Silence) and (booking := booking_for(leaf)):
            yield booking


def _line(fact: Fact, row: Row, behind: Behind, today: Day) -> str | None:
    """The rows behind a fact in words; empty where there is nothing worth a line, None where no rows are named."""
    if fact.kind is Kind.EVENT:
        if not fact.role:
            return None
        return _contact(fact, row, behind)
    if fact.kind is Kind.BOOKING:
        return _part(fact, row, behind.bookings) or ""
    if fact.interval:
        return _people(fact, behind, today)
    if fact.column in _MOVEMENT:
        return _movement(row, behind, today)
    if fact.column == "adoption" and behind.active_users is not None and behind.seats:
        return f"{_number(behind.active_users)} of {behind.seats:,} seats are in use"
    if fact.column == "touch_due_in":
        return _cadence(row, behind)
    return None


def _contact(fact: Fact, row: Row, behind: Behind) -> str | None:
    if row.get(f"{fact.column}_state") == "never":
        on_file = _on_file(fact.role, behind)
        return f"{fact.shown}: never; {on_file}" if on_file else None
    return _part(fact, row, behind.touches)


def _part(fact: Fact, row: Row, rows: Sequence[NamedTouch]) -> str | None:
    """`last exec contact: Ann Lee (CFO), meeting, 2026-02-16`: the persons of the row whose instant the fact has."""
    at = row.get(fact.column)
    mine = [touch for touch in rows if touch.at == at and fact.role in ("any", touch.standing)]
    if not mine:
        return None
    first = mine[0]
    names = list(dict.fromkeys(_named(touch.name, touch.title) for touch in mine if touch.kind == first.kind))
    others = " and others" if len(names) > 2 else ""
    kind = "" if fact.kind is Kind.BOOKING else f", {_KINDS.get(first.kind, first.kind)}"
    return f"{fact.shown}: {', '.join(names[:2])}{others}{kind}, {date(today_of(first.at))}"


def _on_file(role: str, behind: Behind) -> str:
    """`2 execs on file: Ann Lee (CFO), Bo Tan (VP Sales)`."""
    roles = ("exec", "user") if role == "any" else (role,)
    count = sum(behind.on_file.get(one, 0) for one in roles)
    if not count:
        return ""
    people = (_named(person.name, person.title) for person in behind.people if person.standing in roles)
    noun = "person" if role == "any" else role
    plural = {"person": "people"}.get(noun, f"{noun}s")
    return f"{count:,} {noun if count == 1 else plural} on file: {_list(people, count)}"


def _people(fact: Fact, behind: Behind, today: Day) -> str | None:
    standing = "user" if "user" in fact.name else "exec"
    count = behind.on_file.get(standing, 0)
    if not behind.on_file and not behind.people:
        return None
    if not count:
        return f"no {standing}s on file"
    people = [person for person in behind.people if person.standing == standing]
    if fact.name.endswith("contacts"):
        return _on_file(standing, behind)
    strengths = (f"{_named(person.name, person.title)} {person.strength // 100}" for person in people)
    from_ = _FROM[fact.name.split()[0]]
    return f"{standing} relationships on {date(today)}: {_list(strengths, count)} ({from_})"


def _movement(row: Row, behind: Behind, today: Day) -> str | None:
    """Both means with their windows, the change, and what the portfolio did meanwhile."""
    means = behind.means
    if means is None or means.later is None or means.earlier is None:
        return None
    change, against = row.get("adoption_change"), row.get("adoption_change_vs_portfolio")
    moved = []
    if isinstance(change, float):
        moved.append(f"{change * 100:+.1f}%")
        moved += [f"portfolio {(change - against) * 100:+.1f}%"] if isinstance(against, float) else []
    what = means.metric.replace("_", " ")
    return (
        f"{what} on {date(today)}: on average {_number(means.later)} since {date(today - 29)}, "
        f"{_number(means.earlier)} from {date(today - 119)} to {date(today - 30)}"
        + (f" ({', '.join(moved)})" if moved else "")
    )


def _cadence(row: Row, behind: Behind) -> str | None:
    if behind.cadence is None:
        return None
    tier = "" if behind.tier is None else f" (tier {behind.tier})"
    last = max((touch for touch in behind.touches), key=lambda touch: touch.at, default=None)
    met = ""
    if last is not None and last.at == row.get("last_contact", last.at):
        kind = _KINDS.get(last.kind, last.kind)
        met = f"; last contact: {_named(last.name, last.title)}, {kind}, {date(today_of(last.at))}"
    return f"one touch every {_number(behind.cadence)} days{tier}{met}"


def _named(name: str, title: str | None) -> str:
    if not title:
        return name
    return f"{name} ({title if len(title) <= _TITLE else title[: _TITLE - 1] + '…'})"


def _list(names: Iterable[str], count: int) -> str:
    shown = list(names)[:_NAMES]
    more = f" and {count - len(shown):,} more" if count > len(shown) else ""
    return ", ".join(shown) + more


def _number(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")
