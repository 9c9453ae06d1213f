"""SOQL over the imitation org: every query agrees with a slow, obvious evaluator, and refusals read like the vendor's."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.clock import DAY, SECOND, ScenarioClock, iso_day, iso_ms
from sandbox.salesforce.errors import Refused
from sandbox.salesforce.org import Org
from sandbox.salesforce.soql.parse import parse
from sandbox.salesforce.soql.run import run
from sandbox.salesforce.state import new_state, new_store
from sandbox.versions import At, Change, On
from tests.sandbox.salesforce_org import NOW, sf_id

WORDS = (None, "", "acme", "ACME", "Acme Corp", "100% _done_", "O'Brien", "a\\b", "Zürich", "line\nbreak")
NUMBERS = (None, -3, 0, 2.5, 7, 7_000_000)
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}
DAYS = (None, 20_400, 20_500, 20_600)


@dataclass(frozen=True)
class Case:
    """A condition as text and as what it means for a plain dict of values."""

    text: str
    holds: Callable[[dict[str, Any]], bool]


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def _folded(word: Any) -> Any:
    return word.casefold() if word else None


@st.composite
def _comparisons(draw: st.DrawFn) -> Case:
    kind = draw(st.sampled_from(["word", "number", "flag", "day", "stamp", "list", "like", "id"]))
    if kind == "word":
        word, equal = draw(st.sampled_from([w for w in WORDS if w is not None])), draw(st.booleans())
        return Case(
            f"Name {'=' if equal else '!='} {_quoted(word)}", lambda r: (_folded(r["Name"]) == _folded(word)) is equal
        )
    if kind == "number":
        op, limit = draw(st.sampled_from(["<", "<=", ">", ">="])), draw(st.sampled_from([-3, 0, 2.5, 7]))
        compare = OPERATORS[op]
        return Case(f"ARR__c {op} {limit}", lambda r: r["ARR__c"] is not None and compare(r["ARR__c"], limit))
    if kind == "flag":
        flag = draw(st.booleans())
        return Case(f"Strategic__c = {str(flag).upper()}", lambda r: r["Strategic__c"] is flag)
    if kind == "day":
        day, none = draw(st.sampled_from([20_400, 20_500])), draw(st.booleans())
        if none:
            return Case("Renewal_Date__c = null", lambda r: r["Renewal_Date__c"] is None)
        return Case(
            f"Renewal_Date__c >= {iso_day(day)}",
            lambda r: r["Renewal_Date__c"] is not None and r["Renewal_Date__c"] >= day,
        )
    if kind == "stamp":
        op, at = draw(st.sampled_from(["<", ">=", "="])), NOW - draw(st.integers(0, 5)) * SECOND
        compare = OPERATORS[op]
        return Case(f"SystemModstamp {op} {iso_ms(at)}", lambda r: compare(r["SystemModstamp"], at))
    if kind == "list":
        words, inside = draw(st.lists(st.sampled_from(WORDS[2:]), min_size=1, max_size=3)), draw(st.booleans())
        chosen = {_folded(w) for w in words}
        listed = ", ".join(_quoted(str(w)) for w in words)
        text = f"Name {'IN' if inside else 'NOT IN'} ({listed})"
        return Case(text, lambda r: (_folded(r["Name"]) in chosen) is inside)
    if kind == "like":
        start = draw(st.sampled_from(["acme", "a", "O\\'", "100\\%"]))
        plain = start.replace("\\", "").casefold()
        return Case(f"Name LIKE '{start}%'", lambda r: (_folded(r["Name"]) or "").startswith(plain))
    number = draw(st.integers(1, 40))
    return Case(f"Id > '{sf_id('001', number)}'", lambda r: r["Id"] > sf_id("001", number))


def _joined(word: str, parts: list[Case]) -> Case:
    text = f" {word} ".join(f"({p.text})" for p in parts)
    combine = all if word == "AND" else any
    return Case(text, lambda r: combine(p.holds(r) for p in parts))


def _negated(inner: Case) -> Case:
    return Case(f"NOT ({inner.text})", lambda r: not inner.holds(r))


CONDITIONS = st.recursive(
    _comparisons(),
    lambda inner: st.one_of(
        inner.map(_negated),
        st.tuples(st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3)).map(lambda t: _joined(*t)),
    ),
    max_leaves=6,
)
ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["Name", "ARR__c", "Renewal_Date__c", "SystemModstamp", "Id"]),
        st.booleans(),
        st.sampled_from(["", " NULLS FIRST", " NULLS LAST"]),
    ),
    max_size=3,
    unique_by=lambda key: key[0],
)


@functools.cache
def _org() -> tuple[Org, list[dict[str, Any]]]:
    """Forty accounts with every mix of values, some deleted, as an org and as plain dicts."""
    state = new_state(new_store(ScenarioClock(NOW)))
    rows: list[dict[str, Any]] = []
    for number in range(40):
        values: dict[str, Any] = {
            "Name": WORDS[number % len(WORDS)],
            "ARR__c": NUMBERS[number % len(NUMBERS)],
            "Strategic__c": number % 3 == 0,
            "Renewal_Date__c": DAYS[number % len(DAYS)],
        }
        row_id, at = sf_id("001", number), NOW - (number * 7 % 6) * SECOND
        day = values["Renewal_Date__c"]
        stored = {**values, "Renewal_Date__c": None if day is None else On(day)}
        state.store.apply(Change(at, "salesforce", "create", "Account", row_id, stored))
        if number % 9 == 4:
            state.store.apply(Change(at, "salesforce", "delete", "Account", row_id))
        rows.append({**values, "Id": row_id, "SystemModstamp": at, "IsDeleted": number % 9 == 4})
    return state.org, rows


def _ordered(rows: list[dict[str, Any]], keys: list[tuple[str, bool, str]]) -> list[dict[str, Any]]:
    """By insertion into place, one comparison at a time."""

    def before(a: dict[str, Any], b: dict[str, Any]) -> int:
        for name, descending, nulls in keys:
            x, y = (
                _folded(r[name]) if isinstance(r[name], str) and name == "Name" else r[name] or r[name] for r in (a, b)
            )
            x, y = (None if v == "" else v for v in (x, y))
            if x == y:
                continue
            if x is None or y is None:
                return (1 if x is None else -1) if nulls.endswith("LAST") else (-1 if x is None else 1)
            return (1 if x < y else -1) if descending else (-1 if x < y else 1)
        return 0

    return sorted(rows, key=functools.cmp_to_key(before))


@given(condition=CONDITIONS, keys=ORDERS, limit=st.none() | st.integers(0, 12), everything=st.booleans())
@settings(max_examples=300)
def test_a_query_finds_what_a_naive_evaluator_finds(
    condition: Case, keys: list[tuple[str, bool, str]], limit: int | None, everything: bool
) -> None:
    """WHERE, ORDER BY and LIMIT over a mixed table give the rows, in the order, that a slow reading of the words gives."""
    org, rows = _org()
    text = f"SELECT Id FROM Account WHERE {condition.text}"
    full = [*keys, ("Id", False, "")] if all(k[0] != "Id" for k in keys) else keys
    text += " ORDER BY " + ", ".join(f"{n} {'DESC' if d else 'ASC'}{nulls}" for n, d, nulls in full)
    text += "" if limit is None else f" LIMIT {limit}"
    wanted = [r for r in rows if (everything or not r["IsDeleted"]) and condition.holds(r)]
    wanted = _ordered(wanted, full)[:limit]
    result = run(org, text, everything)
    assert [r["Id"] for r in wanted] == [row.id for row in result.rows]
    assert len(wanted) == result.total


@given(condition=CONDITIONS)
@settings(max_examples=100)
def test_spelling_does_not_matter(condition: Case) -> None:
    """Lower-case keywords and line breaks change nothing."""
    org, _ = _org()
    plain = run(org, f"SELECT Id FROM Account WHERE {condition.text}", everything=False)
    odd = run(org, f"select\n  id\nfrom account\nwhere {condition.text}", everything=False)
    assert [r.id for r in plain.rows] == [r.id for r in odd.rows]


def _refusal(text: str) -> Refused:
    org, _ = _org()
    with pytest.raises(Refused) as caught:
        run(org, text, everything=False)
    return caught.value


def test_an_unknown_object_reads_like_the_recording() -> None:
    """INVALID_TYPE with newline, statement, caret, row and column, word for word."""
    refusal = _refusal("select count() from XYZZY")
    assert "INVALID_TYPE" == refusal.code
    assert (
        "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\n"
        "sObject type 'XYZZY' is not supported. If you are attempting to use a custom object, be sure to append the "
        "'__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
    ) == refusal.message


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("invalid", "MALFORMED_QUERY", "unexpected token: 'invalid'"),
        ("SELECT Id FROM", "MALFORMED_QUERY", "<EOF>"),
        ("SELECT Id FORM Account", "MALFORMED_QUERY", "unexpected token: 'Account'"),
        ("SELECT FROM Account", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT Id FROM Account WHERE Name = 'x", "MALFORMED_QUERY", "mismatched character"),
        ("SELECT Id FROM Account WHERE Name = 'a\\zb'", "MALFORMED_QUERY", "Invalid string literal"),
        ("SELECT Id FROM Account WHERE ARR__c > 1 AND ARR__c < 9 OR Name = 'a'", "MALFORMED_QUERY", "token: 'OR'"),
        ("SELECT Id FROM Account WHERE NOT Name = 'a' AND ARR__c = 1", "MALFORMED_QUERY", "token: 'AND'"),
        ("SELECT Id FROM Account WHERE Name = acme", "MALFORMED_QUERY", "unexpected token: 'acme'"),
        ("SELECT Id FROM Account WHERE SystemModstamp > 2026-02-30T00:00:00Z", "MALFORMED_QUERY", "Invalid datetime"),
        ("SELECT Nope FROM Account", "INVALID_FIELD", "No such column 'Nope' on entity 'Account'"),
        ("SELECT Owner.Nope FROM Account", "INVALID_FIELD", "No such column 'Nope' on entity 'User'"),
        ("SELECT Boss.Name FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Boss'"),
        ("SELECT Id, id FROM Account", "INVALID_FIELD", "duplicate field selected"),
        ("SELECT Id FROM Account WHERE Nope = 1", "INVALID_FIELD", "ERROR at Row:1:Column:30"),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered in a query call"),
        ("SELECT Id FROM Account ORDER BY Description", "INVALID_FIELD", "can not be sorted in a query call"),
        ("SELECT Id FROM Account WHERE SystemModstamp > '2026-01-01T00:00:00Z'", "INVALID_FIELD", "not be enclosed in"),
        ("SELECT Id FROM Account WHERE SystemModstamp > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Account WHERE Renewal_Date__c = 2026-01-01T00:00:00Z", "INVALID_FIELD", "of type date"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", "must be of type string and should be enclosed"),
        ("SELECT Id FROM Account WHERE ARR__c = '5'", "INVALID_FIELD", "must be of type double"),
        ("SELECT Id FROM Account WHERE Strategic__c = 'x'", "INVALID_FIELD", "must be of type boolean"),
        ("SELECT Id FROM Account WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
        ("SELECT Id FROM Account WHERE ARR__c LIKE '5%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        ("SELECT Id i FROM Account", "MALFORMED_QUERY", "only aggregate expressions use field aliasing"),
        ("SELECT Type, COUNT(Id) FROM Account", "MALFORMED_QUERY", "must be grouped or aggregated: Type"),
        ("SELECT ARR__c FROM Account GROUP BY ARR__c", "MALFORMED_QUERY", "field 'ARR__c' can not be grouped"),
        ("SELECT Type FROM Account GROUP BY Type ORDER BY Name", "MALFORMED_QUERY", "Ordered field must be grouped"),
        ("SELECT COUNT(Id) a, MAX(Id) a FROM Account", "MALFORMED_QUERY", "duplicate alias: a"),
        ("SELECT COUNT(Id) FROM Account LIMIT 5", "MALFORMED_QUERY", "cannot also use LIMIT"),
        ("SELECT COUNT(Strategic__c) FROM Account", "MALFORMED_QUERY", "does not support aggregate operator COUNT"),
        ("SELECT SUM(Name) FROM Account", "MALFORMED_QUERY", "does not support aggregate operator SUM"),
        ("SELECT MAX() FROM Account", "MALFORMED_QUERY", "unexpected token: ')'"),
        ("SELECT Id FROM Account WHERE COUNT(Id) > 1", "MALFORMED_QUERY", "HAVING"),
        ("SELECT Id, (SELECT Id FROM Nothings) FROM Account", "INVALID_TYPE", "relationship 'Nothings' in FROM part"),
        ("SELECT TYPEOF Owner WHEN User THEN Name END FROM Account", "INVALID_FIELD", "polymorphic"),
        ("SELECT TYPEOF What WHEN User THEN Name END FROM Task", "INVALID_TYPE", "not supported in TYPEOF"),
        ("SELECT Id FROM Account WHERE Name IN (SELECT AccountId FROM Contact)", "MALFORMED_QUERY", "must be ids"),
        ("SELECT Id FROM Account WHERE Type INCLUDES ('x')", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        ("SELECT Id, COUNT(Id) FROM Account", "MALFORMED_QUERY", "must be grouped or aggregated: Id"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
    ],
)
def test_wrong_statements_are_refused(text: str, code: str, part: str) -> None:
    """Each mistake has the vendor's code, status 400 and a text that names it."""
    refusal = _refusal(text)
    assert (400, code) == (refusal.status, refusal.code)
    assert part in refusal.message


def test_a_place_on_a_later_line_is_named() -> None:
    """Row and column count from 1 over the lines of the statement."""
    assert (
        "\nFROM Account WHERE Nope = 1\n                   ^\nERROR at Row:2:Column:20\n"
        in _refusal("SELECT Id\nFROM Account WHERE Nope = 1").message
    )


def test_literals_keep_their_meaning() -> None:
    """Zones, fractions, numbers, escapes and Unicode arrive as the values they stand for."""
    statement = parse(
        "SELECT Id FROM Account WHERE A = 2026-01-01T01:30:00+01:00 AND B = -2.5e1 AND C = 'it\\'s \\u00e9\\n' "
        "AND D = 2026-01-01T00:00:00.250-08:00"
    )
    literals = [part.literals[0].value for part in statement.where.parts]  # type: ignore[union-attr]
    midnight = 20_454 * DAY
    assert [midnight + 1800 * SECOND, -25.0, "it's é\n", midnight + 8 * 3600 * SECOND + 250_000] == literals


def test_date_words_are_ranges() -> None:
    """TODAY is the whole scenario day, LAST_N_DAYS reaches into it, < lies before it."""
    state = new_state(new_store(ScenarioClock(NOW)))
    for number, days in enumerate([0, 1, 3, 10]):
        fields = {"Name": "x", "Renewal_Date__c": On(NOW // DAY - days), "CreatedDate": At(NOW - days * DAY)}
        state.store.apply(Change(NOW, "salesforce", "create", "Account", sf_id("001", number), fields))

    def found(where: str) -> list[int]:
        rows = run(state.org, f"SELECT Id FROM Account WHERE {where} ORDER BY Id", everything=False).rows
        return [next(n for n in range(4) if sf_id("001", n) == row.id) for row in rows]

    assert [0] == found("CreatedDate = TODAY")
    assert [1] == found("Renewal_Date__c = YESTERDAY")
    assert [0, 1, 2] == found("CreatedDate = LAST_N_DAYS:5")
    assert [2, 3] == found("CreatedDate < YESTERDAY")
    assert [3] == found("Renewal_Date__c = N_DAYS_AGO:10")


def test_parents_and_polymorphic_parents_nest() -> None:
    """Owner.Manager.Name, Who.Type and What.Name come as nested records with attributes of their own, null where empty."""
    state = new_state(new_store(ScenarioClock(NOW)))
    boss, rep, account, person, task = (sf_id(p, 1) for p in ("005", "005", "001", "003", "00T"))
    rep = sf_id("005", 2)
    for name, row_id, fields in (
        ("User", boss, {"FirstName": "Ada", "LastName": "Boss", "IsActive": True}),
        ("User", rep, {"LastName": "Rep", "ManagerId": boss}),
        ("Account", account, {"Name": "Acme", "OwnerId": rep}),
        ("Contact", person, {"FirstName": "Bo", "LastName": "Li", "AccountId": account, "Title": "CFO"}),
        ("Task", task, {"Subject": "Call", "WhoId": person, "WhatId": account}),
        ("Task", sf_id("00T", 2), {"Subject": "Alone"}),
    ):
        state.store.apply(Change(NOW, "salesforce", "create", name, row_id, fields))
    result = run(
        state.org,
        "SELECT Subject, Who.Type, Who.Title, What.Name, Account.Owner.Manager.Name FROM Task ORDER BY Id",
        False,
    )
    first, second = (result.shape(row, "67.0") for row in result.rows)
    url = "/services/data/v67.0/sobjects"
    assert {
        "attributes": {"type": "Contact", "url": f"{url}/Contact/{person}"},
        "Type": "Contact",
        "Title": "CFO",
    } == first["Who"]
    assert {"attributes": {"type": "Account", "url": f"{url}/Account/{account}"}, "Name": "Acme"} == first["What"]
    assert (None, None) == (second["Who"], second["What"])
    owners = run(state.org, "SELECT Owner.Manager.Name FROM Account WHERE Owner.Manager.Name = 'ada boss'", False)
    record: Any = owners.shape(owners.rows[0], "67.0")
    assert "Ada Boss" == record["Owner"]["Manager"]["Name"]


def _grouped(soql: str) -> list[dict[str, object]]:
    """The AggregateResults of a statement over five accounts, without their attributes."""
    state = new_state(new_store(ScenarioClock(NOW)))
    values: list[dict[str, Any]] = [
        {"Name": "a", "Type": "Customer", "ARR__c": 10, "Renewal_Date__c": On(100)},
        {"Name": "b", "Type": "customer", "ARR__c": 30, "Renewal_Date__c": On(50)},
        {"Name": "c", "Type": "Prospect", "ARR__c": None},
        {"Name": "d", "Type": None, "ARR__c": 5},
        {"Name": "e", "Type": "Customer", "ARR__c": 10},
    ]
    for number, fields in enumerate(values):
        state.store.apply(
            Change(NOW + number * SECOND, "salesforce", "create", "Account", sf_id("001", number), fields)
        )
    result = run(state.org, soql, everything=False)
    assert all(r["attributes"] == {"type": "AggregateResult"} for r in result.ready)
    return [{k: v for k, v in r.items() if k != "attributes"} for r in result.ready]


def test_aggregates_over_all_rows() -> None:
    """COUNT leaves out nulls, COUNT_DISTINCT knows no letter case, unnamed results are counted from expr0."""
    soql = (
        "SELECT COUNT(Id), COUNT(ARR__c) filled, COUNT_DISTINCT(Type), MIN(ARR__c), MAX(Renewal_Date__c), "
        "SUM(ARR__c) s, AVG(ARR__c) FROM Account"
    )
    assert [
        {"expr0": 5, "filled": 4, "expr1": 2, "expr2": 5, "expr3": "1970-04-11", "s": 55, "expr4": 13.75}
    ] == _grouped(soql)
    assert [{"expr0": "2026-03-02T06:00:04.000+0000"}] == _grouped("SELECT MAX(SystemModstamp) FROM Account")
    assert [{"expr0": 0, "expr1": None}] == _grouped("SELECT COUNT(Id), MAX(ARR__c) FROM Account WHERE Name = 'z'")


def test_groups_are_counted_ordered_and_cut() -> None:
    """GROUP BY folds letter case and keeps a group of nulls; ORDER BY an aggregate, HAVING and LIMIT work on groups."""
    soql = "SELECT Type, COUNT(Id) n FROM Account GROUP BY Type ORDER BY COUNT(Id) DESC, Type LIMIT 2"
    assert [{"Type": "Customer", "n": 3}, {"Type": None, "n": 1}] == _grouped(soql)
    having = "SELECT Type t FROM Account GROUP BY Type HAVING COUNT(Id) > 1 AND MAX(ARR__c) >= 30"
    assert [{"t": "Customer"}] == _grouped(having)
    assert [] == _grouped("SELECT Type FROM Account GROUP BY Type HAVING COUNT(Id) > 3")


def test_too_many_groups_are_refused() -> None:
    """A grouped result has one page of 2,000; more need a LIMIT."""
    state = new_state(new_store(ScenarioClock(NOW)))
    for number in range(2001):
        change = Change(NOW, "salesforce", "create", "Account", sf_id("001", number), {"Name": f"n{number}"})
        state.store.apply(change)
    with pytest.raises(Refused) as caught:
        run(state.org, "SELECT Name FROM Account GROUP BY Name", everything=False)
    assert "EXCEEDED_ID_LIMIT" == caught.value.code
    assert 2000 == len(run(state.org, "SELECT Name FROM Account GROUP BY Name LIMIT 2000", everything=False).ready)


def _family() -> tuple[Org, dict[str, str]]:
    """Two accounts, three contacts, a deal, tasks on three kinds of parents."""
    state = new_state(new_store(ScenarioClock(NOW)))
    ids = {"acme": sf_id("001", 1), "bolt": sf_id("001", 2), "deal": sf_id("006", 1), "case": sf_id("500", 1)}
    rows: list[tuple[str, str, dict[str, Any]]] = [
        ("Account", ids["acme"], {"Name": "Acme"}),
        ("Account", ids["bolt"], {"Name": "Bolt"}),
        ("Opportunity", ids["deal"], {"Name": "Deal", "Amount": 5, "AccountId": ids["acme"]}),
        ("Case", ids["case"], {"Subject": "Help", "AccountId": ids["acme"]}),
        *(("Contact", sf_id("003", n), {"LastName": f"P{n}", "AccountId": ids["acme"]}) for n in range(3)),
        *(("Task", sf_id("00T", n), {"WhatId": ids[k]}) for n, k in enumerate(("acme", "deal", "case"))),
        ("Task", sf_id("00T", 9), {}),
        ("AccountContactRelation", sf_id("07k", 1), {"AccountId": ids["bolt"], "Roles": "Influencer;Other"}),
    ]
    for name, row_id, fields in rows:
        state.store.apply(Change(NOW, "salesforce", "create", name, row_id, fields))
    return state.org, ids


def _records(org: Org, soql: str) -> list[dict[str, Any]]:
    result = run(org, soql, everything=False)
    return [result.shape(row, "67.0") for row in result.rows]


def test_children_nest_as_results_of_their_own() -> None:
    """Each parent has the rows that point to it, ordered and cut per parent; none is null."""
    org, _ = _family()
    soql = "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName DESC LIMIT 2) FROM Account ORDER BY Name"
    acme, bolt = _records(org, soql)
    assert (2, True, ["P2", "P1"]) == (
        acme["Contacts"]["totalSize"],
        acme["Contacts"]["done"],
        [r["LastName"] for r in acme["Contacts"]["records"]],
    )
    assert bolt["Contacts"] is None


def test_typeof_picks_fields_by_the_kind_of_row() -> None:
    """WHEN for the kinds named, ELSE for the others, null where nothing is referred to."""
    org, ids = _family()
    soql = (
        "SELECT TYPEOF What WHEN Account THEN Name WHEN Opportunity THEN Amount, Account.Name ELSE Id END FROM Task "
        "ORDER BY Id"
    )
    whats = [r["What"] for r in _records(org, soql)]
    assert ("Account", "Acme") == (whats[0]["attributes"]["type"], whats[0]["Name"])
    assert (5, "Acme") == (whats[1]["Amount"], whats[1]["Account"]["Name"])
    assert ids["case"] == whats[2]["Id"]
    assert whats[3] is None


def test_semi_joins_and_multi_select_picklists() -> None:
    """IN and NOT IN a query of ids; INCLUDES takes alternatives, each a list that must all be chosen."""
    org, _ = _family()
    assert ["Acme"] == [
        r["Name"] for r in _records(org, "SELECT Name FROM Account WHERE Id IN (SELECT AccountId FROM Opportunity)")
    ]
    assert ["Bolt"] == [
        r["Name"]
        for r in _records(
            org, "SELECT Name FROM Account WHERE Id NOT IN (SELECT AccountId FROM Contact WHERE LastName = 'P1')"
        )
    ]
    found = {
        text: len(_records(org, f"SELECT Id FROM AccountContactRelation WHERE Roles {text}"))
        for text in ("INCLUDES ('Other')", "INCLUDES ('Other;Evaluator', 'x')", "EXCLUDES ('Evaluator')")
    }
    assert [1, 0, 1] == list(found.values())


def test_group_is_an_object_too() -> None:
    """FROM Group is no clause."""
    org, _ = _family()
    assert [] == _records(org, "SELECT Id FROM Group WHERE Type = 'Queue' ORDER BY Name")


STAMPED = [(number, NOW + (number // 4) * SECOND) for number in range(12)]


@given(
    second=st.integers(-1, 4),
    number=st.integers(-1, 12),
    shape=st.sampled_from(["keyset", "keyset-reversed", "after", "since", "ids", "by-id"]),
    limit=st.integers(1, 13),
)
@settings(max_examples=150)
def test_index_ranges_lose_nothing(second: int, number: int, shape: str, limit: int) -> None:
    """Every form of cursor finds what a plain look at all rows finds, in the same order."""
    org = _stamped()
    at, stamp = iso_ms(NOW + second * SECOND), NOW + second * SECOND
    row_id = sf_id("001", max(number, 0))
    tie = f"(SystemModstamp = {at} AND Id > '{row_id}')"
    forms: dict[str, tuple[str, Callable[[str, int], bool]]] = {
        "keyset": (f"{tie} OR SystemModstamp > {at}", lambda i, t: (t == stamp and i > row_id) or t > stamp),
        "keyset-reversed": (f"SystemModstamp > {at} OR {tie}", lambda i, t: (t == stamp and i > row_id) or t > stamp),
        "after": (f"SystemModstamp >= {at} AND Id > '{row_id}'", lambda i, t: t >= stamp and i > row_id),
        "since": (f"SystemModstamp > {at}", lambda _, t: t > stamp),
        "ids": (f"Id IN ('{row_id}', '{sf_id('001', 3)}')", lambda i, _: i in (row_id, sf_id("001", 3))),
        "by-id": (f"Id >= '{row_id}'", lambda i, _: i >= row_id),
    }
    where, holds = forms[shape]
    order = "Id" if shape == "by-id" else "SystemModstamp, Id"
    rows = sorted((t, sf_id("001", n)) for n, t in STAMPED if holds(sf_id("001", n), t))
    wanted = [i for _, i in rows] if order != "Id" else sorted(i for _, i in rows)
    found = run(org, f"SELECT Id FROM Account WHERE {where} ORDER BY {order} LIMIT {limit}", everything=False)
    assert wanted[:limit] == [row.id for row in found.rows]


@functools.cache
def _stamped() -> Org:
    """Twelve accounts, four to a second."""
    state = new_state(new_store(ScenarioClock(NOW)))
    for number, at in STAMPED:
        state.store.apply(Change(at, "salesforce", "create", "Account", sf_id("001", number), {"Name": "x"}))
    return state.org
