"""HubSpot's rate buckets on the scenario clock."""

from __future__ import annotations

import pytest

from sandbox.clock import HOUR, SECOND, parse_instant
from sandbox.hubspot.limits import Ask
from sandbox.hubspot.state import Token
from tests.sandbox.hubspot_portal import DATED, Portal


@pytest.fixture
def busy(portal: Portal) -> Portal:
    """A portal that enforces its limits."""
    portal.state.switches.limits = True
    return portal


def _statuses(portal: Portal, times: int, search: bool) -> list[int]:
    if search:
        return [portal.search("companies").status_code for _ in range(times)]
    return [portal.call("GET", f"{DATED}/companies").status_code for _ in range(times)]


def test_search_takes_five_a_second(busy: Portal) -> None:
    """The sixth search of a second is refused without Retry-After or rate headers of its bucket."""
    assert _statuses(busy, 5, search=True) == [200] * 5
    refused = busy.search("companies")
    assert (refused.status_code, refused.json()["message"]) == (429, "You have reached your secondly limit.")
    assert refused.json()["category"] == "RATE_LIMITS"
    assert "policyName" not in refused.json()
    assert {"Retry-After", "X-HubSpot-RateLimit-Max", "X-HubSpot-RateLimit-Interval-Milliseconds"}.isdisjoint(
        refused.headers
    )
    busy.clock.advance(SECOND)
    assert busy.search("companies").status_code == 200


def test_other_calls_take_190_in_ten_seconds(busy: Portal) -> None:
    """The headers count down; the 191st is refused with its policy's name; the window rolls."""
    first = busy.call("GET", f"{DATED}/companies")
    assert first.headers["X-HubSpot-RateLimit-Max"] == "190"
    assert first.headers["X-HubSpot-RateLimit-Remaining"] == "189"
    assert first.headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert first.headers["X-HubSpot-RateLimit-Daily-Remaining"] == "999999"
    assert _statuses(busy, 189, search=False) == [200] * 189
    refused = busy.call("GET", f"{DATED}/companies")
    assert (refused.status_code, refused.json()["policyName"]) == (429, "TEN_SECONDLY_ROLLING")
    assert busy.search("companies").status_code == 200
    busy.clock.advance(10 * SECOND - 1)
    assert _statuses(busy, 1, search=False) == [429]
    busy.clock.advance(1)
    assert _statuses(busy, 1, search=False) == [200]


def test_day_ends_at_the_portals_midnight(busy: Portal) -> None:
    """The daily quota is shared by all calls and starts anew at midnight in the portal's time zone."""
    busy.state.switches.per_day = 3
    assert _statuses(busy, 2, search=False) + _statuses(busy, 1, search=True) == [200] * 3
    refused = busy.search("companies")
    assert (refused.status_code, refused.json()["policyName"]) == (429, "DAILY")
    usage = busy.state.buckets.day_used
    assert usage == 3
    midnight = parse_instant("2026-03-03T05:00:00Z")  # New York is five hours behind.
    busy.clock.advance_to(midnight - 1)
    assert _statuses(busy, 1, search=False) == [429]
    busy.clock.advance_to(midnight)
    assert _statuses(busy, 1, search=False) == [200]


def test_limits_can_be_switched_off(portal: Portal) -> None:
    """Without limits nothing is refused, but everything is counted."""
    assert _statuses(portal, 30, search=True) == [200] * 30
    usage = portal.call("GET", "/account-info/2026-09/api-usage/daily/private-apps").json()["results"][0]
    assert (usage["currentUsage"], usage["usageLimit"]) == (31, 1_000_000)
    portal.clock.advance(24 * HOUR)
    usage = portal.call("GET", "/account-info/2026-09/api-usage/daily/private-apps").json()["results"][0]
    assert usage["currentUsage"] == 1


def test_oauth_app_has_110_of_its_own(busy: Portal) -> None:
    """An OAuth app's bucket is smaller, apart from the private apps' one, and without daily headers."""
    busy.state.tokens["oauth"] = Token(oauth=True)
    answers = [busy.call("GET", f"{DATED}/companies", token="oauth") for _ in range(111)]
    assert [a.status_code for a in answers] == [200] * 110 + [429]
    assert (answers[0].headers["X-HubSpot-RateLimit-Max"], answers[0].headers["X-HubSpot-RateLimit-Remaining"]) == (
        "110",
        "109",
    )
    assert "X-HubSpot-RateLimit-Daily" not in answers[0].headers
    assert _statuses(busy, 1, search=False) == [200]


def test_second_client_takes_half(busy: Portal) -> None:
    """What somebody else uses is missing from both buckets, and the header says so from the first answer on."""
    busy.state.switches.stolen = 0.5
    first = busy.call("GET", f"{DATED}/companies")
    assert first.headers["X-HubSpot-RateLimit-Remaining"] == "94"
    assert first.headers["X-HubSpot-RateLimit-Secondly-Remaining"] == "9"
    assert _statuses(busy, 95, search=False) == [200] * 94 + [429]
    assert _statuses(busy, 4, search=True) == [200] * 3 + [429]


@pytest.mark.parametrize("seconds", [1, 20_000])
def test_retry_after_is_optional(busy: Portal, seconds: int) -> None:
    """By switch a 429 says when to come again, however far off that is."""
    busy.state.switches.searches_per_second = 0
    assert "Retry-After" not in busy.search("companies").headers
    busy.state.switches.retry_after = seconds
    assert busy.search("companies").headers["Retry-After"] == str(seconds)


def test_daily_refusal_names_its_policy(busy: Portal) -> None:
    """The day's 429 can be told from a burst's by its policy, its message and the headers."""
    busy.state.buckets.headers(busy.state.now, Ask(search=False, oauth=False))
    busy.state.buckets.use_day(1_000_000)
    refused = busy.call("GET", f"{DATED}/companies")
    body = refused.json()
    assert (refused.status_code, body["policyName"], body["message"]) == (
        429,
        "DAILY",
        "You have reached your daily limit.",
    )
    assert refused.headers["X-HubSpot-RateLimit-Daily-Remaining"] == "0"


def test_free_portals_take_100(busy: Portal) -> None:
    """The ten-second bucket is a setting."""
    busy.state.switches.per_ten_seconds = 100
    assert _statuses(busy, 101, search=False) == [200] * 100 + [429]
