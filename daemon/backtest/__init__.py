"""A rule on the past: weekly points with what was known at each, the alerts it would have raised, and what came of them."""

from __future__ import annotations

from daemon.backtest.run import Backtest, backtest
from daemon.backtest.walk import Asked

__all__ = ["Asked", "Backtest", "backtest"]
