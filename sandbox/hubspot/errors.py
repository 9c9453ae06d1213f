"""HubSpot's refusals: one exception that carries status and body, and a maker for each refusal we know."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

_SCOPES_PAGE = "https://developers.hubspot.com/scopes"
_HTML_404 = (
    "<html>\n<head>\n<meta http-equiv='Content-Type' content='text/html;charset=iso-8859-1'/>\n"
    "<title>Error 404 Not Found</title>\n</head>\n<body><h2>HTTP ERROR 404</h2>\n"
    "<p>Problem accessing {path}. Reason:\n<pre>    Not Found</pre></p>\n</body>\n</html>\n"
)


class Refusal(Exception):
    """The vendor's answer is this status with this body; the correlation id is filled in where it is sent."""

    def __init__(self, status: int, message: str, category: str, **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, object] = {"status": "error", "message": message, "category": category, **more}


class HtmlRefusal(Exception):
    """An answer that is an HTML page."""

    def __init__(self, status: int, path: str) -> None:
        super().__init__(path)
        self.status = status
        self.body = _HTML_404.format(path=path).replace("404 Not Found", f"{status}").replace("404", str(status))


def invalid(message: str, **more: object) -> Refusal:
    """400 with category VALIDATION_ERROR."""
    return Refusal(400, message, "VALIDATION_ERROR", **more)


def bad_request(detail: str) -> Refusal:
    """400 as the search API words it: a general message, the detail in `errors`."""
    return invalid("There was a problem with the request.", errors=[{"message": detail}])


def unauthenticated() -> Refusal:
    """401 for a missing or unknown token."""
    return Refusal(
        401,
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details "
        "at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        "INVALID_AUTHENTICATION",
    )


def expired() -> Refusal:
    """401 for a token whose time is over."""
    return Refusal(401, "The OAuth token used to make this call expired.", "EXPIRED_AUTHENTICATION")


def missing_scopes(scopes: Sequence[str]) -> Refusal:
    """403 for a token that lacks a scope."""
    return Refusal(
        403,
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: "
        f"{_SCOPES_PAGE}.",
        "MISSING_SCOPES",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": list(scopes)},
            }
        ],
        links={"scopes": _SCOPES_PAGE},
    )


def not_found(message: str = "resource not found", **context: list[str]) -> Refusal:
    """404 with category OBJECT_NOT_FOUND."""
    return Refusal(404, message, "OBJECT_NOT_FOUND", **({"context": context} if context else {}))


def property_errors(problems: Sequence[Mapping[str, object]]) -> Refusal:
    """400 for property values: the problems travel as JSON inside the message (recorded 2022)."""
    return invalid(f"Property values were not valid: {json.dumps(list(problems), separators=(',', ':'))}")


def required_missing(singular: str, names: Sequence[str]) -> Refusal:
    """400 for a record that lacks a property that its object type requires, in every version."""
    message = f"Error creating {singular.upper()}. Some required properties were not set."
    return invalid(message, errors=[{"message": message, "context": {"properties": list(names)}}])


def portal_rules_broken(missing: Sequence[str], conditional: Sequence[tuple[str, str]]) -> Refusal:
    """400 of a write on `2026-09` against the administrator's rules; `conditional`: (property, the one that asks for it).

    Bodies by https://developers.hubspot.com/changelog/crm-api-write-validation-enforcement.
    """
    problems: list[dict[str, object]] = [
        {
            "code": "MISSING_REQUIRED_PROPERTY",
            "message": f"A value for {name} must be provided",
            "context": {"propertyName": [name]},
        }
        for name in missing
    ]
    problems += [
        {
            "code": "MISSING_CONDITIONAL_REQUIRED_PROPERTY",
            "message": f"{name} is required because of a conditional property rule based on [{when}]",
            "context": {"propertyName": [name]},
        }
        for name, when in conditional
    ]
    return invalid("The property values provided are invalid", errors=problems)


def may_not_link() -> Refusal:
    """400 of a link written on `2026-09` for a user without the permission."""
    return invalid("Missing 'Edit Associations' permission.")


def too_many(most: int, what: str = "") -> Refusal:
    """400 for a batch that is too large; `what` is read after "in a batch"."""
    message = f"The maximum number of inputs supported in a batch{what} is {most}. Please reduce the number of items and try again"
    return invalid(message)


def locked(status: int, row_id: str) -> Refusal:
    """423 (held for at least two seconds) or 477 for a record that cannot be written now, but later."""
    if status == 477:
        return Refusal(477, "This account is being migrated. Please try again later.", "MIGRATION_IN_PROGRESS")
    return Refusal(423, f"Record {row_id} is locked by another request. Please try again.", "LOCKED")


def retryable(ids: Sequence[str]) -> dict[str, object]:
    """An entry of a 207's errors that says nothing about the records: asked again, they are there."""
    return item_error("INTERNAL_ERROR", "internal error", {"ids": list(ids)})


def already_exists(singular: str, existing: str) -> Refusal:
    """409 for a value that must be unique."""
    return Refusal(409, f"{singular.capitalize()} already exists. Existing ID: {existing}", "CONFLICT")


def secondly_limit() -> Refusal:
    """429 of the search bucket: no policy name (0 of 69 recorded ones had one, nor a Retry-After)."""
    return Refusal(429, "You have reached your secondly limit.", "RATE_LIMITS")


def policy_limit(policy: str) -> Refusal:
    """429 of the general bucket (`TEN_SECONDLY_ROLLING`) or of the day (`DAILY`)."""
    return Refusal(
        429,
        f"You have reached your {policy.lower()} limit.",
        "RATE_LIMITS",
        errorType="RATE_LIMIT",
        policyName=policy,
    )


def item_error(category: str, message: str, context: Mapping[str, list[str]], **more: object) -> dict[str, object]:
    """One entry of a 207's `errors`; it has no correlation id of its own."""
    return {"status": "error", "category": category, "message": message, "context": dict(context), **more}
