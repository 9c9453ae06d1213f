"""Salesforce's refusals: an HTTP status and the body `[{"errorCode", "message", "fields"?}]` of error_samples' shapes."""

from __future__ import annotations


class Refused(Exception):
    """The vendor says no; `status` is the HTTP status, `code` the vendor's errorCode."""

    def __init__(self, status: int, code: str, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self.more: tuple[Refused, ...] = ()
        """Further errors of the same row."""

    def body(self) -> list[dict[str, object]]:
        """The array that REST answers carry."""
        item: dict[str, object] = {"message": self.message, "errorCode": self.code}
        if self.fields:
            item["fields"] = list(self.fields)
        return [item, *(further for refused in self.more for further in refused.body())]

    def row(self) -> dict[str, object]:
        """The result of one row of a collection; a failed row has no `id` key."""
        errors = [
            {"statusCode": each.code, "message": each.message, "fields": list(each.fields)}
            for each in (self, *self.more)
        ]
        return {"success": False, "errors": errors}


def not_found(message: str = "The requested resource does not exist") -> Refused:
    """404 for a path, an object, a version or a row that is not there."""
    return Refused(404, "NOT_FOUND", message)


def expired() -> Refused:
    """401 for a token that is unknown, revoked or too old."""
    return Refused(401, "INVALID_SESSION_ID", "Session expired or invalid")


def unfit() -> Refused:
    """401 for a session that lives and is none for this API: a new one of the same kind is refused as well."""
    return Refused(401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API")


def bulk_expired() -> Refused:
    """The same as Bulk v1 says it: HTTP 400 (R30); its exceptionCode is given in the array form that REST answers have."""
    return Refused(400, "InvalidSessionId", "Invalid session id")


def over_limit() -> Refused:
    """403 once the 24-hour allowance is used up."""
    return Refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def too_many_at_once(kind: str) -> Refused:
    """403 while too many requests that run longer than 20 s are under way: seconds, not a day, have to pass."""
    return Refused(403, "REQUEST_LIMIT_EXCEEDED", f"{kind} Limit exceeded.")


def deleted() -> Refused:
    """A write to a row that lies in the recycle bin or lost a merge."""
    return Refused(404, "ENTITY_IS_DELETED", "entity is deleted")


def no_such_row() -> Refused:
    """A write to a well-formed id that never was (a GET of it is NOT_FOUND)."""
    return Refused(404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")


def unknown_column(name: str, object_name: str) -> Refused:
    """A field of a body or of ?fields= that the object does not have."""
    return Refused(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {object_name}")
