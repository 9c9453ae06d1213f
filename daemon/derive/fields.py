"""The mapped fields of each account over time: by precedence of the sources, and rolled up over the accounts below."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from daemon.derive.pastrows import own_row, related_rows
from daemon.derive.usage import USAGE_KEY, keys_of, name_accounts
from rules.facts.sets import TAG
from rules.fieldmap import Derivation, Held, SourceMapping, Value, words
from rules.past import PastRow, Piece, mapped, narrowed, pieces
from rules.rollup import rolled_up
from rules.view import any_yes, overlay
from store import account_fields, dirty, identity, trees
from store.account_fields import FieldInterval
from store.records import Scalar
from store.refs import Ref

Pieces = list[Piece[Held]]
Fields = dict[str, Pieces]
"""Field -> what the account holds over time, in order."""


def map_fields(conn: Connection, refs: Sequence[Ref], settings: Derivation) -> set[int]:
    """Read the mapped fields of the accounts of these CRM rows into validity intervals."""
    account_ids = identity.account_ids(conn, refs)
    evaluated = trees.evaluated(conn, account_ids)
    below = trees.below(conn, set(evaluated.values()))
    everything = account_ids | set(below) | {child for children in below.values() for child in children}
    held = load(conn, everything)
    own = own_fields(conn, held, settings)
    dirty.mark(conn, trees.TREES, (("", str(a)) for a in trees.carry(conn, {a: _arr(own[a]) for a in own})))
    wanted = dict(own)
    for account, children in below.items():
        if children and account in own:
            wanted[account] = rolled_up(own[account], [own[child] for child in children if child in own])
    account_fields.save(conn, {account: list(_intervals(fields)) for account, fields in wanted.items()})
    name_accounts(conn, _names({account: _usage_keys(rows, settings) for account, rows in held.items()}, below))
    return account_ids | set(evaluated.values())


def _names(keys: dict[int, set[str]], below: Mapping[int, Sequence[int]]) -> dict[int, set[str]]:
    """What usage calls an account that rolls up is a name of the one that is evaluated."""
    for account, children in below.items():
        for child in children:
            keys.setdefault(account, set()).update(keys.get(child, ()))
            keys[child] = set()
    return keys


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One CRM row of an account, with what is known of its past and of the rows that hang on it."""

    row: Row[Any]
    past: PastRow
    related: Mapping[str, Sequence[PastRow]]

    @property
    def live(self) -> bool:
        """Neither deleted nor merged into another."""
        return self.row.deleted_at is None and not self.row.merged_into


def load(conn: Connection, account_ids: set[int]) -> dict[int, list[HeldRow]]:
    """The CRM rows of these accounts, deleted ones too."""
    rows = account_fields.crm_rows(conn, account_ids)
    related = related_rows(conn, [(row.source, row.id) for row in rows])
    past = own_row(conn, rows)
    found: defaultdict[int, list[HeldRow]] = defaultdict(list)
    for row in rows:
        ref = (row.source, row.id)
        found[row.account_id].append(HeldRow(row, past[ref], related.get(ref, {})))
    return dict(found)


def own_fields(conn: Connection, held: Mapping[int, Sequence[HeldRow]], settings: Derivation) -> dict[int, Fields]:
    """What each account holds itself, without what rolls up to it."""
    _, _, keys = identity.members_by_ref(conn)
    return {
        account: _view([(one.row, dict(row_fields(one, keys, settings))) for one in rows], settings)
        for account, rows in sorted(held.items())
    }


def _usage_keys(rows: Sequence[HeldRow], settings: Derivation) -> set[str]:
    """Every workspace key that any of the account's CRM rows names."""
    found: set[str] = set()
    for one in rows:
        mapping = settings.mappings.get(one.row.source)
        options = mapping.fields.get(USAGE_KEY, ()) if mapping else ()
        if options and one.live:
            there = {kind: [r.current for r in some if r.deleted_at is None] for kind, some in one.related.items()}
            found |= keys_of(options, one.past.current, there)
    return found


def _view(rows: Sequence[tuple[Row[Any], Fields]], settings: Derivation) -> Fields:
    """One account of its rows: each field by its own precedence."""
    names = sorted({name for _, fields in rows for name in fields})
    found: Fields = {}
    for name in names:
        ranks = settings.ranks(name)

        def place(one: tuple[Row[Any], Fields], ranks: Mapping[str, int] = ranks) -> tuple[bool, bool, int, str]:
            row = one[0]
            return bool(row.merged_into), row.deleted_at is not None, ranks.get(row.source, len(ranks)), row.id

        layers = [fields[name] for _, fields in sorted(rows, key=place) if name in fields]
        # An account is a customer when any of its rows says so: a copy in another CRM may simply not know.
        found[name] = any_yes(layers, lambda held: held.num == 1) if name == "customer" else overlay(layers)
    csm, owner = found.pop("csm", []), found.pop("owner_csm", [])
    if csm or owner:
        found["csm"] = overlay([csm, owner])
    return found


def row_fields(one: HeldRow, member_keys: Mapping[Ref, str], settings: Derivation) -> Iterator[tuple[str, Pieces]]:
    """What one CRM row says of each field over its life. `owner_csm` is the record owner, who stands in for a CSM."""
    mapping = settings.mappings.get(one.row.source)
    if mapping is None:
        return
    for name, values in _values(one, mapping, member_keys):
        if values:
            yield name, [_held(piece, one.row.source) for piece in values]


def _values(
    one: HeldRow, mapping: SourceMapping, member_keys: Mapping[Ref, str]
) -> Iterator[tuple[str, list[Piece[Value]]]]:
    row, own, related = one.row, one.past, one.related
    for name, options in mapping.fields.items():
        yield name, mapped(name, options, own, related)

    def member(value: Value) -> Value:
        ref = value.text or ""
        return Value(text=member_keys.get((row.source, ref), ref.casefold()))

    yield "csm", [_with(piece, member(piece.value)) for piece in mapped("csm", mapping.csm, own, related)]
    yield "owner_csm", _column(own, "@owner_id", lambda raw: Value(1, _owner(row.source, str(raw), member_keys)))
    yield "name", _column(own, "@name", lambda raw: Value(text=str(raw)))
    yield "customer", _column(own, "@customer", lambda raw: Value(num=int(raw or 0)))
    if row.host:
        yield "domain", pieces(narrowed(own, ()), (), lambda _t: Value(text=row.host))
    if mapping.tier_field:
        yield f"tier_field:{row.source}", _column(own, mapping.tier_field, lambda raw: Value(text=str(raw)))
    if mapping.churned is not None:
        yield "churned", _churned(own, mapping.churned)


def _churned(own: PastRow, holds: Callable[[Mapping[str, Scalar]], bool | None]) -> list[Piece[Value]]:
    def read(raw: Mapping[str, Scalar]) -> Value | None:
        gone = holds(raw)
        return None if gone is None else Value(num=int(gone))

    return pieces(own, (), lambda t: read(own.at(t).fields))


def _owner(source: str, ref: str, member_keys: Mapping[Ref, str]) -> str:
    return member_keys.get((source, ref), f"{source}:{ref}")


def _column(own: PastRow, column: str, value: Callable[[Scalar], Value]) -> list[Piece[Value]]:
    mine = narrowed(own, (column,))

    def read(raw: Scalar) -> Value | None:
        return None if raw is None or raw == "" else value(raw)

    return pieces(mine, (), lambda t: read(mine.at(t).fields.get(column)))


def _with(piece: Piece[Value], value: Value) -> Piece[Value]:
    return Piece(piece.since, piece.until, value, piece.history, piece.author)


def _held(piece: Piece[Value], source: str) -> Piece[Held]:
    held = Held(piece.value.num, piece.value.text, source)
    return Piece(piece.since, piece.until, held, piece.history, piece.author)


def _arr(fields: Fields) -> int | None:
    """What the account carries now."""
    return next((piece.value.num for piece in fields.get("arr", ()) if piece.until is None), None)


def _intervals(fields: Fields) -> Iterator[FieldInterval]:
    for name, values in fields.items():
        for piece in values:
            held = piece.value
            if name == "tags":
                continue
            if name == "csm" and held.num is not None:  # the record owner stands in, and that is said
                yield _interval("csm_fallback", piece, 1, None)
                yield _interval("csm", piece, None, held.text)
            else:
                yield _interval(name, piece, held.num, held.text)
    for tag, values in _tags(fields.get("tags", ())).items():
        for piece in values:
            yield _interval(f"{TAG}{tag}", piece, 1, None)


def _tags(values: Sequence[Piece[Held]]) -> Mapping[str, Pieces]:
    """Each tag with the times in which the account has it: one that stays while others come and go is one interval."""
    found: defaultdict[str, Pieces] = defaultdict(list)
    for piece in values:
        for tag in words(piece.value.text or ""):
            had = found[tag]
            if had and (had[-1].until, had[-1].value.source) == (piece.since, piece.value.source):
                last = had.pop()
                had.append(Piece(last.since, piece.until, last.value, last.history, last.author))
            else:
                had.append(piece)
    return found


def _interval(name: str, piece: Piece[Held], num: int | None, text: str | None) -> FieldInterval:
    return FieldInterval(
        field=name,
        valid_from=piece.since,
        valid_to=piece.until,
        num=num,
        text=text,
        source=piece.value.source,
        history=piece.history,
        author=piece.author,
    )
