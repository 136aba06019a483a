"""The report on paper: figures as people read them, whatever names hold."""

from pathlib import Path

import pytest

from outreach.exports import printed
from outreach.exports.paper import write_paper
from outreach.exports.rules.cells import Column, Table, Value
from outreach.reports.rules.tally import Measure


def _row(measure: str, counted: Value, of: Value, value: Value) -> list[Value]:
    return ["Clinic", "All callers", measure, counted, of, value, "2026-11-01", "2026-11-20"]


@pytest.mark.parametrize(
    ("row", "read"),
    [
        (_row(Measure.REACH_PER_DIAL, 22, 30, 0.7333), ["22", "30", "73%"]),
        (_row(Measure.COMPLETION, 0, 0, None), ["0", "0", "–"]),
        (_row(Measure.DIALS_PER_REACH, 5, 5, 1.0), ["5", "5", "1.0"]),
        (_row(Measure.MINUTES, None, 40, 0.5), ["–", "40", "0.5"]),
        (_row(Measure.CALLS, None, 40, 1.0), ["–", "40", "1.0"]),
        (_row(Measure.CALLS_MEAN, 163, 154, 1.0584), ["163", "154", "1.1"]),
        (_row(Measure.STILL_OPEN, 1200, None, 1200), ["1,200", "–", "1,200"]),
        (_row("reached by dial 2", 81, 90, 0.9), ["81", "90", "90%"]),
    ],
)
def test_a_figure_is_a_percentage_only_where_it_is_a_rate(
    row: list[Value], read: list[str]
) -> None:
    assert printed.figure(row) == [str(row[2]), *read]


def test_what_people_are_called_is_never_markup(tmp_path: Path) -> None:
    row = _row(Measure.COMPLETION, 1, 2, 0.5)
    name = '#panic("no") $x$ *b* \\ ] = @a <b>'
    row[1] = name
    columns = [Column(str(n), "") for n in range(8)]
    table = Table("Adherence", columns, [row], 1, [("Clinic", name)])

    made = printed.adherence(table)

    assert write_paper(made, tmp_path / "a.pdf", lambda _rows: None) == 1
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")
