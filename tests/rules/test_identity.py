"""Rows are one account by a merge, a person's word, a property or a domain; never by name, and never against a person."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.identity import AccountRow, Doubt, Verdicts, choose, long_id, match, pair, spellings

ORDER = ("sf", "hs", "other")


def row(source: str, ref: str, domain: str | None = None, **also: str | bool | None) -> AccountRow:
    """A row of a CRM."""
    values = {"link_id": None, "merged_into": None, "deleted": False, "account_id": None} | also
    return AccountRow(source, ref, domain, **values)  # type: ignore[arg-type]


def accounts(*rows: AccountRow, verdicts: Verdicts | None = None) -> set[frozenset[str]]:
    """The ids that are one account, per account."""
    return {frozenset(r.id for r in group) for group in match(rows, ORDER, verdicts).groups}


def test_three_sources_are_one_account_by_their_domain() -> None:
    """Any number of sources join when the domain is unique in each."""
    rows = (row("sf", "A", "acme.test"), row("hs", "1", "acme.test"), row("other", "x", "acme.test"))
    assert {frozenset({"A", "1", "x"})} == accounts(*rows)


def test_a_shared_domain_joins_nobody_and_is_a_doubt() -> None:
    """Two rows of one CRM with the domain of a third row elsewhere: nobody can say which."""
    rows = (row("sf", "A", "acme.test"), row("sf", "B", "acme.test"), row("hs", "1", "acme.test"))
    found = match(rows, ORDER)
    assert 3 == len(found.groups)
    assert [("domain", (("hs", "1"), ("sf", "A"), ("sf", "B")))] == [(d.rule, d.refs) for d in found.doubts]


def test_a_row_that_is_linked_is_spoken_for() -> None:
    """A domain does not bring a second row of a CRM into an account that a property has made."""
    rows = (row("sf", "A", "acme.test"), row("hs", "1", "else.test", link_id="A"), row("hs", "2", "acme.test"))
    assert {frozenset({"A", "1"}), frozenset({"2"})} == accounts(*rows)


@pytest.mark.parametrize("link", ["001A0000012xyzI", "001A0000012xyzIIAQ"])
@pytest.mark.parametrize("known", ["001A0000012xyzI", "001A0000012xyzIIAQ"])
def test_a_salesforce_id_links_in_either_length(link: str, known: str) -> None:
    """HubSpot may keep 15 characters where Salesforce gives 18, or the other way round."""
    assert {frozenset({known, "1"})} == accounts(row("sf", known), row("hs", "1", link_id=link))


def test_the_long_form_of_an_id() -> None:
    """The three letters tell the capitals; what is no short id stays."""
    assert "001A0000012xyzIIAQ" == long_id("001A0000012xyzI")
    assert ("12345",) == spellings("12345")


def test_a_property_that_names_rows_of_two_crms_is_a_doubt() -> None:
    """It is taken by precedence, and reported."""
    found = match((row("sf", "A"), row("other", "A"), row("hs", "1", link_id="A")), ORDER)
    assert {frozenset({("sf", "A"), ("hs", "1")}), frozenset({("other", "A")})} == {
        frozenset(r.ref for r in group) for group in found.groups
    }
    assert [
        Doubt("property", (("hs", "1"), ("sf", "A"), ("other", "A")), "A names rows of several CRMs")
    ] == found.doubts


def test_two_rows_that_name_the_same_one_are_one_account_and_a_doubt() -> None:
    """Both are that account; which of them is right, people must say."""
    found = match((row("sf", "A"), row("hs", "1", link_id="A"), row("hs", "2", link_id="A")), ORDER)
    assert (1, ["property"]) == (len(found.groups), [doubt.rule for doubt in found.doubts])


def test_what_people_say_is_stronger_than_every_match() -> None:
    """Linked rows are one account without any likeness; parted ones are not, whatever joins them."""
    a, b = ("sf", "A"), ("hs", "1")
    linked = Verdicts(linked=frozenset({pair(a, b)}))
    parted = Verdicts(parted=frozenset({pair(a, b)}))
    assert {frozenset({"A", "1"})} == accounts(row("sf", "A", "a.test"), row("hs", "1", "b.test"), verdicts=linked)
    likeness = (row("sf", "A", "a.test"), row("hs", "1", "a.test", link_id="A"))
    assert {frozenset({"A", "1"})} == accounts(*likeness)
    assert {frozenset({"A"}), frozenset({"1"})} == accounts(*likeness, verdicts=parted)


def test_parted_rows_do_not_meet_through_a_third() -> None:
    """A link that would bring two parted rows together is refused and reported."""
    a, b, c = ("sf", "A"), ("hs", "1"), ("other", "x")
    said = Verdicts(linked=frozenset({pair(a, c), pair(b, c)}), parted=frozenset({pair(a, b)}))
    found = match((row("sf", "A"), row("hs", "1"), row("other", "x")), ORDER, said)
    assert not any({a, b} <= {r.ref for r in group} for group in found.groups)
    assert ["link"] == [doubt.rule for doubt in found.doubts]


def test_a_chain_of_merges_is_one_account_named_by_the_row_that_is_left() -> None:
    """A and B became C, C and D became E."""
    merged = {"A": "C", "B": "C", "C": "E", "D": "E"}
    rows = [row("hs", ref, merged_into=into, deleted=True) for ref, into in merged.items()]
    (group,) = match([*rows, row("hs", "E")], ORDER).groups
    assert ("E", {*"ABCDE"}) == (group[0].id, {r.id for r in group})


_DOMAINS = st.sampled_from([None, "a.test", "b.test", "c.test", "gmail.com"])
_ROWS = st.dictionaries(
    st.tuples(st.sampled_from(ORDER), st.sampled_from("ABCD")),
    st.tuples(_DOMAINS, st.sampled_from([None, "A", "B"]), st.sampled_from([None, "C", "D"]), st.booleans()),
    max_size=9,
)
_PAIRS = st.sets(
    st.tuples(st.sampled_from(ORDER), st.sampled_from("ABCD"), st.sampled_from(ORDER), st.sampled_from("ABCD")),
    max_size=4,
)


@given(_ROWS, _PAIRS, _PAIRS, st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(
    content: dict[tuple[str, str], tuple[str | None, str | None, str | None, bool]],
    linked: set[tuple[str, str, str, str]],
    parted: set[tuple[str, str, str, str]],
    seed: int,
) -> None:
    """Any rows in any order give the same accounts, each row is in one, and parted rows never share one."""
    rows = [
        row(s, i, domain, link_id=link, merged_into=into if into != i else None, deleted=gone)
        for (s, i), (domain, link, into, gone) in content.items()
    ]
    apart = {pair((a, b), (c, d)) for a, b, c, d in parted if (a, b) != (c, d)}
    together = {pair((a, b), (c, d)) for a, b, c, d in linked if (a, b) != (c, d)} - apart
    said = Verdicts(frozenset(together), frozenset(apart))
    found = {frozenset(r.ref for r in group) for group in match(rows, ORDER, said).groups}
    random.Random(seed).shuffle(rows)
    assert found == {frozenset(r.ref for r in group) for group in match(rows, ORDER, said).groups}
    assert sorted(content) == sorted(ref for group in found for ref in group)
    joined_by_merge = {frozenset(r.ref for r in g) for g in match(rows, ORDER, Verdicts(parted=said.parted)).groups}
    for a, b in apart:
        together_now = any({a, b} <= group for group in found)
        # Only the CRM itself can merge what a person has parted.
        assert not together_now or any({a, b} <= group for group in joined_by_merge)


def test_parted_rows_have_their_own_accounts_again() -> None:
    """Each account was made for one row; it goes where that row goes."""
    both = [row("sf", "A", account_id="7"), row("hs", "1", account_id="7")]
    known = {("sf", "A"): 9, ("hs", "1"): 7}
    assert [(both, 7)] == choose([both], known, {7, 9})
    assert [9, 7] == [account for _, account in choose([both[:1], both[1:]], known, {7})]
    assert [None] == [account for _, account in choose([[row("sf", "B")]], known, set())]
