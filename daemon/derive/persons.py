"""Which contacts are one person at an account, and what standing the person has."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection

from rules.addresses import is_role_address
from rules.fieldmap import Derivation, flag
from rules.levels import LEVEL_NAMES, read_title, standing
from store import activities, dirty, people, usage_match
from store.people import ContactRow, PersonRow
from store.refs import Ref

_LEVELS = {name: number for number, name in LEVEL_NAMES.items()}


def fold_contacts(conn: Connection, refs: Sequence[Ref], settings: Derivation) -> set[int]:
    """Fold the contacts of every account that a dirty contact is on into persons."""
    account_ids = people.accounts_of_contacts(conn, refs)
    grouped: defaultdict[tuple[int, str], list[ContactRow]] = defaultdict(list)
    for contact in people.contacts(conn, account_ids):
        if not is_role_address(contact.email):
            key = contact.email.casefold() if contact.email else f"{contact.source}:{contact.id}"
            grouped[contact.account_id, key].append(contact)
    aliases = people.retired(conn, ((c.source, c.id) for same in grouped.values() for c in same))
    persons = [_person(key, same, aliases, settings) for key, same in sorted(grouped.items())]
    moved = people.save(conn, account_ids, persons)
    # An address-only participant may be the person whose contact is new.
    dirty.mark(conn, "activities", people.activities_with(conn, moved))
    addresses = _addresses(grouped, moved)
    dirty.mark(conn, "activities", activities.with_addresses(conn, addresses))
    usage_match.mark_users(conn, addresses)
    return account_ids


def _addresses(grouped: Mapping[tuple[int, str], Sequence[ContactRow]], moved: Collection[Ref]) -> set[str]:
    return {
        contact.email.casefold()
        for same in grouped.values()
        for contact in same
        if contact.email and (contact.source, contact.id) in moved
    }


def _person(
    key: tuple[int, str], same: Sequence[ContactRow], aliases: Mapping[Ref, Sequence[Ref]], settings: Derivation
) -> PersonRow:
    rank = {source: n for n, source in enumerate(settings.order)}
    ordered = sorted(same, key=lambda c: (c.deleted_at is not None, rank.get(c.source, len(rank)), c.id))
    title = next((c.title for c in ordered if c.title), None)
    stated, flagged = _stated(ordered, settings)
    said = read_title(title)
    level = stated if stated is not None else said.level
    return PersonRow(
        account_id=key[0],
        key=key[1],
        name=ordered[0].name,
        email=ordered[0].email.casefold() if ordered[0].email else None,
        title=title,
        created_at=min(c.created_at for c in same),
        deleted_at=None if any(c.deleted_at is None for c in same) else max(c.deleted_at or 0 for c in same),
        modified_at=max(c.modified_at for c in same),
        level=level,
        function=said.function,
        standing=standing(level, flagged),
        contacts=tuple(ref for c in same for ref in ((c.source, c.id), *aliases.get((c.source, c.id), ()))),
    )


def _stated(contacts: Sequence[ContactRow], settings: Derivation) -> tuple[int | None, bool]:
    """Level from the mapped field, and whether any contact is flagged as a user."""
    level, flagged = None, False
    for contact in contacts:
        mapping = settings.mappings.get(contact.source)
        if mapping is None:
            continue
        fields = json.loads(contact.fields)
        if mapping.level_field and level is None:
            word = str(fields.get(mapping.level_field) or "").strip().casefold().replace(" ", "_").replace("-", "_")
            level = _LEVELS.get(word)
        if mapping.user_field and contact.deleted_at is None:
            flagged = flagged or flag(fields.get(mapping.user_field)) == 1
    return level, flagged
