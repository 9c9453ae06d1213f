"""Block Kit's elements and composition objects as Slack refuses them; `blockkit` checks the blocks around them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.slack.model import Json

STYLES = ("primary", "danger")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
TIME = re.compile(r"\d{2}:\d{2}")
HTTP_URL = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)


@dataclass(slots=True)
class Findings:
    """Faults in the vendor's wording: "[ERROR] what [json-pointer:/where]"."""

    units: str = "code_points"
    lines: list[str] = field(default_factory=list)

    def add(self, what: str, at: str) -> None:
        """Note one fault."""
        self.lines.append(f"[ERROR] {what} [json-pointer:{at}]")

    def text(self, value: object, at: str, most: int, least: int = 1) -> None:
        """A string of `least` to `most` characters."""
        if not isinstance(value, str):
            self.add("must provide a string", at)
            return
        length = len(value) if self.units == "code_points" else len(value.encode("utf-16-le")) // 2
        if length < least:
            self.add(f"must be more than {least - 1} characters", at)
        if length > most:
            self.add(f"must be less than {most + 1} characters", at)

    def optional(self, node: Json, name: str, at: str, most: int) -> None:
        """A text field that may be absent."""
        if node.get(name) is not None:
            self.text(node[name], f"{at}/{name}", most)


def required(node: Json, name: str, at: str, found: Findings) -> bool:
    """True when the field is there; else the fault is noted."""
    if node.get(name) is None:
        found.add(f"missing required field: {name}", at)
        return False
    return True


def limited(value: object, at: str, found: Findings, most: int, least: int = 1) -> bool:
    """True for a list that is short enough to look into."""
    if not isinstance(value, list):
        found.add("must be an array", at)
        return False
    if len(value) < least:
        found.add(f"must provide at least {least} items", at)
    if len(value) > most:
        found.add(f"no more than {most} items allowed", at)
    return True


def check_text(value: object, at: str, found: Findings, most: int, plain: bool = False) -> None:
    """A text object; `plain` where only plain_text is taken."""
    if not isinstance(value, dict):
        found.add("must be a text object", at)
        return
    kind = value.get("type")
    if kind != "plain_text" and (plain or kind != "mrkdwn"):
        found.add(f"unsupported type: {kind}", f"{at}/type")
    if kind != "plain_text" and "emoji" in value:
        found.add("invalid additional property: emoji", at)
    if kind != "mrkdwn" and "verbatim" in value:
        found.add("invalid additional property: verbatim", at)
    found.text(value.get("text"), f"{at}/text", most)


def check_confirm(value: object, at: str, found: Findings) -> None:
    """The confirmation dialog of an element."""
    if not isinstance(value, dict):
        found.add("must be an object", at)
        return
    for name, most, plain in (("title", 100, True), ("text", 300, False), ("confirm", 30, True), ("deny", 30, True)):
        if required(value, name, at, found):
            check_text(value[name], f"{at}/{name}", found, most, plain=plain)


def check_options(value: object, at: str, found: Findings, most: int, plain: bool = True) -> None:
    """A list of options: text 75, value 150 characters."""
    if not limited(value, at, found, most):
        return
    assert isinstance(value, list)
    for index, option in enumerate(value):
        here = f"{at}/{index}"
        if not isinstance(option, dict):
            found.add("must be an object", here)
            continue
        check_text(option.get("text"), f"{here}/text", found, 75, plain=plain)
        found.text(option.get("value"), f"{here}/value", 150)
        if option.get("description") is not None:
            check_text(option["description"], f"{here}/description", found, 75, plain=plain)


def _common(element: Json, at: str, found: Findings) -> None:
    found.optional(element, "action_id", at, 255)
    if element.get("placeholder") is not None:
        check_text(element["placeholder"], f"{at}/placeholder", found, 150, plain=True)
    if element.get("confirm") is not None:
        check_confirm(element["confirm"], f"{at}/confirm", found)


def _url(element: Json, name: str, at: str, found: Findings) -> None:
    found.optional(element, name, at, 3000)
    if isinstance(element.get(name), str) and not HTTP_URL.fullmatch(element[name]):
        found.add("must be a valid URL", f"{at}/{name}")


def _button(element: Json, at: str, found: Findings) -> None:
    if required(element, "text", at, found):
        check_text(element["text"], f"{at}/text", found, 75, plain=True)
    found.optional(element, "value", at, 2000)
    found.optional(element, "accessibility_label", at, 75)
    _url(element, "url", at, found)
    if "style" in element and element["style"] not in STYLES:
        found.add(f"must be one of: {', '.join(STYLES)}", f"{at}/style")
    _common(element, at, found)


def _select(element: Json, at: str, found: Findings) -> None:
    groups = element.get("option_groups")
    if groups is not None:
        if limited(groups, f"{at}/option_groups", found, 100):
            for index, group in enumerate(groups):
                here = f"{at}/option_groups/{index}"
                check_text(group.get("label"), f"{here}/label", found, 75, plain=True)
                check_options(group.get("options"), f"{here}/options", found, 100)
    elif required(element, "options", at, found):
        check_options(element["options"], f"{at}/options", found, 100)
    _initial(element, "initial_options" if element["type"].startswith("multi_") else "initial_option", at, found)
    _common(element, at, found)


def _initial(element: Json, name: str, at: str, found: Findings) -> None:
    """An initial option must be one of the options, text and value alike."""
    chosen = element.get(name)
    if chosen is None:
        return
    known = list(element.get("options") or [])
    for group in element.get("option_groups") or []:
        known.extend(group.get("options") or [])
    values = {(o.get("value"), (o.get("text") or {}).get("text")) for o in known if isinstance(o, dict)}
    for option in chosen if isinstance(chosen, list) else [chosen]:
        if (option.get("value"), (option.get("text") or {}).get("text")) not in values:
            found.add("is not one of the options", f"{at}/{name}")


def _overflow(element: Json, at: str, found: Findings) -> None:
    if required(element, "options", at, found):
        check_options(element["options"], f"{at}/options", found, 5)
    _common(element, at, found)


def _choices(initial: str) -> Callable[[Json, str, Findings], None]:
    def check(element: Json, at: str, found: Findings) -> None:
        if required(element, "options", at, found):
            check_options(element["options"], f"{at}/options", found, 10, plain=False)
        _initial(element, initial, at, found)
        _common(element, at, found)

    return check


def _stamp(name: str, form: re.Pattern[str]) -> Callable[[Json, str, Findings], None]:
    def check(element: Json, at: str, found: Findings) -> None:
        value = element.get(name)
        if value is not None and not (isinstance(value, str) and form.fullmatch(value)):
            found.add("invalid format", f"{at}/{name}")
        _common(element, at, found)

    return check


def _typed(element: Json, at: str, found: Findings) -> None:
    most = element.get("max_length", 3000)
    if not isinstance(most, int) or not 1 <= most <= 3000:
        found.add("must be between 1 and 3000", f"{at}/max_length")
    if element.get("initial_value") is not None:
        found.text(element["initial_value"], f"{at}/initial_value", 3000, least=0)
    _common(element, at, found)


def _number(element: Json, at: str, found: Findings) -> None:
    if not isinstance(element.get("is_decimal_allowed"), bool):
        found.add("missing required field: is_decimal_allowed", at)
    _common(element, at, found)


def _picture(element: Json, at: str, found: Findings) -> None:
    if required(element, "image_url", at, found):
        _url(element, "image_url", at, found)
    if required(element, "alt_text", at, found):
        found.text(element["alt_text"], f"{at}/alt_text", 2000)


ELEMENTS: dict[str, Callable[[Json, str, Findings], None]] = {
    "button": _button,
    "checkboxes": _choices("initial_options"),
    "datepicker": _stamp("initial_date", DATE),
    "image": _picture,
    "multi_static_select": _select,
    "number_input": _number,
    "overflow": _overflow,
    "plain_text_input": _typed,
    "radio_buttons": _choices("initial_option"),
    "static_select": _select,
    "timepicker": _stamp("initial_time", TIME),
    "users_select": _common,
}


def check_element(value: Any, at: str, found: Findings, allowed: set[str]) -> None:
    """An interactive element or image at a place where only `allowed` types may stand."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in allowed:
        found.add(f"unsupported type: {kind}", f"{at}/type")
        return
    ELEMENTS[kind](value, at, found)
