"""What the daemon hands down to a connector: functions and places, so that connectors need to know no store or file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from connectors.tokens import TokenKeep


def _temporary() -> Path:
    return Path(tempfile.gettempdir())


@dataclass(frozen=True, slots=True)
class Means:
    """One source's means. The defaults keep nothing beyond the process."""

    keep: TokenKeep = field(default_factory=TokenKeep)
    """Rotated tokens of the reading credentials."""
    write_keep: TokenKeep = field(default_factory=TokenKeep)
    """Rotated tokens of the writing ones, where they are others."""
    spent: Callable[[], int] = lambda: 0
    """Our API calls to this source in the last 24 hours, as the run records count them."""
    spool: Path = field(default_factory=_temporary)
    """An existing folder for files that are removed after use."""
