"""A picture of the report, where a browser is found; never a reason to fail."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_WIDTH = 1280
_TALLEST = 6000
_PATIENCE = 60.0
_HEIGHT = re.compile(r'data-height="(\d+)"')


def browser(env: Mapping[str, str]) -> str | None:
    """$CHROMIUM_BIN, else Chromium or Chrome on the PATH."""
    return env.get("CHROMIUM_BIN") or next((found for name in _NAMES if (found := shutil.which(name))), None)


def shoot(page: Path, picture: Path, program: str) -> Path | None:
    """Draw the page as a PNG as tall as it is; None when the browser would not."""
    with tempfile.TemporaryDirectory(prefix="tierd-browser-") as profile:
        height = _height(page, program, profile)
        picture.unlink(missing_ok=True)
        _run(program, profile, f"--screenshot={picture}", f"--window-size={_WIDTH},{height}", page.as_uri())
    return picture if picture.is_file() else None


def _height(page: Path, program: str, profile: str) -> int:
    """The page writes its own height down when it is asked to by its address."""
    address = page.as_uri() + "#measure"
    found = _HEIGHT.search(_run(program, profile, "--dump-dom", f"--window-size={_WIDTH},1000", address))
    return min(int(found.group(1)), _TALLEST) if found else 2400


def _run(program: str, profile: str, *arguments: str) -> str:
    flags = ["--headless=new", "--disable-gpu", "--hide-scrollbars", "--no-first-run", f"--user-data-dir={profile}"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")  # as root the browser does not start with it; the page is our own file
    try:
        done = subprocess.run(
            [program, *flags, *arguments], capture_output=True, timeout=_PATIENCE, check=False, text=True
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
