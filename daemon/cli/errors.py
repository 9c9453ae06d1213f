"""Every expected error as one clear message, and the exit code that belongs to it."""

from __future__ import annotations

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from alerts.slack import SlackTrouble
from connectors.http import VendorError
from daemon.backtest.chart import ChartsMissing
from daemon.cli.common import BAD_INPUT, FAILED, BadInput, Failed, err
from daemon.config import ConfigError
from daemon.config.identity import LinksFileWrong
from daemon.explain import AccountAmbiguous, AccountNotFound
from daemon.lock import StoreHeld
from daemon.preview import NoSuchCsm
from rules.language import RuleErrors
from store.migrate import StoreOutdated

_BAD_INPUT = (ConfigError, RuleErrors, BadInput, AccountNotFound, AccountAmbiguous, NoSuchCsm, LinksFileWrong)
_FAILED = (Failed, StoreHeld, StoreOutdated, VendorError, SlackTrouble, ChartsMissing)


def tell(error: Exception) -> int:
    """Print what is wrong and what to do about it; the exit code."""
    match error:
        case _ if isinstance(error, _BAD_INPUT):
            _print(str(error))
            return BAD_INPUT
        case _ if isinstance(error, _FAILED):
            _print(str(error))
            return FAILED
        case OperationalError():
            _print(f"the store cannot be opened: {_cause(error)}; check `store:` in tierd.yaml")
            return FAILED
        case SQLAlchemyError():
            _print(f"the store refused: {_cause(error)}")
            return FAILED
        case OSError():
            _print(f"{error.strerror or error}" + (f": {error.filename}" if error.filename else ""))
            return FAILED
    _print(f"tierd failed: {type(error).__name__}: {error}\nThis is a defect; TIERD_DEBUG=1 shows where it happened.")
    return FAILED


def _print(message: str) -> None:
    err.print(message, style="red" if err.is_terminal else None, markup=False)


def _cause(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
