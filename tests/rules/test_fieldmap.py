"""A CRM's value becomes a fact in its unit, or is missing; it never becomes a false one."""

from __future__ import annotations

from typing import get_args

import pytest

from connectors.mapping import FieldName
from rules.facts.customers import NUMBERS, TEXTS
from rules.fieldmap import Option, RawRow, Value, convert, find, words


@pytest.mark.parametrize(
    ("spelled", "meant"),
    [
        ("Enterprise", "enterprise"),
        ("enterprise ", "enterprise"),
        ("Mid-Market", "mid_market"),
        ("mid market", "mid_market"),
        ("MID_MARKET", "mid_market"),
        ("Midmarket", "mid_market"),
        ("SMB", "smb"),
        ("Strategic", None),
        ("Tier 1 enterprise", None),
        (3, None),
    ],
)
def test_segment_is_read_in_any_spelling(spelled: str | int, meant: str | None) -> None:
    """The three words of the rules in a picklist's spelling; another word is missing, not a fourth segment."""
    assert convert("segment", spelled) == (None if meant is None else Value(text=meant))


def test_unknown_segment_leaves_the_next_option_its_turn() -> None:
    """A list of mapped fields is tried on where the first holds a word that says nothing."""
    own = RawRow("A1", 0, {"Kind__c": "Startup", "Size__c": "Mid-Market"})
    options = (Option(None, "Kind__c"), Option(None, "Size__c"))
    assert find("segment", options, own, {}) == Value(text="mid_market")


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("beta;Early Access", ("Early Access", "beta")),
        ("beta, vip ,beta", ("beta", "vip")),
        ("one\ntwo", ("one", "two")),
        (" ; ", ()),
    ],
)
def test_field_with_several_values_is_taken_apart(raw: str, kept: tuple[str, ...]) -> None:
    """Semicolons of a multi-select in both CRMs, commas of a text; blanks and repeats are nothing."""
    assert words(raw) == kept


def test_what_may_be_mapped_is_read_by_a_fact() -> None:
    """No name is offered that nothing uses; the usage key finds the samples, tags are a set, the CSM has a section."""
    assert set(get_args(FieldName)) - {"usage_key", "tags"} == {*NUMBERS, *TEXTS} - {"csm"}
