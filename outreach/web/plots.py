"""Geometry of courses and scatters, as numbers that a macro writes as SVG. Pure.

As in ``charts.py``, positions are percentages of the plot area. ``templates/macros/plots.html``
draws what is worked out here.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from outreach.web.chart_scales import WHOLE, Value, YScale, YTick, finite
from outreach.web.charts import Level, Limit

MOST_THREADS = 200  # More lines than these are one grey field, and a page that is slow to draw.
MOST_SPECKS = 500
_EDGE = 8.0  # room beside the first and the last moment, in percent
T = TypeVar("T")


@dataclass(frozen=True)
class Moment:
    """One point of time in all courses: days from the start, its words, and the mean there."""

    day: int
    label: str
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class MeanDot:
    """A mean where it is drawn, with its interval."""

    x: float
    y: float
    y_low: float | None
    y_high: float | None
    moment: Moment


@dataclass(frozen=True)
class Courses:
    """A thin line for each of ``drawn`` of ``n`` people, and their mean in a thick one.

    ``threads`` and ``mean_path`` are written in a box of 100 by 100.
    """

    id: str
    label: str
    unit: str
    decimals: int
    y_ticks: tuple[YTick, ...]
    levels: tuple[Level, ...]
    threads: str
    mean_path: str
    dots: tuple[MeanDot, ...]
    n: int
    drawn: int


@dataclass(frozen=True)
class Speck:
    """One pair where it is drawn."""

    x: float
    y: float


@dataclass(frozen=True)
class Scatter:
    """Pairs of two measures: ``drawn`` of ``n`` of them."""

    id: str
    label: str
    x_label: str
    y_label: str
    x_ticks: tuple[YTick, ...]
    y_ticks: tuple[YTick, ...]
    decimals: int
    specks: tuple[Speck, ...]
    y_zero: float | None
    n: int
    drawn: int


@dataclass(frozen=True)
class Part:
    """A piece of a column, from ``y`` down by ``height``, in percent; ``place`` is its fill."""

    place: int
    y: float
    height: float
    count: int


@dataclass(frozen=True)
class Column:
    """One column of parts that add up to ``whole``."""

    label: str
    x: float
    width: float
    whole: int
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Columns:
    """Columns of shares, each 100 percent high, side by side."""

    id: str
    label: str
    names: tuple[str, ...]
    columns: tuple[Column, ...]


def columns(
    rows: Sequence[tuple[str, Sequence[int]]], names: Sequence[str], *, label: str
) -> Columns | None:
    """Return (label, counts) rows as columns of shares; None where nothing is counted.

    The first of ``names`` stands at the bottom. A column without anybody stays empty.
    """
    if not any(sum(counts) for _label, counts in rows):
        return None
    step = WHOLE / len(rows)
    return Columns(
        _id_of(label),
        label,
        tuple(names),
        tuple(
            Column(
                words,
                round(index * step + step * 0.12, 2),
                round(step * 0.76, 2),
                sum(counts),
                tuple(_parts(counts)),
            )
            for index, (words, counts) in enumerate(rows)
        ),
    )


def _parts(counts: Sequence[int]) -> Iterator[Part]:
    whole, below = sum(counts), 0
    for place, count in enumerate(counts):
        if count:
            top = WHOLE - WHOLE * (below + count) / whole
            yield Part(place, round(top, 2), round(WHOLE * count / whole, 2), count)
        below += count


def courses(
    people: Sequence[Sequence[Value]],
    moments: Sequence[Moment],
    *,
    label: str,
    unit: str,
    limits: Sequence[Limit] = (),
) -> Courses | None:
    """Return everybody's course, or None of nobody.

    Args:
        people: for each person one value for each of ``moments``.
        moments: in order of time, with the means of all of ``people``.
        label: what it shows; its accessible name.
        unit: as written behind a value.
        limits: levels to draw; the vertical axis includes them.
    """
    if not people:
        return None
    shown = thinned(people, MOST_THREADS)
    values = [finite(value) for person in shown for value in person]
    edges = [
        edge for each in moments for edge in (each.mean, each.low, each.high) if edge is not None
    ]
    up = YScale([*values, *edges, *(finite(limit.value) for limit in limits)])
    across = _spread([each.day for each in moments])
    dots = tuple(
        MeanDot(
            x,
            up.at(each.mean),
            None if each.low is None else up.at(each.low),
            None if each.high is None else up.at(each.high),
            each,
        )
        for x, each in zip(across, moments, strict=True)
    )
    return Courses(
        id=_id_of(label),
        label=label,
        unit=unit,
        decimals=up.decimals,
        y_ticks=_ticks(up),
        levels=tuple(Level(up.at(limit.value), limit.value, limit.label) for limit in limits),
        threads=" ".join(
            "M"
            + "L".join(f"{x:g},{up.at(value):g}" for x, value in zip(across, person, strict=True))
            for person in shown
        ),
        mean_path=" ".join(f"{dot.x:g},{dot.y:g}" for dot in dots),
        dots=dots,
        n=len(people),
        drawn=len(shown),
    )


def scatter(
    pairs: Sequence[tuple[Value, Value]], *, label: str, x_label: str, y_label: str
) -> Scatter | None:
    """Return pairs of (across, up), or None of none. The level of no change is drawn."""
    if not pairs:
        return None
    shown = thinned(sorted(pairs), MOST_SPECKS)
    across = YScale([0.0, *(finite(x) for x, _y in shown)])
    up = YScale([0.0, *(finite(y) for _x, y in shown)])
    return Scatter(
        id=_id_of(label),
        label=label,
        x_label=x_label,
        y_label=y_label,
        x_ticks=tuple(YTick(WHOLE - across.at(tick), tick) for tick in across.ticks),
        y_ticks=_ticks(up),
        decimals=up.decimals,
        specks=tuple(Speck(round(WHOLE - across.at(x), 2), up.at(y)) for x, y in shown),
        y_zero=up.at(0.0),
        n=len(pairs),
        drawn=len(shown),
    )


def thinned(rows: Sequence[T], most: int) -> Sequence[T]:
    """Return at most ``most`` of ``rows``, taken at even distances."""
    if len(rows) <= most:
        return rows
    return [rows[index * len(rows) // most] for index in range(most)]


def _spread(days: Sequence[int]) -> list[float]:
    """Return where moments lie across, in percent."""
    first, length = days[0], max(days[-1] - days[0], 1)
    return [round(_EDGE + (day - first) / length * (WHOLE - 2 * _EDGE), 2) for day in days]


def _ticks(scale: YScale) -> tuple[YTick, ...]:
    return tuple(YTick(scale.at(tick), tick) for tick in scale.ticks)


def _id_of(label: str) -> str:
    return f"plot-{zlib.crc32(str(label).encode()):08x}"
