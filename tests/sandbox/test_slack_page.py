"""The Slack page as a person gets it: what is shown, to whom, and that no text of anybody becomes markup."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
import requests

from sandbox.slack.mrkdwn import mrkdwn
from sandbox.slack.oracle import Reference, message_references, references
from tests.sandbox.slack_workspace import ALERTS, ANA, SAM, Workspace, actions, button, section, workspace

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    '<https://evil.example/" onmouseover=alert(1)|label>',
    "<javascript:alert(1)|click me>",
    '<@U1"><b>',
    "`</code><script>alert(1)</script>`",
    "```</pre><svg onload=alert(1)>```",
    "\ue0000\ue001 *<b>* {{ 7*7 }} </textarea></select>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "> <iframe src=//evil.example>",
)
ALLOWED = {"a", "blockquote", "br", "code", "em", "pre", "s", "span", "strong"}


class Tags(HTMLParser):
    """Every tag with its attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data

    def ids(self) -> list[str]:
        """All data-testid values."""
        return [str(a["data-testid"]) for _, a in self.tags if "data-testid" in a]


@pytest.fixture
def slack() -> Iterator[Workspace]:
    """A fresh workspace without rate limits."""
    with workspace() as served:
        served.state.limits.enforced = False
        yield served


@pytest.mark.parametrize("text", HOSTILE)
def test_mrkdwn_makes_only_our_own_tags(text: str) -> None:
    """Whatever is written, only our few tags come out, with no attribute that runs anything."""
    for tag, attributes in Tags(str(mrkdwn(text, {}))).tags:
        assert tag in ALLOWED
        assert set(attributes) <= {"class", "href", "rel", "target"}
        assert str(attributes.get("href", "https://")).startswith(("http://", "https://", "mailto:"))


@pytest.mark.parametrize("text", HOSTILE)
def test_page_stays_whole_with_hostile_text(slack: Workspace, text: str) -> None:
    """Hostile text in every surface of a message adds no script, frame, image or handler to the page."""
    label = text[:75]
    slack.web.chat_postMessage(
        channel=ALERTS,
        text=text,
        blocks=[
            section(text),
            {"type": "header", "text": {"type": "plain_text", "text": text}},
            {"type": "section", "fields": [{"type": "mrkdwn", "text": text}]},
            {"type": "context", "elements": [{"type": "plain_text", "text": text}]},
            actions(button(label, text, text)),
        ],
    )
    slack.web.chat_postMessage(channel=ALERTS, text=text)
    slack.state.say(SAM, ALERTS, text)
    page = Tags(slack.page(user=ANA, channel=ALERTS))
    assert [a.get("src") for tag, a in page.tags if tag == "script"] == ["/page/static/page.js"]
    assert not {"iframe", "img", "svg", "b", "object", "embed"} & {tag for tag, _ in page.tags}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]


def test_page_forbids_what_it_does_not_use(slack: Workspace) -> None:
    """The page's own policy allows no inline script and no other host."""
    answer = requests.get(slack.state.page_url, timeout=5)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "http" not in policy


def test_mrkdwn_reads_as_slack_shows_it() -> None:
    """Bold, italics, strike, code, quotes, links, mentions and entities are shown as Slack shows them."""
    names = {ANA: "Ana Novák", ALERTS: "customer-alerts"}
    shown = str(mrkdwn(f"*b* _i_ ~s~ `c` <@{ANA}> <#{ALERTS}> <https://a.example|l> a &lt; b :warning:\n> q", names))
    assert "<strong>b</strong> <em>i</em> <s>s</s> <code>c</code>" in shown
    assert '<span class="mention">@Ana Novák</span> <span class="mention">#customer-alerts</span>' in shown
    assert 'href="https://a.example"' in shown
    assert "a &lt; b ⚠️" in shown
    assert "<blockquote>q</blockquote>" in shown
    assert str(mrkdwn("2*3*4 snake_case_name", {})) == "2*3*4 snake_case_name"


def test_people_see_their_own_conversations(slack: Workspace) -> None:
    """Channels one is in and one's own direct messages are at the left, nobody else's."""
    slack.web.chat_postMessage(channel=ANA, text="for Ana alone")
    ana, sam = Tags(slack.page(user=ANA)), Tags(slack.page(user=SAM))
    assert {"channel-customer-alerts", "channel-secret", "channel-tierd"} <= set(ana.ids())
    assert {"channel-secret", "channel-tierd"}.isdisjoint(sam.ids())
    direct = slack.web.conversations_open(users=ANA)["channel"]["id"]
    assert "for Ana alone" in slack.page(user=ANA, channel=direct)
    assert "for Ana alone" not in slack.page(user=SAM, channel=direct)


def test_threads_edits_and_private_notes_show(slack: Workspace) -> None:
    """Replies stand in a thread, edits are marked, an ephemeral note only its reader sees."""
    ts = slack.web.chat_postMessage(channel=ALERTS, text="parent")["ts"]
    slack.web.chat_postMessage(channel=ALERTS, text=f"reply for <@{ANA}>", thread_ts=ts)
    slack.web.chat_update(channel=ALERTS, ts=ts, text="parent, edited")
    slack.web.chat_postEphemeral(channel=ALERTS, user=ANA, text="psst")
    ana, sam = Tags(slack.page(user=ANA, channel=ALERTS)), Tags(slack.page(user=SAM, channel=ALERTS))
    assert {"thread", "edited", "message", "acting-user"} <= set(ana.ids())
    assert "reply for @Ana Novák" in ana.text
    assert ("psst" in ana.text, "psst" in sam.text) == (True, False)
    assert ana.ids().count("message") == 3


def test_buttons_and_menus_are_there_to_use(slack: Workspace) -> None:
    """Every interactive element carries its action, and using it reaches the app as that person."""
    option = {"text": {"type": "plain_text", "text": "7 days"}, "value": "7d"}
    menu = {"type": "static_select", "action_id": "snooze", "options": [option]}
    ts = slack.web.chat_postMessage(
        channel=ALERTS,
        text="x",
        blocks=[actions(button("Acknowledge", "ack"), menu, {"type": "datepicker", "action_id": "until"})],
    )["ts"]
    page = Tags(slack.page(user=SAM, channel=ALERTS))
    assert {"button-ack", "select-snooze", "datepicker-until"} <= set(page.ids())
    assert slack.do(user=SAM, do="click", channel=ALERTS, ts=ts, action_id="ack", value="1").status_code == 200
    (envelope,) = slack.state.hub.envelopes.values()
    assert envelope.payload["user"]["id"] == SAM


def test_deeds_of_nobody_are_refused(slack: Workspace) -> None:
    """A click by nobody, on nothing, without its parts or from a foreign form does nothing."""
    assert slack.do(user="U0NOBODY", do="home").status_code == 404
    gone = slack.do(user=ANA, do="click", channel=ALERTS, ts="1.0", action_id="x")
    assert gone.status_code == 404
    assert slack.do(user=ANA, do="click").status_code == 400
    foreign = requests.post(f"{slack.state.origin}/page/do", data={"user": ANA, "do": "home"}, timeout=5)
    assert foreign.status_code == 415
    assert slack.state.hub.envelopes == {}


def test_parts_change_only_with_the_state(slack: Workspace) -> None:
    """The page asks for its parts with the version it has; nothing new is an empty answer."""
    first = requests.get(f"{slack.state.page_url}/parts", params={"user": ANA, "channel": ALERTS}, timeout=5).json()
    query = {"user": ANA, "channel": ALERTS, "since": first["version"]}
    assert requests.get(f"{slack.state.page_url}/parts", params=query, timeout=5).status_code == 204
    slack.web.chat_postMessage(channel=ALERTS, text="news")
    later = requests.get(f"{slack.state.page_url}/parts", params=query, timeout=5).json()
    assert "news" in later["main"]


def test_page_costs_no_calls(slack: Workspace) -> None:
    """Looking at the page is no API call."""
    slack.page(user=ANA)
    slack.web.auth_test()
    assert [(e.path, e.cost) for e in slack.shared.log.entries() if "/page" in e.path] == [(f"/page?user={ANA}", 0)]
    assert [e.cost for e in slack.shared.log.entries() if e.path.startswith("/api/")] == [1]


def test_modal_and_home_are_drawn(slack: Workspace) -> None:
    """An open modal is drawn with its inputs for its person only; a published Home is an entry at the left."""
    slack.state.click(
        ANA, ALERTS, slack.web.chat_postMessage(channel=ALERTS, text="x", blocks=[actions(button("A", "a"))])["ts"], "a"
    )
    trigger = next(iter(slack.state.triggers))
    reason = {"type": "plain_text_input", "action_id": "reason"}
    view = {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Snooze <b>"},
        "submit": {"type": "plain_text", "text": "Go"},
        "blocks": [
            {"type": "input", "block_id": "why", "label": {"type": "plain_text", "text": "Why"}, "element": reason}
        ],
    }
    slack.web.views_open(trigger_id=trigger, view=view)
    slack.web.views_publish(user_id=ANA, view={"type": "home", "blocks": [section("*My book*")]})
    ana = Tags(slack.page(user=ANA))
    assert {"modal", "input-reason", "modal-submit", "channel-tierd-home"} <= set(ana.ids())
    assert "Snooze <b>" in ana.text
    assert "modal" not in Tags(slack.page(user=SAM)).ids()
    assert "<strong>My book</strong>" in slack.page(user=ANA, channel="home")


def test_oracle_finds_what_pings_and_links() -> None:
    """Mentions and links are found in text and blocks; escaped ones, code and plain_text are none."""
    message = {
        "text": "<!channel> &lt;!here&gt; <https://a.example|x>",
        "blocks": [
            section(f"<@{ANA}> `<!here>` http://bare.example/x."),
            {"type": "header", "text": {"type": "plain_text", "text": "<!everyone>"}},
            actions(button("Open", "open", url="https://crm.example/1")),
        ],
    }
    assert message_references(message) == [
        Reference("broadcast", "channel", "", "text"),
        Reference("link", "https://a.example", "x", "text"),
        Reference("user", ANA, "", "mrkdwn"),
        Reference("bare_link", "http://bare.example/x.", "", "mrkdwn"),
        Reference("link", "https://crm.example/1", "", "button"),
    ]
    assert [r.kind for r in references("hi @here", parse="full")] == ["broadcast"]
    assert references("hi @here") == []
