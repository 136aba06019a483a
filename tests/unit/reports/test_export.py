"""Reports as files."""

import csv
import io
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from outreach.accounts.models import Clinic
from outreach.reports import export
from outreach.reports.adherence import DialTable, Line, Report
from outreach.reports.rules.period import Period
from outreach.reports.rules.tally import Measure, Tally
from outreach.web.csv_cells import safe

PERIOD = Period(date(2026, 11, 2), date(2026, 11, 22))
TEXT = st.text(st.characters(exclude_characters="\r\n\x00", exclude_categories=["Cs"]))


@given(st.lists(st.lists(TEXT, min_size=2, max_size=2), max_size=5))
def test_a_file_can_be_read_back(rows: list[list[str]]) -> None:
    content = export.as_csv(("a", "b"), rows)

    assert content.startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert read == [["a", "b"], *([str(safe(cell)) for cell in row] for row in rows)]


def test_every_caller_has_one_row_for_each_measure() -> None:
    clinic = Clinic(code="../C 1", name="Riverside")
    lines = (Line(4, "Ana", Tally(completed=1)), Line(None, "", Tally(missed=1)))
    total = Tally(completed=1, missed=1)
    report = Report(lines, total, DialTable(4, {1: 1, 2: 1}), {4: [date(2026, 11, 20)]})

    rows = list(export.adherence_rows(clinic, PERIOD, report))

    assert len(rows) == 3 * len(Measure) + 3
    assert rows[0] == (
        "Riverside",
        "All callers",
        "scheduled-call completion",
        1,
        2,
        0.5,
        PERIOD.from_on,
        PERIOD.until_on,
        None,
    )
    assert [row[1:6] for row in rows[-3:]] == [
        ("All callers", "reached by dial 1", 1, 4, 0.25),
        ("All callers", "reached by dial 2", 2, 4, 0.5),
        ("All callers", "reached by dial 3", 2, 4, 0.5),
    ]
    assert {row[1] for row in rows} == {"All callers", "Ana", "No caller"}
