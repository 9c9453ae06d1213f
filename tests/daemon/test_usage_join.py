"""Usage finds its account by any of its names, by people, and late; what it does not find is told by volume."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from daemon.derive import derive
from daemon.derive.accounts import link_accounts
from daemon.derive.fields import map_fields
from daemon.usagehints import Lost, unmatched
from rules.fieldmap import Option
from store import tables as t
from store.engine import Store
from store.records import DAY, Batch, FeatureUse, ObjectRecord, Record, SurveyAnswer, UsageMap, UsageSample
from store.sync import save_batch
from store.usage_features import CatalogueRow, save_catalogue
from tests.daemon.derivation import ACME, ANN, CSM, SETTINGS, T0, sync, table

BETA = replace(ACME, id="001000000000BET", name="Beta Industries", domain="beta.test", fields={})
NOW = T0 + 500 * DAY


def sample(key: str, user: str | None = None, value: float = 1.0, at: int = T0, metric: str = "active_users") -> Record:
    """One sample."""
    return UsageSample(key, metric, at, value, user)


def owners(store: Store) -> dict[tuple[str, str], str | None]:
    """(key, user) -> the name of the account that its rows are at."""
    names = dict(table(store, t.accounts, "id", "name"))
    subjects = {(k, u): a for k, u, a in table(store, t.usage_subjects, "key", "user", "account_id")}
    for key, user, account in table(store, t.usage_samples, "key", "user", "account_id"):
        assert subjects[key, user] == account, "rows follow their subject"
    return {who: names.get(account) for who, account in subjects.items()}


@pytest.mark.parametrize(
    ("key", "user", "account"),
    [
        ("ws-1", None, "Acme"),
        ("ws-2", None, "Acme"),
        ("A1", None, "Acme"),
        ("001000000000BETAAA", None, None),
        ("001000000000BET", None, "Beta Industries"),
        ("https://www.Beta.test/login", None, "Beta Industries"),
        ("", "ann@acme.test", "Acme"),
        ("", "new@beta.test", "Beta Industries"),
        ("unknown", "new@beta.test", "Beta Industries"),
        ("", "someone@gmail.com", None),
        ("", "cleo@ours.test", None),
        ("", "user-4711", None),
        ("gone", None, None),
    ],
)
def test_an_account_is_found_by_any_of_its_names(store: Store, key: str, user: str | None, account: str | None) -> None:
    """Several keys in one field, CRM id, domain, the person's address, its domain; free-mail and our own people never."""
    acme = replace(ACME, fields={"Workspace__c": "ws-1; ws-2"})
    sync(store, CSM, acme, BETA, ANN)
    sync(store, sample(key, user), source="usage")
    assert {(key, user or ""): account} == owners(store)


def test_keys_may_be_rows_of_another_object(store: Store) -> None:
    """One row per workspace; a row that goes takes its key along."""
    mapping = replace(SETTINGS.mappings["sf"], fields={"usage_key": (Option("Workspace__c", "Key__c"),)})
    settings = replace(SETTINGS, mappings={"sf": mapping})
    rows = [ObjectRecord("Workspace__c", ref, "A1", T0, T0, {"Key__c": f"key-{ref}"}) for ref in ("w1", "w2")]

    def derived(*records: Record) -> dict[tuple[str, str], str | None]:
        with store.write() as conn:
            save_batch(conn, "sf", Batch("all", records, "c"), NOW)
        derive(store, settings, NOW)
        return owners(store)

    with store.write() as conn:
        save_batch(conn, "usage", Batch("all", (sample("key-w1"), sample("key-w2")), "c"), NOW)
    assert {("key-w1", ""): "Acme", ("key-w2", ""): "Acme"} == derived(CSM, ACME, *rows)
    assert {("key-w1", ""): "Acme", ("key-w2", ""): None} == derived(
        replace(rows[1], deleted_at=T0 + 1, modified_at=T0 + 1)
    )


def test_a_key_that_becomes_known_later_takes_its_old_rows_along(store: Store) -> None:
    """Key, domain and person may all come after the usage; a key that moves takes its rows with it."""
    sync(
        store,
        sample("ws-9"),
        sample("beta.test"),
        sample("", "ann@acme.test"),
        sample("", "x@beta.test"),
        source="usage",
    )
    assert {None} == set(owners(store).values())
    sync(store, CSM, replace(ACME, domain=None, fields={"Workspace__c": "ws-9"}), ANN)
    assert ["Acme", "Acme"] == [owners(store)[who] for who in (("ws-9", ""), ("", "ann@acme.test"))]
    sync(store, BETA)
    assert "Beta Industries" == owners(store)["beta.test", ""] == owners(store)["", "x@beta.test"]
    moved = sync(
        store,
        replace(ACME, domain=None, fields={"Workspace__c": None}, modified_at=T0 + 9),
        replace(BETA, fields={"Workspace__c": "ws-9"}, modified_at=T0 + 9),
    )
    assert "Beta Industries" == owners(store)["ws-9", ""]
    assert {i for i, _ in table(store, t.accounts, "id", "name")} == moved.accounts


def test_an_account_that_is_merged_away_leaves_its_usage_to_the_winner(store: Store) -> None:
    """The loser's id is then a name of the winner."""
    sync(store, CSM, ACME, BETA)
    sync(store, sample(BETA.id), source="usage")
    gone = replace(BETA, deleted_at=T0 + DAY, merged_into="A1", modified_at=T0 + DAY)
    sync(store, gone)
    assert {(BETA.id, ""): "Acme"} == owners(store)


def test_what_fits_two_accounts_is_not_guessed(store: Store) -> None:
    """Two accounts with one domain: unmatched, and said to be ambiguous; a person at one of them decides."""
    other = replace(BETA, domain="acme.test")
    sync(store, CSM, ACME, other, ANN)
    sync(store, sample("acme.test"), sample("acme.test", "ann@acme.test"), source="usage")
    assert {("acme.test", ""): None, ("acme.test", "ann@acme.test"): "Acme"} == owners(store)
    assert [("ambiguous",), (None,)] == sorted(table(store, t.usage_subjects, "reason"), key=lambda r: r == (None,))


def test_the_explicit_map_comes_first_and_may_change(store: Store) -> None:
    """It wins over every other name; a key that leaves the map is joined as if it had never been in it."""
    sync(store, CSM, ACME, BETA)
    sync(store, UsageMap((("ws-1", "beta.test"),)), sample("ws-1"), source="usage")
    assert {("ws-1", ""): "Beta Industries"} == owners(store)
    sync(store, UsageMap((("other", "A1"),)), source="usage")
    assert {("ws-1", ""): "Acme"} == owners(store)


def test_matched_usage_is_not_looked_at_again(store: Store) -> None:
    """A change of an account that changes none of its names marks nothing."""
    sync(store, CSM, ACME)
    sync(store, sample("ws-1"), source="usage")
    changed = replace(ACME, fields={**ACME.fields, "ARR__c": "5"}, modified_at=T0 + 9)
    with store.write() as conn:
        save_batch(conn, "sf", Batch("all", (changed,), "c"), NOW)
        link_accounts(conn, [("sf", "A1")], SETTINGS, NOW)
        map_fields(conn, [("sf", "A1")], SETTINGS)
    assert [] == [row for row in table(store, t.dirty, "object", "id") if row[0] == "samples"]
    assert {("ws-1", ""): "Acme"} == owners(store)


def test_what_is_lost_is_told_by_volume_with_the_nearest_names(store: Store) -> None:
    """Rows, users, last seen, sum; people without a key are one line per domain."""
    sync(store, CSM, ACME, BETA)
    sync(
        store,
        sample("beta-industrie", value=70.0, at=T0 + DAY),
        sample("beta-industrie", value=30.0),
        sample("", "a@lost.test", 5.0),
        sample("", "b@lost.test", 6.0),
        sample("ws-1", value=9.0),
        FeatureUse("beta-industrie", "sso", T0 + 2 * DAY, 1.0),
        source="usage",
    )
    with store.read() as conn:
        report = unmatched(conn, "active_users", 10)
    assert (5, 1) == (report.lost_rows, report.matched_rows)
    first, second = report.lost
    assert Lost("usage", "beta-industrie", "no_match", 3, 0, T0 + 2 * DAY, 100.0, first.nearest) == first
    assert "Beta Industries" in first.nearest[0]
    assert ("lost.test", 2, 2, 11.0) == (second.name, second.rows, second.users, second.total)


# ------------------------------------------------------------ features


def use(feature: str, day: int, user: str | None = None, **also: Any) -> Record:
    """One use of a feature by Acme."""
    return FeatureUse("ws-1", feature, T0 + day * DAY, also.pop("uses", 1.0), user, **also)


def features(store: Store) -> dict[str, tuple[Any, ...]]:
    """Feature -> (first day, last day, users, active users, share, offered)."""
    names = ("feature", "first_used_at", "last_used_at", "users", "active_users", "share", "offered")
    rows = table(store, t.features, *names)
    return {name: (_day(first), _day(last), *rest) for name, first, last, *rest in rows}


def _day(at: int | None) -> int | None:
    return None if at is None else (at - T0) // DAY


def test_features_are_summed_up_per_account(store: Store) -> None:
    """First and last use, the users of the last 28 days and their share, and whether it is on offer."""
    sync(store, CSM, ACME)
    sync(
        store,
        use("sso", 1, "old@acme.test"),
        use("sso", 40, "a@acme.test"),
        use("sso", 41, "b@acme.test"),
        use("sso", 41, "a@acme.test"),
        use("api", 3, users=7),
        use("api", 5, users=4),
        use("audit", 3, uses=0.0, offered=True),
        use("audit", 4, uses=0.0, offered=False),
        sample("ws-1", value=20.0, at=T0 + 41 * DAY, metric="active_users_28d"),
        source="usage",
    )
    assert {
        "sso": (1, 41, 2, 20, 0.1, None),
        "api": (3, 5, 7, None, None, None),
        "audit": (None, None, None, None, None, 0),
    } == features(store)


def test_the_catalogue_gives_events_their_feature(store: Store) -> None:
    """Several events are one feature; a changed catalogue sums up again what is there."""
    sync(store, CSM, ACME)
    sync(store, use("SSO Enabled", 1), use("SSO Login", 3), source="usage")
    assert {"SSO Enabled", "SSO Login"} == set(features(store))
    rows = [
        CatalogueRow(name, "sso", "Single sign-on", "Security", 1_200_000, 20_000, True)
        for name in ("SSO Enabled", "SSO Login", "sso")
    ]
    with store.write() as conn:
        assert save_catalogue(conn, rows)
    derive(store, SETTINGS, NOW)
    assert {"sso": (1, 3, None, None, None, None)} == features(store)
    with store.write() as conn:
        assert not save_catalogue(conn, rows), "the same again changes nothing"


def test_use_of_features_joins_late_too(store: Store) -> None:
    """Rows before the account are the account's once it is there."""
    sync(store, use("sso", 2), source="usage")
    assert {} == features(store)
    sync(store, CSM, ACME)
    assert {"sso": (2, 2, None, None, None, None)} == features(store)


# ------------------------------------------------------------ surveys


def test_answers_find_their_account_like_usage(store: Store) -> None:
    """By key or by the person's address, also late; an answer that names another account moves, and both are touched."""
    answers = (SurveyAnswer("1", "ws-1", "nps", 9, T0), SurveyAnswer("2", "", "csat", 5_000, T0, "x@beta.test"))
    sync(store, CSM, ACME)
    sync(store, *answers, source="surveys")
    names = dict(table(store, t.accounts, "id", "name"))
    assert [("1", "Acme"), ("2", None)] == [
        (ref, names.get(account)) for ref, account in table(store, t.survey_answers, "id", "account_id")
    ]
    sync(store, BETA)
    names = dict(table(store, t.accounts, "id", "name"))
    moved = sync(store, SurveyAnswer("1", "beta.test", "nps", 9, T0), source="surveys")
    assert ["Beta Industries", "Beta Industries"] == [
        names.get(account) for _, account in table(store, t.survey_answers, "id", "account_id")
    ]
    assert set(names) == moved.accounts
