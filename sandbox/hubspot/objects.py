"""Reading records one by one, by list and by batch."""

from __future__ import annotations

from itertools import islice

from sandbox.hubspot import errors
from sandbox.hubspot.associations import inline
from sandbox.hubspot.call import Answer, Call, text
from sandbox.hubspot.schema import ObjectType
from sandbox.hubspot.state import shown
from sandbox.hubspot.writes import find, not_got
from sandbox.versions import Row

_BATCH = 100


def list_records(call: Call) -> Answer:
    """GET of a page in id order, at most 100 records; `archived=true` gives the archived ones only."""
    kind = call.readable()
    archived = call.flag("archived")
    if archived and kind.name in call.state.switches.no_archive:
        raise errors.invalid(f"Archived objects are not supported for {kind.name}")
    limit = call.limit(10, 100)
    after = call.query.get("after", "0")
    if not after.isdigit():
        raise errors.invalid(f"Invalid after value: {after}")
    rows = call.state.store.table(kind.name).by_id(str(int(after) - 1))
    page = list(islice((r for r in rows if (r.deleted_at is not None) == archived), limit + 1))
    results = [_with_links(call, kind, row) for row in page[:limit]]
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
        return Answer(200, _with_links(call, kind, row))
    if kind.html_missing and call.state.switches.html_missing:
        raise errors.HtmlRefusal(404, call.path)
    raise errors.not_found()


def batch_read(call: Call) -> Answer:
    """At most 100 records by id or by a unique property; 207 names those that are not there."""
    kind = call.readable()
    body = call.object_body()
    asked = body.get("properties") or []
    if not isinstance(asked, list):
        raise errors.invalid("Invalid input JSON: 'properties' must be a list")
    results: list[dict[str, object]] = []
    missing: list[str] = []
    for item in call.inputs(_BATCH):
        wanted = text(item.get("id"))
        row = find(call.state, kind, wanted, body.get("idProperty"))
        if row is None:
            missing.append(wanted)
        else:
            results.append(shown(call.state, kind, row, tuple(map(str, asked))))
    return call.batch(200, results, [not_got(kind, missing)] if missing else [])


def _with_links(call: Call, kind: ObjectType, row: Row) -> dict[str, object]:
    body = shown(call.state, kind, row, call.words("properties"))
    links = inline(call, kind, row)
    return body | ({"associations": links} if links else {})
