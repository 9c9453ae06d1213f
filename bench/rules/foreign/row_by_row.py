"""One rule library on rows of facts: read them, ask every rule of each, write findings; run by the library's interpreter.

`python row_by_row.py LIBRARY FILE`: FILE is SQLite with `facts` and `findings`; standard input holds the rules as JSON, each
as two forms. A library knows two truths: it is asked whether the rule is possible, then whether it fires, else it cannot be
decided; for which reason it does not say. Prints one line of JSON: seconds, and which accounts each rule finds.
"""

import contextlib
import json
import sqlite3
import sys
import time

_UPSERT = (
    "INSERT INTO findings (rule, account_id, outcome, severity, since, rule_version, evidence)"
    " VALUES (?, ?, ?, '', 0, '', ?)"
    " ON CONFLICT (rule, account_id) DO UPDATE SET outcome = excluded.outcome, evidence = excluded.evidence"
)


def rule_engine(rules):
    """Text in its own language; a comparison with null is an error, so each is guarded."""
    import rule_engine as library

    def text(form):
        kind = form[0]
        if kind in ("all", "any"):
            return "(" + {"all": " and ", "any": " or "}[kind].join(map(text, form[1:])) + ")"
        if kind == "null":
            return f"({form[1]} == null)"
        if kind == "set":
            return f"({form[1]} != null)"
        if kind == "cmp":
            return f"({form[1]} != null and {form[1]} {form[2]} {json.dumps(form[3])})"
        if kind == "sum":
            return (
                "(" + " and ".join(f"{c} != null" for c in form[1]) + f" and {' + '.join(form[1])} {form[2]} {form[3]})"
            )
        _, column, of, other, times = form
        return f"({column} != null and {other} != null and {column} * {of} < {other} * {times})"

    compiled = {
        name: (library.Rule(text(possible)), library.Rule(text(fires))) for name, (possible, fires) in rules.items()
    }
    return lambda rows: (
        (name, row, fires.matches(row))
        for row in rows
        for name, (possible, fires) in compiled.items()
        if possible.matches(row)
    )


def json_logic(rules):
    """Trees of operators over `var`; the Python port orders null below nothing, so each is guarded."""
    from json_logic import jsonLogic

    def tree(form):
        kind = form[0]
        if kind in ("all", "any"):
            return {{"all": "and", "any": "or"}[kind]: [tree(part) for part in form[1:]]}
        if kind in ("null", "set"):
            return {{"null": "===", "set": "!=="}[kind]: [{"var": form[1]}, None]}
        if kind == "cmp":
            how = {"==": "===", "!=": "!=="}.get(form[2], form[2])
            return {"and": [{"!==": [{"var": form[1]}, None]}, {how: [{"var": form[1]}, form[3]]}]}
        if kind == "sum":
            return {form[2]: [{"+": [{"var": column} for column in form[1]]}, form[3]]}
        _, column, of, other, times = form
        there = [{"!==": [{"var": column}, None]}, {"!==": [{"var": other}, None]}]
        return {"and": [*there, {"<": [{"*": [{"var": column}, of]}, {"*": [{"var": other}, times]}]}]}

    trees = {name: (tree(possible), tree(fires)) for name, (possible, fires) in rules.items()}
    return lambda rows: (
        (name, row, jsonLogic(fires, row))
        for row in rows
        for name, (possible, fires) in trees.items()
        if jsonLogic(possible, row)
    )


def durable_rules(rules):
    """One ruleset per rule, to which each row is posted; a null is a key that is not there. Only for what fires: it multiplies
    alternatives out, and comes to no end with what is possible.
    """
    from durable import lang
    from durable.engine import MessageNotHandledException, MessageObservedException

    m = lang.m
    order = {
        "==": lambda a, b: a == b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }

    def test(form):
        kind = form[0]
        if kind in ("all", "any"):
            parts = [test(part) for part in form[1:]]
            whole = parts[0]
            for part in parts[1:]:
                whole = (whole & part) if kind == "all" else (whole | part)
            return whole
        if kind == "null":
            return -getattr(m, form[1])
        if kind == "set":
            return +getattr(m, form[1])
        if kind == "cmp":
            return order[form[2]](getattr(m, form[1]), form[3])
        # Its arithmetic over two members fails in the compiled core: what is calculated is put into the message.
        made[_name(form)] = form
        return order[form[2]](getattr(m, _name(form)), form[3]) if kind == "sum" else getattr(m, _name(form)) < 0

    def _name(form):
        return "_".join(["made", *map(str, form[1])] if form[0] == "sum" else ["made", form[1], form[3]])

    def value(form, row):
        if form[0] == "sum":
            parts = [row[column] for column in form[1]]
            return None if None in parts else sum(parts)
        _, column, of, other, times = form
        return None if row[column] is None or row[other] is None else row[column] * of - row[other] * times

    found, made = [], {}

    def listening(name):
        def act(c):
            found.append((name, c.m.account_id))

        return act

    for name, (_, form) in rules.items():
        with lang.ruleset(name):
            lang.when_all(test(form))(listening(name))

    def run(rows):
        for nth, row in enumerate(rows):
            row_made = {**row, **{name: value(form, row) for name, form in made.items()}}
            there = {key: one for key, one in row_made.items() if one is not None}
            for name in rules:
                with contextlib.suppress(MessageNotHandledException, MessageObservedException):
                    lang.post(name, {**there, "id": nth, "sid": "one"})
            while found:
                yield found.pop()[0], row, True

    return run


def cel(rules):
    """CEL expressions; a null is a key that is not there."""
    import celpy

    def text(form):
        kind = form[0]
        if kind in ("all", "any"):
            return "(" + {"all": " && ", "any": " || "}[kind].join(map(text, form[1:])) + ")"
        if kind == "null":
            return f"(!has(a.{form[1]}))"
        if kind == "set":
            return f"has(a.{form[1]})"
        if kind == "cmp":
            return f"(has(a.{form[1]}) && a.{form[1]} {form[2]} {json.dumps(form[3])})"
        if kind == "sum":
            return f"({' + '.join(f'a.{column}' for column in form[1])} {form[2]} {form[3]})"
        _, column, of, other, times = form
        return f"(has(a.{column}) && has(a.{other}) && a.{column} * {of} < a.{other} * {times})"

    environment = celpy.Environment()
    programs = {
        name: [environment.program(environment.compile(text(form))) for form in forms] for name, forms in rules.items()
    }

    def run(rows):
        for row in rows:
            there = {"a": celpy.json_to_cel({key: value for key, value in row.items() if value is not None})}
            for name, (possible, fires) in programs.items():
                if possible.evaluate(there):
                    yield name, row, fires.evaluate(there)

    return run


LIBRARIES = {
    "rule-engine": rule_engine,
    "json-logic-qubit": json_logic,
    "durable-rules": durable_rules,
    "cel-python": cel,
}


def main():
    """Measure one library."""
    library, file = sys.argv[1:3]
    asked = json.load(sys.stdin)
    outcomes = ("fires",) if library == "durable-rules" else ("fires", "unknown")
    found = {outcome: {name: [] for name in asked["rules"]} for outcome in outcomes}
    evaluate = LIBRARIES[library](asked["rules"])
    store = sqlite3.connect(file)
    store.row_factory = sqlite3.Row
    start, cpu = time.perf_counter(), time.process_time()
    names = ", ".join(asked["columns"])
    rows = (dict(row) for row in store.execute(f"SELECT {names} FROM facts ORDER BY account_id"))
    written = []
    for name, row, fires in evaluate(rows):
        outcome = "fires" if fires else "unknown"
        found[outcome][name].append(row["account_id"])
        evidence = {column: row[column] for column in asked["evidence"][name]}
        written.append((name, row["account_id"], outcome, json.dumps(evidence)))
    store.executemany(_UPSERT, written)
    store.commit()
    took = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    print(json.dumps({**took, "found": found}))


if __name__ == "__main__":
    main()
