"""Which rows of which CRMs are one account: by a person's word, by a property, by a web domain; never by name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rules.addresses import plain_domain

Ref = tuple[str, str]
"""(source, id): names one row of one CRM."""

_SALESFORCE_SHORT, _SALESFORCE_LONG = 15, 18
_CHECK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


@dataclass(frozen=True, slots=True)
class AccountRow:
    """What linking looks at of one CRM account row."""

    source: str
    id: str
    domain: str | None
    link_id: str | None
    merged_into: str | None
    deleted: bool
    account_id: int | None
    """The account it belongs to so far."""

    @property
    def ref(self) -> Ref:
        """(source, id)."""
        return self.source, self.id

    @property
    def live(self) -> bool:
        """Neither deleted nor merged into another."""
        return not self.deleted and not self.merged_into


@dataclass(frozen=True, slots=True)
class Join:
    """Two rows are one account. `rule`: merged | linked (by a person) | property | domain."""

    a: Ref
    b: Ref
    rule: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """Rows that something names as one account, but not clearly enough. `rule`: property | domain | link."""

    rule: str
    refs: tuple[Ref, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What people said about pairs of rows; stronger than property and domain. Pairs have the smaller ref first."""

    linked: frozenset[tuple[Ref, Ref]] = frozenset()
    parted: frozenset[tuple[Ref, Ref]] = frozenset()


@dataclass(slots=True)
class Matched:
    """Rows sorted into accounts, why, and what was left undecided."""

    groups: list[tuple[AccountRow, ...]]
    """Each group's first row is the one that names it."""
    joins: list[Join] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)


def pair(a: Ref, b: Ref) -> tuple[Ref, Ref]:
    """A pair of rows in the one order in which pairs are kept."""
    return (a, b) if a <= b else (b, a)


def long_id(ref: str) -> str:
    """A Salesforce id of 15 characters in its form of 18; anything else as it is.

    The three letters more tell which of five characters each are capitals:
    https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
    """
    if len(ref) != _SALESFORCE_SHORT or not ref.isalnum() or not ref.isascii():
        return ref
    parts = (ref[start : start + 5] for start in (0, 5, 10))
    return ref + "".join(_CHECK_LETTERS[sum(1 << n for n, c in enumerate(part) if c.isupper())] for part in parts)


def spellings(link_id: str) -> tuple[str, ...]:
    """The ids that a link property may mean: as written, and a Salesforce id in its other length."""
    short = link_id[:_SALESFORCE_SHORT] if len(link_id) == _SALESFORCE_LONG else link_id
    return tuple(dict.fromkeys((link_id, long_id(link_id), short)))


def match(rows: Sequence[AccountRow], order: Sequence[str], verdicts: Verdicts | None = None) -> Matched:
    """Sort rows into accounts: merges in one CRM, links by a person, the link property, then the same web domain.

    `order` is the sources by precedence. The outcome depends on the rows only, not on their order or on what they
    were before. Two rows that a person has parted are never one account, whatever joins them.
    """
    return _Matching(rows, order, verdicts or Verdicts()).run()


def groups(rows: Sequence[AccountRow], order: Sequence[str]) -> list[tuple[AccountRow, ...]]:
    """The groups of `match` without anybody's verdicts."""
    return match(rows, order).groups


class _Matching:
    """One run of `match`: components of rows that grow by joins."""

    def __init__(self, rows: Sequence[AccountRow], order: Sequence[str], verdicts: Verdicts) -> None:
        self.rows: Mapping[Ref, AccountRow] = {row.ref: row for row in sorted(rows, key=lambda r: r.ref)}
        self.rank = {source: n for n, source in enumerate(order)}
        self.verdicts = verdicts
        self.part_of = {ref: ref for ref in self.rows}
        self.members = {ref: [ref] for ref in self.rows}
        self.apart: defaultdict[Ref, set[Ref]] = defaultdict(set)
        for a, b in verdicts.parted:
            self.apart[a].add(b)
            self.apart[b].add(a)
        self.joins: list[Join] = []
        self.doubts: list[Doubt] = []

    def run(self) -> Matched:
        for row in self.rows.values():
            if row.merged_into:
                self._join((row.source, row.merged_into), row.ref, "merged")
        for a, b in sorted(self.verdicts.linked):
            if not self._join(a, b, "linked") and a in self.rows and b in self.rows:
                self.doubts.append(Doubt("link", (a, b), "linked by one decision, parted by another"))
        self._by_property()
        self._by_domain()
        found = [tuple(sorted((self.rows[ref] for ref in refs), key=self._place)) for refs in self.members.values()]
        return Matched(found, self.joins, self.doubts)

    def _place(self, row: AccountRow) -> tuple[bool, bool, int, str, str]:
        rank = self.rank.get(row.source, len(self.rank))
        return bool(row.merged_into), row.deleted, rank, row.source, row.id

    def _join(self, a: Ref, b: Ref, rule: str) -> bool:
        """True when both are one account now (they may have been before)."""
        if a not in self.rows or b not in self.rows:
            return False
        into, gone = self.part_of[a], self.part_of[b]
        if into == gone:
            self._note(a, b, rule)
            return True
        # A merge is the CRM's own fact about its row; what people say about accounts cannot undo it.
        if rule != "merged" and any(not self.apart[ref].isdisjoint(self.members[into]) for ref in self.members[gone]):
            return False
        for ref in self.members[gone]:
            self.part_of[ref] = into
        self.members[into] += self.members.pop(gone)
        self._note(a, b, rule)
        return True

    def _note(self, a: Ref, b: Ref, rule: str) -> None:
        self.joins.append(Join(*pair(a, b), rule))

    # ------------------------------------------------------------ by property

    def _by_property(self) -> None:
        named_by: defaultdict[Ref, list[Ref]] = defaultdict(list)
        for row in self.rows.values():
            if not row.link_id or row.deleted:
                continue
            targets = list(self._named(row))
            if targets and self._join(targets[0], row.ref, "property"):
                named_by[targets[0]].append(row.ref)
            if len(targets) > 1:
                self.doubts.append(Doubt("property", (row.ref, *targets), f"{row.link_id} names rows of several CRMs"))
        for target, refs in named_by.items():
            by_source: defaultdict[str, list[Ref]] = defaultdict(list)
            for ref in refs:
                by_source[ref[0]].append(ref)
            for same in by_source.values():
                if len(same) > 1:
                    self.doubts.append(Doubt("property", (target, *same), "several rows of one CRM name this row"))

    def _named(self, row: AccountRow) -> Iterator[Ref]:
        """The rows of other sources that the link property names, by precedence."""
        for source in sorted({ref[0] for ref in self.rows}, key=lambda s: (self.rank.get(s, len(self.rank)), s)):
            ref = next(((source, i) for i in spellings(row.link_id or "") if (source, i) in self.rows), None)
            if source != row.source and ref is not None:
                yield ref

    # ------------------------------------------------------------ by domain

    def _by_domain(self) -> None:
        by_host: defaultdict[str, list[AccountRow]] = defaultdict(list)
        for row in self.rows.values():
            host = plain_domain(row.domain)
            if host and row.live:
                by_host[host].append(row)
        for host, same in sorted(by_host.items()):
            if len({row.source for row in same}) == 1:
                continue
            if len({self.part_of[row.ref] for row in same}) == 1:
                continue
            # A domain that two rows of one source have is shared (a group, a reseller): it identifies nobody.
            if len({row.source for row in same}) < len(same):
                refs = tuple(row.ref for row in same)
                self.doubts.append(Doubt("domain", refs, f"{host} is the domain of several rows of one CRM"))
                continue
            self._join_alike(host, sorted(same, key=self._place))

    def _join_alike(self, host: str, same: Sequence[AccountRow]) -> None:
        first = same[0]
        for row in same[1:]:
            # A row that is linked to another row of that CRM is spoken for.
            sources = self._live_sources(first.ref) & self._live_sources(row.ref)
            if sources and self.part_of[first.ref] != self.part_of[row.ref]:
                why = f"{host} is the domain of both, but one is linked to another row of {', '.join(sorted(sources))}"
                self.doubts.append(Doubt("domain", (first.ref, row.ref), why))
                continue
            self._join(first.ref, row.ref, "domain")

    def _live_sources(self, ref: Ref) -> set[str]:
        return {other[0] for other in self.members[self.part_of[ref]] if self.rows[other].live}


def choose(
    found: Iterable[Sequence[AccountRow]], known: Mapping[Ref, int], held: Collection[int]
) -> list[tuple[Sequence[AccountRow], int | None]]:
    """The account of each group; None = a new one, under the name of its first row.

    `known`: the account that was made for each row (its key), `held`: those that rows belong to now. A group keeps an
    account that was made for one of its rows, the oldest that is still in use: so no two groups want the same one,
    and rows that are parted have again the accounts that they had.
    """
    chosen: list[tuple[Sequence[AccountRow], int | None]] = []
    for group in found:
        own = sorted(known[row.ref] for row in group if row.ref in known)
        chosen.append((group, next((a for a in own if a in held), own[0] if own else None)))
    return chosen
