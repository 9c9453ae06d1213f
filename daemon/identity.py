"""Which rows of which CRMs are one account, by what, where they contradict each other, and what nobody can say."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection

from alerts.writeback import Target
from daemon.derive.accounts import plain, verdicts
from daemon.derive.fields import load, row_fields
from daemon.identitykinds import AMBIGUOUS, CONFLICTING, GONE, KINDS, LINKED, MERGED, UNMATCHED
from rules import identity as matching
from rules.addresses import is_role_address
from rules.fieldmap import Derivation, Held
from rules.identity import Ref
from rules.trees import cyclic
from store import identityrows, linking
from store.engine import Store
from store.identity import members_by_ref
from store.identityrows import Stranger
from store.refs import chunks

COMPARED = ("owner", "renewal", "arr", "tier")
_EPOCH = date(1970, 1, 1)
_SOME = 500


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field of which the rows of one account say different things, and whose value counts."""

    field: str
    said: tuple[tuple[str, str], ...]
    """(row as source:id, value), by precedence."""
    wins: str
    """The row whose value counts; for the tier empty: each CRM has its own field, and a person's value in one is a pin."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a CRM."""

    kind: str
    row: str
    """source:id"""
    name: str
    domain: str | None
    account: str | None
    """Key of the account that it belongs to."""
    by: tuple[str, ...]
    """What links it: merged | linked (by a person) | property | domain."""
    others: tuple[str, ...]
    """The other live rows of the account; of an ambiguous row those it may belong with."""
    conflicts: tuple[Conflict, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided of two rows: link | part, by whom."""

    row: str
    other: str
    verdict: str
    author: str


@dataclass(frozen=True, slots=True)
class Report:
    """Every row of every CRM. `counts` is by kind and adds up to `rows`."""

    rows: int
    counts: Mapping[str, int]
    entries: tuple[Entry, ...]
    decisions: tuple[Decision, ...]
    unregistered: tuple[Stranger, ...]
    """Persons in no CRM."""
    role_addresses: int
    """Contacts that are mailboxes, no persons."""
    person_accounts: int


def report(store: Store, settings: Derivation, targets: Mapping[str, Target], kinds: Collection[str] = KINDS) -> Report:
    """The report over all rows; `entries` only of these kinds. `targets`: the tier fields."""
    with store.read() as conn:
        rows = identityrows.all_rows(conn)
        facts = [plain(row) for row in rows]
        matched = matching.match(facts, settings.order, verdicts(conn))
        by_ref = {fact.ref: row for fact, row in zip(facts, rows, strict=True)}
        live: defaultdict[int, list[Ref]] = defaultdict(list)
        for fact in facts:
            if fact.live and fact.account_id is not None:
                live[fact.account_id].append(fact.ref)
        several = {account: refs for account, refs in live.items() if len(refs) > 1}
        conflicts = dict(_conflicts(conn, several, settings, targets))
        doubts = _doubts(conn, matched, live)
        joined = _joined(matched)
        keys = identityrows.keys(conn)
        entries = []
        for fact in facts:
            row = by_ref[fact.ref]
            partners = [ref for ref in live.get(fact.account_id or 0, ()) if ref != fact.ref] if fact.live else []
            contradicted = conflicts.get(fact.account_id or 0, ()) if fact.live else ()
            kind = _kind(fact, partners, contradicted, fact.ref in doubts)
            others = partners or sorted(doubts.get(fact.ref, ("", set()))[1] - {fact.ref})
            entries.append(
                Entry(
                    kind, shown(fact.ref), row.name, row.host or row.domain, keys.get(fact.account_id),
                    tuple(sorted(joined.get(fact.ref, ()))), tuple(map(shown, sorted(others))), tuple(contradicted),
                    doubts.get(fact.ref, ("", set()))[0],
                )
            )  # fmt: skip
        counts = Counter(entry.kind for entry in entries)
        return Report(
            rows=len(entries),
            counts={kind: counts[kind] for kind in KINDS},
            entries=tuple(sorted((e for e in entries if e.kind in kinds), key=lambda e: (KINDS.index(e.kind), e.row))),
            decisions=tuple(_decisions(conn)),
            unregistered=tuple(identityrows.unregistered(conn)),
            role_addresses=sum(map(is_role_address, identityrows.without_person(conn))),
            person_accounts=identityrows.person_accounts(conn),
        )


def shown(ref: Ref) -> str:
    """A row as people write it."""
    return f"{ref[0]}:{ref[1]}"


def _kind(fact: matching.AccountRow, partners: Sequence[Ref], conflicts: Sequence[Conflict], in_doubt: bool) -> str:
    if fact.merged_into:
        return MERGED
    if fact.deleted:
        return GONE
    if conflicts:
        return CONFLICTING
    if in_doubt:
        return AMBIGUOUS
    return LINKED if partners else UNMATCHED


def _joined(matched: matching.Matched) -> dict[Ref, set[str]]:
    found: defaultdict[Ref, set[str]] = defaultdict(set)
    for join in matched.joins:
        found[join.a].add(join.rule)
        found[join.b].add(join.rule)
    return found


def _doubts(
    conn: Connection, matched: matching.Matched, live: Mapping[int, Sequence[Ref]]
) -> dict[Ref, tuple[str, set[Ref]]]:
    """Row -> (why nobody can say, the rows it may belong with)."""
    found: dict[Ref, tuple[str, set[Ref]]] = {}
    for doubt in matched.doubts:
        for ref in doubt.refs:
            why, others = found.get(ref, ("", set()))
            found[ref] = ("; ".join(filter(None, (why, doubt.why))), others | set(doubt.refs))
    for account in cyclic(identityrows.parents(conn)):
        for ref in live.get(account, ()):
            found[ref] = ("it is above itself in the tree of accounts", set())
    return found


def _decisions(conn: Connection) -> Iterator[Decision]:
    for a, b, verdict in linking.decisions(conn):
        row = linking.decision(conn, a, b)
        yield Decision(shown(a), shown(b), verdict, row.author if row is not None else "")


# ---------------------------------------------------------------- conflicts


def _conflicts(
    conn: Connection,
    several: Mapping[int, Sequence[Ref]],
    settings: Derivation,
    targets: Mapping[str, Target],
) -> Iterator[tuple[int, tuple[Conflict, ...]]]:
    _, _, keys = members_by_ref(conn)
    for some in chunks(sorted(several), _SOME):
        for account, rows in load(conn, set(some)).items():
            said: defaultdict[str, dict[Ref, str]] = defaultdict(dict)
            for one in rows:
                if one.live:
                    now = {
                        name: pieces[-1].value
                        for name, pieces in row_fields(one, keys, settings)
                        if pieces[-1].until is None
                    }
                    for field, value in _compared(now, one.row.source, targets):
                        said[field][one.row.source, one.row.id] = value
            owners = said.pop("csm", {}) or said["owner"]  # an owner only stands in where nobody names a CSM
            said["owner"] = owners
            found = tuple(c for field in COMPARED if (c := _conflict(field, said[field], settings)) is not None)
            if found:
                yield account, found


def _compared(now: Mapping[str, Held], source: str, targets: Mapping[str, Target]) -> Iterator[tuple[str, str]]:
    for field, name in (("csm", "csm"), ("owner", "owner_csm")):
        who = now.get(name)
        if who is not None and who.text:
            yield field, who.text
    if "renewal" in now:
        yield "renewal", (_EPOCH + timedelta(days=now["renewal"].num or 0)).isoformat()
    if "arr" in now:
        yield "arr", f"{(now['arr'].num or 0) / 100:,.2f}"
    tier = now.get(f"tier_field:{source}")
    if tier is not None and tier.text:
        meant = targets[source].tier_of(tier.text) if source in targets else None
        yield "tier", tier.text if meant is None else str(meant)


_PRECEDENCE = {"owner": "csm"}


def _conflict(field: str, said: Mapping[Ref, str], settings: Derivation) -> Conflict | None:
    if len(set(said.values())) < 2:
        return None
    ranks = settings.ranks(_PRECEDENCE.get(field, field))
    ordered = sorted(said, key=lambda ref: (ranks.get(ref[0], len(ranks)), ref[1]))
    wins = "" if field == "tier" else shown(ordered[0])
    return Conflict(field, tuple((shown(ref), said[ref]) for ref in ordered), wins)
