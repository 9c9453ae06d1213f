"""Whatever a feed holds, a row is read as it was meant, or named; nothing else happens."""

from __future__ import annotations

import csv
import io
import json
import math
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.usage import files
from connectors.usage.payload import BadBody, pushed
from connectors.usage.rows import reader
from connectors.usage.settings import UsageSettings
from connectors.usage.values import BadRow, addresses, moment, number
from store.records import DAY, SECOND, UsageSample

FEED = UsageSettings.model_validate({"kind": "usage", "push": True, "metrics": ["n"]})
MANY = settings(max_examples=150)
KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(
    lambda key: key.isprintable() and bool(key.strip()) and "\ufeff" not in key
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "workspace": KEYS,
            "date": st.integers(11_000, 47_000).map(lambda day: day * 86_400),
            "n": st.floats(0, 1e15, allow_nan=False),
        }
    ),
    max_size=8,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def meant(rows: list[Mapping[str, Any]]) -> list[UsageSample]:
    """The samples that the rows are."""
    return [UsageSample(row["workspace"].strip(), "n", row["date"] * SECOND, float(row["n"])) for row in rows]


def read(name: str, content: bytes) -> tuple[list[Any], list[str]]:
    """(records, what is wrong) of a file."""
    found, wrong = [], []
    one = reader(FEED, first_read=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            with files.lines(path) as table:
                for _, row in table.rows:
                    try:
                        if isinstance(row, BadRow):
                            raise row
                        found += one(row)
                    except BadRow as error:
                        wrong.append(str(error))
        except files.BadFile as error:
            wrong.append(str(error))
    return found, wrong


@MANY
@given(ROWS)
def test_csv_comes_back_as_it_was_written(rows: list[Mapping[str, Any]]) -> None:
    """Quotes, commas, and every printable character in a key."""
    text = io.StringIO()
    writer = csv.DictWriter(text, ["workspace", "date", "n"])
    writer.writeheader()
    writer.writerows({**row, "n": repr(row["n"])} for row in rows)
    assert (meant(rows), []) == read("a.csv", text.getvalue().encode())


@MANY
@given(ROWS, st.booleans())
def test_json_lines_come_back_as_they_were_written(rows: list[Mapping[str, Any]], escaped: bool) -> None:
    """In a file and as a push."""
    body = "".join(json.dumps(row, ensure_ascii=escaped) + "\n" for row in rows).encode()
    assert (meant(rows), []) == read("a.jsonl", body)
    assert meant(rows) == pushed(body, "application/x-ndjson", FEED, 100)


@MANY
@given(st.binary(max_size=400), st.sampled_from(["a.csv", "a.jsonl", "a.csv.gz", "a.parquet"]))
@example(b"workspace,date,n\nx,2026-01-01,1\n\x00\xff", "a.csv")
@example(b"workspace,workspace\n", "a.csv")
@example(b'workspace,date,n\n"', "a.csv")
def test_no_file_breaks_the_reader(content: bytes, name: str) -> None:
    """Bytes of any kind are rows, bad rows or a bad file."""
    for record in read(name, content)[0]:
        assert isinstance(record, UsageSample)
        assert record.key.isprintable()


@MANY
@given(JSON)
@example([{"workspace": "\ud800", "date": 1_771_545_600, "n": 1}])
@example([{"workspace": "a\x00", "date": 1_771_545_600, "n": 1}])
@example([{"workspace": "a", "date": 10**400, "n": 1}])
@example([{"workspace": "a", "date": 1_771_545_600, "n": 10**400}])
def test_no_body_breaks_the_listener(value: Any) -> None:
    """Any JSON is taken, or refused with a reason."""
    body = json.dumps(value).encode()
    refused: BadBody | None = None
    found: list[Any] = []
    try:
        found = pushed(body, "application/json", FEED, 100)
    except BadBody as error:
        refused = error
    assert all(isinstance(record, UsageSample) for record in found)
    assert refused is None or (str(refused) and all(reason for _, reason in refused.rows))


@MANY
@given(JSON | st.binary())
def test_values_are_in_range_or_refused(raw: Any) -> None:
    """Numbers are finite and not negative, instants in this century, addresses have two sides."""
    with suppress(BadRow):
        value = number(raw, "n")
        assert value is None or (math.isfinite(value) and value >= 0)
    with suppress(BadRow):
        assert 10_957 * DAY <= moment(raw, "at") <= 47_482 * DAY
    with suppress(BadRow):
        assert all(a.count("@") == 1 and a == a.casefold() for a in addresses(raw, "to"))


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("a@x.test; B@X.test, a@x.test", ("a@x.test", "b@x.test")),
        ('"Doe, Ann" <Ann@x.test>, Bob <bob@x.test>', ("ann@x.test", "bob@x.test")),
        (["Ann <ann@x.test>", "bob@x.test"], ("ann@x.test", "bob@x.test")),
        (None, ()),
        ("", ()),
    ],
)
def test_addresses_are_read_as_mail_programs_write_them(raw: Any, found: tuple[str, ...]) -> None:
    """Lists or texts, with names or without, each address once."""
    assert found == addresses(raw, "to")
