"""Findings: keep what a rule's Select says of every account, row by row only where it changed, all inside the database."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    Delete,
    Engine,
    Executable,
    Select,
    Text,
    and_,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import Subquery

from store.engine import dialect_name
from store.portions import Portion, Touched, had_findings, short, short_facts
from store.records import Instant
from store.statements import Change, Ready, TimedRows
from store.tables import accounts as accounts_table
from store.tables import evaluations, facts, findings

_PAIRS = 60
_HEAD = ("account_id", "outcome", "severity", "reason")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a rule's findings are to be: a Select of account_id, outcome, severity, reason, then the evidence columns."""

    rule: str
    version: str
    found: TimedRows


def ready(bind: Connection | Engine, wanted: Wanted, portion: Portion) -> Sequence[Ready]:
    """The statements for `keep`, which serve for all portions of the same kind: what removes findings, what writes them."""
    changes: dict[str, Change] = {
        "resolve": lambda found, _: _gone(wanted, short(found), portion),
        "find": lambda found, at: _upsert(bind, wanted, short(found), at),
    }
    return [wanted.found.ready(bind.dialect, purpose, change) for purpose, change in changes.items()]


def keep(connection: Connection, statements: Sequence[Ready], portion: Portion) -> int:
    """Make a rule's findings equal to what is wanted, of the accounts of a portion, whose facts `portions.put` has put.

    Rows that say the same are not touched, and `since` stays while the outcome does. Gives how many rows changed.
    """
    return sum(statement.run(connection, portion.bound).rowcount for statement in statements)


def counts(connection: Connection, portion: Portion) -> Counter[tuple[str, str, str]]:
    """How many findings the accounts of a portion have, by rule, outcome and reason ('' where there is none).

    Of a portion at a time they are still in memory, and few enough to be sorted there.
    """
    f = findings.c
    by = (f.rule, f.outcome, f.reason)
    query = select(*by, func.count()).where(portion.covers(f.account_id)).group_by(*by)
    rows = connection.execute(query, portion.bound)
    return Counter({(rule, outcome, reason or ""): count for rule, outcome, reason, count in rows})


def _gone(wanted: Wanted, found: Select[Any], portion: Portion) -> Delete:
    """Findings whose account the rule does not find any more: each is looked up, the others are not read again."""
    had = had_findings if isinstance(portion, Touched) else findings
    same = short_facts.c.account_id == had.c.account_id
    still: Select[Any] = found.with_only_columns(literal_column("1")).where(same).correlate(had)
    gone = and_(had.c.rule == wanted.rule, ~still.exists())
    if had is findings:
        return delete(findings).where(gone, portion.covers(findings.c.account_id))
    lost = select(had.c.account_id).where(gone)
    return delete(findings).where(findings.c.rule == wanted.rule, findings.c.account_id.in_(lost))


def _upsert(bind: Connection | Engine, wanted: Wanted, found: Select[Any], as_of: Instant) -> Executable:
    rows = found.subquery("found")
    source = select(
        literal(wanted.rule, Text),
        rows.c.account_id,
        rows.c.outcome,
        rows.c.severity,
        rows.c.reason,
        literal(as_of, findings.c.since.type),
        literal(wanted.version, Text),
        _evidence(bind, rows),
    ).where(true())  # without a WHERE SQLite reads ON CONFLICT as a join condition
    upsert = sqlite.insert if dialect_name(bind) == "sqlite" else postgresql.insert
    into = upsert(findings).from_select([column.name for column in findings.columns], source)
    new = into.excluded
    kept = ("outcome", "severity", "reason", "rule_version", "evidence")
    return into.on_conflict_do_update(
        index_elements=[findings.c.rule, findings.c.account_id],
        set_={
            **{name: new[name] for name in kept},
            "since": case((findings.c.outcome == new.outcome, findings.c.since), else_=new.since),
        },
        where=or_(*(findings.c[name].is_distinct_from(new[name]) for name in kept)),
    )


def _evidence(bind: Connection | Engine, rows: Subquery) -> ColumnElement[str]:
    """The evidence columns as one JSON text with sorted keys, the same text on both databases (but for float digits)."""
    columns = sorted((c for c in rows.columns if c.name not in _HEAD), key=lambda c: c.name)
    if dialect_name(bind) == "sqlite":
        return _json_objects(columns)
    text: ColumnElement[Any] = literal_column("'{'", Text)
    for index, column in enumerate(columns):
        key = literal_column(f"""'{"," if index else ""}"{column.name}":'""", Text)
        text = text + key + _to_json(column, type_=Text)
    return text + literal_column("'}'", Text)


def _json_objects(columns: Sequence[ColumnElement[Any]]) -> ColumnElement[str]:
    """SQLite's own, in as many calls as it needs: a function there takes 127 arguments at most."""
    whole: ColumnElement[Any] | None = None
    for start in range(0, len(columns), _PAIRS):
        some = columns[start : start + _PAIRS]
        pairs = [part for c in some for part in (literal_column(f"'{c.name}'", Text), c)]
        one: ColumnElement[Any] = func.json_object(*pairs, type_=Text)
        whole = one if whole is None else func.rtrim(whole, "}") + literal_column("','", Text) + func.substr(one, 2)
    return literal_column("'{}'", Text) if whole is None else whole


def _to_json(column: ColumnElement[Any], type_: type[Text]) -> ColumnElement[str]:
    return func.coalesce(cast(func.to_json(column), type_), literal_column("'null'", type_))


def drop_other_rules(connection: Connection, rules: Collection[str]) -> int:
    """Forget the findings of rules that are no longer there; how many rows that were."""
    others = set(connection.execute(_RULES).scalars()) - {*rules, None}
    if not others:
        return 0
    return connection.execute(delete(findings).where(findings.c.rule.in_(sorted(others)))).rowcount


def _each_rule() -> Select[str]:
    """The rules that have findings, by one look-up for each: a million findings need not be read for twenty names."""
    first = select(func.min(findings.c.rule).label("rule")).cte("each_rule", recursive=True)
    after = select(func.min(findings.c.rule)).where(findings.c.rule > first.c.rule).scalar_subquery()
    return select(first.union_all(select(after).where(first.c.rule.is_not(None))).c.rule)


_RULES = _each_rule()


def export(connection: Connection) -> str:
    """Every finding as JSON lines, sorted and without surrogate ids: equal stores give equal bytes."""
    query = (
        select(accounts_table.c.key.label("account"), *(c for c in findings.columns if c.name != "account_id"))
        .join(accounts_table, accounts_table.c.id == findings.c.account_id)
        .order_by(findings.c.rule, accounts_table.c.key)
    )
    rows = connection.execute(query).mappings()
    lines = [
        json.dumps({**row, "evidence": json.loads(row["evidence"])}, sort_keys=True, ensure_ascii=False) for row in rows
    ]
    return "".join(f"{line}\n" for line in lines)


def customers(connection: Connection) -> int:
    """How many accounts have facts: the customers in scope that were evaluated."""
    return int(connection.scalar(select(func.count()).select_from(facts)) or 0)


def record_evaluation(connection: Connection, as_of: Instant, scope: str, detail: Mapping[str, Any]) -> bool:
    """Write the evaluation's row, stamped with `as_of` so that a repeated run writes the same; False = nothing new."""
    text = json.dumps(detail, sort_keys=True, ensure_ascii=False)
    key = (evaluations.c.as_of == as_of) & (evaluations.c.scope == scope)
    before = connection.scalar(select(evaluations.c.detail).where(key))
    if before == text:
        return False
    if before is None:
        values = {"as_of": as_of, "scope": scope, "started_at": as_of, "ended_at": as_of, "detail": text}
        connection.execute(insert(evaluations).values(values))
    else:
        connection.execute(update(evaluations).where(key).values(detail=text))
    return True
