"""Links between records: inline in lists, one record's, and by batch."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.hubspot import errors
from sandbox.hubspot.call import Answer, Call, text
from sandbox.hubspot.checks import enforces
from sandbox.hubspot.linktypes import PRIMARY, LinkType
from sandbox.hubspot.objecttypes import ObjectType
from sandbox.hubspot.state import VENDOR, HubSpotState
from sandbox.versions import Change, Row

Kinds = tuple[ObjectType, ObjectType]
"""The types of a link's two ends."""

_BATCH_READ = 1000
_BATCH_WRITE = 2000


def list_links(call: Call) -> Answer:
    """GET of one record's links to one type, at most 500 at a time."""
    kind, to_kind = call.readable(), call.readable("to_type")
    row = call.state.live(kind.name, call.params["record_id"])
    if row is None:
        raise errors.not_found()
    limit = min(call.limit(500, 500), call.state.switches.association_page)
    targets, following = _page(call.state, (kind, to_kind), row.id, call.query.get("after"), limit)
    body: dict[str, object] = {"results": targets}
    if following is not None:
        body["paging"] = {"next": {"after": following, "link": f"{call.path}?after={following}"}}
    return Answer(200, body)


def batch_read_links(call: Call) -> Answer:
    """Links of at most 1,000 records; paging is per record. One without any is an error of a 207 (by switch: left out)."""
    kind, to_kind = call.readable("from_type"), call.readable("to_type")
    results: list[dict[str, object]] = []
    failed: list[dict[str, object]] = []
    limit = call.state.switches.association_page
    for item in call.inputs(_BATCH_READ):
        row_id, after = text(item.get("id")), item.get("after")
        if call.state.stumbles(row_id):
            failed.append(errors.retryable([row_id]))
            continue
        row = call.state.live(kind.name, row_id)
        targets, following = _page(call.state, (kind, to_kind), row_id, after, limit) if row else ([], None)
        if not targets:
            if row is None or call.state.switches.no_associations == "error":
                failed.append(_no_links(kind, row_id, to_kind))
            continue
        result: dict[str, object] = {"from": {"id": row_id}, "to": targets}
        if following is not None:
            result["paging"] = {"next": {"after": following, "link": f"{call.path}?after={following}"}}
        results.append(result)
    return call.batch(200, results, failed)


def batch_create_links(call: Call) -> Answer:
    """Link pairs; an id that does not exist is an error of a 207."""
    kind, to_kind = _both_writable(call)
    results: list[dict[str, object]] = []
    failed: list[dict[str, object]] = []
    for item in call.inputs(_BATCH_WRITE):
        from_id, to_id = (_end(item, name) for name in ("from", "to"))
        wrong = [f"{k.singular.upper()}={i}" for k, i in ((kind, from_id), (to_kind, to_id)) if not _there(call, k, i)]
        if wrong:
            failed.append({"status": "error", "category": "VALIDATION_ERROR", "message": f"{wrong[0]} is not valid"})
            continue
        labels = [_label(call.state, (kind, to_kind), spec) for spec in _list(item.get("types"))] or [None]
        for label in labels:
            _link(call.state, "associate", (kind, to_kind), (from_id, to_id), label)
        results.append(
            {
                "fromObjectTypeId": kind.type_id,
                "fromObjectId": _shown_id(call.state, from_id),
                "toObjectTypeId": to_kind.type_id,
                "toObjectId": _shown_id(call.state, to_id),
                "labels": [label for label in labels if label],
            }
        )
    return call.batch(201, results, failed)


def batch_archive_links(call: Call) -> Answer:
    """Unlink: each input has one `from` and a list of `to`. 204 whatever the ids."""
    kind, to_kind = _both_writable(call)
    for item in call.inputs(_BATCH_WRITE):
        from_id = _end(item, "from")
        for target in _list(item.get("to")):
            _link(call.state, "dissociate", (kind, to_kind), (from_id, text(target.get("id"))))
    return Answer(204)


def put_default_link(call: Call) -> Answer:
    """PUT of a link without a label."""
    _may_link(call)
    kind, to_kind = call.writable(), call.kind("to_type")
    call.require(to_kind.write_scope)
    from_id, to_id = call.params["record_id"], call.params["to_id"]
    if not (_there(call, kind, from_id) and _there(call, to_kind, to_id)):
        raise errors.not_found()
    _link(call.state, "associate", (kind, to_kind), (from_id, to_id))
    plain = next((t for t in call.state.schema.links.of_link(kind.name, to_kind.name, ()) if t.label is None), None)
    if plain is None:
        raise errors.invalid(f"{kind.singular} and {to_kind.singular} cannot be associated")
    spec = {"associationCategory": plain.category, "associationTypeId": plain.type_id}
    result: dict[str, object] = {"from": {"id": from_id}, "to": {"id": to_id}, "associationSpec": spec}
    return call.batch(200, [result], [])


def list_labels(call: Call) -> Answer:
    """The association types that a pair of object types has."""
    kind, to_kind = call.readable("from_type"), call.readable("to_type")
    return Answer(200, {"results": [_type_shown(t) for t in call.state.schema.links.between(kind.name, to_kind.name)]})


def create_label(call: Call) -> Answer:
    """POST of a label for a pair of object types; it has a type id in each direction."""
    kind, to_kind = _both_writable(call)
    body = call.object_body()
    if not body.get("label") or not body.get("name"):
        raise errors.invalid("Invalid input JSON: 'label' and 'name' are required")
    label = str(body["label"])
    if any(t.label == label for t in call.state.schema.links.between(kind.name, to_kind.name)):
        raise errors.invalid(f"An association label named {label} already exists")
    there, back = call.state.schema.links.add(kind.name, to_kind.name, label)
    shown = [{"category": "USER_DEFINED", "typeId": i, "label": label} for i in (there, back)]
    return Answer(200, {"results": shown})


def inline_kinds(call: Call) -> list[ObjectType]:
    """The types of the `associations` asked for in the query string."""
    kinds: list[ObjectType] = []
    for word in call.words("associations"):
        to_kind = call.state.schema.type_of(word)
        if to_kind is None:
            raise errors.invalid(f"Unable to infer object type from: {word}")
        call.require(to_kind.read_scope)
        kinds.append(to_kind)
    return kinds


def inline(state: HubSpotState, kind: ObjectType, row: Row, to_kinds: list[ObjectType]) -> dict[str, object]:
    """The `associations` of a record in a list; empty if it has none."""
    links: dict[str, object] = {}
    for to_kind in to_kinds:
        most = state.switches.inline_page
        every = _targets(state, kind, row.id, to_kind)
        if not every:
            continue
        entry: dict[str, object] = {"results": list(_inline_entries(state, (kind, to_kind), every[:most]))}
        if len(every) > most:
            following = every[most][0]
            link = f"https://api.hubapi.com/crm/v4/objects/{kind.name}/{row.id}/associations/{to_kind.name}?after={following}"
            entry["paging"] = {"next": {"after": following, "link": link}}
        links[to_kind.name] = entry
    return links


def _inline_entries(
    state: HubSpotState, kinds: Kinds, targets: list[tuple[str, tuple[str, ...]]]
) -> Iterator[dict[str, str]]:
    """A labelled link shows twice: by its own type, and as the unlabeled one."""
    kind, to_kind = kinds
    name = f"{kind.link_word}_to_{to_kind.link_word}"
    both = len(state.schema.links.between(kind.name, to_kind.name)) > 1
    for to_id, labels in targets:
        for link_type in state.schema.links.of_link(kind.name, to_kind.name, labels):
            yield {"id": to_id, "type": _inline_name(name, link_type, both)}


def _inline_name(name: str, link_type: LinkType, both: bool) -> str:
    if link_type.label in (None, PRIMARY):
        return f"{name}_unlabeled" if link_type.label is None and both else name
    return str(link_type.label).lower().replace(" ", "_")


def _targets(
    state: HubSpotState, kind: ObjectType, row_id: str, to_kind: ObjectType
) -> list[tuple[str, tuple[str, ...]]]:
    """(id, labels) of the live records linked to this one, in id order."""
    rows = state.store.table(to_kind.name).rows
    links = state.store.links(kind.name, row_id, to_kind.name)
    live = [(i, labels) for i, labels in links.items() if i in rows and rows[i].deleted_at is None]
    return sorted(live, key=lambda link: int(link[0]))


def _page(
    state: HubSpotState, kinds: Kinds, row_id: str, after: object, limit: int
) -> tuple[list[dict[str, object]], str | None]:
    """(links from the id `after` on, the next `after`)."""
    kind, to_kind = kinds
    first = text(after) or "0"
    if not first.isdigit():
        raise errors.invalid(f"Invalid after value: {first}")
    targets = [t for t in _targets(state, kind, row_id, to_kind) if int(t[0]) >= int(first)]
    shown: list[dict[str, object]] = [
        {
            "toObjectId": _shown_id(state, to_id),
            "associationTypes": [_type_shown(t) for t in state.schema.links.of_link(kind.name, to_kind.name, labels)],
        }
        for to_id, labels in targets[:limit]
    ]
    return shown, targets[limit][0] if len(targets) > limit else None


def _type_shown(link_type: LinkType) -> dict[str, object]:
    return {"category": link_type.category, "typeId": link_type.type_id, "label": link_type.label}


def _no_links(kind: ObjectType, row_id: str, to_kind: ObjectType) -> dict[str, object]:
    return errors.item_error(
        "OBJECT_NOT_FOUND",
        f"No {to_kind.singular} is associated with {kind.singular} {row_id}.",
        {"fromObjectId": [row_id], "fromObjectType": [kind.singular], "toObjectType": [to_kind.singular]},
        subCategory="crm.associations.NO_ASSOCIATIONS_FOUND",
    )


def _may_link(call: Call) -> None:
    """From 2026-09 on, a user behind an OAuth token must be allowed to edit associations."""
    if enforces(call) and call.token.oauth and not call.token.may_link:
        raise errors.may_not_link()


def _both_writable(call: Call) -> Kinds:
    _may_link(call)
    kinds = call.kind("from_type"), call.kind("to_type")
    for kind in kinds:
        call.require(kind.write_scope)
    if not call.state.schema.links.between(kinds[0].name, kinds[1].name):
        raise errors.invalid(f"{kinds[0].singular} and {kinds[1].singular} cannot be associated")
    return kinds


def _label(state: HubSpotState, kinds: Kinds, spec: dict[str, object]) -> str | None:
    (kind, to_kind), type_id = kinds, spec.get("associationTypeId")
    try:
        return state.schema.links.label_of(kind.name, to_kind.name, int(text(type_id) or "0"))
    except (KeyError, ValueError):
        pair = f"{kind.singular} to {to_kind.singular}"
        raise errors.invalid(f"{type_id} is not a valid association type for {pair}") from None


def _link(state: HubSpotState, op: str, kinds: Kinds, ids: tuple[str, str], label: str | None = None) -> None:
    fields = {"label": label, "label_back": state.schema.links.back(label)} if label else {}
    (kind, to_kind), (from_id, to_id) = kinds, ids
    state.store.apply(Change(state.store.now(), VENDOR, op, kind.name, from_id, fields, to_kind.name, to_id))


def _there(call: Call, kind: ObjectType, row_id: str) -> bool:
    return call.state.live(kind.name, row_id) is not None


def _end(item: dict[str, object], name: str) -> str:
    end = item.get(name)
    if not isinstance(end, dict):
        raise errors.invalid(f"Invalid input JSON: '{name}' is required")
    return text(end.get("id"))


def _list(value: object) -> list[dict[str, object]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _shown_id(state: HubSpotState, row_id: str) -> str | int:
    return int(row_id) if state.switches.integer_ids else row_id
