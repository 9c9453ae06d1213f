"""Projects the World onto the records of both CRMs: one list of changes, each at the instant of its true stamp."""

from __future__ import annotations

from sandbox.versions import Change
from sandbox.world.model import World
from sandbox.world.project_hubspot import HubSpotRecords
from sandbox.world.project_salesforce import SalesforceRecords
from sandbox.world.reading import Reading


def changes(world: World) -> list[Change]:
    """Everything that happens to Salesforce and HubSpot, in order of time; history comes with its true stamps.

    Ids are numbered in the order of the World, so the same world has the same records.
    """
    reading = Reading(world)
    found = [*SalesforceRecords(reading).changes(), *HubSpotRecords(reading).changes()]
    found.sort(key=lambda change: change.at)
    return found
