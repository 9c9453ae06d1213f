"""HubSpot's refusals as our one error class; which of them pass by themselves, and how long to wait, is said here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.http import CLASSES, LONGEST_WAIT, VendorError, retry_after
from store.records import SECOND, Instant

_TRY_AGAIN = 3_600.0
"""Seconds, where the portal's time zone is not known: the daily limit ends at its midnight."""
_MOST_DETAILS = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ScopesMissing(VendorError):
    """403: the token was not given what this object needs. `scopes`: what HubSpot names, or nothing."""

    def __init__(self, message: str, scopes: tuple[str, ...], *, status: int, code: str | None) -> None:
        super().__init__("failed", message, status=status, code=code)
        self.scopes = scopes


def refusal(
    status: int, body: str | None, headers: Mapping[str, str], now: Instant, zone: str | None = None
) -> VendorError:
    """An answer that is no success. `now`: for the wait until the portal's midnight in its time zone `zone`."""
    told = _parsed(body)
    message = str(told.get("message") or "an answer that is not JSON")
    category = told.get("category")
    text = f"HubSpot answered {status} {category or ''}: {message}".replace("  ", " ")
    wait = retry_after(_header(headers, "Retry-After"), _header(headers, "Date"))
    if status == 429 and "DAILY" in str(told.get("policyName", "")).upper() + message.upper():
        left = wait if wait is not None else until_midnight(now, zone)
        return VendorError("deferred", text, status=status, code=category, retry_after=left)
    kind = CLASSES.get(status, "failed")
    if kind == "retry":
        # Whoever is told to come back in hours does so: no thread waits that long, and no retry shortens it.
        kind = "deferred" if (wait or 0) > LONGEST_WAIT else kind
        return VendorError(kind, text, status=status, code=category, retry_after=wait)
    if status == 403:
        scopes = _scopes(told)
        needs = f" (needs {', '.join(scopes)})" if scopes else ""
        return ScopesMissing(text + needs, scopes, status=status, code=category)
    return VendorError(kind, text + _details(told), status=status, code=category)


def _details(told: Mapping[str, Any]) -> str:
    """What the single errors say, which name the property that the message does not."""
    errors = [error for error in told.get("errors") or () if isinstance(error, dict)]
    said = list(dict.fromkeys(str(error["message"]) for error in errors if error.get("message")))[:_MOST_DETAILS]
    return f" ({'; '.join(said)})" if said else ""


def until_midnight(now: Instant, zone: str | None) -> float:
    """Seconds until the next midnight in a time zone; an hour where the zone is not known."""
    try:
        place = ZoneInfo(zone) if zone else None
    except (ZoneInfoNotFoundError, ValueError):
        place = None
    if place is None:
        return _TRY_AGAIN
    local = (_EPOCH + timedelta(microseconds=now)).astimezone(place)
    midnight = datetime(local.year, local.month, local.day, tzinfo=place) + timedelta(days=1)
    return (midnight.astimezone(UTC) - _EPOCH).total_seconds() - now / SECOND


def _header(headers: Mapping[str, str], name: str) -> str | None:
    return next((value for key, value in headers.items() if key.casefold() == name.casefold()), None)


def _scopes(told: Mapping[str, Any]) -> tuple[str, ...]:
    found: list[str] = []
    for error in told.get("errors") or ():
        context = (error.get("context") if isinstance(error, dict) else None) or {}
        found += [str(scope) for names in context.values() if isinstance(names, list) for scope in names]
    return tuple(dict.fromkeys(found))


def _parsed(raw: str | None) -> dict[str, Any]:
    try:
        parsed = json.loads(raw or "{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
