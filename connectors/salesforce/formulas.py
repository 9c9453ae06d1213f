"""Values that change without moving any stamp: results of formulas, and fields of the row that a reference leads to.

A formula's new result does not touch SystemModstamp, so no increment sees it
(docs.estuary.dev/reference/Connectors/capture-connectors/Salesforce/salesforce-native). Once a day they are read alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.http import VendorError
from connectors.mapping import FieldMapping, holds
from connectors.salesforce import troubles
from connectors.salesforce.composite import Answer, Ask
from connectors.salesforce.cursors import Cursor
from connectors.salesforce.pagecheck import whole
from connectors.salesforce.reach import Reach
from connectors.salesforce.rows import raw
from connectors.salesforce.schema import ObjectSchema
from connectors.salesforce.selects import select
from connectors.salesforce.session import QUERIES_PER_CALL, reason
from connectors.salesforce.streams import Stream
from connectors.salesforce.values import pick
from store.records import DAY, Batch, FieldValues, Instant, Record, Scalar, SyncEvent

NAME = "sweep:formulas"
EVERY = DAY
_TRIES = 3


@dataclass(slots=True)
class _Reading:
    """One object's formulas: where its pages stand."""

    stream: Stream
    fields: tuple[str, ...]
    customer: bool
    last: str = ""
    following: str = ""
    seen: int = 0
    tries: int = 0
    over: bool = False
    refusal: Any = field(default=None)


def sweep(reach: Reach, mapping: FieldMapping, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
    """The formulas of all mapped fields, nothing else: `SELECT Id, <formula fields>`."""
    try:
        yield from _events(reach, mapping, reach.state(cursors))
    except VendorError as error:
        yield troubles.trouble(NAME, error, reach.clock)


def _events(reach: Reach, mapping: FieldMapping, state: Mapping[str, Cursor]) -> Iterator[SyncEvent]:
    now = reach.composer.now()
    some = [stream for stream in reach.readable(state) if stream.mapped]
    seen = reach.described(some)
    waiting = [one for one in (_reading(s, seen[s.name], state, mapping) for s in some if s.name in seen) if one]
    refused = False
    while waiting:
        asked = waiting[:QUERIES_PER_CALL]
        answers = reach.composer.ask([_ask(reach, one) for one in asked], "backfill")
        for one, answer in zip(asked, answers, strict=True):
            records = _take(one, answer, mapping, now)
            if records:
                yield Batch(NAME, tuple(records), "{}")
            if one.refusal is not None:
                refused = True
                yield troubles.refused(NAME, f"the formulas of {one.stream.object}", one.refusal, reach.clock)
        waiting = [one for one in waiting if not one.over]
    if not refused:
        yield Batch(NAME, (), "{}", fresh_at=reach.composer.ours(now))


def _reading(
    stream: Stream, sobject: ObjectSchema, state: Mapping[str, Cursor], mapping: FieldMapping
) -> _Reading | None:
    hidden = state[stream.name].without
    moving = [n for n in stream.mapped if n not in hidden and unstamped(n, sobject)]
    if not moving:
        return None
    # Whether somebody is a customer may hang on a formula and on plain fields: then the plain ones are read along.
    customer = stream.name == "accounts" and any(name in moving for name in mapping.customer)
    more = [name for name in sorted(mapping.customer) if name not in hidden] if customer else []
    return _Reading(stream, tuple(dict.fromkeys((*moving, *more))), customer)


def unstamped(name: str, sobject: ObjectSchema) -> bool:
    """Can this field's value change without the row being stamped."""
    return "." in name or (name in sobject.fields and sobject.fields[name].calculated)


def _ask(reach: Reach, one: _Reading) -> Ask:
    if one.following:
        return reach.composer.page(one.following)
    behind = f"Id > '{one.last}'" if one.last else None
    soql = select(one.stream.object, ("Id", *one.fields), one.stream.where, behind, order="Id")
    return reach.composer.query(soql, one.stream.query if one.stream.kind == "activities" else "query")


def _take(one: _Reading, answer: Answer, mapping: FieldMapping, now: Instant) -> Sequence[Record]:
    rows = whole(one.stream.object, answer.body, one.seen) if answer.status == 200 else None
    if rows is None:
        one.tries += 1
        one.following, one.seen = "", 0
        expired = answer.status == 200 or reason(answer.body)[0] == "INVALID_QUERY_LOCATOR"
        if not expired or one.tries >= _TRIES:
            one.over = True
            one.refusal = answer.body if answer.status != 200 else [{"errorCode": "PAGES", "message": "rows lacking"}]
        return ()
    one.seen += len(rows)
    one.following = answer.body.get("nextRecordsUrl") or ""
    one.last = max([one.last, *(str(row["Id"]) for row in rows)])
    one.over = bool(answer.body["done"])
    return [_values(one, row, mapping, now) for row in rows]


def _values(one: _Reading, row: Mapping[str, Any], mapping: FieldMapping, now: Instant) -> FieldValues:
    fields = raw(dict(row), one.fields)
    attributes: dict[str, Scalar] = {}
    if one.customer:
        attributes["customer"] = holds(mapping.customer, fields)
    if one.stream.path and one.stream.path in one.fields:
        attributes["account_id"] = pick(dict(row), one.stream.path)
    return FieldValues(one.stream.kind or "", str(row["Id"]), fields, now, attributes)
