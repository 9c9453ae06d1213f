"""How often this process looks for garbage: what it makes most of are statements and rows, which are no cycles."""

from __future__ import annotations

import gc

_NEW_OBJECTS = 50_000


def seldom() -> None:
    """Look after 50,000 new objects instead of 700: else a tenth of the time goes into looking at what is in use."""
    gc.set_threshold(_NEW_OBJECTS)
