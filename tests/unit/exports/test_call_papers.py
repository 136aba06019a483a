"""Reports on paper: figures as people read them, whatever names hold."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from outreach.exports import paper
from outreach.exports.call_papers import cell
from outreach.exports.paper import write_paper
from outreach.exports.rules import paper_size
from outreach.reports.rules.tally import Measure, Tally, Wait
from outreach.web.charts import RatePoint, run_chart

BAD = '#panic("no") $x$ *b* \\ ] = @a <b>'
MONDAY = date(2026, 6, 1)


@pytest.mark.parametrize(
    ("measure", "tally", "read"),
    [
        (Measure.REACH_PER_DIAL, Tally(reached=22, dials=30), "73% (22 of 30)"),
        (Measure.COMPLETION, Tally(), "–"),
        (
            Measure.COMPLETION,
            Tally(completed=3, missed=1, still_open=2, cancelled=1),
            "75% (3 of 4); 1 missed; not counted: 2 open, 1 cancelled",
        ),
        (Measure.DIALS_PER_REACH, Tally(reached=5, dials=7), "1.4 (7 for 5)"),
        (Measure.DIALS_PER_REACH, Tally(dials=7), "–"),
        (
            Measure.CALLS_MEAN,
            Tally(minutes=(0, 1, 9), calls=(0, 1, 2)),
            "1 (0.5–1.5), 3 in 3 weeks",
        ),
        (Measure.MINUTES_MEAN, Tally(minutes=(0, 1, 9)), "1 (0.5–5), 10 in 3 weeks"),
        (
            Measure.FIRST_CALL,
            Tally(waits=(Wait(1.25, is_in_time=True), Wait(1.75, is_in_time=True))),
            "100% (2 of 2), median 1.5 days",
        ),
        (
            Measure.FIRST_CALL,
            Tally(waits=(Wait(None, is_in_time=False),)),
            "0% (0 of 1), median: none yet",
        ),
        (Measure.FIRST_CALL, Tally(first_waiting=2), "–; not counted: 2 that still have time"),
        (
            Measure.PROTOCOL,
            Tally(weeks_kept=1, weeks_judged=2, minutes=(0, 0, 0)),
            "50% (1 of 2); not counted: 1 not judged yet",
        ),
    ],
)
def test_a_figure_is_a_percentage_only_where_it_is_a_rate(
    measure: Measure, tally: Tally, read: str
) -> None:
    assert cell(measure, tally) == read


@pytest.mark.parametrize(
    ("measure", "few", "tally", "read"),
    [
        (
            Measure.COMPLETION,
            Measure.STILL_OPEN,
            Tally(completed=30, missed=10, still_open=2),
            "75% (30 of 40); 10 missed",
        ),
        (
            Measure.PROTOCOL,
            Measure.WEEKS_OPEN,
            Tally(weeks_kept=10, weeks_judged=20, minutes=(0,) * 21),
            "50% (10 of 20)",
        ),
        (
            Measure.FIRST_CALL,
            Measure.FIRST_WAITING,
            Tally(waits=(Wait(1.5, is_in_time=True),) * 11, first_waiting=1),
            "100% (11 of 11), median 1.5 days",
        ),
    ],
)
def test_of_few_patients_it_is_not_told_that_they_are_not_counted(
    measure: Measure, few: Measure, tally: Tally, read: str
) -> None:
    assert cell(measure, tally, lambda each: each is not few) == read


def _plot() -> dict[str, Any] | None:
    points = [RatePoint(MONDAY + timedelta(weeks=n), n % 3, 4) for n in range(12)]
    bounds = {each.begins_on: (10.0, 40.0) for each in points}
    return paper.of_run_chart(run_chart(points, label="Rate", median_label="Median", bounds=bounds))


def test_a_run_chart_on_paper_has_its_median_limits_and_the_weeks_outside() -> None:
    plot = _plot()

    assert plot is not None
    assert [dot["outside"] for dot in plot["dots"]] == [n % 3 != 1 for n in range(12)]
    assert (len(plot["levels"]), len(plot["bands"]), plot["most"]) == (1, 2, "4")
    assert "dotted: median 25%" in plot["words"]
    assert paper.of_run_chart(None) is None


def _of_calls() -> dict[str, Any]:
    figures = paper.table((BAD, BAD), [(BAD, "73%")])
    chart = {"name": BAD, "plot": _plot(), "signs": BAD}
    return {
        "charts": [chart, {"name": BAD, "plot": None, "signs": ""}],
        "by": BAD,
        "groups": figures,
        "about_groups": BAD,
        "aims": paper.table((BAD,) * 5, [(BAD,) * 5]),
        "team": figures,
        "team_groups": {"title": BAD, "figures": figures, "about": BAD},
        "pulse": {"about": BAD, "plot": _plot(), "signs": BAD, "figures": figures},
        "dials": {"about": BAD, "figures": figures, "in_groups": BAD, "groups": figures},
        "counted": BAD,
        "definitions": [[BAD, BAD]],
    }


def _of_a_day() -> dict[str, Any]:
    bar = {"name": BAD, "words": BAD, "value": 20.0, "whole": 100.0}
    return {"tasks": [["3", BAD]], "more": [BAD], "bars": [bar], "definitions": [[BAD, BAD]]}


def _around() -> dict[str, Any]:
    part: dict[str, Any] = {"name": BAD, "figures": paper.table((BAD,) * 3, [(BAD,) * 3])}
    groups = {"by": BAD, "about": BAD, "tables": [part["figures"]]}
    return {"parts": [part], "groups": groups, "definitions": [[BAD, BAD]]}


@pytest.mark.parametrize(
    ("template", "data", "points"),
    [
        ("adherence.typ", _of_calls, {"us-letter": "792 612", "a4": "841.8898 595.2756"}),
        ("today.typ", _of_a_day, {"us-letter": "612 792", "a4": "595.2756 841.8898"}),
        ("around.typ", _around, {"us-letter": "612 792", "a4": "595.2756 841.8898"}),
    ],
)
@pytest.mark.parametrize("country", ["US", "DE"])
def test_what_people_are_called_is_never_markup(
    template: str,
    data: Callable[[], dict[str, Any]],
    points: Mapping[str, str],
    country: str,
    tmp_path: Path,
) -> None:
    size = paper_size(country)
    made = paper.paper(template, BAD, [("Clinic", BAD)], data(), 1, size=size)

    assert write_paper(made, tmp_path / "a.pdf", lambda _rows: None) == 1
    written = (tmp_path / "a.pdf").read_bytes()
    assert written.startswith(b"%PDF-")
    assert f"/MediaBox[0 0 {points[size]}]".encode() in written
