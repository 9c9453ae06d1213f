"""The table from Slack's errors to what is done next, and the settings beside it."""

from __future__ import annotations

import http.client
import ssl
from urllib.error import URLError

import pytest
from pydantic import SecretStr, ValidationError
from slack_sdk.errors import SlackApiError

from alerts.outcomes import DEFAULT_RETRY_US, Kind, classify, stamp
from alerts.settings import AlertSettings, Channels, SlackSettings
from store.records import DAY, HOUR, SECOND


class Response:
    """What the kit hands over with an error."""

    def __init__(self, error: str, status: int = 200, **headers: str) -> None:
        self.status_code = status
        self.data = {"ok": False, "error": error}
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("ratelimited", Kind.RETRY),
        ("rate_limited", Kind.RETRY),
        ("service_unavailable", Kind.RETRY),
        ("fatal_error", Kind.UNCERTAIN),
        ("internal_error", Kind.UNCERTAIN),
        ("Received a response in a non-JSON format: <html>", Kind.UNCERTAIN),
        ("invalid_auth", Kind.PAUSED),
        ("account_inactive", Kind.PAUSED),
        ("missing_scope", Kind.PAUSED),
        ("channel_not_found", Kind.FALLBACK),
        ("restricted_action_read_only_channel", Kind.FALLBACK),
        ("invalid_blocks_format", Kind.PLAIN),
        ("msg_too_long", Kind.PLAIN),
        ("message_not_found", Kind.PARENT_GONE),
        ("something_new", Kind.DEAD),
    ],
)
def test_codes(error: str, kind: Kind) -> None:
    """Each error code has one consequence; an unknown one is never tried for ever."""
    assert kind is classify(SlackApiError("x", Response(error))).kind  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (URLError(ConnectionRefusedError()), Kind.RETRY),
        (URLError(ssl.SSLError()), Kind.RETRY),
        (URLError(ConnectionResetError()), Kind.UNCERTAIN),
        (ConnectionResetError(), Kind.UNCERTAIN),
        (http.client.RemoteDisconnected("gone"), Kind.UNCERTAIN),
        (http.client.IncompleteRead(b""), Kind.UNCERTAIN),
        (TimeoutError(), Kind.UNCERTAIN),
    ],
)
def test_transport(error: Exception, kind: Kind) -> None:
    """Only what certainly never left is simply tried again."""
    assert kind is classify(error).kind


def test_a_bug_is_not_an_outcome() -> None:
    """What is no answer of Slack's is raised."""
    with pytest.raises(KeyError):
        classify(KeyError("x"))


@pytest.mark.parametrize(
    ("header", "expected"),
    [("30", 30 * SECOND), ("1.5", 1_500_000), ("-3", DEFAULT_RETRY_US), ("soon", DEFAULT_RETRY_US), ("1e9", HOUR)],
)
def test_retry_after(header: str, expected: int) -> None:
    """A number in any form, capped at an hour; anything else is half a minute."""
    response = Response("ratelimited", 429, Retry_After=header)
    assert expected == classify(SlackApiError("x", response)).retry_after  # type: ignore[no-untyped-call]


def test_stamp_has_six_decimals() -> None:
    """Slack's text form of an instant."""
    assert "1772431200.000042" == stamp(1_772_431_200_000_042)


def test_settings_read_what_people_write() -> None:
    """Durations and shares in words."""
    made = AlertSettings.model_validate({"flap_window": "3d", "storm_share": "5%", "digest_at": "07:00"})
    assert (3 * DAY, 0.05) == (made.flap_window, made.storm_share)


@pytest.mark.parametrize(
    "wrong", [{"flap_window": "3 moons"}, {"storm_share": "500%"}, {"digest_at": "7 am"}, {"flapwindow": "3d"}]
)
def test_settings_refuse_nonsense(wrong: dict[str, str]) -> None:
    """Wrong units, shares above one, no time of day, unknown keys."""
    with pytest.raises(ValidationError):
        AlertSettings.model_validate(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "http://slack.example/api/"},
        {"timeout": "60s", "lease": "60s"},
        {"timeout": "30s", "verify_window": "30s"},
        {"channels": {"alerts": "#alerts", "operators": "C1"}},
    ],
)
def test_slack_settings_refuse_what_could_lose_or_double(wrong: dict[str, object]) -> None:
    """Plain http to elsewhere, a timeout longer than lease or window, and channel names."""
    good: dict[str, object] = {"bot_token": SecretStr("x"), "channels": {"alerts": "C1A", "operators": "C1B"}}
    SlackSettings.model_validate(good)
    with pytest.raises(ValidationError):
        SlackSettings.model_validate({**good, **wrong})


def test_tokens_print_as_stars() -> None:
    """No repr, dump or error shows a token."""
    made = SlackSettings(bot_token=SecretStr("xoxb-1"), channels=Channels(alerts="C1A", operators="C1B"))
    assert "xoxb-1" not in repr(made)
