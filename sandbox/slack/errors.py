"""The refusal every Web API method raises; the app turns it into the vendor's answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class SlackError(Exception):
    """`{"ok": false, "error": code}` over HTTP 200, with further top-level fields in `extra`."""

    def __init__(
        self, code: str, messages: Sequence[str] = (), extra: Mapping[str, object] | None = None, status: int = 200
    ) -> None:
        super().__init__(code)
        self.code = code
        self.messages = tuple(messages)
        self.extra = dict(extra or {})
        self.status = status
        self.retry_after: int | None = None

    def body(self) -> dict[str, object]:
        """The vendor's JSON body."""
        answer: dict[str, object] = {"ok": False, "error": self.code, **self.extra}
        if self.messages:
            answer["response_metadata"] = {"messages": list(self.messages)}
        return answer


class RateLimited(SlackError):
    """HTTP 429 with Retry-After, or the same code over 200 where the workspace is switched so."""

    def __init__(self, seconds: int, how: str) -> None:
        super().__init__("ratelimited" if how == "429" else how, status=429 if how == "429" else 200)
        self.retry_after = seconds


def missing(*names: str) -> SlackError:
    """Required arguments that were not sent."""
    return SlackError("invalid_arguments", [f"[ERROR] missing required field: {name}" for name in names])
