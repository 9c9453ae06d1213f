"""One Web API request as Slack reads it: the body's form, the token, the arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.requests import Request

from sandbox.slack.errors import SlackError, missing
from sandbox.slack.model import Json, Token

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


@dataclass(slots=True)
class Call:
    """A method call: its token (checked) and its arguments as they came."""

    method: str
    token: Token
    args: Mapping[str, object]
    warnings: list[str] = field(default_factory=list)

    def text(self, name: str, default: str = "") -> str:
        """A text argument; numbers read as their text, absent and null as the default."""
        value = self.args.get(name)
        return default if value is None else str(value)

    def need(self, name: str) -> str:
        """A text argument that must be there. Raises SlackError invalid_arguments."""
        value = self.text(name)
        if not value:
            raise missing(name)
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean: JSON's, or the form's 1, 0, true and false."""
        value = self.args.get(name)
        return default if value is None else str(value).lower() in ("1", "true")

    def number(self, name: str, default: int) -> int | None:
        """A whole number; None where it is not one."""
        value = self.text(name)
        if not value:
            return default
        return int(value) if value.lstrip("-").isdigit() else None

    def structure(self, name: str, error: str) -> object:
        """A JSON value, which a form carries as text; None where absent. Raises SlackError `error` where unreadable."""
        value = self.args.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(error) from None


async def read_arguments(request: Request, takes_json: bool) -> tuple[Json, list[str]]:
    """The arguments of a request and the warnings its form earns. Raises SlackError.

    Methods that take no JSON see an empty body, as the vendor's do. Query and form are merged.
    """
    args: Json = dict(request.query_params)
    kind, _, options = request.headers.get("content-type", "").partition(";")
    kind = kind.strip().lower()
    body = await request.body()
    if not body:
        return args, []
    charset = options.strip().lower().removeprefix("charset=").strip('"')
    if charset not in ("", "utf-8", "utf8", "iso-8859-1"):
        raise SlackError("invalid_charset")
    if not kind:
        raise SlackError("missing_post_type")
    if kind == JSON:
        return args | (_json_body(body) if takes_json else {}), [] if charset else ["missing_charset"]
    if kind != FORM:
        raise SlackError("invalid_post_type")
    try:
        args.update(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
    except ValueError:
        raise SlackError("invalid_form_data") from None
    return args, []


def _json_body(body: bytes) -> Json:
    try:
        value = json.loads(body)
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(value, dict):
        raise SlackError("json_not_object")
    return value


def bearer(request: Request, args: Json) -> str:
    """The token of a request: the header's, or for a form also the argument `token`."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and text.strip():
        return text.strip()
    is_json = request.headers.get("content-type", "").startswith(JSON)
    return "" if is_json else str(args.get("token", ""))


def authorise(tokens: Mapping[str, Token], text: str, kinds: tuple[str, ...], scopes: tuple[str, ...]) -> Token:
    """The token, if it lives, is of a kind the method takes and has one of its scopes. Raises SlackError."""
    if not text:
        raise SlackError("not_authed")
    token = tokens.get(text)
    if token is None:
        raise SlackError("invalid_auth")
    if token.trouble:
        raise SlackError(token.trouble)
    if token.kind not in kinds:
        raise SlackError("not_allowed_token_type")
    if scopes and not set(scopes) & set(token.scopes):
        extra = {"needed": ",".join(scopes), "provided": ",".join(token.scopes)}
        raise SlackError("missing_scope", extra=extra)
    return token
