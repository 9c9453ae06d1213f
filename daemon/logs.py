"""Logs: one JSON object per line, readable lines on a terminal; never a secret, never an e-mail address by default."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, MutableMapping
from datetime import UTC, datetime
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from daemon.masking import Mask, masking
from store.records import SECOND, Clock

_PRIVATE_KEYS = ("subject", "email", "address", "body")  # metadata of mail stays out of logs, whoever passes it
# Kits that log requests with their addresses or tokens at INFO and below.
_NOISY = (
    "alembic",
    "apscheduler",
    "hubspot",
    "httpx",
    "simple_salesforce",
    "slack_sdk",
    "urllib3",
    "uvicorn",
    "websocket",
)


def set_up(clock: Clock, *, secrets: Iterable[str] = (), level: str = "info", output: TextIO | None = None) -> None:
    """Route structlog and the standard library's logging to `output` (stderr), with the clock's time on each line."""
    stream = sys.stderr if output is None else output
    number = logging.getLevelNamesMapping()[level.upper()]
    shared = _processors(clock, secrets, debug=number <= logging.DEBUG)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    render: Processor = structlog.dev.ConsoleRenderer() if stream.isatty() else structlog.processors.JSONRenderer()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(number)
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


def _processors(clock: Clock, secrets: Iterable[str], *, debug: bool) -> list[Processor]:
    def stamp(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["at"] = _iso(clock.now())
        return event

    mask = masking(secrets, private=not debug)

    def scrub(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return _scrubbed(event, mask, debug=debug)

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        stamp,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        scrub,
    ]


def _scrubbed(event: EventDict, mask: Mask, *, debug: bool) -> EventDict:
    def clean(value: object) -> object:
        match value:
            case str():
                return mask(value)
            case dict():
                return {key: clean(inner) for key, inner in value.items()}
            case list() | tuple():
                return [clean(inner) for inner in value]
            case None | bool() | int() | float():
                return value
        return clean(str(value))

    cleaned: MutableMapping[str, object] = {}
    for key, value in event.items():
        if key.startswith("_"):  # structlog's own: the log record, not printed
            cleaned[key] = value
        elif debug or key not in _PRIVATE_KEYS:
            cleaned[key] = clean(value)
    return cleaned


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / SECOND, UTC).isoformat(timespec="milliseconds")
