"""The generated world fits the imitation org: its fields exist with their types, and all of it can be read."""

from __future__ import annotations

from functools import cache

from sandbox.clock import DAY, MINUTE, ScenarioClock, parse_instant
from sandbox.salesforce.ids import normal
from sandbox.salesforce.objects import OBJECTS
from sandbox.salesforce.schema import ID_TYPES, NUMBER_TYPES, Field
from sandbox.salesforce.soql.run import run
from sandbox.salesforce.state import State, new_state, new_store
from sandbox.versions import At, Change, On
from sandbox.world import generate, project

START = parse_instant("2026-03-02T06:00:00Z")
END = START + 365 * DAY


@cache
def _changes() -> list[Change]:
    world = generate.generate(seed=7, start=START, days=5, accounts=120, csms=3, history_days=120)
    return [c for c in project.changes(world) if c.vendor == "salesforce"]


def _state(at: int = START - 90 * MINUTE) -> State:
    state = new_state(new_store(ScenarioClock(at)))
    state.load(_changes())
    state.store.catch_up()
    return state


def _fits(field: Field, value: object) -> bool:
    if value is None:
        return True
    wanted: tuple[type, ...] = (str,)
    if field.type in NUMBER_TYPES:
        wanted = (int, float)
    elif field.type in ("boolean", "date", "datetime"):
        wanted = ({"boolean": bool, "date": On, "datetime": At}[field.type],)
    if type(value) not in wanted:
        return False
    if field.type in ID_TYPES:
        return normal(str(value)) == value
    listed = not field.restricted or value in field.values
    return listed and (not isinstance(value, str) or not field.length or len(value) <= field.length)


def test_every_field_of_the_world_is_described() -> None:
    """The world writes only objects and fields that describe lists, with values of their type, length and picklist."""
    wrong = {
        (change.object, name, repr(value))
        for change in _changes()
        for name, value in change.fields.items()
        if (field := OBJECTS[change.object].by_name.get(name.lower())) is None
        or field.name != name
        or not _fits(field, value)
    }
    assert set() == wrong


def test_references_lead_to_rows() -> None:
    """Once everything has happened, every reference names a row that exists."""
    state = _state(END)
    dangling = [
        (sobject.name, row.id, field.name)
        for sobject in OBJECTS.values()
        for row in state.store.table(sobject.name).rows.values()
        for field in sobject.fields
        if field.type == "reference" and (target := row.fields.get(field.name)) and state.org.row(str(target)) is None
    ]
    assert [] == dangling


def test_a_merge_leaves_nobody_at_the_loser() -> None:
    """Merge losers are deleted with the winner's id, and no live contact stays at one."""
    state = _state(END)
    losers = {row.id for row in state.store.table("Account").rows.values() if row.merged_into}
    assert losers
    contacts = state.store.table("Contact").rows.values()
    assert [] == [c.id for c in contacts if c.deleted_at is None and c.fields.get("AccountId") in losers]


def test_every_object_reads_whole() -> None:
    """All fields of all objects in stamp order, deleted rows too: as many records as rows, stamps never going back."""
    state = _state()
    for sobject in state.org.objects():
        names = ", ".join(f.name for f in sobject.fields)
        stamp = "SystemModstamp" if sobject.has("SystemModstamp") else "LoginTime"
        result = run(state.org, f"SELECT {names} FROM {sobject.name} ORDER BY {stamp}, Id", everything=True)
        records = [result.shape(row, "67.0") for row in result.rows]
        stamps = [str(r[stamp]) for r in records]
        assert sorted(stamps) == stamps
        assert len({r["Id"] for r in records}) == len(records)
    assert len(state.store.table("EmailMessage").rows) > 100
