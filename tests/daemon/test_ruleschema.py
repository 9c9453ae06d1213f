"""The JSON Schema of rule files takes what the reader takes, refuses what it refuses, and is the one that ships."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from daemon.ruleschema import FILE, schema, shipped, text
from rules.language import RuleErrors, load
from rules.language.reading import _RULE_KEYS, _TEST_KEYS
from tests.rules.test_language import shipped as shipped_rules

GOOD = "rules: [{rule: quiet, class: churn, severity: high, when: no contact in 15 days}]"


def read(source: str) -> Any:
    """As an editor reads it."""
    return YAML(typ="safe", pure=True).load(source)


def test_the_shipped_file_is_the_schema() -> None:
    """`rules/shipped/rules.schema.json` is what the program says, and a valid schema."""
    assert text() == shipped()
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("name", sorted(shipped_rules()))
def test_every_shipped_file_is_valid_and_names_the_schema(name: str) -> None:
    """The first line tells editors where the schema is."""
    source = shipped_rules()[name]
    assert f"# yaml-language-server: $schema={FILE}" == source.splitlines()[0]
    assert [] == [error.message for error in Draft202012Validator(schema()).iter_errors(read(source))]


def test_the_schema_knows_every_key_of_the_reader() -> None:
    """No key of a rule or a test is missing."""
    defs = schema()["$defs"]
    assert set(_RULE_KEYS) <= set(defs["rule"]["properties"])
    assert set(_TEST_KEYS) == set(defs["test"]["properties"])


@pytest.mark.parametrize(
    "wrong",
    [
        GOOD.replace("class: churn", "class: chrun"),
        GOOD.replace("severity: high", "severity: urgent"),
        GOOD.replace("rule: quiet", "rule: Quiet One"),
        GOOD.replace("when:", "wenn:"),
        GOOD.replace("when: no contact in 15 days", "when: [no contact in 15 days]"),
        GOOD.replace("when: no contact in 15 days", "when: {all: []}"),
        GOOD.replace("when: no contact in 15 days", "when: {all: [strategic], any: [strategic]}"),
        GOOD.replace("severity: high", "severity: high, for: a while"),
        GOOD.replace("severity: high", "severity: high, escalate: {huge: strategic}"),
        GOOD.replace("severity: high", "severity: high, tests: [{given: {arr: 5k}}]"),
        GOOD.replace("severity: high", "severity: high, tests: [{expect: maybe}]"),
        GOOD.replace("rules:", "rule:"),
    ],
)
def test_what_the_reader_refuses_by_shape_the_schema_refuses(wrong: str) -> None:
    """An editor marks the file before `tierd rules check` is run."""
    assert list(Draft202012Validator(schema()).iter_errors(read(wrong)))
    with pytest.raises(RuleErrors):
        load({"r.yaml": wrong})


def test_the_good_file_is_good() -> None:
    """The file that the wrong ones are made from is valid for both."""
    assert [] == list(Draft202012Validator(schema()).iter_errors(read(GOOD)))
    assert ["quiet"] == [rule.name for rule in load({"r.yaml": GOOD}).rules]
