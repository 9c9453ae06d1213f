"""Render a CSM's daily digest and first-run list: pages that Slack takes, and the count of what was left out."""

from __future__ import annotations

from collections.abc import Sequence

from alerts import words
from alerts.escape import escape, link
from alerts.message import Block, Message, context, guarded, mention, section
from alerts.view import DigestItem, DigestNote, DigestView

MAX_PAGES = 5
MOST_NOTES = 10
"""Lines of one section that is not about alerts."""
_PAGE_CHARACTERS = 9_000
_SECTION_CHARACTERS = 2_500
_PAGE_SECTIONS = 40


def render(view: DigestView) -> list[Message]:
    """One message per page, at most `MAX_PAGES`; the last one says how many entries it leaves out."""
    pages, omitted = _pages(view)
    return [_page(view, page, at, len(pages), omitted if at == len(pages) else 0) for at, page in enumerate(pages, 1)]


def _page(view: DigestView, sections: Sequence[str], at: int, of: int, omitted: int) -> Message:
    number = f" ({at}/{of})" if of > 1 else ""
    total = sum(len(items) for _, items in view.sections) + sum(len(lines) for _, lines, _ in view.notes)
    to = mention(view.recipient) if at == 1 else ""
    text = f"{escape(view.title, 100)}{number}: {words.count(total, 'entry').replace('entrys', 'entries')} {to}".strip()
    small = [f"As of {words.date_words(view.day)}", *([escape(view.routing, 300)] if view.routing else [])]
    if omitted:
        small.append(f"{omitted:,} more left out here")

    def build() -> list[Block]:
        head = section(f"*{escape(view.title, 100)}*{number} {to}".strip())
        return [head, *(section(part) for part in sections), context(" · ".join(small))]

    return guarded(text, build)


def _pages(view: DigestView) -> tuple[list[list[str]], int]:
    """Sections packed into pages; entries beyond the last page are counted. Notes are few and always have their room."""
    pages: list[list[str]] = [[]]
    alerts = [
        part for heading, items in view.sections for part in _chunks(heading, [_item(one, view) for one in items])
    ]
    notes = [part for heading, lines, more in view.notes for part in _chunks(heading, _notes(lines), len(lines), more)]
    omitted = _pack(pages, alerts, MAX_PAGES - 1 if notes else MAX_PAGES)
    return pages, omitted + _pack(pages, notes, MAX_PAGES)


def _pack(pages: list[list[str]], parts: Sequence[Sequence[str]], most: int) -> int:
    """Add parts, each a heading and entries, to the last page or new ones; how many entries had no room."""
    omitted, room = 0, _PAGE_CHARACTERS - sum(map(len, pages[-1]))
    for lines in parts:
        part = "\n".join(lines)
        if len(part) > room or len(pages[-1]) >= _PAGE_SECTIONS:
            if len(pages) == most:
                omitted += len(lines) - 1
                room = 0
                continue
            pages.append([])
            room = _PAGE_CHARACTERS
        pages[-1].append(part)
        room -= len(part)
    return omitted


def _chunks(heading: str, entries: Sequence[str], count: int | None = None, more: str = "") -> list[list[str]]:
    """The entries of one section, each chunk small enough for one block; its first line is the heading with the count."""
    chunks: list[list[str]] = []
    length = _SECTION_CHARACTERS
    for line in entries:
        if length + len(line) >= _SECTION_CHARACTERS:
            again = " (continued)" if chunks else f" ({count or len(entries):,})"
            chunks.append([f"*{escape(heading, 80)}*{again}"])
            length = 0
        chunks[-1].append(line)
        length += len(line) + 1
    if count is not None and count > len(entries):
        chunks[-1].append(f"{count - len(entries):,} more: {escape(more, 100)}")
    return chunks


def _notes(lines: Sequence[DigestNote]) -> list[str]:
    shown = lines[:MOST_NOTES]
    return [
        f"• {escape(one.sentence, 250)}" + (f" — _{escape(one.remedy, 120)}_" if one.remedy else "") for one in shown
    ]


def _item(item: DigestItem, view: DigestView) -> str:
    parts = [f"• {link(item.url, item.account, 80)} _{item.severity}_: {escape(item.sentence, 200)}"]
    if item.renewal is not None and words.date_words(item.renewal) not in item.sentence:
        parts.append(f"renewal {words.date_words(item.renewal)}")
    if item.arr is not None:
        parts.append(words.money(item.arr, view.currency))
    line = " · ".join(parts)
    return f"{line} — _{escape(item.why, 120)}_" if item.why else line
