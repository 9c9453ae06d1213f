"""The twenty rules as a person would write them in SQL, text and literals, with the same three-valued result and evidence.

What all of them repeat (a fact that must be there and fresh, the seven steps of silence) is a function that gives text.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bench.rules.world import NOW, TODAY
from store.records import DAY

TABLE = "findings_by_hand"


@dataclass(frozen=True, slots=True)
class Part:
    """One condition: SQL that is true, false or NULL, and SQL for why it is NULL."""

    holds: str
    why: str


@dataclass(frozen=True, slots=True)
class Written:
    """One rule: all parts must hold; `severity` is SQL."""

    parts: Sequence[Part]
    severity: str

    @property
    def holds(self) -> str:
        """All parts."""
        return " AND ".join(f"({part.holds})" for part in self.parts)

    @property
    def why(self) -> str:
        """The first reason, in the order of the parts."""
        whys = [f"CASE WHEN ({part.holds}) IS NULL THEN {part.why} END" for part in self.parts]
        return f"COALESCE({', '.join(whys)})" if len(whys) > 1 else whys[0]


def fact(name: str, test: str, shown: str | None = None) -> Part:
    """A test of a fact's fresh value."""
    state = f"{name}_state"
    why = f"CASE WHEN {state} IS NOT NULL THEN REPLACE({state}, '_', ' ') WHEN {name} IS NULL THEN 'not on file' END"
    return Part(f"CASE WHEN {state} IS NULL THEN {name} {test} END", f"'{shown or name.replace('_', ' ')}: ' || {why}")


def known(name: str) -> Part:
    """There is a value; not known while it is stale."""
    state = f"{name}_state"
    return Part(
        f"CASE WHEN {state} = 'stale' THEN NULL ELSE {state} IS NULL AND {name} IS NOT NULL END", fact(name, "").why
    )


def no(part: Part) -> Part:
    """The opposite."""
    return Part(f"NOT ({part.holds})", part.why)


def level(name: str, true: str, false: str) -> Part:
    """A count by level, from `name` to `name + name_u`."""
    both = f"CASE WHEN {true} THEN TRUE WHEN {false} THEN FALSE END"
    why = (
        f"CASE WHEN {name}_state IS NOT NULL THEN REPLACE({name}_state, '_', ' ')"
        f" WHEN {name} IS NULL THEN 'not on file' ELSE 'levels not known' END"
    )
    return Part(f"CASE WHEN {name}_state IS NULL THEN {both} END", f"'{name.replace('_', ' ')}: ' || {why}")


def partial(name: str, fresh: str, old: str) -> Part:
    """A number that can only be higher while its source is stale or not captured."""
    found = fact(name, fresh)
    lower = f"{name}_state IN ('stale', 'not_captured')"
    return Part(f"CASE WHEN {name}_state IS NULL THEN {name} {fresh} WHEN {lower} THEN {old} END", found.why)


def gap(event: str, role: str, days: int | None) -> str:
    """Steps 3 to 6 of silence."""
    state, hidden = f"{event}_state", f"last_unclassified_{event.rpartition('_')[2]}"
    cutoff = None if days is None else NOW - days * DAY
    whens = []
    if role == "any":
        whens.append("any_since IS NULL THEN 'nobody on file'")
    else:
        whens.append(f"{role}_contacts = 0 AND unclassified_contacts = 0 THEN 'no {role} on file'")
        whens.append(f"{hidden} {'IS NOT NULL' if cutoff is None else f'> {cutoff}'} THEN 'levels not known'")
    whens += [
        f"activity_stale = 1 OR {state} = 'stale' THEN 'stale'",
        f"not_covered IS NOT NULL OR {state} = 'not_captured' THEN 'not captured'",
        f"{state} <> 'never' THEN REPLACE({state}, '_', ' ')",
        f"{state} IS NULL AND {event} IS NULL THEN 'not on file'",
    ]
    if cutoff is not None:
        stamps = ["any_since"] if role == "any" else [f"{role}_since", "unclassified_since"]
        old = " OR ".join(f"COALESCE({stamp} <= {cutoff}, FALSE)" for stamp in stamps)
        whens.append(f"NOT ({old}) THEN 'too new'")
    return f"CASE {' '.join(f'WHEN {when}' for when in whens)} END"


def silence(event: str, role: str, days: int) -> Part:
    """No such event in the window."""
    why = gap(event, role, days)
    booking = "next_meeting" if role == "any" else f"next_{role}_meeting"
    seen = f"WHEN {event} > {NOW - days * DAY} THEN FALSE"
    booked = f"WHEN {booking} > {NOW} AND {booking} <= {NOW + 14 * DAY} THEN FALSE"
    return Part(f"CASE {seen} {booked} WHEN {why} IS NULL THEN TRUE END", f"'{event.replace('_', ' ')}: ' || {why}")


def happened(event: str, role: str, days: int | None) -> Part:
    """Such an event in the window, or ever."""
    why = gap(event, role, days)
    seen = f"{event} IS NOT NULL" if days is None else f"{event} > {NOW - days * DAY}"
    holds = f"CASE WHEN {seen} THEN TRUE WHEN {why} IS NULL THEN FALSE END"
    return Part(holds, f"'{event.replace('_', ' ')}: ' || {why}")


def renewal(days: int) -> Part:
    """Renewal within the next `days`."""
    return fact("renewal", f"BETWEEN {TODAY} AND {TODAY + days}")


_DUE = (renewal(90), no(fact("rolling", "= 1")), no(fact("renewed", "= 1")))
_RICH, _BIG = fact("arr", ">= 20000000", "ARR"), fact("segment", "= 'enterprise'")
_NEXT = "next_meeting_state"
_UNBOOKED = Part(
    f"NOT (CASE WHEN {_NEXT} = 'never' THEN FALSE WHEN {_NEXT} IS NULL OR {_NEXT} = 'not_captured'"
    f" THEN next_meeting > {NOW} END)",
    fact("next_meeting", "").why,
)
_SEATS = Part(
    "CASE WHEN active_users_state IS NULL AND seats_state IS NULL THEN active_users * 10 < seats * 7 END",
    "'active users: ' || CASE WHEN active_users_state IS NOT NULL THEN REPLACE(active_users_state, '_', ' ')"
    " WHEN active_users IS NULL THEN 'not on file' WHEN seats_state IS NOT NULL THEN REPLACE(seats_state, '_', ' ')"
    " WHEN seats IS NULL THEN 'not on file' END",
)


def _raised(part: Part, above: str, else_: str) -> str:
    return f"CASE WHEN {part.holds} THEN '{above}' ELSE '{else_}' END"


WRITTEN = {
    "renewal-exec-silence": Written(
        (*_DUE, silence("last_exec_contact", "exec", 15)), _raised(renewal(30), "critical", "high")
    ),
    "renewal-no-exec-on-file": Written(
        (*_DUE, level("exec_contacts", "exec_contacts = 0 AND exec_contacts_u = 0", "exec_contacts > 0")), "'high'"
    ),
    "adoption-drop-user-silence": Written(
        (known("adoption_change"), fact("adoption_change", "<= -0.2"), silence("last_user_contact", "user", 30)),
        _raised(fact("adoption_change", "<= -0.4"), "critical", "high"),
    ),
    "single-threaded": Written(
        (
            _BIG,
            level(
                "strong_exec_relationships",
                "strong_exec_relationships + strong_exec_relationships_u < 2",
                "strong_exec_relationships >= 2",
            ),
            *_DUE,
        ),
        "'medium'",
    ),
    "strong-adoption-no-users": Written(
        (
            known("adoption"),
            fact("adoption", ">= 0.75"),
            level(
                "user_relationships", "user_relationships = 0 AND user_relationships_u = 0", "user_relationships > 0"
            ),
        ),
        "'medium'",
    ),
    "lapsed": Written((fact("renewal", f"<= {TODAY - 1}"), no(fact("renewed", "= 1"))), "'critical'"),
    "touch-overdue": Written(
        (partial("touch_due_in", "< -90", "CASE WHEN touch_due_in >= -90 THEN FALSE END"), _UNBOOKED), "'low'"
    ),
    "first-word-is-commercial": Written((renewal(120), silence("last_contact", "any", 60)), "'medium'"),
    "one-sided": Written(
        (
            level(
                "strong_user_relationships",
                "strong_user_relationships >= 2",
                "strong_user_relationships + strong_user_relationships_u < 2",
            ),
            silence("last_exec_contact", "exec", 60),
        ),
        "'medium'",
    ),
    "exec-in-touch": Written((happened("last_exec_contact", "exec", 7), _RICH), "'low'"),
    "big-and-silent": Written((_RICH, silence("last_contact", "any", 45)), "'high'"),
    "urgent-ticket": Written((fact("urgent_tickets", ">= 1"),), "'high'"),
    "tickets-pile-up": Written((fact("open_tickets", ">= 1"), fact("tier", "= 1")), "'medium'"),
    "onboarding-silence": Written((fact("lifecycle", "= 'onboarding'"), silence("last_contact", "any", 14)), "'high'"),
    "never-met-an-exec": Written(
        (fact("arr", ">= 10000000", "ARR"), no(happened("last_exec_contact", "exec", None))), "'medium'"
    ),
    "tier-1-untouched": Written(
        (fact("tier", "= 1"), partial("touches_90d", "< 2", "CASE WHEN touches_90d >= 2 THEN FALSE END")), "'medium'"
    ),
    "seats-unused": Written((known("active_users"), renewal(90), _SEATS), "'medium'"),
    "potential-unmet": Written(
        (
            fact("potential", ">= 15000000"),
            partial("meetings_90d", "< 1", "CASE WHEN meetings_90d >= 1 THEN FALSE END"),
        ),
        "'low'",
    ),
    "weak-relationship": Written((_BIG, fact("relationship", "< 20")), "'low'"),
    "replies-dried-up": Written(
        (
            fact("tier", "BETWEEN 1 AND 2"),
            partial("touches_90d", ">= 4", "CASE WHEN touches_90d >= 4 THEN TRUE END"),
            silence("last_reply", "any", 60),
        ),
        "'medium'",
    ),
}


def statements(
    rule: str, version: str, evidence: Collection[str], *, sqlite: bool, among: str | None = None
) -> tuple[str, str]:
    """Resolve, then find: of all accounts, or of those that the SQL `among` selects."""
    written = WRITTEN[rule]
    pairs = ", ".join(f"'{name}', {name}" for name in sorted(evidence))
    proof = f"json_object({pairs})" if sqlite else f"CAST(json_build_object({pairs}) AS TEXT)"
    only = "" if among is None else f" AND account_id IN ({among})"
    resolve = (
        f"DELETE FROM {TABLE} WHERE rule = '{rule}'{only} AND NOT EXISTS (SELECT 1 FROM facts"
        f" WHERE facts.account_id = {TABLE}.account_id AND ({written.holds}) IS NOT FALSE)"
    )
    kept = ("outcome", "severity", "reason", "rule_version", "evidence")
    differs = " OR ".join(f"{TABLE}.{name} IS DISTINCT FROM excluded.{name}" for name in kept)
    if sqlite:
        differs = differs.replace("IS DISTINCT FROM", "IS NOT")
    find = (
        f"INSERT INTO {TABLE} (rule, account_id, outcome, severity, reason, since, rule_version, evidence)"
        f" SELECT '{rule}', account_id, CASE WHEN {written.holds} THEN 'fires' ELSE 'unknown' END,"
        f" {written.severity}, CASE WHEN ({written.holds}) IS NULL THEN {written.why} END, {NOW}, '{version}', {proof}"
        f" FROM facts WHERE ({written.holds}) IS NOT FALSE{only}"
        f" ON CONFLICT (rule, account_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in kept)},"
        f" since = CASE WHEN {TABLE}.outcome = excluded.outcome THEN {TABLE}.since ELSE excluded.since END"
        f" WHERE {differs}"
    )
    return resolve, find
