"""The relationships of one team member that somebody else has to take over, as one message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alerts import words
from alerts.escape import escape
from alerts.message import Block, Message, context, guarded, section
from store.records import Day

MOST = 20
"""Lines in one message; the rest is counted."""


@dataclass(frozen=True, slots=True)
class HandOverLine:
    """One pair. `strength`: hundredths; `csm`: name of whom the account belongs to now, None = nobody."""

    account: str
    csm: str | None
    person: str
    strength: int
    last_touch: Day
    held_by: str = ""
    """Name of who holds it, where one list has those of several; `left`: because he or she has left."""
    left: bool = False


def render(member: str, lines: Sequence[HandOverLine], *, left: bool) -> Message:
    """What `member` has to hand over: because he or she has left, or because the accounts have another CSM."""
    why = "has left" if left else "is no longer the CSM of these accounts"
    text = f"To hand over: {escape(member, 80)} {why}; {words.count(len(lines), 'relationship')}"

    def build() -> list[Block]:
        blocks = [section(f"*{text}*")]
        shown = [f"• {_line(line)}" for line in lines[:MOST]]
        blocks += [section("\n".join(shown[start : start + 10])) for start in range(0, len(shown), 10)]
        more = f"{len(lines) - MOST:,} more: " if len(lines) > MOST else ""
        return [*blocks, context(f"{more}`tierd people handover` lists them all")]

    return guarded(text, build)


def line_of(line: HandOverLine) -> str:
    """One pair for whom it is to be taken over by, as plain text: whose it was, and how strong it is to be made again."""
    why = "who has left" if line.left else "the CSM before"
    strength, touch = f"strength {line.strength / 100:.0f}", words.date_words(line.last_touch)
    return f"{line.account}: {line.person}, {strength} with {line.held_by}, {why}; last touch {touch}"


def _line(line: HandOverLine) -> str:
    to = f" (CSM {escape(line.csm, 60)})" if line.csm else " (no CSM)"
    touch = words.date_words(line.last_touch)
    return f"{escape(line.account, 60)}{to}: {escape(line.person, 60)}, strength {line.strength / 100:.0f}, last touch {touch}"
