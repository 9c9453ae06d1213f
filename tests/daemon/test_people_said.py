"""What our people say of persons and of their own days away: kept, heeded, taken back; by command line and derivation."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert

from daemon.cli import run
from daemon.derive import derive
from daemon.people import PeopleError, meant, say, spell_of
from store import roster
from store import tables as t
from store.engine import Store
from store.migrate import upgrade
from store.records import DAY, HOUR
from tests.daemon.derivation import ACME, ANN, BOB, CSM, NOW, SETTINGS, T0, mail, sync, table
from tests.daemon.test_derive_people import STRANGER, people

Say = Callable[..., str]


def said(store: Store, person: str, word: str, at: int = NOW) -> None:
    """Somebody says it, and derivation heeds it."""
    with store.write() as connection:
        say(connection, person, word, "cleo", at)
    derive(store, SETTINGS, NOW)


def levels(store: Store, key: str) -> list[tuple[int, int | None, int | None, str]]:
    """(from, to, level, standing) of a person over time."""
    ids = dict(table(store, t.persons, "key", "id"))
    rows = table(store, t.person_levels, "person_id", "valid_from", "valid_to", "level", "standing")
    return [(since, until, level, who) for person, since, until, level, who in rows if person == ids[key]]


@pytest.mark.parametrize(
    ("word", "standing", "level"),
    [
        ("exec", "exec", None),
        ("user", "user", None),
        ("other", "other", None),
        ("vp", "exec", 4),
        ("C-Level", "exec", 5),
    ],
)
def test_a_word_is_a_standing_or_a_level(store: Store, word: str, standing: str, level: int | None) -> None:
    """Of somebody without a title: what was said counts from then on, and the person was unknown before."""
    cy = replace(BOB, id="C3", email="cy@acme.test", fields={})
    sync(store, CSM, ACME, cy)
    said(store, "CY@acme.test", word, NOW - DAY)
    assert [(T0 + 6, NOW - DAY, None, "unclassified"), (NOW - DAY, None, level, standing)] == levels(
        store, "cy@acme.test"
    )


@pytest.mark.parametrize(("word", "level"), [("exec", 5), ("user", None)])
def test_a_title_that_agrees_keeps_its_level(store: Store, word: str, level: int | None) -> None:
    """A CEO who is called an exec stays on C level; called a user, nobody knows the level."""
    sync(store, CSM, ACME, ANN)
    said(store, "Ann", word, NOW - DAY)
    assert (level, word) == levels(store, "ann@acme.test")[-1][2:]


def test_what_is_said_of_an_address_in_no_crm_counts_too(store: Store) -> None:
    """A stranger on a mail becomes a user; taken back, nobody knows again."""
    sync(store, CSM, ACME, mail("E1", T0 + DAY, to=(STRANGER,)))
    said(store, STRANGER, "user")
    assert {STRANGER: "user"} == people(store)
    sync(store, mail("E2", T0 + 2 * DAY, to=(STRANGER,)))
    assert {STRANGER: "user"} == people(store)
    said(store, STRANGER, "forget")
    assert {STRANGER: "unclassified"} == people(store)


def test_whoever_is_said_of_touches_the_accounts(store: Store) -> None:
    """Their facts are other than before, so they are evaluated again; saying it twice changes nothing."""
    sync(store, CSM, ACME, BOB, mail("E1", T0 + DAY, to=(STRANGER,)))
    for person in (STRANGER, "bob@acme.test"):
        with store.write() as connection:
            assert (person, True) == say(connection, person, "exec", "cleo", NOW)
        assert 1 == len(derive(store, SETTINGS, NOW).accounts)
        with store.write() as connection:
            assert (person, False) == say(connection, person, "exec", "cleo", NOW + 1)
        assert not derive(store, SETTINGS, NOW).accounts


@pytest.mark.parametrize(
    ("person", "word", "complaint"),
    [("nobody@acme.test", "exec", "no person"), ("Bob", "exec", "may be"), ("ann@acme.test", "boss", "one of exec")],
)
def test_what_cannot_be_meant_is_refused(store: Store, person: str, word: str, complaint: str) -> None:
    """Nobody, one of two with the same name, a word that says nothing."""
    sync(store, CSM, ACME, ANN, BOB, replace(BOB, id="C3", email="bob2@acme.test"))
    with store.write() as connection, pytest.raises(PeopleError, match=complaint):
        say(connection, person, word, "cleo", NOW)


def test_forget_of_a_word_is_nothing_said() -> None:
    """`forget` is no standing."""
    assert meant("forget", "cleo", NOW) is None


def test_a_spell_is_whole_days_of_the_configured_zone() -> None:
    """Berlin's second half of March has a day of 23 hours."""
    since, until = spell_of("2026-03-28", "2026-03-29", "Europe/Berlin")
    assert 47 * HOUR == until - since
    with pytest.raises(PeopleError, match="is before"):
        spell_of("2026-03-29", "2026-03-28", "UTC")
    with pytest.raises(PeopleError, match="no dates"):
        spell_of("tomorrow", "2026-03-28", "UTC")


def test_spells_of_one_member_never_overlap(store: Store) -> None:
    """What is kept already stays as it was told; only the days around it are added."""
    with store.write() as connection:
        connection.execute(insert(t.members).values(id=1, key="cleo", name="Cleo", active=1))
        assert 1 == roster.mark_away(connection, 1, 5 * DAY, 8 * DAY, author="cleo", at=DAY)
        assert 2 == roster.mark_away(connection, 1, 3 * DAY, 10 * DAY, author="cleo", at=2 * DAY)
        assert 0 == roster.mark_away(connection, 1, 3 * DAY, 10 * DAY, author="cleo", at=3 * DAY)
    spells = table(store, t.absences, "from_at", "until_at", "recorded_at")
    assert [(3, 5, 2), (5, 8, 1), (8, 10, 2)] == sorted(tuple(at // DAY for at in spell) for spell in spells)
    with store.write() as connection:
        assert 3 == roster.unmark_away(connection, 1, 3 * DAY, 10 * DAY)


# ---------------------------------------------------------------- by command line

CONFIG = """
own_domains: [ours.test]
store: sqlite:///tierd.db
rules: [rules/*.yaml]
sources:
  sf:
    kind: salesforce
    base_url: https://acme.my.salesforce.com
    auth: {method: token, access_token: {env: SF}}
    customer: {Type: Customer}
"""


@pytest.fixture
def tierd(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Runs a command over a store with Ann, Bob and a stranger at Acme; what it printed."""
    (tmp_path / "tierd.yaml").write_text(CONFIG)
    store = Store(f"sqlite:///{tmp_path / 'tierd.db'}")
    upgrade(store)
    sync(store, CSM, ACME, ANN, BOB, mail("E1", T0 + DAY, to=(STRANGER,)))
    with store.write() as connection:
        connection.execute(insert(t.facts).values(account_id=1, as_of=NOW, name="=Acme", csm="cleo@ours.test"))
    store.close()
    monkeypatch.setenv("TIERD_CONFIG", str(tmp_path / "tierd.yaml"))
    monkeypatch.setenv("SF", "x")

    def say_(*arguments: str, code: int = 0) -> str:
        assert code == run(["people", *arguments])
        printed = capsys.readouterr()
        return printed.out + printed.err

    return say_


def test_unknown_lists_who_is_not_known_until_somebody_says_it(tierd: Say) -> None:
    """The stranger is listed, as JSON and as CSV without formulas; after `set` nobody is."""
    (one,) = json.loads(tierd("unknown", "--format", "json"))
    assert (STRANGER, "=Acme", "cleo@ours.test", "0") == (one["key"], one["account"], one["csm"], one["settles"])
    assert "'=Acme" in tierd("unknown", "--csm", "Cleo", "-f", "csv")
    assert "1 accounts were derived anew" in tierd("set", STRANGER, "user")
    assert "nobody: " in tierd("unknown")
    assert "nothing to change" in tierd("set", STRANGER, "user")


def test_the_lists_of_our_own_people(tierd: Say) -> None:
    """Coverage per member and channel; days away; holders of an account; nothing to hand over while nobody leaves."""
    assert "is away from 2026-07-01 to 2026-07-14" in tierd("away", "Cleo", "2026-07-01", "2026-07-14")
    assert "is not away" in tierd("away", "cleo@ours.test", "2026-07-01", "2026-07-14", "--back")
    (cleo,) = json.loads(tierd("coverage", "-f", "json"))
    assert ("Cleo", "no", "1", "never") == (cleo["member"], cleo["captured"], cleo["accounts"], cleo["last meeting"])
    assert "2024-10-05" == cleo["last mail"]
    assert "no relationship is to be handed over" in tierd("handover")


@pytest.mark.parametrize(
    "arguments",
    [("set", "x@y.test", "exec"), ("away", "Nobody", "2026-07-01", "2026-07-02"), ("unknown", "--csm", "Nobody")],
)
def test_mistakes_are_told_in_one_line(tierd: Say, arguments: tuple[str, ...]) -> None:
    """Exit code 2 and what to write instead."""
    assert "`tierd people " in tierd(*arguments, code=2)
