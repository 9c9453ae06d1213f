"""Show a backtest on a terminal, and as plain data for --json."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from daemon.backtest.cases import Case
from daemon.backtest.judging import Judgement, Share
from daemon.backtest.run import Backtest
from rules.language import wording
from rules.language.values import today_of
from store.records import DAY, Instant


def rendered(found: Backtest, currency: str) -> RenderableType:
    """Verdict, measures, sweep, misses and false alarms, what could not be told, and from when it can be reproduced."""
    parts: list[RenderableType] = [_head(found), _measures(found), Text("\n" + verdict(found))]
    if found.swept:
        parts.append(_sweep(found))
    if found.misses:
        parts.append(_cases("Largest misses (lost without a warning in time)", "lost", found.misses, currency))
    if found.false_alarms:
        parts.append(_cases("Largest false alarms (nothing came of it)", "fired", found.false_alarms, currency))
    for reason, part in list(found.unknown.items())[:5]:
        parts.append(Text(f"could not be told: {_percent(part)} of customer-weeks, {reason}", style="yellow"))
    parts += [Text(f"limit: {limit}", style="yellow") for limit in found.limits]
    return Group(*parts)


def verdict(found: Backtest) -> str:
    """One sentence: why there is no verdict, or whether the rule does better than chance."""
    if found.refusal is not None:
        return f"No verdict: {found.refusal}."
    j = found.judgement
    if j.base_rate is None or j.precision.low is None or j.precision.high is None:
        return "No verdict: no alert is old enough to be judged."
    base = _percent(j.base_rate)
    if j.precision.low > j.base_rate:
        return f"Better than chance: its alerts come true more often than the {base} of any customer in any week."
    if j.precision.high < j.base_rate:
        return f"Worse than chance: its alerts come true less often than the {base} of any customer in any week."
    return f"Not told from chance: {base} of all customers in any week are lost within the horizon, too."


def _head(found: Backtest) -> Text:
    asked, points = found.asked, found.points
    clocks = "one clock: late entries count as if made at once" if asked.one_clock else "two clocks"
    terms = asked.terms
    return Text.assemble(
        (asked.rule.name, "bold"),
        f" from {_day(points[0])} to {_day(points[-1])}: {len(points)} weeks, {found.customers:,.0f} customers, {clocks}\n"
        f"outcome: {found.outcome}; a warning in time comes {terms.lead // DAY} days before, "
        f"a right one at most {terms.horizon // DAY}\n",
    )


def _measures(found: Backtest) -> Table:
    j = found.judgement
    table = Table("measure", "value", "95 % interval", "by ARR", "of")
    lead = f"warned {found.asked.terms.lead // DAY} days before (recall)"
    young = f" ({j.young} too young to judge)" if j.young else ""
    rows = [
        ("right alerts (precision)", j.precision, f"{j.precision.of} alerts{young}"),
        (lead, j.recall, f"{j.recall.of} outcomes"),
        ("warned at all", j.any_warning, f"{j.any_warning.of} outcomes"),
    ]
    for name, part, of in rows:
        table.add_row(name, _percent(part.value), _interval(part), _percent(part.by_arr), of)
    table.add_row("lift", "-" if j.lift is None else f"{j.lift:.1f}", "", "", f"base rate {_percent(j.base_rate)}")
    if j.leads is not None:
        p10, p50, p90 = (f"{days:.0f}" for days in j.leads)
        table.add_row(
            "lead of the last alert", f"{p50} days", f"p10 {p10}, p90 {p90}", "", f"{j.any_warning.hits} outcomes"
        )
    rate = "-" if j.per_csm_week is None else f"{j.per_csm_week:.2f}"
    table.add_row("alerts per CSM and week", rate, "", "", f"{j.alerts} alerts")
    return table


def _sweep(found: Backtest) -> Table:
    phrase = next((variant.phrase for variant in found.asked.sweep), "")
    table = Table("value", "alerts", "a CSM a week", "precision", "95 % interval", "recall", "p50 lead", "lift")
    table.title, table.title_justify = f"\nOther numbers in: {phrase}", "left"
    for one in found.swept:
        j = one.judgement
        table.add_row(
            one.shown + (" (now)" if one.own else ""),
            f"{j.alerts:,}",
            "-" if j.per_csm_week is None else f"{j.per_csm_week:.2f}",
            _percent(j.precision.value),
            _interval(j.precision),
            _percent(j.recall.value),
            "-" if j.leads is None else f"{j.leads[1]:.0f} d",
            "-" if j.lift is None else f"{j.lift:.1f}",
            style="bold" if one.own else "",
        )
    return table


def _cases(title: str, what: str, cases: Sequence[Case], currency: str) -> Table:
    table = Table("account", "ARR", what, "what the rule saw", title=f"\n{title}", title_justify="left")
    for case in cases:
        arr = "unknown" if case.arr is None else wording.money(case.arr, currency)
        late = "" if case.days is None else f"\n(warned {case.days:.0f} days before)"
        seen = Text("\n".join(case.evidence) + late)
        table.add_row(Text(f"{case.name}\n{case.csm or 'no CSM'}"), arr, _day(case.at), seen)
    return table


def _interval(part: Share) -> str:
    return "" if part.low is None or part.high is None else f"{_percent(part.low)} to {_percent(part.high)}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:.1f}%" if value < 0.1 else f"{value * 100:.0f}%"


def _day(at: Instant) -> str:
    return wording.date(today_of(at))


# ---------------------------------------------------------------- as data


def as_data(found: Backtest) -> dict[str, Any]:
    """The whole report; dates as text, leads in days, ARR in minor units, shares between 0 and 1."""
    asked = found.asked
    return {
        "rule": asked.rule.name,
        "version": asked.rule.version,
        "since": _day(asked.since),
        "until": _day(asked.terms.until),
        "weeks": len(found.points),
        "clocks": 1 if asked.one_clock else 2,
        "outcome": found.outcome,
        "lead_days": asked.terms.lead // DAY,
        "horizon_days": asked.terms.horizon // DAY,
        "customers": found.customers,
        "verdict": verdict(found),
        "refused": found.refusal,
        **_judged(found.judgement),
        "unknown": dict(found.unknown),
        "misses": [_case(case) for case in found.misses],
        "false_alarms": [_case(case) for case in found.false_alarms],
        "sweep": [
            {"value": one.value, "shown": one.shown, "own": one.own, **_judged(one.judgement)} for one in found.swept
        ],
        "limits": list(found.limits),
    }


def _judged(j: Judgement) -> dict[str, Any]:
    shares = {"precision": j.precision, "recall": j.recall, "warned": j.any_warning}
    leads = None if j.leads is None else dict(zip(("p10", "p50", "p90"), j.leads, strict=True))
    return {
        "alerts": j.alerts,
        "too_young": j.young,
        **{name: dict(_share(part)) for name, part in shares.items()},
        "lead": leads,
        "base_rate": j.base_rate,
        "lift": j.lift,
        "alerts_per_csm_week": j.per_csm_week,
    }


def _share(part: Share) -> Iterator[tuple[str, Any]]:
    yield from {name: getattr(part, name) for name in ("hits", "of", "value", "low", "high", "by_arr")}.items()


def _case(case: Case) -> dict[str, Any]:
    told = {name: getattr(case, name) for name in ("key", "name", "csm", "arr", "days")}
    return {**told, "at": _day(case.at), "evidence": list(case.evidence)}
