"""Log lines are JSON with the clock's time, and hold neither secrets nor addresses."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from daemon.clock import SystemClock
from daemon.logs import set_up


class _Fixed(SystemClock):
    def now(self) -> int:
        return 1_772_431_200_000_000


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """Where this test's log goes; the standard library's logging is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def _lines(output: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.getvalue().splitlines()]


def test_line_is_json_with_the_clocks_time(output: io.StringIO) -> None:
    """Whatever is passed by name is a key of the object."""
    set_up(_Fixed(), output=output)
    structlog.get_logger("daemon.sync").info("synced", source="salesforce", changed=3)
    assert _lines(output) == [
        {
            "event": "synced",
            "source": "salesforce",
            "changed": 3,
            "level": "info",
            "at": "2026-03-02T06:00:00.000+00:00",
        }
    ]


def test_secrets_never_reach_a_log(output: io.StringIO) -> None:
    """A secret is masked in messages, values, nested values and tracebacks, whoever logs."""
    set_up(_Fixed(), secrets=["hunter22"], output=output, level="debug")
    log = structlog.get_logger("daemon")
    log.info("token hunter22", url="https://x/?key=hunter22", nested={"a": ["hunter22"]})
    try:
        raise ValueError("refused hunter22")
    except ValueError:
        log.exception("failed")
    logging.getLogger("somewhere").warning("header %s", "hunter22")
    assert "hunter22" not in output.getvalue()
    assert output.getvalue().count("***") >= 5


def test_addresses_and_subjects_stay_out_by_default(output: io.StringIO) -> None:
    """E-mail addresses are masked and subjects dropped; at debug level they help."""
    set_up(_Fixed(), output=output)
    structlog.get_logger("daemon").info("read mail of ana.o'neil+x@kunde.example", subject="Kündigung")
    assert _lines(output)[0]["event"] == "read mail of <e-mail>"
    assert "Kündigung" not in output.getvalue()
    set_up(_Fixed(), output=output, level="debug")
    structlog.get_logger("daemon").debug("read mail of ana@kunde.example")
    assert "ana@kunde.example" in output.getvalue()


def test_kits_are_heard_from_warning_on(output: io.StringIO) -> None:
    """A kit's request log, which holds addresses and tokens, stays silent."""
    set_up(_Fixed(), output=output)
    logging.getLogger("urllib3.connectionpool").info("GET /services/data")
    logging.getLogger("urllib3.connectionpool").warning("retrying")
    assert [line["event"] for line in _lines(output)] == ["retrying"]
