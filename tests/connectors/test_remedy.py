"""What a person is told to do about a vendor's refusal fits the kind of refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from connectors.http import VendorError, remedy
from connectors.hubspot.refusals import refusal as hubspot_refusal
from connectors.salesforce.session import refusal as salesforce_refusal


def _hubspot(status: int, message: str, **body: Any) -> VendorError:
    text = json.dumps({"status": "error", "message": message, **body})
    return hubspot_refusal(status, text, {}, now=0)


def _salesforce(status: int, body: str) -> VendorError:
    answer = requests.Response()
    answer.status_code = status
    answer._content = body.encode()
    return salesforce_refusal(answer)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (_hubspot(429, "You have reached your ten_secondly_roll limit."), "too many calls in a short time"),
        (_hubspot(429, "You have reached your daily limit.", policyName="DAILY"), "quota is used up"),
        (_salesforce(403, '[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests"}]'), "quota is used up"),
        (_hubspot(401, "Authentication credentials not found."), "the token"),
        (
            _salesforce(400, '{"error": "invalid_client", "error_description": "invalid client credentials"}'),
            "the token",
        ),
        (_salesforce(401, '[{"errorCode": "INVALID_SESSION_ID", "message": "Session expired"}]'), "the token"),
        (_hubspot(403, "This app hasn't been granted all required scopes"), "grant what `needs` lists"),
        (_salesforce(404, '[{"errorCode": "NOT_FOUND", "message": "gone"}]'), "base_url and the API version"),
        (_hubspot(502, "bad gateway"), "trouble of its own"),
        (VendorError("retry", "no answer from acme.example (ConnectionError)"), "firewall and proxy"),
        (VendorError("failed", "these credentials belong to org A, but org_id pins B"), "mend what the message names"),
    ],
)
def test_remedy_fits_the_refusal(error: VendorError, told: str) -> None:
    """A limit asks for patience, a refusal for credentials or permissions, silence for the network."""
    assert told in remedy(error, "the token")
