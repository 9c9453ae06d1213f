"""Reading records one by one, by list and by batch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from sandbox.hubspot import errors
from sandbox.hubspot.associations import inline, inline_kinds
from sandbox.hubspot.call import Answer, Call, text
from sandbox.hubspot.objecttypes import ObjectType
from sandbox.hubspot.state import shown
from sandbox.hubspot.writes import find, not_got
from sandbox.versions import Row

_BATCH = 100
_HISTORY_BATCH = 50
"""Records per answer that carries histories (a live 400 names the number for batches)."""


def list_records(call: Call) -> Answer:
    """GET of a page in id order, at most 100 records; `archived=true` gives the archived ones only."""
    kind = call.readable()
    archived = call.flag("archived")
    if archived and kind.name in call.state.switches.no_archive:
        raise errors.invalid(f"Archived objects are not supported for {kind.name}")
    limit = call.limit(10, _HISTORY_BATCH if call.words("propertiesWithHistory") else 100)
    after = call.query.get("after", "0")
    if not after.isdigit():
        raise errors.invalid(f"Invalid after value: {after}")
    page = list(islice(_listed(call, kind, archived, str(int(after) - 1)), limit + 1))
    results = _with_links(call, kind, page[:limit])
    body: dict[str, object] = {"results": results}
    if len(page) > limit:
        # The cursor is opaque, and the link is on another path: https://developers.hubspot.com/docs (recorded Apr 2026).
        following = str(int(page[limit - 1].id) + 1)
        link = f"https://api.hubapi.com/crm/objects/v3/{kind.name}?offset_param=after&limit={limit}&after={following}"
        body["paging"] = {"next": {"after": following, "link": link}}
    return Answer(200, body)


def get_record(call: Call) -> Answer:
    """GET of one record; the id of a merged one gives the survivor, with the survivor's id."""
    kind = call.readable()
    row_id = call.params["record_id"]
    if call.flag("archived"):
        row = call.state.store.get(kind.name, row_id)
        row = row if row is not None and row.deleted_at is not None else None
    else:
        row = find(call.state, kind, row_id, call.query.get("idProperty"))
    if row is not None:
        return Answer(200, _with_links(call, kind, [row])[0])
    if kind.html_missing and call.state.switches.html_missing:
        raise errors.HtmlRefusal(404, call.path)
    raise errors.not_found()


def batch_read(call: Call) -> Answer:
    """At most 100 records (50 with histories) by id or by a unique property, or archived ones by id; 207 names those
    that are not there. The ids of merged records give their survivor, once.
    """
    kind = call.readable()
    body = call.object_body()
    asked, histories = (_names(body, key) for key in ("properties", "propertiesWithHistory"))
    inputs = call.inputs(_BATCH)
    if histories and len(inputs) > _HISTORY_BATCH:
        raise errors.too_many(_HISTORY_BATCH, " request for property histories")
    rows: dict[str, Row] = {}
    missing: list[str] = []
    failed: list[dict[str, object]] = []
    for item in inputs:
        wanted = text(item.get("id"))
        if call.state.stumbles(wanted):
            failed.append(errors.retryable([wanted]))
            continue
        row = _wanted(call, kind, wanted, body.get("idProperty"))
        if row is None:
            missing.append(wanted)
        else:
            rows[row.id] = row
    if missing:
        failed.append(not_got(kind, missing))
    return call.batch(200, [shown(call.state, kind, row, asked, histories) for row in rows.values()], failed)


def _wanted(call: Call, kind: ObjectType, wanted: str, id_property: object) -> Row | None:
    if not call.flag("archived"):
        return find(call.state, kind, wanted, id_property)
    row = call.state.store.get(kind.name, wanted)
    return row if row is not None and row.deleted_at is not None else None


def _names(body: dict[str, object], key: str) -> tuple[str, ...]:
    asked = body.get(key) or []
    if not isinstance(asked, list):
        raise errors.invalid(f"Invalid input JSON: '{key}' must be a list")
    return tuple(map(str, asked))


def _listed(call: Call, kind: ObjectType, archived: bool, after: str) -> Iterator[Row]:
    rows = call.state.store.table(kind.name).by_id(after, deleted=archived)
    if archived and not call.state.switches.merged_in_archive:
        return (row for row in rows if row.merged_into is None)
    return rows


def _with_links(call: Call, kind: ObjectType, rows: list[Row]) -> list[dict[str, object]]:
    asked, histories, to_kinds = call.words("properties"), call.words("propertiesWithHistory"), inline_kinds(call)
    bodies: list[dict[str, object]] = []
    for row in rows:
        body = shown(call.state, kind, row, asked, histories)
        links = inline(call.state, kind, row, to_kinds)
        bodies.append(body | ({"associations": links} if links else {}))
    return bodies
