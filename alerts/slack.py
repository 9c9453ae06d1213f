"""Send to Slack: every call once, without the kit's own retries, and look for what may have arrived."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from alerts.outcomes import TRANSPORT_ERRORS, Kind, Outcome, classify, stamp
from alerts.settings import SlackSettings
from store.records import MINUTE, SECOND, Instant

log = logging.getLogger(__name__)

EVENT_TYPE = "tierd"
SCOPES = {
    "chat:write": "post, edit and reply",
    "channels:history": "look for a message before sending it again (public channels)",
    "groups:history": "the same in private channels",
    "channels:read": "check that the channels exist and the bot is in them",
    "groups:read": "the same for private channels",
    "users:read": "read who pressed a button",
    "users:read.email": "find a CSM's Slack user by e-mail address",
}
_SKEW = 5 * MINUTE
_PAGE, _MAX_PAGES = 200, 25


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message ready to be sent: all marks filled in."""

    delivery_id: str
    op: str
    """post | reply | update"""
    channel: str
    text: str
    blocks: Sequence[Mapping[str, Any]] = ()
    ts: str | None = None
    """The message to edit, or the parent to reply to."""


class Sight(StrEnum):
    """What looking for a message found."""

    FOUND = "found"
    ABSENT = "absent"
    BLIND = "blind"
    """Slack does not let us look; the answer will not change soon."""
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Verified:
    """The result of one look. `ts` where found; `retry_after` (microseconds) where it must be repeated."""

    sight: Sight
    ts: str | None = None
    retry_after: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of the self-test. `level`: ok | warning | error."""

    level: str
    what: str
    remedy: str = ""


class SlackSender:
    """One workspace. Safe to share between threads."""

    def __init__(self, settings: SlackSettings) -> None:
        self.settings = settings
        # The kit's default handler posts again after a dropped connection: two messages, and it says nothing.
        self.web = WebClient(
            token=settings.bot_token.get_secret_value(),
            base_url=settings.base_url,
            timeout=max(1, settings.timeout // SECOND),
            retry_handlers=[],
        )
        self.calls = 0

    def send(self, out: Outgoing) -> Outcome:
        """One attempt; never raises for anything Slack or the network does."""
        common: dict[str, Any] = {"channel": out.channel, "text": out.text, "blocks": list(out.blocks)}
        try:
            if out.op == "update":
                answer = self._call(self.web.chat_update, ts=out.ts, **common)
            else:
                answer = self._call(
                    self.web.chat_postMessage,
                    **common,
                    thread_ts=out.ts if out.op == "reply" else None,
                    unfurl_links=False,
                    unfurl_media=False,
                    # Metadata can be read by every app of the workspace: nothing but an opaque id.
                    metadata={"event_type": EVENT_TYPE, "event_payload": {"delivery_id": out.delivery_id}},
                )
        except TRANSPORT_ERRORS as error:
            return classify(error)
        channel, ts = answer.get("channel"), answer.get("ts")
        if not isinstance(ts, str):
            return Outcome(Kind.UNCERTAIN, "Slack's answer has no ts")
        return Outcome(Kind.SENT, channel=str(channel or out.channel), ts=ts)

    def verify(self, out: Outgoing, first_claim_at: Instant) -> Verified:
        """Look for a message by its delivery id, among what was posted since the first attempt."""
        oldest = stamp(max(0, first_claim_at - _SKEW))
        arguments: dict[str, Any] = {"channel": out.channel, "oldest": oldest, "limit": _PAGE, "inclusive": True}
        method: Callable[..., SlackResponse] = self.web.conversations_history
        if out.op == "reply" and out.ts:
            # History shows top-level messages only.
            method, arguments = self.web.conversations_replies, {**arguments, "ts": out.ts}
        cursor = None
        for _ in range(_MAX_PAGES):
            try:
                answer = self._call(method, **arguments, include_all_metadata=True, cursor=cursor)
            except TRANSPORT_ERRORS as error:
                return _not_seen(classify(error))
            for message in answer.get("messages") or ():
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                if payload.get("delivery_id") == out.delivery_id:
                    return Verified(Sight.FOUND, ts=message["ts"])
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return Verified(Sight.ABSENT)

    def lookup(self, email: str) -> str | None:
        """The Slack user of an e-mail address; None = Slack does not know it. Raises `SlackTrouble` when it cannot say."""
        try:
            answer = self._call(self.web.users_lookupByEmail, email=email)
        except TRANSPORT_ERRORS as error:
            outcome = classify(error)
            if outcome.error.startswith("users_not_found"):
                return None
            raise SlackTrouble(outcome) from error
        user = answer.get("user") or {}
        return None if user.get("deleted") else user.get("id")

    def permalink(self, channel: str, ts: str) -> str | None:
        """The address of a message; None where Slack gives none."""
        try:
            return self._call(self.web.chat_getPermalink, channel=channel, message_ts=ts).get("permalink")
        except TRANSPORT_ERRORS as error:
            log.info("no permalink", extra={"error": classify(error).error})
            return None

    def whisper(self, channel: str, user: str, text: str) -> Outcome:
        """A message that only `user` sees; nothing depends on it, so it is tried once."""
        try:
            self._call(self.web.chat_postEphemeral, channel=channel, user=user, text=text)
        except TRANSPORT_ERRORS as error:
            return classify(error)
        return Outcome(Kind.SENT)

    def open_dialog(self, trigger_id: str, view: Mapping[str, Any]) -> Outcome:
        """Show a modal; the trigger is good for three seconds."""
        try:
            self._call(self.web.views_open, trigger_id=trigger_id, view=view)
        except TRANSPORT_ERRORS as error:
            return classify(error)
        return Outcome(Kind.SENT)

    def alive(self) -> Outcome:
        """Ask `auth.test` whether the workspace lets us in."""
        try:
            self._call(self.web.auth_test)
        except TRANSPORT_ERRORS as error:
            return classify(error)
        return Outcome(Kind.SENT)

    def check(self) -> list[Finding]:
        """The self-test: token, workspace, scopes, and the bot's place in each channel."""
        try:
            answer = self._call(self.web.auth_test)
        except TRANSPORT_ERRORS as error:
            outcome = classify(error)
            if outcome.kind in (Kind.RETRY, Kind.UNCERTAIN):
                remedy = "check slack.base_url, and that network, firewall and proxy let this machine out; try again"
                return [Finding("error", f"Slack does not answer: {outcome.error}", remedy)]
            return [Finding("error", f"Slack refuses the bot token: {outcome.error}", "check slack.bot_token")]
        findings = [Finding("ok", f"Slack workspace {answer.get('team')} ({answer.get('team_id')})")]
        if self.settings.team_id and answer.get("team_id") != self.settings.team_id:
            what = f"the token belongs to workspace {answer.get('team_id')}, the configuration names {self.settings.team_id}"
            findings.append(Finding("error", what, "correct slack.team_id or the token"))
        findings += _scopes(answer)
        channels = {self.settings.channels.alerts, self.settings.channels.operators, *self.settings.routes.values()}
        return findings + [self._channel(channel) for channel in sorted(channels)]

    def _channel(self, channel: str) -> Finding:
        try:
            info = self._call(self.web.conversations_info, channel=channel).get("channel") or {}
        except TRANSPORT_ERRORS as error:
            outcome = classify(error)
            if outcome.kind is Kind.RETRY:
                return Finding("warning", f"channel {channel} could not be checked: {outcome.error}", "try again later")
            return Finding("error", f"channel {channel}: {outcome.error}", "use the channel's id, and invite the bot")
        if info.get("is_archived"):
            return Finding("error", f"channel {channel} is archived", "unarchive it or name another")
        if info.get("is_ext_shared"):
            return Finding(
                "error", f"channel {channel} is shared with another organisation", "name an internal channel"
            )
        if info.get("is_member") is False:
            return Finding("error", f"the bot is not in channel {channel}", f"/invite it to #{info.get('name')}")
        return Finding("ok", f"channel #{info.get('name')} ({channel})")

    def _call(self, method: Callable[..., SlackResponse], **arguments: Any) -> SlackResponse:
        self.calls += 1
        return method(**{name: value for name, value in arguments.items() if value is not None})


class SlackTrouble(Exception):
    """Slack could not answer; `outcome` says what to do next."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.error)
        self.outcome = outcome


def _not_seen(outcome: Outcome) -> Verified:
    if outcome.kind in (Kind.RETRY, Kind.UNCERTAIN):
        return Verified(Sight.LATER, retry_after=outcome.retry_after or 5 * SECOND, error=outcome.error)
    return Verified(Sight.BLIND, error=outcome.error)


def _scopes(answer: SlackResponse) -> list[Finding]:
    headers = {str(name).lower(): value for name, value in answer.headers.items()}
    given = headers.get("x-oauth-scopes")
    if given is None:
        return []
    text = given if isinstance(given, str) else ",".join(given)
    have = {scope.strip() for scope in text.split(",") if scope.strip()}
    findings = [
        Finding("error", f"Slack scope {scope} is missing: {why}", f"add {scope} to the app and install it again")
        for scope, why in SCOPES.items()
        if scope not in have
    ]
    excess = sorted(have - set(SCOPES) - {"commands", "channels:join", "im:write", "im:history", "im:read"})
    if excess:
        findings.append(Finding("warning", f"Slack scopes that are not needed: {', '.join(excess)}", "remove them"))
    return findings
