"""Whether a request comes with a session that is alive."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from sandbox.salesforce.errors import Refused, bulk_expired, expired, unfit
from sandbox.salesforce.state import State


def check(state: State, headers: Mapping[str, str], path: str) -> None:
    """INVALID_SESSION_ID for a token that is unknown or over; use in its second half renews a session."""
    elsewhere = state.switches.instance_url
    if elsewhere and urlsplit(elsewhere).netloc != headers.get("host", ""):
        # A session belongs to its instance; the login host knows nothing of it.
        raise expired()
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme and scheme.lower() not in ("bearer", "oauth"):
        raise Refused(401, "INVALID_AUTH_HEADER", "INVALID_AUTH_HEADER")
    session = state.sessions.get(value.strip())
    if session is not None and state.switches.session_unfit:
        raise unfit()
    if session is not None and session.ends_at is None:
        return
    if session is None or session.ends_at is None or session.ends_at <= state.now or session.calls_left == 0:
        state.sessions.pop(value.strip(), None)
        bulk = "/jobs/" in path and state.switches.bulk_expiry == 400
        raise bulk_expired() if bulk else expired()
    if session.calls_left is not None:
        session.calls_left -= 1
    if session.ends_at - state.now <= state.settings.session_life // 2:
        session.ends_at = state.now + state.settings.session_life
