"""`python -m daemon.docs` brings the generated parts of docs/ up to date and names the pages it has changed."""

from __future__ import annotations

import sys

from daemon.docs import outdated


def main() -> None:
    """Write every page that is out of date."""
    for path, text in outdated().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
