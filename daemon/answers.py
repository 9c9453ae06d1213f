"""Apply the answers to `who are these people?`: what somebody pressed becomes what we know of the person."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from alerts.presses import Press
from daemon.alerting.who import person_ref
from store import interactions, overrides, roster
from store.alertviews import MemberRow, cards, member
from store.overrides import Override
from store.records import Instant

PREFIX = "who_"


@dataclass(frozen=True, slots=True)
class Asked:
    """The person that a press is about, and who may answer: the CSM of the account."""

    key: str
    name: str
    recipient: MemberRow | None


def asked(connection: Connection, press: Press) -> Asked | None:
    """Whom the press is about; None = the person is not there any more, or is another one."""
    number, _, _ = press.conversation.partition(".")
    found = roster.person(connection, int(number)) if number.isdecimal() and len(number) < 19 else None
    if found is None or person_ref({"person_id": found["id"], "key": found["key"]}) != press.conversation:
        return None
    card = cards(connection, [found["account_id"]]).get(found["account_id"])
    return Asked(found["key"], found["name"], member(connection, card.recipient) if card else None)


def answer(connection: Connection, key: str, press: Press, about: Asked, *, by: str, now: Instant) -> str | None:
    """Keep the answer and mark the press as applied, in one transaction; None = it was applied before."""
    standing = press.what.removeprefix(PREFIX)
    if not interactions.applied(connection, key, now, f"{about.key} is {standing}"):
        return None
    overrides.decide(connection, about.key, Override(None, standing, by, now))
    what = {"exec": "an exec", "user": "a user"}.get(standing, "neither exec nor user")
    return f"Thank you: {about.name} is {what} from now on. `tierd people set` changes it."
