"""Conditional requests for single rows: 304 and 412 by entity tag and by date (REST guide, conditional request headers)."""

from __future__ import annotations

import base64
import hashlib

from sandbox.clock import SECOND
from sandbox.salesforce.calls import Call, Reply
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.wire import http_date, parse_http_date
from sandbox.versions import Row

_TAGGED = ("Account",)
"""Objects whose rows have an entity tag; the others have their date alone (so the guide, and so it was recorded)."""


def marks(sobject: SObject, row: Row) -> dict[str, str]:
    """The headers of a row that a later request may refer to."""
    tag = {"ETag": _tag(row)} if sobject.name in _TAGGED else {}
    return {**tag, "Last-Modified": http_date(row.modified_at)}


def unless_met(call: Call, sobject: SObject, row: Row) -> Reply | None:
    """The answer in place of the row when the conditions of the request say so; None: go on.

    Sources name no body of a 412; it has none here.
    """
    if _fails(call, sobject, row):
        return Reply(412)
    if call.method == "GET" and _unchanged(call, sobject, row):
        return Reply(304, None, marks(sobject, row))
    return None


def _fails(call: Call, sobject: SObject, row: Row) -> bool:
    wanted, until = call.headers.get("if-match"), parse_http_date(call.headers.get("if-unmodified-since", ""))
    if wanted is not None and sobject.name in _TAGGED and not _names(wanted, row):
        return True
    return until is not None and _second(row) > until


def _unchanged(call: Call, sobject: SObject, row: Row) -> bool:
    known, since = call.headers.get("if-none-match"), parse_http_date(call.headers.get("if-modified-since", ""))
    if known is not None and sobject.name in _TAGGED:
        # Where there is a tag, the date does not count (RFC 9110, 13.2.2).
        return _names(known, row)
    return since is not None and _second(row) <= since


def _names(header: str, row: Row) -> bool:
    return header.strip() == "*" or _tag(row) in {tag.strip() for tag in header.split(",")}


def _second(row: Row) -> int:
    return row.modified_at - row.modified_at % SECOND


def _tag(row: Row) -> str:
    digest = hashlib.sha256(repr((row.id, row.modified_at)).encode()).digest()
    return f'"{base64.b64encode(digest).decode()}"'
