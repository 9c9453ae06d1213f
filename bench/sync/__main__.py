"""Measure reading and write the results page: `python -m bench.sync [--rows 10000,100000] [--alone 1000000] [--bulk-mb 2048]`.

Every line of the page comes from one run on one machine. Peers are installed from PyPI below `--peers FOLDER`; without
it they are left out. `--alone 0` and `--bulk-mb 0` leave the long measurements out.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.sync import peers, report
from bench.sync.report import Line
from bench.sync.running import VendorProcess, sync_ours, vendor

_CHANGED = 0.045
_PAGE = Path(__file__).parents[1] / "results" / "sync.md"
_VENDORS = ("salesforce", "hubspot")
_WORDS = 2_000
"""Characters of text per row that fill a large Bulk result."""


def main() -> int:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="10000,100000", help="sizes at which all are measured")
    parser.add_argument("--alone", type=int, default=1_000_000, help="rows at which ours alone is measured")
    parser.add_argument("--bulk-mb", type=int, default=2_048, help="megabytes of one Bulk result")
    parser.add_argument("--peers", type=Path, help="folder for the peers' environments")
    parser.add_argument("--page", type=Path, default=_PAGE)
    asked = parser.parse_args()
    lines: list[Line] = []
    sizes = [int(size) for size in asked.rows.split(",") if size]
    for name in _VENDORS:
        for rows in sizes:
            lines += _told(_ours(name, rows, "side by side"))
            if asked.peers is not None:
                lines += _told(_peers(name, rows, asked.peers))
        if asked.alone:
            lines += _told(_ours(name, asked.alone, "alone"))
    if asked.bulk_mb:
        rows = asked.bulk_mb * 1_000_000 // (_WORDS + 150)
        for size in (rows // 100, rows):
            lines += _told(_ours("salesforce", size, "bulk", words=_WORDS, cycles=1))
    asked.page.parent.mkdir(exist_ok=True)
    asked.page.write_text(report.page(lines))
    _say(f"written: {asked.page}")
    return 0


def _told(lines: Iterator[Line]) -> Iterator[Line]:
    for line in lines:
        _say(report.told(line))
        yield line


def _cycles(served: VendorProcess, rows: int) -> Iterator[str]:
    """The three reads, with what happens to the vendor before each."""
    served.calls()
    yield "first"
    served.tell(f"change {round(rows * _CHANGED)}")
    served.calls()
    yield "changed"
    yield "idle"


def _ours(name: str, rows: int, table: str, *, words: int = 0, cycles: int = 3) -> Iterator[Line]:
    settings = {"bulk_rows": 1_000} if table == "bulk" else {}
    with vendor(name, rows, words) as served, tempfile.TemporaryDirectory(prefix="tierd-bench-") as folder:
        for _, what in zip(range(cycles), _cycles(served, rows), strict=False):
            result = sync_ours(name, served, Path(folder) / "store.db", **settings)
            calls = served.calls()
            if result["status"] != "ok":
                raise RuntimeError(f"our sync ended {result['status']}: {result['troubles']}")
            yield Line(
                table, name, rows, "tierd", what,
                seconds=result["seconds"], read=result["rows"], calls=calls["total"],
                object_calls=sum(n for path, n in calls.items() if _of_object(name, path)),
                peak_mib=result["peak_mib"], growth_mib=result["growth_mib"],
            )  # fmt: skip


def _of_object(name: str, path: str) -> bool:
    """Is this request about the object that has rows; composites carry several objects and count as such."""
    return path != "total" and ("contacts" in path if name == "hubspot" else "oauth2" not in path)


def _peers(name: str, rows: int, folder: Path) -> Iterator[Line]:
    for peer in peers.PEERS:
        if peer.vendor != name:
            continue
        installed = peers.install(peer, folder)
        if isinstance(installed, str):
            yield Line("side by side", name, rows, peer.name, "first", failure=installed)
            continue
        title = f"{peer.name} {installed.version}"
        with vendor(name, rows) as served, tempfile.TemporaryDirectory(prefix="tierd-bench-") as scratch:
            for what in _cycles(served, rows):
                result = peer.run(installed, served, Path(scratch))
                calls = served.calls()
                if result.failure:
                    yield Line("side by side", name, rows, title, what, failure=result.failure)
                    break
                yield Line(
                    "side by side", name, rows, title, what,
                    seconds=result.seconds, read=result.rows, calls=calls["total"],
                    object_calls=calls["total"], peak_mib=result.peak_mib,
                )  # fmt: skip


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
