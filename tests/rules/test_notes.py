"""Every fact says where it comes from, what makes it stale, how far back it goes and what explains it."""

from __future__ import annotations

from rules.facts.notes import HISTORY, NOTES
from rules.language.catalogue import FACTS, Kind


def test_every_fact_has_a_note_and_no_note_is_left_over() -> None:
    """The notes and the catalogue name the same columns."""
    assert {fact.column for fact in FACTS} == set(NOTES)


def test_a_note_says_everything() -> None:
    """Source, history and evidence are words, and the streams are those that freshness knows."""
    for column, note in NOTES.items():
        assert note.source, column
        assert note.evidence, column
        assert note.history in HISTORY, column
        assert bool(note.stale_by) == bool(note.streams), column


def test_what_stands_on_touches_is_made_stale_by_activities() -> None:
    """Every event that is with a person is stale when a stream of activities is."""
    for fact in FACTS:
        if fact.kind in (Kind.EVENT, Kind.BOOKING) and fact.role:
            assert {"emails", "meetings", "contacts"} <= set(NOTES[fact.column].streams), fact.name
