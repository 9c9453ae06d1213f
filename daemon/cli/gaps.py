"""The command gaps: what the data lacks, once per source or owner."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from daemon.cli import app
from daemon.cli.common import OK, ConfigPath, configured, out, reading

if TYPE_CHECKING:
    from daemon.alerting.gaps import Gap


@app.command()
def gaps(config: ConfigPath = None) -> int:
    """List the gaps in the data: stale sources, mail that is not captured, missing owners and dates, with remedies."""
    from daemon.alerting.gaps import find

    settings = configured(config, needs=())
    with reading(settings) as daemon, daemon.store.read() as connection:
        found = find(connection, daemon.clock.now(), settings.timezone)
    out.print(_table(found) if found else "no gaps in the data")
    return OK


def _table(found: Iterable[Gap]) -> Table:
    table = Table("what", "remedy", box=None, pad_edge=False)
    for gap in found:
        table.add_row(Text(gap.sentence), Text(gap.remedy))
    return table
