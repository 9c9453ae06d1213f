"""The JSON Schema of rule files, for editors: shape, keys and choices; what a phrase means only `tierd rules check` knows."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from rules.language.model import CLASSES, OUTCOMES, SEVERITIES

FILE = "rules.schema.json"
"""Its name, beside the rules that refer to it in their first line."""
_TIME = {"type": "string", "pattern": r"^\d+ (hour|day|week|month|business day)s?$", "examples": ["7 days"]}
_VALUE = {"type": ["string", "number", "boolean"]}
_GIVEN = {"type": "object", "description": "Facts as they are on the account.", "additionalProperties": _VALUE}


def schema() -> dict[str, Any]:
    """The schema as data (JSON Schema 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rules of tierd",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "vocabulary": {
                "type": "object",
                "description": "Named conditions, usable in every rule.",
                "additionalProperties": {"$ref": "#/$defs/condition"},
            },
            "rules": {"type": "array", "items": {"$ref": "#/$defs/rule"}},
        },
        "$defs": {"condition": _condition(), "rule": _rule(), "test": _test()},
    }


def text() -> str:
    """The schema as it is written to a file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def shipped() -> str:
    """The schema that ships beside the rules."""
    return (files("rules") / "shipped" / FILE).read_text(encoding="utf-8")


def _condition() -> dict[str, Any]:
    parts = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/condition"}}
    words = {"all": "Every part holds.", "any": "At least one part holds.", "none": "No part holds."}
    blocks = [
        {
            "type": "object",
            "additionalProperties": False,
            "required": [name],
            "properties": {name: {**parts, "description": meaning}},
        }
        for name, meaning in words.items()
    ]
    line = {"type": "string", "minLength": 1, "description": "Phrases, joined by `and` or by `or`."}
    return {"oneOf": [line, *blocks]}


def _rule() -> dict[str, Any]:
    condition = {"$ref": "#/$defs/condition"}
    segment = {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    raised = dict.fromkeys(SEVERITIES[1:], condition)
    properties = {
        "rule": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "description": "The rule's name."},
        "class": {"enum": list(CLASSES)},
        "severity": {"enum": list(SEVERITIES)},
        "status": {"enum": ["live", "shadow"], "description": "`shadow`: evaluated, nobody is told."},
        "segment": {**segment, "description": "Only in these segments."},
        "when": condition,
        "for": {**_TIME, "description": "How long it must hold before it fires."},
        "keep firing": {**_TIME, "description": "How long it must be clear before the alert closes."},
        "escalate": {"type": "object", "additionalProperties": False, "properties": raised},
        "say": {"type": "string", "description": "The sentence; `{fact}` is replaced by the fact's value."},
        "play": {"type": "string", "description": "What to do."},
        "notify": {"type": "string", "description": "A route of `slack.routes`."},
        "tests": {"type": "array", "items": {"$ref": "#/$defs/test"}},
    }
    required = ["rule", "class", "severity", "when"]
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def _test() -> dict[str, Any]:
    states = {"enum": ["pending", "firing", "recovering", "clear"]}
    moment = {"type": "object", "additionalProperties": False, "required": ["expect"],
              "properties": {"given": _GIVEN, "expect": states}}  # fmt: skip
    properties = {
        "name": {"type": "string"},
        "as_of": {"type": "string", "description": "The day on which it is evaluated: 2026-06-01."},
        "given": _GIVEN,
        "expect": {"enum": list(OUTCOMES)},
        "severity": {"enum": list(SEVERITIES)},
        "timeline": {"type": "object", "description": "Moments such as `7 days`.", "additionalProperties": moment},
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "anyOf": [{"required": ["expect"]}, {"required": ["timeline"]}],
    }
