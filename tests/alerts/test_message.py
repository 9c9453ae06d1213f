"""Messages: what they carry, that no name can do harm, and that Slack always takes them."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts import digest, message
from alerts.blockkit import check
from alerts.escape import escape, fill, link, marks, mention_mark, unmarked
from alerts.view import AccountCard, ConversationView, DigestItem, DigestView, Person, ReplyView, RuleLine, RuleText
from daemon.alerting.outbox import body
from sandbox.slack.blockkit import check_blocks
from store.records import DAY

NOW = 20_514 * DAY
CARD = AccountCard(
    "Acme & Söhne",
    (("salesforce", "https://crm.example/001?a=1&b=2"),),
    "Tier 1",
    12_000_000,
    20_544,
    recipient=Person("Ann", "ann@x.example"),
)
TEXT = RuleText(
    "Renews soon; last exec contact: 20 days ago.", ("renewal: in 30 days",), "an exec is met", "Call them."
)
LINE = RuleLine("renewal-exec-silence", "high", "firing", TEXT, NOW)
VIEW = ConversationView("key", CARD, NOW, (LINE,))


def _all_text(made: message.Message) -> str:
    return made.text + str(made.blocks)


def test_a_phone_shows_account_problem_and_deadline() -> None:
    """The first 150 characters carry all three, also where each is long."""
    long = replace(CARD, name="Very long company name " * 10)
    text = replace(TEXT, sentence="A sentence that goes on and on " * 10)
    first = message.conversation(replace(VIEW, card=long, active=(replace(LINE, text=text),))).text[:150]
    assert "Very long company name" in first
    assert "A sentence that goes on" in first
    assert "Renewal 2026-04-01" in first


def test_a_parent_carries_what_a_csm_needs() -> None:
    """Link, tier, ARR, renewal, severity, sentence, evidence, what clears it, the play, and the buttons."""
    shown = _all_text(message.conversation(VIEW))
    for part in ("https://crm.example/001", "Tier 1", "$120,000", "Renewal *2026-04-01*", "HIGH", "last exec contact"):
        assert part in shown
    for part in ("renewal: in 30 days", "Clears when an exec is met", "Call them.", "Acknowledge", "Snooze"):
        assert part in shown
    for part in ("Not useful", "Took action", "Open in Salesforce"):
        assert part in shown


def test_the_deadline_is_said_once() -> None:
    """A sentence that names the renewal needs no second date behind it; one that is cut before it does."""
    text = replace(TEXT, sentence="Renews 2026-04-01; last exec contact 2026-02-16.")
    made = message.conversation(replace(VIEW, active=(replace(LINE, text=text),)))
    assert 1 == made.text.count("2026-04-01")
    long = replace(TEXT, sentence="So much was said before the date. " * 4 + "It renews 2026-04-01.")
    made = message.conversation(replace(VIEW, active=(replace(LINE, text=long),)))
    assert 1 == made.text[:150].count("Renewal 2026-04-01")


def test_a_message_reads_the_same_on_any_later_day() -> None:
    """Nothing ages but the day it is of; of the numbers bound to a day only those that moved much are worth an edit."""
    on = "exec relationships on 2026-03-02: Ann Lee (CFO) 64, Bo Tan 22"
    text = replace(TEXT, sentence="Usage moved by -35.1% as of 2026-03-02; last user contact never.", evidence=(on,))
    line = replace(LINE, text=text, clear_since=NOW, state="recovering", unknown_since=NOW, unknown_reason="stale")
    first = replace(VIEW, active=(line,))
    later = replace(first, as_of=NOW + 20 * DAY)
    assert _same(first, later)
    for old, new, same in (
        ("03-02: Ann Lee (CFO) 64", "03-22: Ann Lee (CFO) 59.5", True),
        ("03-02: Ann Lee (CFO) 64", "03-22: Ann Lee (CFO) 57", False),
        ("Bo Tan", "Cy Orr", False),
        ("-35.1% as of 2026-03-02", "-38% as of 2026-03-22", True),
        ("-35.1% as of 2026-03-02", "-46% as of 2026-03-22", False),
        ("never", "2026-03-01", False),
    ):
        changed = replace(text, sentence=text.sentence.replace(old, new), evidence=(on.replace(old, new),))
        assert changed != text
        assert same is _same(first, replace(later, active=(replace(line, text=changed),))), new
    assert not _same(first, replace(first, card=replace(CARD, arr=1)))


def _same(before: ConversationView, after: ConversationView) -> bool:
    old, new = (body(message.conversation(view)) for view in (before, after))
    return message.reads_the_same(old, new) and message.reads_the_same(new, old)


def test_what_to_do_stands_before_the_evidence() -> None:
    """Sentence, play, at most three lines of evidence: read from the top it can be acted on."""
    text = replace(TEXT, evidence=("one", "two", "three", "four"))
    shown = str(message.conversation(replace(VIEW, active=(replace(LINE, text=text),))).blocks)
    assert shown.index(TEXT.sentence) < shown.index("Call them.") < shown.index("• one") < shown.index("• three")
    assert "four" not in shown


def test_a_resolved_conversation_has_no_buttons_but_the_link() -> None:
    """Nothing is left to do: only the CRM can be opened."""
    ended = replace(LINE, state="closed", close_reason="resolved", closed_at=NOW)
    made = message.conversation(replace(VIEW, active=(), ended=(ended,)))
    assert "Resolved: Acme &amp; Söhne" == made.text
    assert "Acknowledge" not in str(made.blocks)
    assert "Open in Salesforce" in str(made.blocks)


def test_closed_for_another_reason_is_never_called_resolved() -> None:
    """An account that left is closed, not resolved."""
    ended = replace(LINE, state="closed", close_reason="account_gone", closed_at=NOW)
    shown = _all_text(message.conversation(replace(VIEW, active=(), ended=(ended,))))
    assert "esolved" not in shown
    assert "no longer a customer" in shown


def test_a_reply_mentions_the_recipient() -> None:
    """An edit notifies nobody, so the reply must."""
    made = message.reply(ReplyView(CARD, NOW, ((LINE, "opened"),)))
    assert [("user", "ann@x.example")] == list(marks(made.text))
    assert ("user", "ann@x.example") in marks(str(made.blocks[0]["text"]["text"]))


def test_no_name_can_ping_or_link() -> None:
    """Mentions, links and our own marks in data stay text on every surface."""
    evil = "<!channel> <@U1> <http://evil|x> & \ue000user\ue002a@b.c\ue002x\ue001 *b*"
    card = replace(CARD, name=evil, tier=evil, freshness=evil, routing=evil, recipient=Person(evil, None))
    line = replace(
        LINE, text=RuleText(evil, (evil,), evil, evil), unknown_reason=evil, unknown_since=NOW, acked_by=evil
    )
    line = replace(line, snoozed_until=NOW + DAY, snooze_reason=evil)
    view = DigestView(
        evil, Person(evil, None), 20_514, [(evil, [DigestItem(evil, None, "high", evil, why=evil)])], evil
    )
    for made in (
        message.conversation(replace(VIEW, card=card, active=(line,))),
        message.reply(ReplyView(card, NOW, ((line, "opened"),))),
        message.reply(ReplyView(card, NOW, note=evil)),
        message.operators(evil, evil, (evil,)),
        *digest.render(view),
    ):
        assert made.blocks
        shown = _all_text(made)
        assert "<!" not in shown
        assert "<@" not in shown
        assert "<http://evil" not in shown
        assert () == marks(shown)


def test_links_are_http_and_harmless() -> None:
    """A script address is no link; brackets and bars in an address cannot end it."""
    assert "x" == link("javascript:alert(1)", "x")
    assert "<https://a.example/%3E%7C?a=1&amp;b=2|x &amp; y>" == link("https://a.example/>|?a=1&b=2", "x & y")


def test_escaping_never_cuts_an_entity() -> None:
    """At whatever length the text is cut, no half of `&amp;` is left."""
    for limit in range(3, 30):
        cut = escape("R&D & <B>" * 3, limit)
        assert len(cut) <= limit
        assert "&" not in cut.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")


def test_marks_become_mentions_or_names() -> None:
    """A known address is a mention, an unknown one the name."""
    text = f"hello {mention_mark('Ann@X.example', 'Ann <3')}"
    assert "hello <@U7>" == fill(text, {"ann@x.example": "U7"}.get, lambda _key: None)
    assert "hello Ann &lt;3" == fill(text, lambda _email: None, lambda _key: None)
    assert "hello Ann <3" == unmarked(text)


def test_a_render_failure_falls_back_to_plain_text(caplog: pytest.LogCaptureFixture) -> None:
    """Broken words cost the looks, never the message."""
    no_blocks: dict[str, message.Block] = {}
    with caplog.at_level(logging.WARNING):
        made = message.guarded("Acme: call them", lambda: [message.section("x" * 3001)])
        broken = message.guarded("Acme: call them", lambda: [no_blocks["missing"]])
    assert message.Message("Acme: call them") == made == broken
    assert 2 == len(caplog.records)


_words = st.text(max_size=400)
_lines = st.builds(
    RuleLine,
    rule=st.just("rule"),
    severity=st.sampled_from(["low", "medium", "high", "critical"]),
    state=st.sampled_from(["firing", "recovering"]),
    text=st.builds(RuleText, _words, st.lists(_words, max_size=12).map(tuple), _words, _words),
    fired_at=st.just(NOW),
    acked_by=st.none() | _words,
    snoozed_until=st.none() | st.just(NOW + DAY),
    snooze_reason=st.none() | _words,
    unknown_since=st.none() | st.just(NOW),
    unknown_reason=_words,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(name=_words, lines=st.lists(_lines, max_size=15), ended=st.lists(_lines, max_size=15))
def test_slack_takes_whatever_the_data_are(name: str, lines: list[RuleLine], ended: list[RuleLine]) -> None:
    """Random words of any length, script and number: our validator and the strict imitation agree that it fits."""
    card = replace(CARD, name=name, tier=name, routing=name)
    for made in (
        message.conversation(replace(VIEW, card=card, active=tuple(lines), ended=tuple(ended))),
        message.reply(ReplyView(card, NOW, tuple((line, "opened") for line in lines) or ((LINE, "opened"),))),
    ):
        assert made.blocks
        assert [] == check(made.text, made.blocks)
        assert not check_blocks([dict(block) for block in made.blocks])
        assert made.text.strip()


def test_a_long_digest_is_paged_and_complete() -> None:
    """180 accounts: every page fits, and every account is on one."""
    items = [
        DigestItem(f"Company {n:03}", "https://crm.example/1", "medium", "It says so. " * 8, 20_544, 100)
        for n in range(180)
    ]
    pages = digest.render(DigestView("Daily digest", CARD.recipient, 20_514, [("New", items)]))
    text = "".join(str(page.blocks) for page in pages)
    assert 1 < len(pages) <= digest.MAX_PAGES
    assert all(page.blocks and not check(page.text, page.blocks) for page in pages)
    assert all(f"Company {n:03}" in text for n in range(180))
    assert "left out" not in text


def test_a_digest_beyond_its_pages_says_how_many_it_leaves_out() -> None:
    """The count of what is shown and what is left out is the count of all."""
    items = [DigestItem(f"Company {n:04}", None, "medium", "It says so. " * 15) for n in range(1000)]
    pages = digest.render(DigestView("Daily digest", None, 20_514, [("New", items)]))
    text = "".join(str(page.blocks) for page in pages)
    shown = sum(f"Company {n:04}" in text for n in range(1000))
    assert digest.MAX_PAGES == len(pages)
    assert f"{1000 - shown:,} more left out here" in text
    assert not any(check(page.text, page.blocks) for page in pages)
