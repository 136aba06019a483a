"""Reports on paper, set by typst: figures as they are read, charts as they are drawn."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import typst
from babel.dates import format_date

from config import ROOT
from outreach.exports.asked_of import Question
from outreach.exports.rules.cells import Watch
from outreach.reports.definitions import Definition
from outreach.reports.rules.statistics import Interval, Share
from outreach.web.chart_scales import YTick
from outreach.web.charts import Chart
from outreach.web.plots import Columns, Courses, Scatter

TEMPLATES = ROOT / "templates" / "exports"
MISSING = "–"


@dataclass(frozen=True)
class Paper:
    """What a template of templates/exports sets, and how many figures that is."""

    template: str
    data: Mapping[str, Any]
    rows: int


def paper(
    template: str,
    title: str,
    about: Sequence[tuple[str, str]],
    data: Mapping[str, Any],
    rows: int,
    *,
    size: str,
) -> Paper:
    """Return a report under its title, with what it is about at its head and on each page.

    ``size``: of the paper, as typst names it.
    """
    footer = " · ".join(words for _what, words in about)
    head = {"title": title, "paper": size, "footer": footer, "about": list(about)}
    return Paper(template, head | dict(data), rows)


def write_paper(made: Paper, path: Path, watch: Watch) -> int:
    """Write ``made`` to ``path`` as a PDF; return how many figures it has."""
    inputs = {"data": json.dumps(made.data)}
    path.write_bytes(typst.compile(TEMPLATES / made.template, format="pdf", sys_inputs=inputs))
    watch(made.rows)
    return made.rows


def day(on: date) -> str:
    """Return 'Nov 20, 2026'."""
    return f"{on:%b} {on.day}, {on.year}"


def fixed(value: Any, decimals: int) -> str:
    """Return a number with ``decimals`` decimals, a dash where it is missing."""
    return MISSING if value is None else f"{value:,.{decimals}f}"


def signed(value: float | None, decimals: int) -> str:
    """Return a change with its sign: '−0.70', '+1.20', '0.00'; a dash where it is missing."""
    if value is None:
        return MISSING
    rounded = round(float(value), decimals)
    sign = "+" if rounded > 0 else "−" if rounded < 0 else ""
    return sign + fixed(abs(rounded), decimals)


def between(interval: Interval | None, decimals: int) -> str:
    """Return the ends of an interval: '−0.9 to −0.5'; empty where there is none."""
    if interval is None:
        return ""
    return f"{signed(interval.low, decimals)} to {signed(interval.high, decimals)}"


def share(found: Share, *, with_interval: bool = False) -> str:
    """Return '73% (22 of 30)', a dash of nobody; perhaps with its 95% interval."""
    if found.value is None:
        return MISSING
    words = f"{found.value:.0%} ({found.part} of {found.whole})"
    if with_interval and found.interval:
        words += f", 95% CI {100 * found.interval.low:.0f}–{100 * found.interval.high:.0f}"
    return words


def defined(entries: Sequence[Definition]) -> list[list[str]]:
    """Return what numbers mean as the templates take it, in the words of the page."""
    return [[str(each.term), str(each.words)] for each in entries]


def about_days(question: Question) -> list[tuple[str, str]]:
    """Return what a report of some days is about, for its head."""
    period, as_of = question.asked.period, question.asked.as_of_day
    days = f"{day(period.from_on)} to {day(period.until_on)}"
    known = [("As of the end of", day(as_of))] if as_of else []
    return [("Clinic", question.clinic.name), ("Days", days), *known, question.made]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return a table as the templates take it."""
    return {"head": list(head), "rows": [list(row) for row in rows]}


def of_run_chart(chart: Chart | None, *, each: str = "week") -> dict[str, Any] | None:
    """Return a rate by week, with its median and control limits, as the templates take it.

    ``each``: what a point of it is.
    """
    if chart is None:
        return None
    [line] = chart.lines
    levels = [f"dotted: {level.label.lower()} {level.value:.0f}%" for level in chart.levels]
    bands = ["dashed: control limits", "black diamond: outside them"] if chart.bands else []
    words = [f"Line: each {each}", *levels, *bands, "columns: how many are behind it"]
    return {
        "ticks": [{"y": tick.y, "label": f"{tick.value:.0f}%"} for tick in chart.y_ticks],
        "under": [
            {"x": tick.x, "label": format_date(tick.day, tick.pattern, locale="en")}
            for tick in chart.x_ticks
        ],
        "levels": [{"y": level.y} for level in chart.levels],
        "bands": [_places(band.split(" ")) for band in chart.bands],
        "lines": [_places(path.split(" ")) for path in line.paths],
        "dots": [{"x": dot.x, "y": dot.y, "outside": dot.is_outside} for dot in line.dots],
        "weights": [
            {"x": column.x, "width": column.width, "height": column.height}
            for column in chart.weights
        ],
        "most": f"{max(column.n for column in chart.weights):,}",
        "words": "; ".join(words) + ".",
    }


def of_courses(plot: Courses | None) -> dict[str, Any] | None:
    """Return everybody's course and the mean as the templates take it."""
    if plot is None:
        return None
    levels = "; ".join(f"Dotted at {each.value}{plot.unit}: {each.label}" for each in plot.levels)
    drawn = f", {plot.drawn} of them drawn" if plot.drawn < plot.n else ""
    return {
        "ticks": _ticks(plot.y_ticks, plot.decimals),
        "under": [{"x": dot.x, "label": dot.moment.label} for dot in plot.dots],
        "levels": [{"y": each.y} for each in plot.levels],
        "threads": [_places(thread[1:].split("L")) for thread in plot.threads.split(" ")],
        "mean": [(dot.x, dot.y) for dot in plot.dots],
        "whiskers": [(dot.x, dot.y_low, dot.y_high) for dot in plot.dots if dot.y_low is not None],
        "words": ". ".join(
            words
            for words in (
                f"{plot.n} measured each time{drawn}; thick line: mean with its 95% interval",
                levels,
            )
            if words
        )
        + ".",
    }


def of_scatter(plot: Scatter, words: str) -> dict[str, Any]:
    """Return pairs as the templates take them; ``words`` stand below."""
    drawn = f", {plot.drawn} of them drawn" if plot.drawn < plot.n else ""
    return {
        "ticks": _ticks(plot.y_ticks, plot.decimals),
        "under": [{"x": tick.y, "label": fixed(tick.value, 0)} for tick in plot.x_ticks],
        "specks": [(each.x, each.y) for each in plot.specks],
        "zero": plot.y_zero,
        "words": f"{plot.y_label} (up), {plot.x_label} (across); n = {plot.n}{drawn}. {words}",
    }


def of_columns(plot: Columns | None) -> dict[str, Any] | None:
    """Return columns of shares as the templates take them."""
    if plot is None:
        return None
    return {
        "ticks": [{"y": 100 - each, "label": f"{each}%"} for each in (0, 50, 100)],
        "under": [{"x": each.x + each.width / 2, "label": each.label} for each in plot.columns],
        "names": list(plot.names),
        "columns": [
            {
                "x": each.x,
                "width": each.width,
                "parts": [
                    {"place": part.place, "y": part.y, "height": part.height} for part in each.parts
                ],
            }
            for each in plot.columns
        ],
    }


def _ticks(ticks: Sequence[YTick], decimals: int) -> list[dict[str, Any]]:
    return [{"y": each.y, "label": fixed(each.value, decimals)} for each in ticks]


def _places(pairs: Sequence[str]) -> list[list[float]]:
    return [[float(number) for number in pair.split(",")] for pair in pairs]
