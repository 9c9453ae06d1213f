"""What became of a call to Slack: one table from error to consequence."""

from __future__ import annotations

import http.client
import math
import socket
import ssl
from dataclasses import dataclass
from enum import StrEnum
from urllib.error import URLError

from slack_sdk.errors import SlackApiError, SlackClientError

from store.records import MINUTE, SECOND, Instant

DEFAULT_RETRY_US = 30 * SECOND
_MAX_RETRY_US = 60 * MINUTE


class Kind(StrEnum):
    """What to do next."""

    SENT = "sent"
    RETRY = "retry"
    """Certainly not accepted: try again after `retry_after`."""
    UNCERTAIN = "uncertain"
    """May have been accepted: look before sending again."""
    PAUSED = "paused"
    """The workspace refuses us: nothing is sent until it lets us in again; rows are kept."""
    FALLBACK = "fallback"
    """This destination is broken: send elsewhere and tell the operators."""
    PLAIN = "plain"
    """Slack refuses the content: send the plain text once."""
    PARENT_GONE = "parent_gone"
    """The message to edit or to reply to is gone: post a new one."""
    DEAD = "dead"
    """Unknown refusal: never tried again, operators are told."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The consequence of one call. `channel` and `ts` are Slack's ids where it was sent."""

    kind: Kind
    error: str = ""
    retry_after: int = 0
    """Microseconds."""
    channel: str | None = None
    ts: str | None = None


# https://docs.slack.dev/reference/methods/chat.postMessage#errors and the pages of the other methods.
_BY_CODE: dict[str, Kind] = {
    **dict.fromkeys(("ratelimited", "rate_limited", "message_limit_exceeded"), Kind.RETRY),
    **dict.fromkeys(("service_unavailable", "request_timeout", "team_added_to_org", "org_login_required"), Kind.RETRY),
    # "possible some aspect of the operation succeeded", says Slack of these two.
    **dict.fromkeys(("fatal_error", "internal_error"), Kind.UNCERTAIN),
    **dict.fromkeys(
        ("channel_not_found", "is_archived", "not_in_channel", "channel_type_not_supported"), Kind.FALLBACK
    ),
    **dict.fromkeys(("messages_tab_disabled", "user_disabled", "user_not_found", "users_not_found"), Kind.FALLBACK),
    **dict.fromkeys(("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"), Kind.PAUSED),
    **dict.fromkeys(("missing_scope", "no_permission", "not_allowed_token_type", "ekm_access_denied"), Kind.PAUSED),
    **dict.fromkeys(("access_denied", "two_factor_setup_required", "team_access_not_granted"), Kind.PAUSED),
    **dict.fromkeys(("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"), Kind.PLAIN),
    **dict.fromkeys(("metadata_too_large", "invalid_metadata_format", "invalid_metadata_schema"), Kind.PLAIN),
    **dict.fromkeys(("no_text", "too_many_attachments", "markdown_text_conflict"), Kind.PLAIN),
    **dict.fromkeys(("message_not_found", "thread_not_found", "is_inactive"), Kind.PARENT_GONE),
    **dict.fromkeys(("cant_update_message", "edit_window_closed"), Kind.PARENT_GONE),
}
_BY_PREFIX = (("restricted_action", Kind.FALLBACK), ("invalid_blocks", Kind.PLAIN), ("invalid_metadata", Kind.PLAIN))


def classify(error: Exception) -> Outcome:
    """The outcome of a call that raised. Anything that may have reached Slack is uncertain."""
    if isinstance(error, SlackApiError):
        return _refused(error)
    if isinstance(error, SlackClientError):
        return Outcome(Kind.DEAD, f"{type(error).__name__}: {error}")
    if isinstance(error, URLError) and _never_sent(error.reason):
        return Outcome(Kind.RETRY, f"not reachable: {error.reason}", DEFAULT_RETRY_US)
    if isinstance(error, OSError | http.client.HTTPException | ValueError):
        return Outcome(Kind.UNCERTAIN, f"{type(error).__name__}: {error}")
    raise error


TRANSPORT_ERRORS = (SlackClientError, OSError, http.client.HTTPException, ValueError)
"""What a call through the vendor's kit raises when the answer is no, or none, or unreadable."""


def _refused(error: SlackApiError) -> Outcome:
    response = error.response
    status = getattr(response, "status_code", 200)
    data = getattr(response, "data", response)
    code = str(data.get("error") or "") if isinstance(data, dict) else ""
    if status == 429 or _BY_CODE.get(code) is Kind.RETRY:
        return Outcome(Kind.RETRY, code or "429", _retry_after(getattr(response, "headers", {})))
    if status >= 500 or not code or " " in code:
        # The kit puts a sentence where the code should be when the body is not JSON; it may follow acceptance.
        return Outcome(Kind.UNCERTAIN, f"status {status}: {code[:200]}")
    kind = _BY_CODE.get(code) or next((kind for prefix, kind in _BY_PREFIX if code.startswith(prefix)), Kind.DEAD)
    needed = f" (needs {data.get('needed')})" if isinstance(data, dict) and data.get("needed") else ""
    return Outcome(kind, code + needed)


def _retry_after(headers: object) -> int:
    """Microseconds; the header may be whole seconds, a fraction, an HTTP date or missing."""
    values = {str(k).lower(): v for k, v in headers.items()} if isinstance(headers, dict) else {}
    given = values.get("retry-after")
    try:
        seconds = float(str(given[0] if isinstance(given, list) and given else given))
    except ValueError:
        return DEFAULT_RETRY_US
    if not math.isfinite(seconds) or seconds <= 0:
        return DEFAULT_RETRY_US
    return min(int(seconds * SECOND), _MAX_RETRY_US)


def _never_sent(reason: object) -> bool:
    """Did it fail before a byte of the request was written? The kit also wraps resets while writing."""
    return isinstance(reason, ConnectionRefusedError | socket.gaierror | ssl.SSLError)


def stamp(at: Instant) -> str:
    """Slack's text form of an instant: seconds with six decimals."""
    return f"{at // SECOND}.{at % SECOND:06d}"
