"""Job titles are read as the people who bear them would: level and function, in four languages, never a guess."""

from __future__ import annotations

import pytest

from rules.levels import C_LEVEL, DIRECTOR, INDIVIDUAL, LEVEL_NAMES, MANAGER, VP, read_title, standing
from sandbox.world.titles import TITLES


@pytest.mark.parametrize(
    ("title", "level", "function"),
    [
        ("Assistant to the CEO", INDIVIDUAL, "other"),
        ("Vice President of Sales Operations", VP, "operations"),
        ("Product Director", DIRECTOR, "product"),
        ("Managing Director", C_LEVEL, "executive"),
        ("Head of IT", DIRECTOR, "it"),
        ("Directorate clerk", INDIVIDUAL, "other"),
        ("Assistentin der Geschäftsführung", INDIVIDUAL, "other"),
        ("SVP, Finance", VP, "finance"),
        ("Teamleiter Support", MANAGER, "support"),
        ("Directrice Générale", C_LEVEL, "executive"),
        ("Responsable Achats", MANAGER, "procurement"),
        ("Directora de Recursos Humanos", DIRECTOR, "hr"),
        ("Softwareentwickler", INDIVIDUAL, "engineering"),
        ("Account Executive", INDIVIDUAL, "sales"),
        ("CHIEF  INFORMATION SECURITY OFFICER", C_LEVEL, "it"),
    ],
)
def test_traps(title: str, level: int, function: str) -> None:
    """The traps of the domain, and some more."""
    assert (level, function) == (read_title(title).level, read_title(title).function)


@pytest.mark.parametrize(
    ("title", "level", "function"),
    [
        ("Sales Mangaer", MANAGER, "sales"),
        ("Geschaeftsfuehrer", C_LEVEL, "executive"),
        ("Leiter:in Einkauf (w/m/d)", DIRECTOR, "procurement"),
        ("V. P., Customer Success", VP, "support"),
        ("Deputy Director of Operations", DIRECTOR, "operations"),
        ("General Manager, Northern Region", DIRECTOR, "executive"),
        ("Executive Director of Finance", DIRECTOR, "finance"),
        ("Sales Training Manager", MANAGER, "hr"),
        ("Lead Recruiter", INDIVIDUAL, "hr"),
        ("Recruiting Lead", MANAGER, "hr"),
        ("Management Trainee", INDIVIDUAL, "other"),
        ("Vice Principal", DIRECTOR, "executive"),
        ("Stellv. Gruppenleiterin Lager", MANAGER, "operations"),
        ("Vorstandsassistentin", INDIVIDUAL, "other"),
        ("Chef d'entreprise", C_LEVEL, "executive"),
        ("Responsable adjointe des achats", MANAGER, "procurement"),
        ("Subdirectora de Sistemas", DIRECTOR, "it"),
        ("Controller", MANAGER, "finance"),
        ("Controller (w/m/d)", INDIVIDUAL, "finance"),
    ],
)
def test_grammar(title: str, level: int, function: str) -> None:
    """Slips of the pen, any gender, deputies, posts within another's function, seniority, compounds."""
    assert (level, function) == (read_title(title).level, read_title(title).function)


@pytest.mark.parametrize(
    "title",
    ["Former VP Sales", "Ex-CEO", "Director a.D.", "Direction des achats", "IT-Abteilung", "Decision Maker"],
)
def test_what_is_no_rank_of_today_has_no_level(title: str) -> None:
    """Former posts, departments, and what a contact is to us."""
    assert read_title(title).level is None


@pytest.mark.parametrize("title", [None, "", "   ", "Kaiser", "Zzz", "\u202eCEO\u202c of nothing"[:1]])
def test_a_title_that_says_nothing_stays_unknown(title: str | None) -> None:
    """No title, or one that no rule knows, has no level."""
    assert read_title(title).level is None


@pytest.mark.parametrize("title", TITLES, ids=lambda t: t.text)
def test_every_title_of_the_demo_world(title: object) -> None:
    """The world's fixed list, written by somebody else, is read as it was meant."""
    said = read_title(title.text)  # type: ignore[attr-defined]
    expected = (title.level, title.function)  # type: ignore[attr-defined]
    assert expected == (LEVEL_NAMES[said.level or 0], said.function)


@pytest.mark.parametrize(
    ("level", "flagged", "expected"),
    [(5, True, "exec"), (3, False, "exec"), (2, False, "user"), (None, True, "user"), (None, False, "unclassified")],
)
def test_standing(level: int | None, flagged: bool, expected: str) -> None:
    """An exec stays one whatever the flag says; unknown level without a flag is neither."""
    assert expected == standing(level, flagged)
