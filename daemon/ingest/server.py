"""The listener itself: who may call, how much, and what is answered; 2xx only after the commit."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping

import structlog
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.hubspot.hints import HubSpotHints, NotHubSpot, concerns, proved
from connectors.usage.payload import JSON_TYPES, BadBody, TooManyRows, pushed
from connectors.usage.settings import UsageSettings
from daemon.ingest.hintdesk import HintDesk
from daemon.ingest.limits import Rate, Room
from daemon.ingest.metrics import Counts
from daemon.ingest.pushes import Pushes
from daemon.ingest.settings import IngestSettings
from daemon.listening import Listener
from store.records import Clock
from store.usage_ingest import KeyReused

_log = structlog.get_logger(__name__)
_BODY_SECONDS = 30.0
_HINT_BYTES = 1_000_000
_LONGEST_KEY = 255
_COME_BACK = 5
"""Seconds, where the store or the listener is busy."""


class Refused(Exception):
    """A call that is not done: its status, what to do instead, and more for the answer."""

    def __init__(self, status: int, error: str, *, headers: Mapping[str, str] | None = None, **also: object) -> None:
        super().__init__(error)
        self.status, self.error, self.headers, self.also = status, error, dict(headers or {}), also


class IngestServer:
    """POST /usage/<feed> (and /usage where there is one feed), POST /hints/<source>."""

    def __init__(
        self,
        settings: IngestSettings,
        clock: Clock,
        *,
        pushes: Pushes,
        feeds: Mapping[str, UsageSettings],
        desk: HintDesk,
        hints: Mapping[str, tuple[HubSpotHints, int | None]],
    ) -> None:
        """`hints`: HubSpot source -> its settings and the portal that it is pinned to."""
        self._settings, self._clock = settings, clock
        self._pushes, self._feeds, self._desk, self._hints = pushes, feeds, desk, hints
        self._rate = Rate(clock, settings.per_second, settings.burst)
        self._room = Room(settings.at_once)
        # Compared as digests: of equal length, whatever is sent.
        self._keys = [_digest(key.get_secret_value().encode()) for key in settings.keys if key.get_secret_value()]
        self.counts = Counts(desk)
        self._listener = Listener("ingest", settings.bind)

    # ------------------------------------------------------------ life

    def start(self) -> None:
        """Listen; raises OSError when the address is taken."""
        self._listener.start(
            self.app(),
            server_header=False,
            timeout_keep_alive=15,
            limit_concurrency=4 * self._settings.at_once + 16,
            timeout_graceful_shutdown=int(_BODY_SECONDS + self._settings.patience_seconds),
        )

    @property
    def address(self) -> str:
        """`http://host:port` once it listens."""
        return self._listener.address

    def stop(self) -> None:
        """Take no more calls; returns when those that are being worked on have their answer."""
        self._listener.stop()

    def app(self) -> Starlette:
        """The routes."""
        return Starlette(
            routes=[
                Route("/usage", self._counted("usage", self._usage), methods=["POST"]),
                Route("/usage/{feed}", self._counted("usage", self._usage), methods=["POST"]),
                Route("/hints/{source}", self._counted("hints", self._hint), methods=["POST"]),
            ]
        )

    def _counted(
        self, route: str, endpoint: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                response = await endpoint(request)
            except Refused as refused:
                body = {"error": refused.error, **refused.also}
                response = JSONResponse(body, refused.status, headers=refused.headers)
            except OperationalError as error:
                _log.warning(
                    "a call was turned away: the store has no turn for it", route=route, error=type(error).__name__
                )
                response = JSONResponse(
                    {"error": "the store is busy: send it again"}, 503, headers={"Retry-After": str(_COME_BACK)}
                )
            except Exception as error:
                _log.error("a call failed", route=route, exc_info=error)
                self.counts.answered(route, 500)
                raise
            self.counts.answered(route, response.status_code)
            return response

        return answer

    # ------------------------------------------------------------ usage

    async def _usage(self, request: Request) -> Response:
        if not self._keys:
            raise Refused(404, "nothing is pushed here: `ingest` has no `keys`")
        self._authorise(request)
        self._pace()
        name = self._feed(request.path_params.get("feed"))
        media_type = _media_type(request)
        key = _idempotency_key(request)
        body = await _body(request, self._settings.max_body)
        return await self._within(lambda: self._push(name, media_type, key, body))

    def _push(self, name: str, media_type: str, key: str | None, body: bytes) -> Response:
        feed = self._feeds[name]
        try:
            records = pushed(body, media_type, feed, self._settings.max_rows) if body.strip() else []
            taken = self._pushes.take(
                name, feed.content, records, key=key, digest=_digest(body).hex(),
                patience=self._settings.patience_seconds,
            )  # fmt: skip
        except TooManyRows as error:
            raise Refused(413, str(error)) from None
        except BadBody as error:
            rows = [{"row": number, "error": reason} for number, reason in error.rows]
            if not rows:
                raise Refused(400, str(error)) from None
            raise Refused(422, str(error), rows=rows, bad_rows=error.count) from None
        except KeyReused as error:
            raise Refused(422, str(error)) from None
        self.counts.pushed(name, 0 if taken.repeated else taken.rows)
        return JSONResponse({"feed": name, "rows": taken.rows, "changed": taken.changed, "repeated": taken.repeated})

    def _feed(self, name: str | None) -> str:
        names = ", ".join(f"/usage/{feed}" for feed in self._feeds) or "none: no source has `push: true`"
        if name is None and len(self._feeds) == 1:
            return next(iter(self._feeds))
        if name is None or name not in self._feeds:
            raise Refused(404, f"there is no such feed; there are {names}")
        return name

    def _authorise(self, request: Request) -> None:
        """A bearer key, or the same key as the password of basic authentication, for senders that know nothing else."""
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        given = value.strip().encode()
        if kind.casefold() == "basic":
            try:
                given = b64decode(given, validate=True).partition(b":")[2]
            except ValueError:
                given = b""
        elif kind.casefold() != "bearer":
            given = b""
        found = [hmac.compare_digest(_digest(given), key) for key in self._keys]  # all of them, whichever fits
        if not given or not any(found):
            raise Refused(
                401, "send one of the `keys` of `ingest`: Authorization: Bearer ...",
                headers={"WWW-Authenticate": 'Bearer realm="tierd", Basic realm="tierd"'},
            )  # fmt: skip

    # ------------------------------------------------------------ hints

    async def _hint(self, request: Request) -> Response:
        source = request.path_params["source"]
        if source == "hubspot" and source not in self._hints and len(self._hints) == 1:
            source = next(iter(self._hints))
        if source not in self._hints:
            raise Refused(404, "there is no such source with `hints`")
        settings, portal = self._hints[source]
        body = await _body(request, _HINT_BYTES)
        try:
            nonce = proved(settings, body, request.headers, self._clock.now(), query=request.url.query)
        except NotHubSpot as error:
            _log.warning("a hint was refused", source=source, reason=str(error))
            raise Refused(401, str(error)) from None
        self._pace()
        try:
            count = concerns(body, portal)
        except (ValueError, RecursionError):
            raise Refused(400, "the body is no list of events") from None
        if not count:
            return JSONResponse({"effect": "none"})
        patience = self._settings.patience_seconds
        return await self._within(
            lambda: JSONResponse({"effect": self._desk.take(source, nonce=nonce, patience=patience)})
        )

    # ------------------------------------------------------------ both

    def _pace(self) -> None:
        wait = self._rate.wait()
        if wait:
            raise Refused(429, f"too many calls: come back in {wait} s", headers={"Retry-After": str(wait)})

    async def _within(self, work: Callable[[], Response]) -> Response:
        """Do the work on a thread, where there is room for it now."""
        if not self._room.enter():
            raise Refused(503, "too many calls at once: send it again", headers={"Retry-After": str(_COME_BACK)})
        try:
            return await run_in_threadpool(work)
        finally:
            self._room.leave()


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _media_type(request: Request) -> str:
    kind, _, rest = request.headers.get("content-type", "").partition(";")
    charset = rest.casefold().replace(" ", "").replace('"', "")
    found = kind.strip().casefold()
    if found not in JSON_TYPES or ("charset=" in charset and "charset=utf-8" not in charset):
        raise Refused(415, f"send {' or '.join(JSON_TYPES[:2])}, in UTF-8")
    if request.headers.get("content-encoding", "identity").casefold() not in ("", "identity"):
        raise Refused(415, "send the body unpacked")
    return found


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    key = key.strip().strip('"')
    if not key or len(key) > _LONGEST_KEY or not key.isprintable():
        raise Refused(400, f"an Idempotency-Key has 1 to {_LONGEST_KEY} printable characters")
    return key


async def _body(request: Request, most: int) -> bytes:
    """The body, of a bounded size and within a bounded time."""
    too_large = Refused(
        413, f"the body is larger than {most:,} bytes: send it in parts", headers={"Connection": "close"}
    )
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise too_large
    found = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for part in request.stream():
                found += part
                if len(found) > most:
                    raise too_large
    except TimeoutError:
        raise Refused(408, f"the body did not come within {_BODY_SECONDS:.0f} s") from None
    except ClientDisconnect:
        raise Refused(400, "the body broke off") from None
    return bytes(found)
