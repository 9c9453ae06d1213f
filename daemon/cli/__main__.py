"""`python -m daemon.cli` is `tierd`, for a tree that is not installed."""

from __future__ import annotations

from daemon.cli import main

main()
