"""The commands tiers plan, apply and adopt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from daemon.cli import app
from daemon.cli.common import FAILED, OK, AsOf, ConfigPath, configured, instant, out, reading, shown, writing
from store.records import Instant

if TYPE_CHECKING:
    from daemon.tierplan import Assignment, TierPlan
    from daemon.wiring import Daemon

tiers_app = typer.Typer(help="Compute the customers' tiers and write them to the CRM.", no_args_is_help=True)
app.add_typer(tiers_app, name="tiers")


@tiers_app.command()
def plan(as_of: AsOf = None, config: ConfigPath = None) -> int:
    """Show what `apply` would change, with the reason of each change. Changes nothing."""
    from daemon.tiers import plan as planned

    settings = configured(config, needs=())
    with reading(settings) as daemon:
        at = _at(daemon, as_of)
        _show(planned(daemon.store, daemon.work.tiers, at))
    if not settings.writeback.enabled:
        out.print("write-back is off (`writeback: {enabled: true}`): apply records tiers and writes nothing")
    return OK


@tiers_app.command()
def apply(
    as_of: AsOf = None,
    approve: Annotated[
        list[str] | None, typer.Option("--approve", metavar="ACCOUNT", help="Carry out this account's proposal.")
    ] = None,
    config: ConfigPath = None,
) -> int:
    """Record the tiers and, where write-back is on, write them to the CRM. A second time nothing is left to do."""
    from daemon.cli.common import BadInput
    from daemon.explain import find
    from daemon.tierplan import NoProposal

    settings = configured(config, needs=("sources",))
    with writing(settings, "tiers apply") as daemon:
        accounts = [find(daemon.store, name).id for name in approve or ()]
        try:
            run = daemon.work.apply_tiers(_at(daemon, as_of), accounts)
        except NoProposal as error:
            raise BadInput(str(error) or str(NoProposal.__doc__)) from error
    _show(run.plan)
    for remark in run.remarks:
        out.print(f"  ! {remark}", markup=False)
    out.print(f"{run.status}: {run.written} written to the CRM")
    return OK if run.status == "applied" else FAILED


@tiers_app.command()
def adopt(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it; without this the difference is only shown.")] = False,
    config: ConfigPath = None,
) -> int:
    """Release the tier values found in the CRM at the first sync, so that apply may overwrite them. Shows them first."""
    from daemon.tiers import adopt as adopted
    from daemon.tiers import adoptable

    settings = configured(config, needs=())
    with writing(settings, "tiers adopt") as daemon:
        now = daemon.clock.now()
        found = (
            adopted(daemon.store, daemon.work.tiers, now).released
            if yes
            else adoptable(daemon.store, daemon.work.tiers, now)
        )
    table = Table("account", "CRM", "found there", "computed", box=None, pad_edge=False)
    for one in found:
        table.add_row(one.name, one.source, one.value, _tier(one.tier))
    if found:
        out.print(table)
    out.print(f"{len(found)} values {'released' if yes else 'found; --yes releases them'}")
    return OK


def _at(daemon: Daemon, given: str | None) -> Instant:
    """The instant given, else that of the last full evaluation: tiers stand on the same facts as the alerts."""
    return instant(given, daemon.work.evaluated_at() or daemon.clock.now())


def _show(found: TierPlan) -> None:
    out.print(f"as of {shown(found.as_of)} UTC: {len(found.assignments)} customers, {len(found.moves)} tiers change, "
              f"{len(found.changes)} CRM fields to write, {len(found.pinned)} set by a person, "
              f"{len(found.proposals)} proposals", markup=False)  # fmt: skip
    table = Table("account", "before", "now", "reason", box=None, pad_edge=False)
    for one in found.moves:
        table.add_row(one.name, _tier(one.before), _tier(one.tier), one.reason)
    for one in found.proposals:
        table.add_row(one.name, _tier(one.tier), f"{_tier(one.proposed)}?", f"proposal: {one.reason}")
    if table.row_count:
        out.print(table)
    if found.pinned:
        left = Table("left alone", "tier", box=None, pad_edge=False)
        for one in found.pinned:
            left.add_row(one.name, _pin(one))
        out.print(left)
    for source in found.stale:
        out.print(f"  ! {source} is stale: nothing is written to it", markup=False)


def _pin(one: Assignment) -> str:
    """`2 (pinned by a person in salesforce since 2026-03-02; computed 3)`."""
    from alerts.writeback import FOUND

    pin = one.pin
    if pin is None:
        return ""
    tier = repr(pin.value) if pin.tier is None else str(pin.tier)  # a value that is none of ours is respected too
    who = f"what {pin.source} had at the first sync" if pin.origin == FOUND else f"a person in {pin.source}"
    return f"{tier} (pinned by {who} since {shown(pin.at)[:10]}; computed {_tier(one.computed)})"


def _tier(tier: int | None) -> str:
    return "none" if tier is None else str(tier)
