"""What the demo says on the terminal: the world, a line per day, the kill, three verdicts, the CRM's tiers, the score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.rule import Rule as Line
from rich.table import Table
from rich.text import Text

from daemon.demo.crm import Field, Person, Tiers
from daemon.demo.days import Day
from daemon.demo.picks import Pick
from daemon.demo.score import passed
from daemon.explainrows import day as date_of
from daemon.explainrows import moment
from daemon.explaintext import rendered
from store.records import Instant

WIDTH = 100
_BAR = 20


class Show:
    """Writes to one console: colours and a spinner on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self.console = console
        if console.width > WIDTH or not console.is_terminal:
            console.width = WIDTH

    def waiting(self, what: str) -> AbstractContextManager[object]:
        """Say what goes on while nothing else is said."""
        if self.console.is_terminal:
            return self.console.status(escape(what))
        self.console.print(escape(what))
        return nullcontext()

    def say(self, text: str, style: str = "") -> None:
        """One plain line."""
        self.console.print(Text(text, style=style))

    def chapter(self, title: str) -> None:
        """A heading."""
        self.console.print()
        self.console.print(Line(Text(title, style="bold"), align="left", style="cyan"))

    # ------------------------------------------------------------ before

    def world(self, sizes: Sequence[tuple[int, str]], mess: Sequence[tuple[str, float]]) -> None:
        """How large and how untidy the made-up company is."""
        self.chapter("A made-up company, as untidy as a real one")
        self.say("   ".join(f"{count:,} {what}" for count, what in sizes))
        table = Table(box=None, show_header=False, padding=(0, 1))
        table.add_column(width=52)
        table.add_column(justify="right")
        table.add_column()
        for what, share in mess:
            bar = "█" * round(share * _BAR)
            table.add_row(what, f"{share:.0%}", Text(bar.ljust(_BAR, "·"), style="cyan"))
        self.console.print(table)

    def first(self, synced: Sequence[tuple[str, int, int]], written: int, replaced: int, seconds: float) -> None:
        """The first sync and the first tiers. `synced`: source, rows, calls."""
        for source, rows, calls in synced:
            self.say(f"  {source:<14} {rows:>7,} rows" + (f" in {calls:,} API calls" if calls else ""))
        self.say(
            f"  {written:,} tier fields written, {replaced:,} of them over a tier from years ago   ({seconds:.0f} s)"
        )

    # ------------------------------------------------------------ the days

    def days(self, count: int) -> None:
        """The heading over the daily lines."""
        self.chapter(f"{count} scenario days pass through the real daemon")
        self.say("day  date         told replies digests cleared tiers calls   at once", "bold")

    def day(self, day: Day) -> None:
        """One day's line."""
        line = Text(
            f"{day.number:>3}  {day.date:<12} {day.told:>4} {day.replies:>7} {day.digests:>7} {day.cleared:>7} "
            f"{day.tiers:>5} {day.calls:>5}   "
        )
        names = day.names[:2]
        more = len(day.names) - len(names)
        line.append(", ".join(names) + (f" and {more} more" if more > 0 else ""), "yellow")
        line.truncate(WIDTH, overflow="ellipsis")
        self.console.print(line, no_wrap=True)

    def killed(self) -> None:
        """At the very moment."""
        self.say(
            "     kill -9: Slack has taken a message, its answer never arrives; the daemon starts again", "bold red"
        )

    def survived(self) -> None:
        """What became of that message."""
        self.say("     the message was found in Slack by its delivery id and is there exactly once", "green")

    def clicked(self, who: str, what: str, account: str) -> None:
        """A person pressed a button."""
        self.say(f"     {who} {what}: {account}", "magenta")

    # ------------------------------------------------------------ after

    def verdicts(self, picks: Iterable[Pick]) -> None:
        """Three explanations, as `tierd explain` gives them."""
        for pick in picks:
            self.chapter(pick.title)
            self.console.print(Padding(rendered(pick.told, only=pick.rule), (0, 0, 0, 1)))

    def tiers(self, summary: Tiers, fields: Sequence[Field], people: Sequence[Person]) -> None:
        """The CRM's tier field before and after, and what a person's hand protects."""
        self.chapter("The tier field in the CRMs")
        self.say(f"{summary.changed:,} fields changed, {summary.same:,} stayed as they were")
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for name in ("account", "CRM", "before", "now, in the CRM", "why"):
            table.add_column(name, no_wrap=True)
        for field in fields[:5]:
            row = (field.account, field.system, field.before, field.in_crm, field.reason)
            table.add_row(*(Text(cell) for cell in row))
        self.console.print(table)
        for person in people[:1]:
            self.say(left_alone(person), "green")

    def score(self, result: Mapping[str, Any]) -> None:
        """The scoreboard."""
        self.chapter("Scoreboard")
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for what, value in scoreboard(result):
            table.add_row(what, Text(value))
        self.console.print(table)
        for row in result["truth_table"]:
            if row["verdict"] in ("missed", "false"):
                self.say(f"  {row['verdict']}: {row['account']}, {row['rule']}: {row['remark']}", "bold red")
        for row in result["tiers_wrong"]:
            line = f"  wrong tier: {row['account']} in {row['crm']} is {row['found']}, not {row['expected']}"
            self.say(line, "bold red")
        for row in result["facts"]["differing"]:
            line = f"  wrong fact: {row['account']}, {row['fact']}: {row['found']}, not {row['expected']}"
            self.say(line, "bold red")
        for what, found in result["identity"].items():
            for kind in ("missed", "false"):
                for one in found[kind]:
                    self.say(f"  identity, {what} {kind}: {one}", "bold red")
        ok = passed(result)
        words = "nothing missed, nothing false, nothing lost, nothing doubled" if ok else "THIS RUN FAILED"
        self.say(words, "bold green" if ok else "bold red")

    def end(self, report: Path, picture: Path | None, config: Path, as_of: Instant, account: str | None) -> None:
        """Where to look, and what to do next."""
        self.chapter("Look at it")
        self.say(f"  {report}" + (f"\n  {picture}" if picture else ""))
        if account is not None:
            self.say(f"  tierd -c {config} explain {quoted(account)} --as-of {moment(as_of).replace(' ', 'T')}")
        self.chapter("On your own data")
        steps = (
            ("tierd init", "writes a commented tierd.yaml and the rules"),
            ("tierd check", "tests connections and permissions, and prices the first sync"),
            ("tierd preview --csm you@yours", "the very messages: a read-only CRM token will do, no Slack"),
            ("tierd run", "then it works by itself"),
        )
        for command, what in steps:
            self.say(f"  {command:<31} {what}")


def left_alone(person: Person) -> str:
    """One sentence about a tier that a person has set."""
    since = f" on {date_of(person.at)}" if person.at is not None else ""
    return (
        f"Left alone: {person.account} is {person.in_crm} in {person.system} because a person set it{since}; "
        f"the score alone gives {person.computed}."
    )


def scoreboard(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(what, value) in the order of what matters."""
    ground, churn, each = result["ground_truth"], result["churn"], result["messages_per_csm_day"]
    planted = result["planted"]
    missed = "; ".join(_missed(miss) for miss in churn["missed"])
    lines = [
        ("Planted stories", f"{planted['caught']} of {planted['stories']} caught (opened on the day, and told)"),
        (
            "All alerts",
            (
                f"{ground['caught']} caught, {ground['missed']} missed, {ground['false']} false, "
                f"{ground['undecidable']} that nobody can decide"
            ),
        ),
        ("Rules", _rules(result["rules"])),
        ("Facts", f"{result['facts']['compared']:,} at the end, {result['facts']['different']} of them wrong"),
        ("Messages", f"{result['slack_messages']} in Slack; lost {result['lost']}, doubled {result['duplicates']}"),
        ("Per CSM and day", f"median {each['median']:g}, at most {each['max']:g}"),
        (
            "Customers lost",
            (
                f"{churn['churned']}; told at least 30 days before: {churn['told_30_days_before']}"
                f" ({churn['told_by_a_message_of_its_own']} by a message of its own)"
            ),
        ),
        ("  not told in time", missed or "none"),
        ("  lost before day 30", ", ".join(churn["too_soon"]) or "none"),
        ("Customers who stayed", f"{result['churn_alerts_on_customers_who_stayed']} churn alerts"),
        ("Tier fields", f"{result['tiers_written']:,} written, {len(result['tiers_wrong'])} wrong at the end"),
    ]
    lines += [(_IDENTITY[what], _found(found)) for what, found in result["identity"].items()]
    for vendor, calls in result["api_calls"].items():
        swept = f", and {calls['sweeps']:,} by scheduled sweeps" if calls["sweeps"] else ""
        once = f", {calls['once']:,} for what is read once" if calls["once"] else ""
        lines.append((f"Calls to {_VENDORS[vendor]}", f"{calls['made']:,}, at least {calls['minimum']:,}{once}{swept}"))
    return [*lines, ("Seconds", f"{result['seconds']:.0f}")]


def _rules(rules: Mapping[str, Sequence[str]]) -> str:
    unknown = rules["not_scored"]
    return f"{len(rules['scored'])} scored" + (f"; not scored: {', '.join(unknown)}" if unknown else ", all that ship")


_VENDORS = {"salesforce": "Salesforce", "hubspot": "HubSpot", "slack": "Slack"}


_IDENTITY = {
    "linked": "One account in both CRMs",
    "conflicts": "  CRMs that contradict",
    "unregistered": "Persons in no CRM",
}


def _found(found: Mapping[str, Any]) -> str:
    """How many of what there is were found, and what was made up."""
    made_up = f", {len(found['false'])} that are none" if found["false"] else ""
    return f"{found['there'] - len(found['missed'])} of {found['there']} found{made_up}"


def _missed(miss: Mapping[str, Any]) -> str:
    if miss["first_told_day"] is None:
        return f"{miss['name']} (never told)"
    return f"{miss['name']} (told {miss['lost_on_day'] - miss['first_told_day']} days before)"


def quoted(text: str) -> str:
    """An argument as a shell takes it."""
    return "'" + text.replace("'", "'\\''") + "'"
