"""A backtest as a chart: precision and recall over the swept numbers, else the lead times of the outcomes; Vega-Lite to SVG."""

from __future__ import annotations

from typing import Any

from daemon.backtest.run import Backtest
from store.records import DAY

_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_MEASURES = (("precision", "right alerts"), ("recall", "warned in time"))


class ChartsMissing(RuntimeError):
    """Charts need a package that is not installed: `pip install 'tierd[charts]'`."""


def svg(found: Backtest) -> str:
    """The chart as an SVG document; raises ChartsMissing. Nothing is loaded from a network."""
    try:
        import vl_convert  # noqa: PLC0415 - an extra
    except ImportError:
        raise ChartsMissing(str(ChartsMissing.__doc__)) from None
    text: str = vl_convert.vegalite_to_svg(spec(found), vl_version="5.21", allowed_base_urls=[])
    return text


def spec(found: Backtest) -> dict[str, Any]:
    """The chart in Vega-Lite, with its data inside."""
    return _sweep(found) if len(found.swept) > 1 else _leads(found)


def _sweep(found: Backtest) -> dict[str, Any]:
    rows = []
    for one in found.swept:
        for name, shown in _MEASURES:
            part = getattr(one.judgement, name)
            if part.value is not None:
                rows.append(
                    {"number": one.shown, "measure": shown, "share": part.value, "low": part.low, "high": part.high}
                )
    order = [one.shown for one in found.swept]
    x = {
        "field": "number",
        "type": "ordinal",
        "sort": order,
        "title": found.asked.sweep[0].phrase,
        "axis": {"labelAngle": 0},
    }
    y = {"type": "quantitative", "axis": {"format": ".0%"}, "scale": {"domain": [0, 1]}}
    colour = {"field": "measure", "type": "nominal", "title": None}
    return _whole(
        f"{found.asked.rule.name}: {found.outcome}, by the number in the phrase",
        rows,
        layer=[
            {"mark": {"type": "errorbar", "ticks": True}, "encoding": {
                "x": x, "color": colour, "y": {**y, "field": "low", "title": "share, with its 95 % interval"},
                "y2": {"field": "high"}}},
            {"mark": {"type": "line", "point": True}, "encoding": {"x": x, "color": colour, "y": {**y, "field": "share"}}},
        ],
    )  # fmt: skip


def _leads(found: Backtest) -> dict[str, Any]:
    rows = [
        {
            "lead": "no warning" if one.lead is None else f"{one.lead // DAY // 30 * 30}",
            "in time": _in_time(found, one.lead),
        }
        for one in found.judgement.outcomes
    ]
    order = [*map(str, range(0, 3_600, 30)), "no warning"]
    x = {"field": "lead", "type": "ordinal", "sort": order, "axis": {"labelAngle": 0},
         "title": "days between the first alert and the outcome, from"}  # fmt: skip
    y = {"aggregate": "count", "type": "quantitative", "title": "outcomes"}
    colour = {"field": "in time", "type": "nominal", "title": "warned in time"}
    title = f"{found.asked.rule.name}: {found.outcome}, {len(rows)} outcomes"
    return _whole(title, rows, mark="bar", encoding={"x": x, "y": y, "color": colour})


def _in_time(found: Backtest, lead: int | None) -> str:
    return "yes" if lead is not None and lead >= found.asked.terms.lead else "no"


def _whole(title: str, rows: list[dict[str, Any]], **parts: Any) -> dict[str, Any]:
    return {"$schema": _SCHEMA, "title": title, "width": 560, "height": 300, "data": {"values": rows}, **parts}
