"""Health against a slow reading of its definition, its worked example, what it puts at risk, and rank cuts."""

from __future__ import annotations

import random
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Literal

import pytest
from pydantic import ValidationError
from sqlalchemy import insert, select

from rules.facts.health import health_facts, health_parts, told_of, weighed
from rules.facts.healthsettings import COMPONENTS, HealthSettings
from rules.facts.moment import moment
from rules.facts.ranks import cut_values
from rules.language.needs import Cut
from store.engine import Store
from store.records import DAY
from store.tables import HEALTH_COMPONENTS, accounts, facts
from store.tables import health_parts as kept_parts
from tests.rules import health_reference as slow
from tests.rules.rows import AS_OF, random_row

DEFAULT = HealthSettings()
SIDES: tuple[Literal["top", "bottom"], ...] = ("top", "bottom")
EXAMPLE: Mapping[str, object] = {
    "adoption_change": -0.15,
    "adoption": 0.8,
    "strong_user_relationships": 2,
    "strong_exec_relationships": 1,
    "last_contact": AS_OF - 12 * DAY,
    "open_tickets": 2,
    "urgent_tickets": 0,
    "csat_state": "not_recorded",
    "pulse_state": "not_recorded",
    "nps": 8,
}


def save(store: Store, *rows: Mapping[str, object]) -> None:
    """Rows of facts; what a row does not name is NULL."""
    with store.write() as conn:
        for number, row in enumerate(rows, 1):
            base = {"account_id": number, "as_of": AS_OF}
            conn.execute(insert(accounts).values(id=number, key=f"sf:{number}", name="A", created_at=0))
            conn.execute(insert(facts).values(**(base | {k: v for k, v in row.items() if k in facts.c})))


def computed(store: Store, settings: HealthSettings = DEFAULT) -> dict[int, Mapping[str, Any]]:
    """Account -> health, value at risk and their states, computed from the saved rows."""
    told = weighed(facts, moment(AS_OF, "UTC"), settings)
    columns = health_facts(told, None)
    query = select(told.c.account_id, *(value.label(name) for name, value in columns.items() if "change" not in name))
    with store.read() as conn:
        return {row["account_id"]: dict(row) for row in conn.execute(query).mappings()}


def parts(store: Store, settings: HealthSettings = DEFAULT) -> dict[int, dict[str, Mapping[str, Any]]]:
    """Account -> component -> what is told of it."""
    with store.read() as conn:
        query = health_parts(select(facts).subquery("saved"), moment(AS_OF, "UTC"), settings, 0)
        rows = conn.execute(query).mappings().all()
    return {row["account_id"]: {name: told_of(name, dict(row)) for name in COMPONENTS} for row in rows}


def test_the_worked_example_to_the_digit(store: Store) -> None:
    """Change -15 %, adoption 80 %, 2 strong users, 1 strong exec, 12 days, 2 open tickets, NPS 8: 63.5."""
    save(store, EXAMPLE)
    assert (63.5, None) == (computed(store)[1]["health"], computed(store)[1]["health_state"])
    expected = {
        "adoption_change": (-0.15, 50.0, 25.0, 12.5),
        "adoption": (0.8, 80.0, 15.0, 12.0),
        "user_relationships": (2.0, 66.666666667, 15.0, 10.0),
        "exec_relationships": (1.0, 33.333333333, 15.0, 5.0),
        "engagement": (12.0, 80.0, 10.0, 8.0),
        "support": (80.0, 80.0, 10.0, 8.0),
        "satisfaction": (80.0, 80.0, 10.0, 8.0),
    }
    found = parts(store)[1]
    assert expected == {
        n: tuple(row[k] for k in ("raw", "score", "weight", "contribution")) for n, row in found.items()
    }


def test_every_component_has_its_columns() -> None:
    """In the order in which contributions add up; rows are put into the table by the order of their columns."""
    assert COMPONENTS == HEALTH_COMPONENTS
    rows = health_parts(select(facts).subquery("saved"), moment(AS_OF, "UTC"), DEFAULT, 0)
    assert [column.name for column in kept_parts.columns] == list(rows.selected_columns.keys())


def test_a_missing_component_spreads_its_weight(store: Store) -> None:
    """Without satisfaction the others' 55.5 points of 90 are 61.67, and what is missing says why."""
    save(store, {**EXAMPLE, "nps": None, "nps_state": "not_recorded"})
    assert 61.67 == computed(store)[1]["health"]
    missing = parts(store)[1]["satisfaction"]
    assert (None, "not_recorded", None, None) == tuple(missing[k] for k in ("raw", "why", "score", "contribution"))


@pytest.mark.parametrize(
    ("known", "expected"), [(("adoption_change", "adoption", "nps"), 65.0), (("adoption_change", "adoption"), None)]
)
def test_under_half_the_weight_health_is_unknown(store: Store, known: tuple[str, ...], expected: float | None) -> None:
    """Just half is enough; less is too little known, and then nothing is said of the value at risk either."""
    there = {name: value for name, value in EXAMPLE.items() if name in known}
    save(store, {**there, "ltv": 100_00, "last_contact_state": "not_captured"})
    row = computed(store)[1]
    state = None if expected is not None else "too_little_known"
    assert (expected, state, state) == (row["health"], row["health_state"], row["value_at_risk_state"])


def test_stale_is_missing_and_never_is_the_longest_silence(store: Store) -> None:
    """A stale fact has no score; no contact ever has the score of 60 days."""
    stale = {**EXAMPLE, "adoption_state": "stale", "open_tickets_state": "stale"}
    save(store, stale, {**EXAMPLE, "last_contact": None, "last_contact_state": "never"})
    found = parts(store)
    assert ("stale", "stale") == (found[1]["adoption"]["why"], found[1]["support"]["why"])
    assert (None, 0.0, 0.0) == tuple(found[2]["engagement"][k] for k in ("why", "score", "contribution"))
    assert 55.5 == computed(store)[2]["health"]


@pytest.mark.parametrize(("strong", "unclear", "why"), [(2, 1, "levels_not_known"), (3, 4, None), (2, 0, None)])
def test_a_count_that_levels_could_move_is_missing(store: Store, strong: int, unclear: int, why: str | None) -> None:
    """Both ends of the interval must give the same score: from three on they do."""
    save(store, {**EXAMPLE, "strong_user_relationships": strong, "strong_user_relationships_u": unclear})
    assert why == parts(store)[1]["user_relationships"]["why"]


def test_value_at_risk_ranks_value_times_what_is_missing(store: Store) -> None:
    """A (90, 200,000), B (80, 10,000) and C (50, 250,000): C before A before B."""
    assert {"A": 20_000_00, "B": 2_000_00, "C": 125_000_00} == {
        "A": slow.at_risk(200_000_00, 9_000),
        "B": slow.at_risk(10_000_00, 8_000),
        "C": slow.at_risk(250_000_00, 5_000),
    }
    only = HealthSettings.model_validate({"weights": {name: int(name == "adoption") for name in COMPONENTS}})
    given = [(0.9, 200_000_00), (0.8, 10_000_00), (0.5, 250_000_00), (0.5, 1), (0.5, -1), (0.9999, 5_000)]
    save(store, *({"adoption": share, "ltv": ltv} for share, ltv in given))
    found = computed(store, only)
    assert [20_000_00, 2_000_00, 125_000_00, 1, 0, 1] == [found[n]["value_at_risk"] for n in range(1, 7)]
    assert [3, 1, 2] == sorted((1, 2, 3), key=lambda n: -found[n]["value_at_risk"])


def test_weights_of_a_segment_hold_for_it_alone(store: Store) -> None:
    """A segment that only raises the weight of support has the other weights of all."""
    settings = HealthSettings.model_validate({"weights": {"adoption": 20}, "by_segment": {"smb": {"support": 40}}})
    save(store, {**EXAMPLE, "segment": "smb"}, {**EXAMPLE, "segment": "enterprise"})
    found = parts(store, settings)
    assert [(20.0, 40.0), (20.0, 10.0)] == [
        tuple(found[n][c]["weight"] for c in ("adoption", "support")) for n in (1, 2)
    ]
    assert [slow.health({**EMPTY, **EXAMPLE, "segment": s}, AS_OF, settings) for s in ("smb", "enterprise")] == [
        round(computed(store, settings)[n]["health"] * 100) for n in (1, 2)
    ]


EMPTY: Mapping[str, object] = dict.fromkeys(facts.c.keys())


def test_settings_that_say_nothing_are_refused() -> None:
    """All weights 0, a scale without length, bands in the wrong order: each names its remedy."""
    nothing = dict.fromkeys(COMPONENTS, 0)
    for wrong, words in (
        ({"weights": nothing}, "at least one component"),
        ({"scales": {"adoption": [0.5, 0.5]}}, "must lie apart"),
        ({"green": 40}, "must be less than"),
    ):
        with pytest.raises(ValidationError, match=words):
            HealthSettings.model_validate(wrong)
    assert ["green", "yellow", "yellow", "red"] == [DEFAULT.band(health) for health in (75, 74.99, 50, 49.99)]


def health_row(rng: random.Random, number: int) -> dict[str, object]:
    """A random row whose components are there more often than not, near the ends of the scales."""
    row = random_row(rng, number)
    for name, values in (
        ("adoption_change", (-0.5, -0.4, -0.399999999, -0.15, 0.0, 0.0999, 0.1, 0.4)),
        ("adoption", (0.0, 0.333333333, 0.8, 1.0, 1.2)),
        ("csat", (0.0, 0.505, 1.0)),
        ("nps", (0, 7, 10)),
        ("pulse", (-2, 1, 2)),
        ("open_tickets", (0, 1, 3, 11)),
        ("urgent_tickets", (0, 1, 4)),
        ("strong_user_relationships", (0, 1, 2, 3, 5)),
        ("strong_exec_relationships", (0, 1, 2, 3, 5)),
    ):
        if rng.random() < 0.3:
            row |= {name: rng.choice(values), f"{name}_state": None}
    row["segment"] = rng.choice(("enterprise", "smb", None))
    return row


def test_sql_is_the_definition_on_random_rows(store: Store) -> None:
    """Health, and every component's score, of 300 rows, with other weights for a segment; contributions add up."""
    rng = random.Random(5)
    settings = HealthSettings.model_validate({"by_segment": {"smb": {"support": 33, "adoption": 0}}})
    rows = {number: health_row(rng, number) for number in range(1, 301)}
    save(store, *rows.values())
    found, made = computed(store, settings), parts(store, settings)
    for number, row in rows.items():
        expected = slow.health(row, AS_OF, settings)
        health = found[number]["health"]
        assert expected == (None if health is None else round(health * 100)), row
        for name in COMPONENTS:
            score = slow.score(row, name, AS_OF, settings)
            told = made[number][name]["score"]
            assert (score is None) == (told is None)
            assert score is None or abs(float(score) - told) < 1e-8
            assert (score is None) == (made[number][name]["why"] is not None)
        points = [part["contribution"] for part in made[number].values() if part["contribution"] is not None]
        assert health is None or round(health * 100) == sum(round(point * 100) for point in points)
    assert 100 < sum(row["health"] is not None for row in found.values()) < 290


def test_cuts_are_the_definition_on_random_rows(store: Store) -> None:
    """Top and bottom shares, of all customers and per segment, with ties, stale and missing values, and lone segments."""
    rng = random.Random(11)
    rows: list[dict[str, Any]] = [
        {
            "arr": rng.choice((None, 100, 200, 200, 300, 500, 700)),
            "arr_state": rng.choice((None, None, None, "stale")),
            "segment": rng.choice(("enterprise", "smb", "smb", None)),
            "segment_state": rng.choice((None, None, None, "stale")),
        }
        for _ in range(41)
    ]
    rows.append({"arr": 900, "segment": "mid_market"})
    save(store, *rows)
    ranked = [row for row in rows if row["arr"] is not None and row.get("arr_state") is None]
    groups = {None: ranked} | {
        name: [r for r in ranked if r["segment"] == name and r.get("segment_state") is None]
        for name in ("enterprise", "smb", "mid_market")
    }
    with store.read() as conn:
        for side in SIDES:
            for share in (
                Fraction(1, 5),
                Fraction(1, 3),
                Fraction(1, 10),
                Fraction(1, 2),
                Fraction(1),
                Fraction(1, 100),
            ):
                for by_segment in (False, True):
                    cut = Cut("arr", side, share, by_segment)
                    told = {row.segment: row.value for row in conn.execute(cut_values(facts, cut))}
                    names = [name for name in groups if (name is not None) == by_segment]
                    expected = {name: slow.cut([r["arr"] for r in groups[name]], side, share) for name in names}
                    assert expected == told, (side, share, by_segment)


def test_a_cut_of_nobody_is_no_row(store: Store) -> None:
    """Where no customer has the fact, nobody is in any share."""
    save(store, {"arr": 5, "arr_state": "stale"})
    with store.read() as conn:
        assert [] == list(conn.execute(cut_values(facts, Cut("arr", "top", Fraction(1, 5), by_segment=False))))


def test_keys_of_cuts() -> None:
    """What rules look up is what the refresh stores."""
    cut = Cut("ltv", "bottom", Fraction(2, 6), by_segment=True)
    assert ["cut:ltv:bottom:1/3:smb", "cut:ltv:bottom:1/3:*"] == [cut.key("smb"), cut.key(None)]
