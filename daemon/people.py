"""What people say about persons and about themselves: who somebody is, and when one of ours is away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from rules.levels import LEVEL_NAMES, standing
from store import overrides, roster
from store.overrides import Override
from store.records import Instant

_LEVELS = {name: number for number, name in LEVEL_NAMES.items()}
STANDINGS = ("exec", "user", "other")
WORDS = (*STANDINGS, *reversed(LEVEL_NAMES.values()), "forget")
_EPOCH = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))


class PeopleError(ValueError):
    """A person, member or date that cannot be meant; the text says what to write."""


def meant(word: str, author: str, at: Instant) -> Override | None:
    """What a word says of a person: a standing, or a level; None = `forget`. Raises PeopleError for any other."""
    plain = word.strip().lower().replace("-", "_")
    if plain in STANDINGS:
        return Override(None, plain, author, at)
    if plain in _LEVELS:
        return Override(_LEVELS[plain], standing(_LEVELS[plain], flagged_user=False), author, at)
    if plain == "forget":
        return None
    raise PeopleError(f"{word!r} says nothing of a person; write one of {', '.join(WORDS)}")


def say(connection: Connection, person: str, word: str, author: str, at: Instant) -> tuple[str, bool]:
    """Keep what `word` says of the one person with this key or name; gives the key, and whether that changed anything."""
    said = meant(word, author, at)
    keys = roster.person_keys_like(connection, person)
    if not keys:
        raise PeopleError(f"no person has the address, key or name {person!r}; `tierd people unknown` lists some")
    if len(keys) > 1:
        raise PeopleError(f"{person!r} may be {', '.join(keys[:5])}; write one of these")
    if said is None:
        return keys[0], overrides.forget(connection, keys[0])
    return keys[0], overrides.decide(connection, keys[0], said)


def one_of_ours(connection: Connection, text: str) -> Mapping[str, Any]:
    """The member with this key, address or name. Raises PeopleError where that is nobody, or several."""
    found = roster.members_like(connection, text)
    if not found:
        raise PeopleError(
            f"none of ours has the address or name {text!r}; `tierd people coverage` lists those there are"
        )
    if len(found) > 1:
        raise PeopleError(f"{text!r} may be {', '.join(str(row['key']) for row in found[:5])}; write one of these")
    return found[0]


def spell_of(first: str, last: str, zone: str) -> tuple[Instant, Instant]:
    """The instants from the beginning of the first day to the end of the last, in `zone`. Raises PeopleError."""
    try:
        begin, end = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        raise PeopleError(f"{first!r} to {last!r} are no dates; write for example 2026-07-01 2026-07-14") from None
    if end < begin:
        raise PeopleError(f"{last} is before {first}: the first day comes first")
    return _midnight(begin, zone), _midnight(end + timedelta(days=1), zone)


def _midnight(day: date, zone: str) -> Instant:
    return (datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)) - _EPOCH) // timedelta(microseconds=1)
