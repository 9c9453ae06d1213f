"""Record ids, and the vendor's way to write and read instants."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.clock import DAY, SECOND, parse_instant
from sandbox.salesforce import ids, wire

LETTERS = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", min_size=15, max_size=15)


@given(LETTERS)
def test_eighteen_characters_survive_a_change_of_case(fifteen: str) -> None:
    """The suffix restores the case of the fifteen; the fifteen alone give the same id."""
    full = fifteen + ids.suffix(fifteen)
    assert [full] * 4 == [ids.normal(t) for t in (fifteen, full, full.lower(), full.upper())]


@pytest.mark.parametrize(
    "text", ["", "001", "0014S000007Nxm", "0014S000007NxmlQA!", "0014S000007NxmlQA9", "0014S000007Nxm-"]
)
def test_other_texts_are_no_ids(text: str) -> None:
    """Wrong lengths, signs and suffixes are refused."""
    assert ids.normal(text) is None


def test_numbered_ids_are_ordered_and_distinct() -> None:
    """A later number has a later id, so that ids sort by age as the vendor's do."""
    made = [ids.make("001", n) for n in range(0, 100_000, 37)]
    assert sorted(set(made)) == made


@given(st.integers(0, 4_102_444_800))
def test_stamps_are_read_as_they_are_written(seconds: int) -> None:
    """+0000 with milliseconds out, and back in to the same second; fractions of a second are dropped on the way out."""
    text = wire.stamp(seconds * SECOND + 999_999)
    assert text.endswith(".000+0000")
    assert seconds * SECOND == wire.parse_stamp(text)
    assert seconds * SECOND == wire.parse_http_date(wire.http_date(seconds * SECOND))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T06:00:00Z", 0),
        ("2026-03-02T06:00:00", 0),
        ("2026-03-02T08:30:00+02:30", 0),
        ("2026-03-01T22:00:00.500-0800", SECOND // 2),
        ("2026-03-03T06:00:00.000+0000", DAY),
    ],
)
def test_zones_and_fractions_are_read(text: str, expected: int) -> None:
    """Every form that the vendor takes means the same instant."""
    assert parse_instant("2026-03-02T06:00:00Z") + expected == wire.parse_stamp(text)


@pytest.mark.parametrize(
    "text", ["2026-03-02", "2026-02-30T00:00:00Z", "2026-03-02T24:00:00Z", "2026-03-02T06:00:00 00:00"]
)
def test_other_texts_are_no_instants(text: str) -> None:
    """Bare days, days that do not exist and zones without a sign are none."""
    assert wire.parse_stamp(text) is None
