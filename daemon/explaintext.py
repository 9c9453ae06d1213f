"""Show an explanation on a terminal: trees of ✔ ✘ ?, tables of facts, people and sources."""

from __future__ import annotations

from collections.abc import Collection

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from daemon.explain import Explanation, RuleLine
from daemon.explainrows import day, moment
from rules.language import wording
from rules.language.evaluate import Outcome, Truth
from rules.language.tree import All, Any, Leaf, Named, Not, facts_of
from store.records import DAY

_MARKS = {True: ("✔", "green"), False: ("✘", "red"), None: ("?", "yellow")}
_WORDS = {True: "holds", False: "does not hold", None: "cannot be told"}


def rendered(told: Explanation, *, all_facts: bool = False, only: str | None = None) -> RenderableType:
    """The whole explanation, or that of one rule with the facts it asks for.

    Facts without a value that no rule asks for are left out unless `all_facts`.
    """
    parts: list[RenderableType] = [_head(told)]
    if not told.in_scope:
        parts.append(Text("No customer at that time (customer condition, or churned): nothing is evaluated."))
        return Group(*parts)
    if only is not None:
        line = told.rule(only)
        return Group(*parts, _rule(told, line), Text(""), _facts_table(told, _columns(line.verdict.tree)))
    parts += [_rule(told, line) for line in told.rules]
    parts += [Text(""), _facts(told, all_facts), _people(told), _touches(told), _sources(told)]
    return Group(*parts)


def _head(told: Explanation) -> Text:
    ids = ", ".join(f"{source} {id_}" for source, id_ in told.account.ids) or told.account.key
    return Text.assemble((told.account.name, "bold"), f"  {ids}\nas of {moment(told.as_of)} UTC{_tier(told)}\n")


def _tier(told: Explanation) -> str:
    in_force = told.row.get("tier")
    if in_force is None:
        return ""
    words = f"; tier in force {in_force}"
    tier = told.tier
    if tier and told.row.get("tier_pinned"):
        author = tier.pin_author or {"found": "found at the first sync"}.get(tier.pin_origin or "", "a person")
        since = f" since {day(tier.pinned_at)}" if tier.pinned_at is not None else ""
        words += f", pinned ({author}{since}); computed {tier.computed if tier.computed is not None else 'none'}"
    if tier and tier.proposed is not None:
        words += f"; tier {tier.proposed} is proposed and waits for approval"
    return words


# ---------------------------------------------------------------- rules


def _rule(told: Explanation, line: RuleLine) -> RenderableType:
    truth = line.verdict.truth
    severity = f" ({line.verdict.severity})" if truth else ""
    head = Text.assemble(_mark(truth), (line.rule.name, "bold"), f" {_WORDS[truth]}{severity}")
    tree = Tree(head, guide_style="dim")
    _grow(tree, line.verdict.tree, told)
    for words in notes(line):
        tree.add(Text(words, style="dim"))
    return tree


def notes(line: RuleLine) -> list[str]:
    """What would clear it, and what time alone will change."""
    found: list[str] = []
    if line.verdict.truth:
        found.append(line.sentence)
        found.append(f"clears when {line.clears_when}")
    if line.rule.for_us and line.verdict.truth is not False:
        found.append(f"must hold {wording.span(line.rule.for_us)} before it fires")
    if line.change is None:
        found.append("time alone changes nothing within 60 days")
    else:
        found.append(_change(line))
    return found


def _change(line: RuleLine) -> str:
    change = line.change
    assert change is not None
    when = f"in {change.days} day{'' if change.days == 1 else 's'} ({day(change.at)})"
    if change.truth is None:
        return f"by time alone: cannot be told {when}: {change.reason}"
    if change.truth and line.verdict.truth:
        return f"by time alone: becomes {change.severity} {when}"
    if change.truth:
        held = f", and fires {day(change.at + line.rule.for_us)}" if line.rule.for_us else ""
        return f"by time alone: turns true {when}{held}"
    return f"by time alone: clears {when}"


def _grow(tree: Tree, outcome: Outcome, told: Explanation) -> None:
    node = outcome.node
    if isinstance(node, Not) and node.text:
        inner = outcome.parts[0]
        branch = tree.add(Text.assemble(_mark(outcome.truth), node.text, _values(inner, told)))
        for part in inner.parts:
            _grow(branch, part, told)
        return
    branch = tree.add(Text.assemble(_mark(outcome.truth), _label(outcome), _values(outcome, told)))
    parts = outcome.parts[0].parts if isinstance(node, Not) else outcome.parts
    for part in parts:
        _grow(branch, part, told)


def _label(outcome: Outcome) -> str:
    match outcome.node:
        case All():
            return "all of"
        case Any():
            return "any of"
        case Not():
            return "none of"
        case Named(name):
            return name
        case Leaf(text=text):
            return text
    raise TypeError(type(outcome.node).__name__)


def _values(outcome: Outcome, told: Explanation) -> tuple[str, str]:
    node = outcome.node
    if not isinstance(node, Leaf):
        return "", ""
    shown = [
        f"{fact.shown}: {wording.show(fact, told.row, told.as_of, told.today, told.currency)}"
        for fact in facts_of(node)
    ]
    # `renewal: unknown: outdated` says the reason already.
    if outcome.reason and outcome.reason.replace(": ", ": unknown: ", 1) not in "; ".join(shown):
        shown.append(outcome.reason)
    who = next((name for column, name in outcome.used.items() if "not_covered" in column and name), None)
    if outcome.truth is None and who:
        shown.append(f"not captured: {who}")
    return "   — " + "; ".join(dict.fromkeys(shown)), "cyan"


def _mark(truth: Truth) -> tuple[str, str]:
    sign, style = _MARKS[truth]
    return f"{sign} ", style


# ---------------------------------------------------------------- tables


def _facts(told: Explanation, all_facts: bool) -> Table:
    asked = {column for line in told.rules for column in _columns(line.verdict.tree)}
    there = {fact.column for fact in told.facts if all_facts or fact.state in ("value", "never", "stale")}
    return _facts_table(told, asked | there)


def _facts_table(told: Explanation, columns: Collection[str]) -> Table:
    table = Table("fact", "value", "rows behind it", "source", title="Facts", title_justify="left", expand=False)
    for fact in told.facts:
        if fact.column in columns:
            value = f"{fact.value} {fact.unit}" if _bare(fact.value) else fact.value
            table.add_row(fact.name, Text(value), Text("\n".join(fact.rows)), _age(told, fact.fresh_at))
    return table


def _bare(value: str) -> bool:
    """True for a number that does not say of what."""
    return bool(value) and value.replace(",", "").replace(".", "").replace("-", "").isdigit()


def _age(told: Explanation, fresh_at: int | None) -> str:
    """How old the fact's source was: `2 h old`."""
    if fresh_at is None:
        return ""
    hours = max(0, told.as_of - fresh_at) * 24 // DAY
    return f"{hours} h old" if hours < 48 else f"{hours // 24} d old"


def _columns(outcome: Outcome) -> set[str]:
    return set(outcome.used).union(*(_columns(part) for part in outcome.parts))


def _people(told: Explanation) -> Table:
    table = Table(
        "person", "title", "standing", "on file since", "last touch", title="People on file", title_justify="left"
    )
    for person in told.persons:
        last = day(person.last_touch) if person.last_touch is not None else "never"
        table.add_row(Text(person.name), Text(person.title or "none"), person.standing, day(person.since), last)
    return table


def _touches(told: Explanation) -> Table:
    table = Table("when", "what", "with", "subject", "row", title="Latest touches and bookings", title_justify="left")
    for touch in told.touches[:10]:
        ahead = " (booked)" if touch.starts_at > told.as_of else ""
        late = f"\nlogged {day(touch.recorded_at)}" if touch.recorded_at - touch.occurred_at > DAY and not ahead else ""
        who = f"{touch.person} ({touch.standing})"
        row = f"{touch.source} {touch.activity_id}"
        table.add_row(moment(touch.occurred_at) + late, touch.kind + ahead, Text(who), Text(touch.subject or ""), row)
    return table


def _sources(told: Explanation) -> Table:
    table = Table("source", "stream", "state", "complete up to", title="Sources", title_justify="left")
    for source in told.sources:
        fresh = "never synced"
        if source.fresh_at is not None:
            hours = max(0, told.as_of - source.fresh_at) * 24 // DAY
            fresh = f"{moment(source.fresh_at)} ({hours} h before)"
        table.add_row(
            source.source, source.stream, source.status + (f": {source.detail}" if source.detail else ""), fresh
        )
    return table
