"""Geometry of charts, as numbers that a macro writes as SVG. Pure.

Every position is a percentage of the plot area, x from the left and y from the top, so
that one drawing fits a phone and a wide screen while its text keeps its size.
``templates/macros/charts.html`` draws what is worked out here.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby, pairwise
from statistics import median

from outreach.web.chart_scales import (
    WHOLE,
    Value,
    XScale,
    XTick,
    YScale,
    YTick,
    day_of,
    days_of,
    finite,
    percent,
)

MOST_SERIES = 2  # A third could not be told apart without colour.
HALF_A_WEEK, HALF_A_MONTH = 3.5, 15.0
MEDIAN_FROM = 10  # Source: domain.md E4, a run chart needs 10 points.


@dataclass(frozen=True)
class Series:
    """Values over time. Moments are days, or aware instants in the zone to show them in."""

    name: str
    points: Sequence[tuple[date, Value]]


@dataclass(frozen=True)
class Limit:
    """A level to compare with, such as a target."""

    value: Value
    label: str


@dataclass(frozen=True)
class Dot:
    """One value where it is drawn; ``part`` and ``whole`` where it is a rate.

    ``bounds`` are control limits in the unit of ``value``; ``is_outside`` says it is not within.
    """

    x: float
    y: float
    day: date
    value: Value
    part: int | None = None
    whole: int | None = None
    is_outside: bool = False
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True)
class Line:
    """One series; each of ``paths`` is the text of a polyline in a box of 100 by 100.

    There are several where something is missing in between.
    """

    name: str
    is_second: bool
    paths: tuple[str, ...]
    dots: tuple[Dot, ...]

    @property
    def values(self) -> list[Value]:
        """Every value, oldest first."""
        return [dot.value for dot in self.dots]


@dataclass(frozen=True)
class Level:
    """A limit where it is drawn."""

    y: float
    value: Value
    label: str


@dataclass(frozen=True)
class Weight:
    """How much stands behind one point: a bar under it, ``height`` in percent of the most."""

    x: float
    width: float
    height: float
    n: int


@dataclass(frozen=True)
class Row:
    """One row of the table behind a chart; a value for each line, None where it has none."""

    day: date
    dots: tuple[Dot | None, ...]


@dataclass(frozen=True)
class Chart:
    """A whole chart, ready to be written as SVG with its table.

    ``bands``: control limits, the lower and the upper one, each as the text of a polyline.
    ``is_monthly``: each point is a month, of which ``day`` is the first.
    """

    id: str
    label: str
    unit: str
    decimals: int
    x_ticks: tuple[XTick, ...]
    y_ticks: tuple[YTick, ...]
    lines: tuple[Line, ...]
    levels: tuple[Level, ...]
    rows: tuple[Row, ...]
    weights: tuple[Weight, ...] = ()
    is_rate: bool = False
    bands: tuple[str, ...] = ()
    is_monthly: bool = False


@dataclass(frozen=True)
class RatePoint:
    """``part`` of ``whole`` in the week, or month, that begins on ``begins_on``."""

    begins_on: date
    part: int
    whole: int


@dataclass(frozen=True)
class Bar:
    """``value`` of ``whole`` as two widths, in percent of the largest whole shown."""

    label: str
    value: int
    whole: int
    value_width: float
    whole_width: float


def line_chart(
    series: Sequence[Series], *, unit: str, label: str, limits: Sequence[Limit] = ()
) -> Chart | None:
    """Return up to two series over time, or None where there is no point at all.

    Args:
        series: the second one is drawn dashed, with another marker.
        unit: as written behind a value, such as "%" or "mg/dL".
        label: what the chart shows; its accessible name.
        limits: levels to draw; the vertical axis includes them.

    Raises:
        ValueError: a naive instant, a value that is no number, or a third series.

    """
    if len(series) > MOST_SERIES:
        raise ValueError("A chart shows at most two series.")
    values = [finite(value) for each in series for _at, value in each.points]
    if not values:
        return None
    across = XScale([days_of(at) for each in series for at, _value in each.points])
    up = YScale([*values, *(finite(limit.value) for limit in limits)])
    lines = tuple(_line(each, index == 1, across, up) for index, each in enumerate(series))
    return Chart(
        id=f"chart-{zlib.crc32(str(label).encode()):08x}",
        label=label,
        unit=unit,
        decimals=up.decimals,
        x_ticks=tuple(across.ticks()),
        y_ticks=tuple(YTick(up.at(tick), tick) for tick in up.ticks),
        lines=lines,
        levels=tuple(Level(up.at(limit.value), limit.value, limit.label) for limit in limits),
        rows=_rows(series, lines),
    )


def run_chart(
    points: Sequence[RatePoint],
    *,
    label: str,
    median_label: str,
    bounds: Mapping[date, tuple[float, float]] | None = None,
    is_monthly: bool = False,
) -> Chart | None:
    """Return a weekly rate in percent, with its median line and how much is behind each week.

    Weeks with nothing to divide by are left out; months stay as missing: in the table, and as a
    gap that no line bridges. The median is drawn from MEDIAN_FROM points on; before that it
    would say more than is known. ``bounds``: control limits of each week, in percent.
    """
    limits = bounds or {}
    known = sorted((each for each in points if each.whole), key=lambda each: each.begins_on)
    if not known:
        return None
    rates = [WHOLE * each.part / each.whole for each in known]
    middle = [Limit(median(rates), median_label)] if len(known) >= MEDIAN_FROM else []
    shown = sorted(points, key=lambda each: each.begins_on) if is_monthly else known
    room = HALF_A_MONTH if is_monthly else HALF_A_WEEK
    across = XScale([days_of(each.begins_on) for each in shown], room=room)
    up = YScale([0.0, WHOLE])
    dots = tuple(
        Dot(
            across.at(days_of(each.begins_on)),
            up.at(rate),
            each.begins_on,
            rate,
            each.part,
            each.whole,
            _is_outside(rate, limits.get(each.begins_on)),
            limits.get(each.begins_on),
        )
        for each, rate in zip(known, rates, strict=True)
    )
    found = {dot.day: dot for dot in dots}
    return Chart(
        id=f"chart-{zlib.crc32(str(label).encode()):08x}",
        label=label,
        unit="%",
        decimals=0,
        x_ticks=tuple(across.ticks()),
        y_ticks=tuple(YTick(up.at(tick), tick) for tick in up.ticks),
        lines=(Line(label, False, tuple(_paths(shown, dots)), dots),),
        levels=tuple(Level(up.at(limit.value), limit.value, limit.label) for limit in middle),
        rows=tuple(Row(each.begins_on, (found.get(each.begins_on),)) for each in shown),
        weights=_weights(dots),
        is_rate=True,
        bands=tuple(_bands(dots, up)),
        is_monthly=is_monthly,
    )


def _is_outside(rate: float, bounds: tuple[float, float] | None) -> bool:
    return bounds is not None and not bounds[0] <= rate <= bounds[1]


def _bands(dots: Sequence[Dot], up: YScale) -> Iterator[str]:
    """Yield the lower and the upper limit, where every point has them."""
    limits = [dot.bounds for dot in dots if dot.bounds is not None]
    if len(limits) == len(dots):
        for side in (0, 1):
            yield " ".join(
                f"{dot.x:g},{up.at(each[side]):g}" for dot, each in zip(dots, limits, strict=True)
            )


def bar_rows(rows: Sequence[tuple[str, int, int]]) -> tuple[Bar, ...]:
    """Return (label, value, whole) rows as bars that share one scale."""
    most = max((whole for _label, _value, whole in rows), default=0) or 1
    return tuple(
        Bar(label, value, whole, percent(min(value, whole), most), percent(whole, most))
        for label, value, whole in rows
    )


def _line(series: Series, is_second: bool, across: XScale, up: YScale) -> Line:  # noqa: FBT001
    dots = tuple(
        Dot(across.at(days_of(at)), up.at(value), day_of(at), value)
        for at, value in sorted(series.points, key=lambda point: days_of(point[0]))
    )
    return Line(series.name, is_second, (_path(dots),), dots)


def _paths(shown: Sequence[RatePoint], dots: Sequence[Dot]) -> Iterator[str]:
    """Yield each stretch of points without a gap between them."""
    found = {dot.day: dot for dot in dots}
    for is_known, stretch in groupby(shown, key=lambda each: each.begins_on in found):
        if is_known:
            yield _path([found[each.begins_on] for each in stretch])


def _path(dots: Sequence[Dot]) -> str:
    return " ".join(f"{dot.x:g},{dot.y:g}" for dot in dots)


def _rows(series: Sequence[Series], lines: Sequence[Line]) -> tuple[Row, ...]:
    """Return one row a moment. Two values of one series at one moment make two rows."""
    cells: dict[tuple[float, int], list[Dot | None]] = {}
    days: dict[tuple[float, int], date] = {}
    for index, (each, line) in enumerate(zip(series, lines, strict=True)):
        moments = sorted(days_of(at) for at, _value in each.points)
        seen: dict[float, int] = {}
        for moment, dot in zip(moments, line.dots, strict=True):
            key = (moment, seen.get(moment, 0))
            seen[moment] = key[1] + 1
            cells.setdefault(key, [None] * len(lines))[index] = dot
            days[key] = dot.day
    return tuple(Row(days[key], tuple(cells[key])) for key in sorted(cells))


def _weights(dots: Sequence[Dot]) -> tuple[Weight, ...]:
    most = max(dot.whole or 0 for dot in dots)
    gaps = [after.x - before.x for before, after in pairwise(dots)]
    width = round(min([*gaps, 8.0]) * 0.6, 2)
    return tuple(
        Weight(round(dot.x - width / 2, 2), width, percent(dot.whole or 0, most), dot.whole or 0)
        for dot in dots
    )
