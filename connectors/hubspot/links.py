"""What records are associated with: inline in a list, or a thousand records a call."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.hubspot.objects import Objects, unsettled
from connectors.hubspot.rows import Raw, Row, in_order, next_after
from connectors.hubspot.streams import Stream

LINKED_ROWS = 1_000
"""Records per association call (developers.hubspot.com/changelog, batch read limit for associations)."""
_TRIES = 3
_PRIMARY = re.compile(r"^[a-z0-9_]+_to_company$")
"""The inline type of a link to the primary company; other links to a company end in `_unlabeled` or bear a label."""


@dataclass(slots=True)
class Linked:
    """Ids of what each record is associated with, the primary one first, then by number."""

    targets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    """Records whose links could not be read after all tries: what is known of them stays."""


def linked(objects: Objects, name: str, to: str, ids: Sequence[str]) -> Linked:
    """The complete links of some records, of which a thousand are asked for at once; paging is per record."""
    done = Linked()
    for start in range(0, len(ids), LINKED_ROWS):
        some = ids[start : start + LINKED_ROWS]
        found = _Found({ref: {} for ref in some})
        _collect(objects, name, to, found)
        failed = set(found.failed)
        done.failed += found.failed
        done.targets |= {ref: _ordered(targets) for ref, targets in found.targets.items() if ref not in failed}
    return done


@dataclass(slots=True)
class _Found:
    targets: dict[str, dict[str, bool]]
    """Record -> what it is linked to -> is that its primary one."""
    failed: list[str] = field(default_factory=list)


def _collect(objects: Objects, name: str, to: str, found: _Found) -> None:
    asking: dict[str, str | None] = dict.fromkeys(found.targets)
    tries = dict.fromkeys(found.targets, 0)
    path = objects.paths.linked(name, to)
    while asking:
        inputs = [{"id": ref} | ({"after": after} if after else {}) for ref, after in asking.items()]
        answer = objects.session.post(path, {"inputs": inputs})
        following: dict[str, str | None] = {}
        answered = set()
        for result in answer.get("results", ()):
            ref = str(result["from"]["id"])
            answered.add(ref)
            known = found.targets.setdefault(ref, {})
            for target in result["to"]:
                other = str(target["toObjectId"])
                known[other] = known.get(other, False) or _is_primary(target)
            after = next_after(result)
            if after is not None and after != asking.get(ref):  # a cursor that stands still would never end
                following[ref] = after
        # A record without links, or that is gone, is an error entry or left out; other errors pass.
        for ref in unsettled(answer, [ref for ref in asking if ref not in answered]):
            tries[ref] += 1
            if tries[ref] < _TRIES:
                following[ref] = asking[ref]
            else:
                found.failed.append(ref)
        asking = following


def _is_primary(target: Mapping[str, Any]) -> bool:
    return any((kind.get("label") or "").casefold() == "primary" for kind in target.get("associationTypes") or ())


def _ordered(targets: Mapping[str, bool]) -> tuple[str, ...]:
    return tuple(sorted(targets, key=lambda ref: (not targets[ref], in_order(ref))))


@dataclass(frozen=True, slots=True)
class Rows:
    """Records with their links, and the ids of those whose links could not be read."""

    rows: tuple[Row, ...]
    failed: tuple[str, ...]


def with_links(objects: Objects, stream: Stream, raws: Sequence[Raw]) -> Rows:
    """Records of a search, with associations read a thousand at a time."""
    latest = {str(raw["id"]): raw for raw in raws}
    found = {to: linked(objects, stream.object, to, list(latest)) for to in stream.links} if latest else {}
    failed = {ref for one in found.values() for ref in one.failed}
    rows = (
        Row(ref, raw["properties"], {to: found[to].targets.get(ref, ()) for to in stream.links})
        for ref, raw in latest.items()
        if ref not in failed
    )
    return Rows(tuple(rows), tuple(sorted(failed)))


def with_inline(objects: Objects, stream: Stream, raws: Sequence[Raw]) -> Rows:
    """Records of a list with their inline associations; those of which more exist than fit are read apart."""
    inline = {str(raw["id"]): raw.get("associations") or {} for raw in raws}
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    failed: set[str] = set()
    for to in stream.links:
        parts: dict[str, Mapping[str, Any]] = {ref: named.get(to) or {} for ref, named in inline.items()}
        longer = [ref for ref, part in parts.items() if next_after(part) is not None]
        more = linked(objects, stream.object, to, longer) if longer else Linked()
        failed |= set(more.failed)
        found[to] = {ref: _inline_ids(part) for ref, part in parts.items()} | more.targets
    rows = (
        Row(str(raw["id"]), raw["properties"], {to: found[to][str(raw["id"])] for to in stream.links})
        for raw in raws
        if str(raw["id"]) not in failed
    )
    return Rows(tuple(rows), tuple(sorted(failed)))


def _inline_ids(part: Mapping[str, Any]) -> tuple[str, ...]:
    results = part.get("results") or ()
    plain = any(str(one.get("type") or "").endswith("_unlabeled") for one in results)
    found: dict[str, bool] = {}
    for one in results:
        primary = plain and _PRIMARY.match(str(one.get("type") or "")) is not None
        ref = str(one["id"])
        found[ref] = found.get(ref, False) or primary
    return _ordered(found)
