"""HubSpot's webhooks as hints: is a call really from HubSpot, fresh, and about this portal.

https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from connectors.hints import Hints
from connectors.http import checked_address
from store.records import MINUTE, Instant

SIGNATURE, TIMESTAMP = "x-hubspot-signature-v3", "x-hubspot-request-timestamp"
LONGEST_AGE = 5 * MINUTE
_MOST_EVENTS = 1_000
"""HubSpot sends up to 100 in one call."""
# The characters that HubSpot decodes in the address before it signs; all others stay as they are.
_DECODED = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$",
    "%27": "'", "%28": "(", "%29": ")", "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip


class HubSpotHints(Hints):
    """Webhooks of an app in the portal: they need the ingest listener and a public address before it."""

    client_secret: SecretStr
    """The app's client secret, which signs its webhooks."""
    url: Annotated[str, AfterValidator(checked_address)]
    """The webhook's target URL exactly as HubSpot has it: it is part of what is signed."""


class NotHubSpot(Exception):
    """A call that cannot be proved to come from HubSpot. The message says why, and nothing of the secret."""


def proved(settings: HubSpotHints, body: bytes, headers: Mapping[str, str], now: Instant, *, query: str = "") -> str:
    """Verify the signature, version 3, of a POST; gives what tells a replay of it. Raises NotHubSpot.

    `query`: the raw query string as it came. `headers`: by lower-case name.
    """
    given, stamp = headers.get(SIGNATURE, ""), headers.get(TIMESTAMP, "")
    if not given or not stamp.isascii() or not stamp.isdigit() or len(stamp) > 16:
        raise NotHubSpot("there is no signature of version 3 with its timestamp")
    signed = f"POST{_as_signed(settings.url, query)}".encode() + body + stamp.encode()
    secret = settings.client_secret.get_secret_value().encode()
    wanted = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest())
    if not secret or not hmac.compare_digest(wanted, given.encode()):
        raise NotHubSpot("the signature is wrong: check `client_secret` and `url`, and that no proxy changes the body")
    if abs(now - int(stamp) * 1_000) > LONGEST_AGE:
        raise NotHubSpot("the timestamp is more than 5 minutes from now: a replay, or a clock that is wrong")
    return hashlib.sha256(given.encode()).hexdigest()


def _as_signed(url: str, query: str) -> str:
    uri = f"{url}?{query}" if query else url
    for code, char in _DECODED.items():
        uri = uri.replace(code, char).replace(code.lower(), char)
    return uri


def concerns(body: bytes, portal_id: int | None) -> int:
    """How many events of a proved call are about this portal; ValueError for what is no list of events."""
    events = json.loads(body)
    if not isinstance(events, list) or len(events) > _MOST_EVENTS:
        raise ValueError("not a list of events")
    portals = [event.get("portalId") for event in events if isinstance(event, dict)]
    return sum(portal_id is None or portal == portal_id for portal in portals)
