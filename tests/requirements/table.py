"""What each requirement of reading asks for, and the tests that show it: docs/reference/requirements.md.

`python -m tests.requirements.table` writes the page; tests/test_docs.py compares.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "reference" / "requirements.md"

ASKED: Mapping[int, str] = {
    1: "the stamp to follow is chosen from describe: SystemModstamp, LastModifiedDate, CreatedDate, LoginTime",
    2: "the cursor comes from the server's stamps and reaches back; our clock does not matter",
    3: "many rows of one stamp are read once, over pages and restarts",
    4: "cursor and rows are kept in one transaction",
    5: "deleted, merged and archived rows are read, each as what it is",
    6: "hard deletions are found, also after more days than the delete log keeps",
    7: "participants come from the relation objects, with their own way of vanishing",
    8: "who and what an activity is about is told by the id's prefix; its account is taken as given",
    9: "one e-mail is one activity, although Salesforce has it twice",
    10: "values of formulas are refreshed although no stamp moves",
    11: "a field or object that vanishes costs its own stream, not the run; old values are kept",
    12: "each HubSpot object is followed by its own property",
    13: "more rows than a search shows are read, also of one millisecond",
    14: "pages are followed by their cursor, and rows outside the window are no news",
    15: "a second, later pass finds what the search index showed late",
    16: "archived and purged records are found by sweeps; restored ones live again",
    17: "merged records leave one live row and aliases, whichever id survived",
    18: "associations are read a thousand at a time and compared by a sweep",
    19: "an answer that is partly an error is kept in part, and the rest is asked again",
    20: "many properties are asked in parts that fit an address, and no torn record is kept",
    21: "a first read picks its transport by size, and falls back where Bulk refuses",
    22: "a first read walks by id, survives a kill, and ends with the newest values",
    23: "rows are counted against what the vendor promised; every end of a job is met",
    24: "large results pass through a file in bounded memory, and every text stays what it was",
    25: "HubSpot's first read uses the list with its associations, and goes on where it was",
    26: "queries travel in the bodies of composites; one part's failure is its own",
    27: "the quota is kept with a reserve, and a stop for it is no success",
    28: "one limiter per portal for all threads, searches apart; the day's end is the portal's",
    29: "what is tried again, how often and for how long, is one table; a call ends by its timeout",
    30: "a session that ends in the middle of anything is renewed once and work goes on",
    31: "Salesforce is signed in to by client credentials, JWT or refresh token, never by SOAP",
    32: "one refresh for all threads; a rotated token is kept before it is used",
    33: "HubSpot takes service keys, private-app tokens and OAuth on the dated path",
    34: "HubSpot's paths carry a date, settable for reading and writing",
    35: "a missing scope costs its object and is told; nobody asks again each round",
    45: "a full comparison heals rows that were damaged or lost",
    46: "each object has its own record: last success, rows, calls, refusals, until when it waits",
    47: "no request without a timeout, no secret or private text in logs, silence after a refused sign-in",
}
"""In our words; the numbers are those of the list of requirements that the connectors were built to."""

_TEST = re.compile(r"^def (test_r(\d+)_\w+)", re.MULTILINE)


def shown() -> dict[int, list[tuple[str, str]]]:
    """Number -> (file, test), in the order of the files."""
    found: dict[int, list[tuple[str, str]]] = {}
    for path in sorted(HERE.glob("test_*.py")):
        for name, number in _TEST.findall(path.read_text()):
            found.setdefault(int(number), []).append((path.name, name))
    return found


def page() -> str:
    """The page as Markdown."""
    found = shown()
    lines = [
        "# Requirements of reading, and the tests that show them",
        "",
        "Written by `python -m tests.requirements.table`. Each test is the acceptance test of its requirement, against",
        "the sandbox over HTTP; sizes that would take minutes are smaller here and whole in `bench/`.",
        "",
        "| | what is asked | shown by |",
        "| --- | --- | --- |",
    ]
    for number, asked in ASKED.items():
        names = "<br>".join(f"`{file}` `{name}`" for file, name in found.get(number, ()))
        lines.append(f"| R{number} | {asked} | {names} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
