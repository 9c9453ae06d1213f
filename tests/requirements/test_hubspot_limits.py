"""R28 to R30, HubSpot's half: one limiter per portal, retries by class, tokens that end in the middle of something."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from connectors.http import VendorError
from sandbox.clock import DAY, HOUR, MINUTE, SECOND, parse_instant
from store import tables as t
from store.records import StreamTrouble, TierWrite
from tests.requirements.hubspot import Desk
from tests.sandbox.hubspot_portal import NOW


def _oauth(hubspot: Desk) -> None:
    app = hubspot.portal.state.oauth
    auth = {"client_id": app.client_id, "client_secret": app.client_secret, "refresh_token": hubspot.portal.install()}
    hubspot.given |= {"auth": {"method": "oauth"} | auth}


# ---------------------------------------------------------------- R28


def test_r28_a_full_run_is_never_refused(hubspot: Desk) -> None:
    """Both buckets on: first sync, increment and every sweep without a single 429; two searches a second by default."""
    portal = hubspot.portal
    portal.state.switches.limits = True
    portal.fill("companies", 2_500, {"name": "C{n}"})
    portal.fill("contacts", 500, {"firstname": "P{n}"})
    hubspot.keep()
    assert "ok" == hubspot.sync().status
    portal.clock.advance(DAY)
    for number in range(900):
        portal.change("companies", str(number + 1), at=portal.clock.now(), name="New")
    assert 900 == hubspot.sync().saved.changed
    for name in ("delayed", "archived", "associations", "archived-owners", "reconcile"):
        assert "ok" == hubspot.sweep(name).status
    assert {200, 207} == {entry.status for entry in hubspot.asked()}
    searches = [entry.at for entry in hubspot.asked("/search")]
    assert max(sum(at <= other < at + SECOND for other in searches) for at in searches) <= 2


def test_r28_readers_and_writers_of_a_portal_wait_in_one_queue(hubspot: Desk) -> None:
    """Each at 18 calls a second of the portal's 19 would be refused together; through one limiter they are not."""
    portal = hubspot.portal
    portal.add("companies", "1", {"name": "Acme"})
    portal.state.switches.limits = True
    hubspot.given |= {"calls_per_second": 18}
    reading, out = hubspot.connector(), hubspot.writer(write_auth={"access_token": portal.service_key()})
    try:
        for _ in range(150):
            list(reading.sweep("archived-owners", {}))
            out.read(["1"])
    finally:
        reading.close()
        out.close()
    assert (300, {200}) == (len(hubspot.asked()), {entry.status for entry in hubspot.asked()})


def test_r28_the_pace_adapts_to_a_second_client(hubspot: Desk) -> None:
    """Another client takes half of the searches: fewer than 5 % of ours are refused, nothing is lost, and it is visible."""
    portal = hubspot.portal
    portal.add("companies", "1", {"name": "First"})
    hubspot.given |= {"searches_per_second": 5}
    hubspot.keep()
    assert hubspot.kept is not None
    limits = hubspot.kept._session.limits
    hubspot.sync()
    portal.clock.advance(DAY)
    portal.fill("companies", 4_000, {"name": "C{n}"}, first_id=10, at=portal.clock.now())
    portal.clock.advance(MINUTE)
    portal.state.switches.limits = True
    portal.state.switches.stolen = 0.5
    portal.state.switches.search_page = 20
    before = hubspot.mark()
    run = hubspot.sync()
    statuses = [entry.status for entry in hubspot.asked("/search", before)]
    assert ("ok", 4_001) == (run.status, hubspot.count())
    assert 0 < statuses.count(429) < 0.05 * len(statuses)
    slowed = limits.usage()
    assert (True, statuses.count(429)) == (slowed.searches_per_second < 3, slowed.refused)
    portal.state.switches.stolen = 0.0
    portal.clock.advance(DAY)
    for number in range(4_000):
        portal.change("companies", str(number + 10), at=portal.clock.now() + number * 1_000, name="New")
    portal.clock.advance(MINUTE)
    portal.state.switches.search_page = 5
    hubspot.sync()
    assert limits.usage().searches_per_second > slowed.searches_per_second


def test_r28_a_burst_without_retry_after_is_backed_off_from(hubspot: Desk) -> None:
    """The recorded body has no policy and no Retry-After: own waits, longer each time, and the run is whole."""
    secondly = {"status": "error", "message": "You have reached your secondly limit.", "category": "RATE_LIMITS"}
    hubspot.fault(path="companies/search", status=429, body=secondly, times=3)
    hubspot.portal.add("companies", "1", {"name": "Acme"})
    hubspot.sync()
    slept = len(hubspot.clock.slept)
    assert "ok" == hubspot.sync().status
    assert slept
    assert max(hubspot.clock.slept) < 60


def test_r28_a_day_that_is_used_up_ends_at_the_portals_midnight(hubspot: Desk) -> None:
    """429 DAILY: deferred until midnight in the portal's zone, no request until then, and whole again after it."""
    portal = hubspot.portal
    portal.fill("companies", 300, {"name": "C{n}"})
    _oauth(hubspot)  # such tokens are not told how much of the day is left
    hubspot.keep()
    assert hubspot.kept is not None
    portal.state.switches.limits = True
    portal.state.switches.per_day = 4
    events = list(hubspot.kept.sync({}))
    told = [event for event in events if isinstance(event, StreamTrouble)]
    assert {"deferred"} == {event.kind for event in told}
    midnight = parse_instant("2026-03-03T05:00:00Z")  # US/Eastern
    assert {True} == {abs((event.retry_at or 0) - midnight) < 2 * SECOND for event in told}
    assert 1 == [entry.status for entry in hubspot.asked()].count(429)
    before = hubspot.mark()
    for _ in range(5):
        portal.clock.advance(5 * MINUTE)
        assert "deferred" == hubspot.sync().status
    assert [] == hubspot.asked(since=before)
    portal.state.switches.per_day = 1_000
    portal.clock.advance_to(midnight + SECOND)
    assert "ok" == hubspot.sync().status
    assert 300 == hubspot.count()


def test_r28_a_long_retry_after_defers_and_blocks_nobody(hubspot: Desk) -> None:
    """Retry-After: 20000 is not slept through in the call; the portal is left alone until then."""
    hubspot.keep()
    hubspot.fault(path="companies", status=429, body={"message": "later"}, headers={"Retry-After": "20000"})
    slept = sum(hubspot.clock.slept)
    run = hubspot.sync()
    assert "deferred" == run.status
    assert sum(hubspot.clock.slept) - slept < 60
    before = hubspot.mark()
    assert "deferred" == hubspot.sync().status
    assert [] == hubspot.asked(since=before)
    hubspot.portal.clock.advance(20_000 * SECOND)
    assert "ok" == hubspot.sync().status


def test_r28_a_fifth_of_the_day_is_ours_and_a_first_sync_leaves_a_reserve(hubspot: Desk) -> None:
    """The share by default; a first sync pauses before increments do; both say why, and neither is a success."""
    portal = hubspot.portal
    portal.fill("companies", 2_000, {"name": "C{n}"})
    portal.state.switches.limits = True
    portal.state.switches.per_day = 100
    hubspot.keep()
    run = hubspot.sync()
    assert "deferred" == run.status
    assert "its share (20%)" in run.troubles["accounts"]
    assert 20 <= len(hubspot.asked()) <= 21
    assert hubspot.kept is not None
    usage = hubspot.kept._session.limits.usage()
    assert (100, len(hubspot.asked())) == (usage.per_day, usage.used_today)


# ---------------------------------------------------------------- R29

_JSON = {"status": "error", "message": "no", "category": "X"}
_CELLS = [
    *(
        (status, body, "retry", 5)
        for status in (408, 429, 500, 502, 503, 504, 521, 524)
        for body in (_JSON, "<html>", "")
    ),
    *((status, body, "failed", 1) for status in (400, 403, 404, 409, 414, 415) for body in (_JSON, "<html>")),
    (423, _JSON, "retry", 5),
    (477, _JSON, "retry", 5),
]


@pytest.mark.parametrize("cell", _CELLS, ids=lambda cell: f"{cell[0]}-{type(cell[1]).__name__}")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_r29_only_what_passes_is_tried_again(hubspot: Desk, method: str, cell: tuple[int, Any, str, int]) -> None:
    """Status x method x body: how often it is tried, how it ends, and how long it waits: not at all, or up to the deadline."""
    status, body, kind, tries = cell
    reading = hubspot.connector()
    hubspot.fault(path="companies", status=status, body=body, times=0)
    objects = reading._objects
    ask = (
        partial(objects.page, "companies", ("name",), None) if method == "GET" else partial(objects.total, "companies")
    )
    with pytest.raises(VendorError) as caught:
        ask()
    reading.close()
    assert (kind, status, tries) == (caught.value.kind, caught.value.status, len(hubspot.asked()))
    waited = sum(hubspot.clock.slept)
    assert 0.1 < waited < 300 if tries > 1 else waited == 0


@pytest.mark.parametrize("how", [{"garbage": True}, {"truncate": 10}, {"reset": "before"}, {"reset": "after"}])
def test_r29_a_broken_answer_is_asked_for_again(hubspot: Desk, how: dict[str, Any]) -> None:
    """No JSON, half a body, a cut connection: once more, and the run is whole."""
    hubspot.portal.fill("companies", 3, {"name": "C{n}"})
    hubspot.fault(path="companies", **how)
    assert ("ok", 3) == (hubspot.sync().status, hubspot.count())


def test_r29_a_socket_that_never_answers_ends_by_the_timeout(hubspot: Desk) -> None:
    """The kit sets no timeout of its own; the setting is obeyed, and the other objects are left for the next run."""
    hubspot.fault(path="companies\\?", hang=True, times=0)
    run = hubspot.sync(timeout_seconds=0.5)
    assert "no answer from" in run.troubles["accounts"]
    assert 5 == len(hubspot.asked("companies?"))


# ---------------------------------------------------------------- R30


_EXPIRED = {"status": "error", "message": "The OAuth token used expired.", "category": "EXPIRED_AUTHENTICATION"}


def test_r30_a_token_that_ends_between_two_pages_is_renewed_once(hubspot: Desk) -> None:
    """One token request more, the same page once more, no row twice; the same in the middle of a write."""
    portal = hubspot.portal
    _oauth(hubspot)
    portal.fill("companies", 450, {"name": "C{n}"})
    hubspot.keep()
    hubspot.fault(path="companies\\?", nth=3, status=401, body=_EXPIRED)
    run = hubspot.sync()
    assert ("ok", 450 + 2, 450) == (run.status, run.saved.changed, hubspot.count())  # two owners
    assert 2 == len(hubspot.asked("/oauth/"))
    pages = [entry.path for entry in hubspot.asked("companies?") if "limit=100" in entry.path]
    assert (6, 5) == (len(pages), len(set(pages)))

    out = hubspot.writer()
    hubspot.fault(path="batch/update", status=401, body=_EXPIRED)
    assert ["written"] == [result.outcome for result in out.write([TierWrite("1", "tier_1", None)])]
    out.close()
    assert [401, 200] == [entry.status for entry in hubspot.asked("batch/update")]


def test_r30_a_token_that_stays_refused_ends_everything_at_once(hubspot: Desk) -> None:
    """Permanently 401: one try to renew, a clear failure of every stream, and no request in the next cycle."""
    hubspot.keep()
    hubspot.portal.state.tokens.clear()
    run = hubspot.sync()
    assert ("failed", True) == (run.status, all("401" in text for text in run.troubles.values()))
    assert 2 >= len(hubspot.asked())
    before = hubspot.mark()
    hubspot.portal.clock.advance(HOUR)
    assert "failed" == hubspot.sync().status
    assert [] == hubspot.asked(since=before)


def test_r30_nothing_is_stored_twice_after_a_renewal_in_a_search(hubspot: Desk) -> None:
    """The token ends between page 2 and 3 of an increment."""
    portal = hubspot.portal
    _oauth(hubspot)
    portal.add("companies", "1", {"name": "C"})
    hubspot.keep()
    hubspot.sync()
    portal.clock.advance(HOUR)
    portal.fill("companies", 700, {"name": "C{n}"}, first_id=10, at=NOW + 30 * MINUTE)
    hubspot.fault(path="companies/search", nth=3, status=401, body=_EXPIRED)
    assert ("ok", 700) == ((run := hubspot.sync()).status, run.saved.changed)
    assert 701 == len(hubspot.all(t.crm_accounts.c.id))
