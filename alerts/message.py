"""Render conversations, replies and operators' notes into Slack text and blocks, within Slack's limits."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alerts import words
from alerts.blockkit import check
from alerts.buttons import actions
from alerts.escape import escape, link, link_mark, mention_mark, unmarked
from alerts.lifecycle import rank
from alerts.view import AccountCard, ConversationView, Person, ReplyView, RuleLine

log = logging.getLogger(__name__)

Block = Mapping[str, Any]
_IN_FULL = 5
_BULLETS = 3
_PHONE = 150
_DAY = r"\d{4}-\d\d-\d\d"
_NUMBER = re.compile(r"[-+]?\d+(?:,\d{3})*(?:\.\d+)?")
_BOUND = re.compile(rf'(?:on {_DAY}:|As of {_DAY})[^"\\]*|{_NUMBER.pattern}(?:%| points)? as of {_DAY}')
_WORTH, _SHARE = 5.0, 0.1
"""A number that is bound to a day has moved when it differs by more than both."""
_SIGN = {"critical": "🔴", "high": "🟠", "medium": "🟡", "low": "⚪"}
_ENDED = {
    "resolved": "cleared",
    "account_gone": "closed: no longer a customer in scope",
    "rule_removed": "closed: the rule was removed",
    "rule_shadowed": "closed: the rule now runs in the shadow, so nobody is told",
    "rule_changed": "closed: the rule was changed",
}
_FEEDBACK = {"not_useful": "marked as not useful", "took_action": "action was taken"}


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: `text` is what a phone and a screen reader show, `blocks` what Slack shows."""

    text: str
    blocks: tuple[Block, ...] = ()


def conversation(view: ConversationView) -> Message:
    """The parent message. Its `text` begins with account, problem and deadline: a phone shows 150 characters."""
    return guarded(_headline(view), lambda: _conversation_blocks(view))


def reply(view: ReplyView) -> Message:
    """News in a thread: mentions the recipient, because an edit of the parent notifies nobody."""
    head = f"{mention(view.card.recipient)} ".lstrip()
    if view.note:
        return guarded(head + escape(view.note, 600), lambda: [section(head + escape(view.note, 2000))])
    first, news = view.lines[0]
    text = f"{_problem_text(view.card, first)} ({_news(first, news)}) {mention(view.card.recipient)}"
    return guarded(
        text.strip(),
        lambda: [
            section(
                head + "\n\n".join(f"{_news(line, kind)}: {_line(line, alone=False)}" for line, kind in view.lines[:3])
            ),
            *([context(f"and {len(view.lines) - 3} more, see above")] if len(view.lines) > 3 else []),
        ],
    )


def operators(what: str, remedy: str = "", details: Sequence[str] = ()) -> Message:
    """A note for the operators' channel."""
    lines = [f"⚙️ {escape(what, 1500)}", *(f"• {escape(detail, 120)}" for detail in details[:10])]
    if len(details) > 10:
        lines.append(f"and {len(details) - 10} more")
    if remedy:
        lines.append(f"_What to do:_ {escape(remedy, 600)}")
    return guarded(escape(f"{what} {remedy}", 600), lambda: [section("\n".join(lines))])


def guarded(text: str, build: Callable[[], Sequence[Block]]) -> Message:
    """The message with its blocks, or the bare text where rendering fails or breaks a limit: never silence."""
    try:
        blocks = tuple(build())
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        log.warning("message could not be rendered, sending plain text", extra={"error": repr(error)})
        return Message(text)
    problems = check(text, blocks)
    if problems:
        log.error("message breaks Slack's limits, sending plain text", extra={"problems": problems[:5]})
        return Message(text[:3000])
    return Message(text, blocks)


def section(text: str) -> Block:
    """One mrkdwn section; `verbatim` keeps Slack from making links and mentions of plain words."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def context(text: str) -> Block:
    """One small grey line."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def mention(person: Person | None) -> str:
    """A mark that the delivery turns into the person's mention; the bare name where no address is known."""
    if person is None:
        return ""
    return mention_mark(person.email, person.name) if person.email else escape(person.name, 100)


def _headline(view: ConversationView) -> str:
    to = mention(view.card.recipient)
    if view.moved_to:
        return f"{escape(view.card.name, 60)}: continues in a newer message"
    if not view.active:
        return f"{'Resolved' if _all_resolved(view) else 'Closed'}: {escape(view.card.name, 60)}"
    worst = max(view.active, key=lambda line: rank(line.severity))
    return f"{_problem_text(view.card, worst)} {to}".strip()


def _problem_text(card: AccountCard, line: RuleLine) -> str:
    """Account, problem and deadline in what a phone shows: the problem gets the room that the others leave."""
    head = f"{line.severity.upper()} {escape(card.name, 45)}: "
    day = "" if card.renewal is None else words.date_words(card.renewal)
    renewal = f" Renewal {day}." if day else ""
    problem = escape(line.text.sentence, _PHONE - len(head) - len(renewal))
    return head + problem + ("" if day in problem else renewal)


def _all_resolved(view: ConversationView) -> bool:
    return all(line.close_reason == "resolved" for line in view.ended)


def _conversation_blocks(view: ConversationView) -> list[Block]:
    card = view.card
    url = card.links[0][1] if card.links else None
    if view.moved_to:
        return [section(f"*{link(url, card.name)}* {link_mark(view.moved_to, 'continues in a newer message')}")]
    blocks = [section(f"{_state(view)} *{link(url, card.name)}* {mention(card.recipient)}\n{_facts(card)}")]
    active = sorted(view.active, key=lambda line: (-rank(line.severity), line.rule))
    for line in active[:_IN_FULL]:
        blocks.append(section(_line(line, alone=len(active) == 1) + _attention(line, view.as_of)))
        if line.text.clears_when:
            blocks.append(context(f"Clears when {escape(line.text.clears_when, 300)}"))
    rest = [f"{line.severity}: {escape(line.text.sentence, 100)}" for line in active[_IN_FULL:]]
    if rest:
        blocks.append(section("Also: " + "; ".join(rest[:10])))
    if view.ended:
        blocks.append(section("\n".join(_ended(line) for line in view.ended[:10])))
    blocks.append(context(_small_print(view)))
    return [*blocks, *actions(view.key, card.links, open_rules=bool(active))]


def _state(view: ConversationView) -> str:
    if not view.active:
        return "✅ Resolved:" if _all_resolved(view) else "⏹ Closed:"
    worst = max((line.severity for line in view.active), key=rank)
    return f"{_SIGN[worst]} {worst.upper()}"


def _facts(card: AccountCard) -> str:
    """Until when, how much, how important: one line."""
    tier = escape(card.tier or "none yet", 60)
    parts = (
        "Renewal not on file" if card.renewal is None else f"Renewal *{words.date_words(card.renewal)}*",
        "ARR not on file" if card.arr is None else f"ARR {words.money(card.arr, card.currency)}",
        tier if tier.lower().startswith("tier") else f"Tier {tier}",
        *(() if card.recipient else ("for nobody on file",)),
    )
    return " · ".join(parts)


def _line(line: RuleLine, *, alone: bool) -> str:
    """What is wrong, what to do, and why we say so. `alone`: the severity stands above already."""
    text = line.text
    wrong = escape(text.sentence, 500).replace("*", "").strip()
    parts = ["" if alone and wrong else f"{line.severity.upper()}: ", f"*{wrong}*" if wrong else ""]
    lines = ["".join(parts)]
    if text.play:
        lines.append(f"👉 {escape(text.play, 300)}")
    lines += [f"• {escape(item, 240)}" for item in text.evidence[:_BULLETS]]
    if line.state == "recovering":
        since = f" since {words.date_words(words.day_of(line.clear_since))}" if line.clear_since is not None else ""
        lines.append(f"Clear{since}; it closes if it stays so.")
    if line.unknown_since is not None:
        reason = escape(line.unknown_reason or "", 120)
        since = words.date_words(words.day_of(line.unknown_since))
        lines.append(f"Kept open: cannot be checked since {since} ({reason})")
    return "\n".join(lines)


def _attention(line: RuleLine, as_of: int) -> str:
    parts = []
    if line.acked_by:
        parts.append(f"👀 Acknowledged by {escape(line.acked_by, 80)}")
    if line.snoozed_until is not None and line.snoozed_until > as_of:
        reason = f": {escape(line.snooze_reason, 150)}" if line.snooze_reason else ""
        parts.append(f"💤 Snoozed until {words.date_words(words.day_of(line.snoozed_until))}{reason}")
    if line.feedback:
        parts.append(_FEEDBACK.get(line.feedback, escape(line.feedback, 60)))
    return "".join(f"\n{part}" for part in parts)


def _ended(line: RuleLine) -> str:
    when = f" on {words.date_words(words.day_of(line.closed_at))}" if line.closed_at is not None else ""
    return f"✓ {escape(line.text.sentence, 150)} — {_ENDED.get(line.close_reason or '', 'closed')}{when}"


def _news(line: RuleLine, kind: str) -> str:
    return {"escalated": f"Now {line.severity}", "reminder": "Snooze is over"}.get(kind, "New")


def _small_print(view: ConversationView) -> str:
    parts = [f"As of {words.date_words(words.day_of(view.as_of))}, edited when something changes"]
    parts += [escape(part, 300) for part in (view.card.freshness, view.card.routing) if part]
    if view.earlier:
        parts.append(link_mark(view.earlier, "earlier message"))
    return " · ".join(parts)


def reads_the_same(before: str, after: str) -> bool:
    """Whether two rendered bodies (JSON) tell a reader the same: equal but for numbers bound to a day that moved little.

    What is bound to a day (`on 2026-03-08: Ann Lee 64`, `-46% as of 2026-03-08`) stays true when the day is over.
    """
    old, was = _unbound(before)
    new, now = _unbound(after)
    return old == new and all(abs(a - b) <= max(_WORTH, _SHARE * abs(a)) for a, b in zip(was, now, strict=True))


def _unbound(body: str) -> tuple[str, list[float]]:
    """The body with the days and numbers that are bound to a day taken out, and these numbers."""
    numbers: list[float] = []

    def taken(number: re.Match[str]) -> str:
        numbers.append(float(number.group().replace(",", "")))
        return "#"

    return _BOUND.sub(lambda bound: _NUMBER.sub(taken, re.sub(_DAY, "", bound.group())), body), numbers


def plain(message: Message) -> str:
    """What a reader without Slack sees, marks replaced by names; for previews and reports."""
    return unmarked(message.text)
