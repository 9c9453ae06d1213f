"""Which contacts are one person at an account, and what standing the person has over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from daemon.derive.pastrows import Lines, lines_of, past_row
from rules.addresses import is_role_address
from rules.fieldmap import Derivation, flag
from rules.levels import LEVEL_NAMES, read_role, read_title, standing
from rules.past import PastRow, pieces
from store import activities, dirty, people, usage_match
from store.people import ContactRow, Level, PersonRow
from store.records import Instant, Scalar
from store.refs import Ref

_LEVELS = {name: number for number, name in LEVEL_NAMES.items()}
Key = tuple[int, str]
"""(account that is evaluated, e-mail address or source:id)."""


def fold_contacts(conn: Connection, refs: Sequence[Ref], settings: Derivation) -> set[int]:
    """Fold the contacts of every account that a dirty contact is on into persons."""
    account_ids = people.accounts_of_contacts(conn, refs)
    grouped: defaultdict[Key, list[ContactRow]] = defaultdict(list)
    for contact in people.contacts(conn, account_ids):
        if not is_role_address(contact.email):
            key = contact.email.casefold() if contact.email else f"{contact.source}:{contact.id}"
            grouped[contact.account_id, key].append(contact)
    facts = _gather(conn, grouped)
    persons = [_person(key, same, facts, settings) for key, same in sorted(grouped.items())]
    moved = people.save(conn, account_ids, persons)
    # An address-only participant may be the person whose contact is new.
    dirty.mark(conn, "activities", people.activities_with(conn, moved.contacts))
    addresses = _addresses(grouped, moved.contacts) | moved.addresses
    dirty.mark(conn, "activities", activities.with_addresses(conn, addresses))
    usage_match.mark_users(conn, addresses)
    return account_ids


def _addresses(grouped: Mapping[Key, Sequence[ContactRow]], moved: Collection[Ref]) -> set[str]:
    return {
        contact.email.casefold()
        for same in grouped.values()
        for contact in same
        if contact.email and (contact.source, contact.id) in moved
    }


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of contacts besides their rows."""

    past: Mapping[Ref, PastRow]
    roles: Mapping[Ref, Sequence[PastRow]]
    aliases: Mapping[Ref, Sequence[Ref]]
    overrides: Mapping[str, tuple[int, Instant]]
    """Key -> (level, when a person of ours decided it)."""
    users: Mapping[str, Instant]
    """E-mail address -> since when it was seen in product usage."""


def _gather(conn: Connection, grouped: Mapping[Key, Sequence[ContactRow]]) -> _Facts:
    contacts = {(c.source, c.id): c for same in grouped.values() for c in same}
    aliases = people.retired(conn, contacts)
    owner = {old: ref for ref, olds in aliases.items() for old in olds} | {ref: ref for ref in contacts}
    roles: defaultdict[Ref, list[PastRow]] = defaultdict(list)
    for row in people.roles(conn, owner):
        past = PastRow(row.id, row.created_at, row.created_at, row.deleted_at, {"role": row.role})
        roles[owner[row.source, row.contact_id]].append(past)
    lines = lines_of(conn, "contacts", contacts)
    keys = {key for _, key in grouped}
    return _Facts(
        past={ref: _past(contact, lines.get(ref)) for ref, contact in contacts.items()},
        roles=roles,
        aliases=aliases,
        overrides=people.overrides(conn, keys),
        users=usage_match.users_since(conn, {key for key in keys if "@" in key}),
    )


def _past(contact: ContactRow, lines: Lines | None) -> PastRow:
    columns: dict[str, Scalar] = {"@title": contact.title, "@buying_role": contact.buying_role}
    return past_row(contact, columns, lines)


def _person(key: Key, same: Sequence[ContactRow], facts: _Facts, settings: Derivation) -> PersonRow:
    rank = settings.ranks("default")
    ordered = sorted(same, key=lambda c: (c.deleted_at is not None, rank.get(c.source, len(rank)), c.id, c.home_id))
    refs = tuple(dict.fromkeys((c.source, c.id) for c in ordered))
    homes = {c.home_id for c in ordered if c.deleted_at == ordered[0].deleted_at}
    gone = all(c.deleted_at is not None for c in same)
    return PersonRow(
        account_id=key[0],
        home_id=None if key[0] in homes else ordered[0].home_id,
        key=key[1],
        name=ordered[0].name,
        email=ordered[0].email.casefold() if ordered[0].email else None,
        title=next((c.title for c in ordered if c.title), None),
        created_at=min(c.created_at for c in same),
        deleted_at=max(c.deleted_at or 0 for c in same) if gone else None,
        left_as=people.DELETED if gone else None,
        bounced_at=_bounced(facts.past[ref] for ref in refs),
        modified_at=max(c.modified_at for c in same),
        levels=_levels(key[1], refs, facts, settings),
        contacts=tuple(one for ref in sorted(refs) for one in (ref, *facts.aliases.get(ref, ()))),
    )


def _bounced(contacts: Iterable[PastRow]) -> Instant | None:
    """Since when mail to the person bounces for good, as a sync has seen it; what was so at the first one has no date."""
    last = [lines[-1] for contact in contacts if (lines := contact.lines.get("@bounced"))]
    return min((line.at for line in last if line.value and line.at), default=None)


Said = tuple[int | None, str, str]
"""(level, function, standing)."""


def _levels(key: str, refs: Sequence[Ref], facts: _Facts, settings: Derivation) -> tuple[Level, ...]:
    contacts = [(ref, facts.past[ref]) for ref in refs]
    created = min(past.created_at for _, past in contacts)
    modified = max(past.modified_at for _, past in contacts)
    override, since = facts.overrides.get(key, (None, None)), facts.users.get(key)
    marks = [at for at in (override[1], since) if at is not None and at > created]
    others = [past for _, past in contacts] + [role for ref in refs for role in facts.roles.get(ref, ())]
    others += [PastRow("", at, at, None, {}) for at in marks]

    def read(t: Instant) -> Said:
        decided = override[0] if override[0] is not None and override[1] is not None and override[1] <= t else None
        return _said(t, contacts, facts, settings, decided, used=since is not None and since <= t)

    # Whoever has left keeps the standing that he or she had.
    life = PastRow(key, created, modified, None, {})
    return tuple(Level(p.since, p.until, *p.value) for p in pieces(life, others, read))


def _said(
    t: Instant,
    contacts: Sequence[tuple[Ref, PastRow]],
    facts: _Facts,
    settings: Derivation,
    decided: int | None,
    *,
    used: bool,
) -> Said:
    """Level by a person of ours, a mapped field, a role in a deal or an account (a least level), then the title."""
    there = [(ref, past.at(t).fields) for ref, past in contacts if past.there(t)]
    there = there or [(ref, past.now) for ref, past in contacts if past.created_at <= t]
    title = read_title(next((str(raw["@title"]) for _, raw in there if raw.get("@title")), None))
    stated, flagged = _stated(there, settings)
    proven = [read_role(str(raw["@buying_role"])) for _, raw in there if raw.get("@buying_role")]
    proven += [
        read_role(str(role.now["role"])) for ref, _ in there for role in facts.roles.get(ref, ()) if role.there(t)
    ]
    least = max((level for level in proven if level is not None), default=None)
    level = title.level if least is None else max(least, title.level or least)
    level = next((one for one in (decided, stated, level) if one is not None), None)
    return level, title.function, standing(level, flagged or used)


def _stated(contacts: Sequence[tuple[Ref, Mapping[str, Scalar]]], settings: Derivation) -> tuple[int | None, bool]:
    """Level from the mapped field, and whether any contact is flagged as a user."""
    level, flagged = None, False
    for (source, _), fields in contacts:
        mapping = settings.mappings.get(source)
        if mapping is None:
            continue
        if mapping.level_field and level is None:
            word = str(fields.get(mapping.level_field) or "").strip().casefold().replace(" ", "_").replace("-", "_")
            level = _LEVELS.get(word)
        if mapping.user_field:
            flagged = flagged or flag(fields.get(mapping.user_field)) == 1
    return level, flagged
